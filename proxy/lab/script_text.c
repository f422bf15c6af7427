#include "lab/script_text.h"

#include "lab/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool text_fail(struct script_text *t, const char *fmt, ...)
{
    int n = snprintf(t->error, t->error_size, "%s:%u: ", t->name, t->line);
    va_list args;

    if (n < 0 || (size_t)n >= t->error_size)
        return false;
    va_start(args, fmt);
    vsnprintf(t->error + n, t->error_size - (size_t)n, fmt, args);
    va_end(args);
    return false;
}

/* The next octet, '\n' at the end of the line or of the text. */
static unsigned char peek(const struct script_text *t)
{
    return t->at < t->text.len ? t->text.ptr[t->at] : '\n';
}

static void skip_blanks(struct script_text *t)
{
    while (span_is_blank_char(peek(t)) || peek(t) == '\r')
        t->at++;
}

bool text_next_line(struct script_text *t)
{
    if (t->line > 0)
        t->at += span_find(span_drop(t->text, t->at), '\n') + 1;
    t->line++;
    return t->at < t->text.len;
}

bool text_at_line_end(struct script_text *t)
{
    skip_blanks(t);
    return peek(t) == '\n' || peek(t) == '#';
}

bool text_at_number(struct script_text *t)
{
    skip_blanks(t);
    return peek(t) >= '0' && peek(t) <= '9';
}

static bool is_word_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-';
}

/* The next word, empty when there is none. */
struct span text_word(struct script_text *t)
{
    skip_blanks(t);
    size_t from = t->at;
    while (is_word_char(peek(t)))
        t->at++;
    return span_of(t->text.ptr + from, t->at - from);
}

bool text_is(struct span w, const char *name)
{
    return span_equal_nocase(w, span_str(name));
}

/* 1 to max; false when the text is anything else. */
bool text_number(struct span w, uint32_t max, uint32_t *out)
{
    uint64_t n = 0;

    for (size_t i = 0; i < w.len; i++) {
        if (w.ptr[i] < '0' || w.ptr[i] > '9')
            return false;
        n = n * 10 + (unsigned)(w.ptr[i] - '0');
        if (n > max)
            return false;
    }
    *out = (uint32_t)n;
    return n > 0;
}

bool text_time(struct script_text *t, uint32_t *ms)
{
    static const struct {
        const char *name;
        uint32_t ms;
    } units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 } };
    struct span w = text_word(t);
    size_t digits = 0;

    while (digits < w.len && w.ptr[digits] >= '0' && w.ptr[digits] <= '9')
        digits++;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (text_is(span_drop(w, digits), units[i].name) &&
            text_number(span_first(w, digits), SCRIPT_DELAY_MAX / units[i].ms, ms)) {
            *ms *= units[i].ms;
            return true;
        }
    }
    return text_fail(t, "expected a time up to one hour, such as 100ms, 2s or 5m");
}

static int digit_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* Up to `most` digits of this base; -1 when there is none. */
static int code(struct script_text *t, int base, int most)
{
    int value = 0, i = 0;

    for (; i < most && digit_value(peek(t)) < base; i++)
        value = value * base + digit_value(t->text.ptr[t->at++]);
    return i > 0 && value <= 255 ? value : -1;
}

/* After the backslash: the octet meant, or -1. */
static int escaped(struct script_text *t)
{
    static const char letters[] = "rntabefv\\\"'?";
    static const char octets[] = "\r\n\t\a\b\033\f\v\\\"'?";
    unsigned char c = peek(t);
    const char *found = c != '\0' ? strchr(letters, c) : NULL;

    if (found != NULL) {
        t->at++;
        return octets[found - letters];
    }
    if (c != 'x')
        return code(t, 8, 3);
    t->at++;
    return code(t, 16, 2);
}

/* One string in quotes, its octets appended to the script's. */
MUST_CHECK static bool quoted(struct script_text *t)
{
    struct buf *bytes = t->strings;

    t->at++;
    while (peek(t) != '"') {
        int c = peek(t);
        if (c == '\n')
            return text_fail(t, "expected a closing quote");
        t->at++;
        if (c == '\\' && (c = escaped(t)) < 0)
            return text_fail(t,
                             "expected an escape as in C: \\r \\n \\t \\\\ \\\" \\x0d \\015");
        unsigned char octet = (unsigned char)c;
        if (!buf_append(bytes, span_of(&octet, 1)))
            return text_fail(t, "too many octets in all strings");
    }
    t->at++;
    return true;
}

/* The octets from `from` on, n times. */
MUST_CHECK static bool repeat(struct script_text *t, uint32_t from, uint32_t n)
{
    struct buf *bytes = t->strings;
    uint32_t len = bytes->len - from;
    unsigned char *copy = malloc(len + 1u);
    bool ok = copy != NULL && (uint64_t)len * n <= SCRIPT_REPLY_MAX;

    if (copy != NULL && len > 0)
        memcpy(copy, bytes->ptr + from, len);
    for (uint32_t i = 1; ok && i < n; i++)
        ok = buf_append(bytes, span_of(copy, len));
    free(copy);
    return ok || text_fail(t, "at most %d octets in the strings of a rule", SCRIPT_REPLY_MAX);
}

/* "..." ["..."*N ...], in the script's bytes from *at on. */
bool text_string(struct script_text *t, uint32_t *at, uint32_t *octets)
{
    *at = t->strings->len;
    skip_blanks(t);
    if (peek(t) != '"')
        return text_fail(t, "expected a string in quotes");
    while (peek(t) == '"') {
        uint32_t from = t->strings->len, n;
        if (!quoted(t))
            return false;
        skip_blanks(t);
        if (peek(t) == '*') {
            t->at++;
            if (!text_number(text_word(t), SCRIPT_REPLY_MAX, &n))
                return text_fail(t, "expected how often the string is repeated");
            if (!repeat(t, from, n))
                return false;
            skip_blanks(t);
        }
    }
    *octets = t->strings->len - *at;
    return true;
}
