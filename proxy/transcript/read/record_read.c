#include "transcript/read/reader.h"

#include "base/escape.h"
#include "transcript/read/shape.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LOAD_FLAGS = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
    DURATION_WRONG_DIGITS = 20, /* of a number just below 2^64 */
};

void record_free(struct record *r)
{
    json_decref(r->root);
    *r = (struct record){ 0 };
}

uint64_t record_count(const json_t *of, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(of, name));
}

bool record_flag(const json_t *of, const char *name)
{
    return json_is_true(json_object_get(of, name));
}

const char *record_text(const json_t *of, const char *name)
{
    const char *text = json_string_value(json_object_get(of, name));

    return text != NULL ? text : "";
}

unsigned char *record_wire(const json_t *of, const char *name, size_t *len)
{
    const json_t *v = json_object_get(of, name);
    const unsigned char *p = (const unsigned char *)json_string_value(v);
    size_t octets = json_string_length(v);

    *len = 0;
    if (p == NULL)
        return NULL;
    unsigned char *out = malloc(octets + 1);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < octets; i++) {
        unsigned char c = p[i];
        if (c >= 0x80 && i + 1 < octets) /* 0xc2 or 0xc3, six bits more: see shape_check() */
            c = (unsigned char)((c & 3) << 6 | (p[++i] & 0x3f));
        out[(*len)++] = c;
    }
    out[*len] = 0;
    return out;
}

static bool fail(char error[READER_ERROR_MAX], const char *what)
{
    snprintf(error, READER_ERROR_MAX, "%s", what);
    return false;
}

static bool is_time(const char *t)
{
    static const char form[] = "0000-00-00T00:00:00.000000Z";

    for (size_t i = 0; i < sizeof form; i++) {
        bool digit = t[i] >= '0' && t[i] <= '9';
        if (form[i] == '0' ? !digit : t[i] != form[i])
            return false;
    }
    return true;
}

static bool is_sid(const char *sid)
{
    return strlen(sid) == 26 && strspn(sid, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == 26;
}

static enum record_kind kind_of(const char *name)
{
    enum record_kind k = 0;

    while (k < RECORD_KIND_COUNT && strcmp(record_rows[record_kind_row(k)].key, name) != 0)
        k++;
    return k;
}

/* The kind decides the shape; v comes first, so that another version says so. */
static bool take_kind(struct record *out, char error[READER_ERROR_MAX])
{
    json_t *v = json_object_get(out->root, "v"), *kind = json_object_get(out->root, "kind");
    char safe[64];

    if (!json_is_integer(v) || json_integer_value(v) != 1)
        return fail(error, "field \"v\" is not 1: not a record of this version");
    if (!json_is_string(kind))
        return fail(error, "field \"kind\" is missing or no text");
    out->kind = kind_of(json_string_value(kind));
    if (out->kind != RECORD_KIND_COUNT)
        return true;
    escape(safe, sizeof safe, span_str(json_string_value(kind)));
    snprintf(error, READER_ERROR_MAX, "kind \"%s\" is not known", safe);
    return false;
}

static bool take_head(struct record *out, char error[READER_ERROR_MAX])
{
    out->sid = record_text(out->root, "sid");
    out->t = record_text(out->root, "t");
    out->vantage = record_text(out->root, "vantage");
    out->n = record_count(out->root, "n");
    if (!is_time(out->t))
        return fail(error, "field \"t\" is no time like 2026-11-23T09:00:00.000000Z");
    if (!is_sid(out->sid))
        return fail(error, "field \"sid\" is no ULID");
    if (out->n == 0)
        return fail(error, "field \"n\" is 0");
    return true;
}

/*
 * Before durations came from a monotonic clock, one over which the wall clock stepped back was
 * written as 2^64 minus what it had lost. Blanks in its place and a 0: not known. A name that
 * ends with a quote and a colon stands in no text, where the quote would be escaped.
 */
static bool forget_durations(char *line, size_t len)
{
    static const char name[] = "us\":";
    bool any = false;
    char *p = line;

    while ((p = memmem(p, len - (size_t)(p - line), name, sizeof name - 1)) != NULL) {
        p += sizeof name - 1;
        size_t digits = 0;
        while (p + digits < line + len && p[digits] >= '0' && p[digits] <= '9')
            digits++;
        if (digits != DURATION_WRONG_DIGITS)
            continue;
        memset(p, ' ', digits - 1);
        p[digits - 1] = '0';
        any = true;
    }
    return any;
}

static json_t *load_old(struct span line)
{
    char *copy = malloc(line.len);
    json_t *root = NULL;

    if (copy == NULL)
        return NULL;
    memcpy(copy, line.ptr, line.len);
    if (forget_durations(copy, line.len))
        root = json_loadb(copy, line.len, LOAD_FLAGS, NULL);
    free(copy);
    return root;
}

static bool take_json(struct span line, struct record *out, char error[READER_ERROR_MAX])
{
    char safe[READER_ERROR_MAX / 2];
    json_error_t e;

    out->root = json_loadb((const char *)line.ptr, line.len, LOAD_FLAGS, &e);
    if (out->root == NULL && json_error_code(&e) == json_error_numeric_overflow)
        out->root = load_old(line);
    if (json_is_object(out->root))
        return true;
    if (out->root != NULL)
        return fail(error, "not a JSON object");
    escape(safe, sizeof safe, span_str(e.text)); /* quotes the line */
    snprintf(error, READER_ERROR_MAX, "not JSON: %s (column %d)", safe, e.column);
    return false;
}

bool record_parse(struct span line, struct record *out, char error[READER_ERROR_MAX])
{
    *out = (struct record){ 0 };
    if (take_json(line, out, error) && take_kind(out, error) &&
        shape_check(record_kind_row(out->kind), out->root, error) && take_head(out, error))
        return true;
    record_free(out);
    return false;
}
