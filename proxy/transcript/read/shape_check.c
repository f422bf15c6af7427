#include "transcript/read/shape.h"

#include "base/escape.h"

#include <stdio.h>

/* A sequence of UTF-8 is valid here (jansson has checked): 0xc2 and 0xc3 begin the code
 * points U+0080 to U+00FF, what lies above begins with more. */
static bool is_wire(const json_t *v)
{
    const unsigned char *p = (const unsigned char *)json_string_value(v);

    for (size_t i = 0, len = json_string_length(v); i < len; i++)
        if (p[i] > 0xc3)
            return false;
    return true;
}

static bool is_count(const json_t *v)
{
    return json_is_integer(v) && json_integer_value(v) >= 0;
}

static bool is_block(const json_t *v)
{
    return json_is_array(v) && json_array_size(v) == 2 && is_count(json_array_get(v, 0)) &&
           json_is_string(json_array_get(v, 1));
}

static bool is_label(const json_t *v)
{
    return json_is_string(v) && strlen(json_string_value(v)) == json_string_length(v);
}

static bool each_is(const json_t *list, bool (*is)(const json_t *))
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!is(json_array_get(list, i)))
            return false;
    return true;
}

static bool are_texts(json_t *v)
{
    const char *name;
    json_t *text;

    json_object_foreach(v, name, text) if (!json_is_string(text)) return false;
    return true;
}

static bool is_field(const struct field *f, json_t *v)
{
    switch (f->type) {
    case FIELD_COUNT:
        return is_count(v);
    case FIELD_FLAG:
        return json_is_boolean(v);
    case FIELD_TEXT: /* read as a C string: no NUL within */
        return is_label(v);
    case FIELD_WIRE:
        return json_is_string(v) && is_wire(v);
    case FIELD_COUNTS:
        return json_is_array(v) && each_is(v, is_count);
    case FIELD_BLOCKS:
        return json_is_array(v) && each_is(v, is_block);
    case FIELD_LABELS:
        return json_is_array(v) && each_is(v, is_label);
    case FIELD_TEXTS:
        return json_is_object(v) && are_texts(v);
    case FIELD_OBJECT:
        return json_is_object(v);
    case FIELD_OBJECTS:
        return json_is_array(v);
    }
    return false;
}

static const char *type_name(enum field_type t)
{
    static const char *const names[] = {
        [FIELD_COUNT] = "a count",
        [FIELD_FLAG] = "true or false",
        [FIELD_TEXT] = "a text",
        [FIELD_WIRE] = "a text of octets (code points up to U+00FF)",
        [FIELD_OBJECT] = "an object",
        [FIELD_OBJECTS] = "a list of objects",
        [FIELD_COUNTS] = "a list of counts",
        [FIELD_BLOCKS] = "a list of [octets, hash]",
        [FIELD_LABELS] = "a list of texts",
        [FIELD_TEXTS] = "an object of texts",
    };
    return names[t];
}

static const struct field *find_field(const struct shape *s, const char *name)
{
    for (size_t i = 0; i < s->len; i++)
        if (strcmp(s->fields[i].name, name) == 0)
            return &s->fields[i];
    return NULL;
}

static bool check_list(const struct field *f, json_t *list, char error[READER_ERROR_MAX])
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        if (!json_is_object(item)) {
            snprintf(error, READER_ERROR_MAX, "field \"%s\" must be %s", f->name,
                     type_name(f->type));
            return false;
        }
        if (!shape_check(f->shape, item, error))
            return false;
    }
    return true;
}

static bool check_field(const struct field *f, json_t *v, char error[READER_ERROR_MAX])
{
    if (!is_field(f, v)) {
        snprintf(error, READER_ERROR_MAX, "field \"%s\" must be %s", f->name,
                 type_name(f->type));
        return false;
    }
    if (f->type == FIELD_OBJECT)
        return shape_check(f->shape, v, error);
    return f->type != FIELD_OBJECTS || check_list(f, v, error);
}

bool shape_check(const struct shape *s, json_t *object, char error[READER_ERROR_MAX])
{
    const char *name;
    json_t *v;

    json_object_foreach(object, name, v)
    {
        const struct field *f = find_field(s, name);
        if (f == NULL) {
            char safe[64];
            escape(safe, sizeof safe, span_str(name));
            snprintf(error, READER_ERROR_MAX, "field \"%s\" is not known", safe);
            return false;
        }
        if (!check_field(f, v, error))
            return false;
    }
    for (size_t i = 0; i < s->len; i++) {
        if (s->fields[i].required && json_object_get(object, s->fields[i].name) == NULL) {
            snprintf(error, READER_ERROR_MAX, "field \"%s\" is missing", s->fields[i].name);
            return false;
        }
    }
    return true;
}
