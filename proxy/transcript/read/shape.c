#include "transcript/read/shape.h"

#include "base/escape.h"

#include <stdio.h>
#include <string.h>

enum form {
    FORM_COUNT, /* integer, not negative */
    FORM_FLAG,
    FORM_TEXT,
    FORM_WIRE, /* text of code points up to U+00FF */
    FORM_OBJECT,
    FORM_OBJECTS,
    FORM_COUNTS,
    FORM_BLOCKS, /* list of [count, text] */
    FORM_LABELS,
    FORM_TEXTS, /* object of texts, any names */
};

static enum form form_of(const struct record_row *f)
{
    static const enum form forms[] = {
#define TYPE(id, form, schema, text) [TYPE_##id] = FORM_##form,
        RECORD_TYPES(TYPE)
#undef TYPE
    };
    return forms[f->type];
}

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

static bool is_field(const struct record_row *f, json_t *v)
{
    switch (form_of(f)) {
    case FORM_COUNT:
        return is_count(v);
    case FORM_FLAG:
        return json_is_boolean(v);
    case FORM_TEXT: /* read as a C string: no NUL within */
        return is_label(v);
    case FORM_WIRE:
        return json_is_string(v) && is_wire(v);
    case FORM_COUNTS:
        return json_is_array(v) && each_is(v, is_count);
    case FORM_BLOCKS:
        return json_is_array(v) && each_is(v, is_block);
    case FORM_LABELS:
        return json_is_array(v) && each_is(v, is_label);
    case FORM_TEXTS:
        return json_is_object(v) && are_texts(v);
    case FORM_OBJECT:
        return json_is_object(v);
    case FORM_OBJECTS:
        return json_is_array(v);
    }
    return false;
}

static bool fail_type(const struct record_row *f, char error[READER_ERROR_MAX])
{
    static const char *const names[] = {
        [FORM_COUNT] = "a count",
        [FORM_FLAG] = "true or false",
        [FORM_TEXT] = "a text",
        [FORM_WIRE] = "a text of bytes (code points up to U+00FF)",
        [FORM_OBJECT] = "an object",
        [FORM_OBJECTS] = "a list of objects",
        [FORM_COUNTS] = "a list of counts",
        [FORM_BLOCKS] = "a list of [bytes, hash]",
        [FORM_LABELS] = "a list of texts",
        [FORM_TEXTS] = "an object of texts",
    };

    snprintf(error, READER_ERROR_MAX, "field \"%s\" must be %s", f->key, names[form_of(f)]);
    return false;
}

static bool check_list(const struct record_row *f, json_t *list, char error[READER_ERROR_MAX])
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        if (!json_is_object(item))
            return fail_type(f, error);
        if (!shape_check(f->object, item, error))
            return false;
    }
    return true;
}

static bool check_field(const struct record_row *f, json_t *v, char error[READER_ERROR_MAX])
{
    if (!is_field(f, v))
        return fail_type(f, error);
    if (f->type == TYPE_OBJECT)
        return shape_check(f->object, v, error);
    return f->type != TYPE_OBJECTS || check_list(f, v, error);
}

static bool check_required(unsigned object, const json_t *value, char error[READER_ERROR_MAX])
{
    for (unsigned i = object + 1; i < ROW_COUNT && record_rows[i].role != ROW_IS_OBJECT; i++) {
        const struct record_row *f = &record_rows[i];
        if (f->role == ROW_IS_PART && !check_required(f->object, value, error))
            return false;
        if (f->required && json_object_get(value, f->key) == NULL) {
            snprintf(error, READER_ERROR_MAX, "field \"%s\" is missing", f->key);
            return false;
        }
    }
    return true;
}

bool shape_check(unsigned object, json_t *value, char error[READER_ERROR_MAX])
{
    const char *name;
    json_t *v;

    json_object_foreach(value, name, v)
    {
        unsigned row = record_field_row(object, name);
        if (row == 0) {
            char safe[64];
            escape(safe, sizeof safe, span_str(name));
            snprintf(error, READER_ERROR_MAX, "field \"%s\" is not known", safe);
            return false;
        }
        if (!check_field(&record_rows[row], v, error))
            return false;
    }
    return check_required(object, value, error);
}
