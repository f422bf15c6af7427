#include "lab/envelope.h"

static bool is_blank_at(struct span s, size_t i)
{
    return i == s.len || span_is_blank_char(s.ptr[i]);
}

/* The next stretch without blanks. */
static struct span next_word(struct span *s)
{
    size_t n = 0;

    *s = span_trim_left(*s);
    while (!is_blank_at(*s, n))
        n++;
    struct span w = span_first(*s, n);
    *s = span_drop(*s, n);
    return w;
}

/* Octets of "<path>" with its brackets; 0 when it does not end. Quoted strings may hold
 * brackets (RFC 5321 4.1.2). */
static size_t bracketed(struct span s)
{
    bool quoted = false;

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\\' && quoted)
            i++;
        else if (s.ptr[i] == '"')
            quoted = !quoted;
        else if (s.ptr[i] == '>' && !quoted)
            return i + 1;
    }
    return 0;
}

bool envelope_parse(struct span arg, struct span keyword, struct envelope *out)
{
    if (!span_starts_with_nocase(arg, keyword))
        return false;
    struct span rest = span_trim_left(span_drop(arg, keyword.len));
    size_t n = rest.len > 0 && rest.ptr[0] == '<' ? bracketed(rest) : 0;
    if (n == 0 || !is_blank_at(rest, n))
        return false;
    out->path = span_of(rest.ptr + 1, n - 2);
    out->params = span_drop(rest, n);
    return true;
}

bool envelope_param(struct span *params, struct span *keyword, struct span *value)
{
    struct span w = next_word(params);
    size_t equals = span_find(w, '=');

    *keyword = span_first(w, equals);
    *value = span_drop(w, equals + 1);
    return w.len > 0;
}

bool envelope_number(struct span digits, uint64_t *out)
{
    uint64_t n = 0;

    if (digits.len == 0 || digits.len > 20)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned d = (unsigned)digits.ptr[i] - '0';
        if (d > 9)
            return false;
        n = n > (UINT64_MAX - d) / 10 ? UINT64_MAX : n * 10 + d;
    }
    *out = n;
    return true;
}

bool envelope_chunk(struct span arg, uint64_t *octets, bool *last)
{
    struct span size = next_word(&arg);
    struct span rest = span_trim(arg);

    *last = span_equal_nocase(rest, SPAN_LIT("LAST"));
    return (*last || rest.len == 0) && envelope_number(size, octets) && *octets <= INT64_MAX;
}
