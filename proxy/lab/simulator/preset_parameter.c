#include "lab/simulator/preset.h"

#include <stdio.h>
#include <string.h>

#include "base/span.h"

enum { TEXT_MAX = 100 };

static bool parse_number(struct span s, uint64_t least, uint64_t most, uint64_t *out)
{
    uint64_t n = 0;

    if (s.len == 0 || s.len > 12)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        n = n * 10 + (s.ptr[i] - '0');
    }
    *out = n;
    return n >= least && n <= most;
}

/* 10485760, 10240k, 10M */
static bool parse_octets(struct span s, uint64_t *out)
{
    unsigned char unit = s.len > 0 ? s.ptr[s.len - 1] : 0;
    unsigned shift = unit == 'k' ? 10 : unit == 'M' ? 20 : 0;

    if (shift > 0)
        s.len--;
    if (!parse_number(s, 1, (1ull << 30) >> shift, out))
        return false;
    *out <<= shift;
    return true;
}

static bool is_text(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < ' ' || s.ptr[i] > '~')
            return false;
    return s.len > 0 && s.len <= TEXT_MAX;
}

static bool is_keyword(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = s.ptr[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && c != '-' && (c < '0' || c > '9'))
            return false;
    }
    return s.len > 0 && s.len <= TEXT_MAX;
}

/* What is before the next comma. */
static struct span next_item(struct span *rest)
{
    size_t n = span_find(*rest, ',');
    struct span item = span_first(*rest, n);

    *rest = span_drop(*rest, n + 1);
    return item;
}

static bool is_word(struct span s, const char *word)
{
    return span_equal(s, span_str(word));
}

static bool set_idle(struct span s, struct rules *r)
{
    bool one = span_find(s, ',') == s.len;
    uint64_t n;

    if (!parse_number(next_item(&s), 1, 86400, &n))
        return false;
    r->idle_s = (uint32_t)n;
    if (one || is_word(s, "421"))
        r->idle = IDLE_421;
    else if (is_word(s, "rst"))
        r->idle = IDLE_RESET;
    else if (is_word(s, "silent"))
        r->idle = IDLE_SILENT;
    else
        return false;
    return true;
}

static bool set_mutation(struct span s, struct rules *r)
{
    uint64_t n;

    while (s.len > 0) {
        struct span item = next_item(&s);
        if (is_word(item, "up"))
            r->mutated = 1;
        else if (is_word(item, "down"))
            r->mutated = 2;
        else if (is_word(item, "change"))
            r->mutation = MUTATION_CHANGE;
        else if (is_word(item, "delete"))
            r->mutation = MUTATION_DELETE;
        else if (is_word(item, "insert"))
            r->mutation = MUTATION_INSERT;
        else if (parse_octets(item, &n))
            r->mutation_within = (uint32_t)n;
        else
            return false;
    }
    return true;
}

static const char *keep_text(struct rules *r, struct span s, const char *end)
{
    snprintf(r->text, sizeof r->text, "%.*s%s", (int)s.len, (const char *)s.ptr, end);
    return r->text;
}

bool preset_parameter(enum parameter parameter, const char *text, struct rules *r)
{
    struct span s = span_str(text);
    uint64_t n = 0;
    bool ok = false;

    switch (parameter) {
    case PARAMETER_NONE:
        break;
    case PARAMETER_CMAP:
        r->banner = BANNER_CMAP;
        return is_word(s, "cmap");
    case PARAMETER_KEYWORD:
        r->ehlo.drop = is_keyword(s) ? keep_text(r, s, "") : NULL;
        r->ehlo.drop_last = false;
        return r->ehlo.drop != NULL;
    case PARAMETER_TEXT:
        r->footer = is_text(s) ? keep_text(r, s, "\r\n") : NULL;
        return r->footer != NULL;
    case PARAMETER_PATTERN:
        r->keyword = is_text(s) ? keep_text(r, s, "") : NULL;
        return r->keyword != NULL;
    case PARAMETER_RECIPIENTS:
        ok = parse_number(s, 1, 100000, &n);
        r->rcpt_keep = (uint32_t)n;
        break;
    case PARAMETER_OCTETS:
        ok = parse_octets(s, &n);
        r->limits.content = n;
        break;
    case PARAMETER_HELLO:
        ok = parse_number(s, 0, 65535, &n);
        r->hello_most = (uint32_t)n;
        break;
    case PARAMETER_IDLE:
        return set_idle(s, r);
    case PARAMETER_MS:
        ok = parse_number(s, 1, 60000, &n);
        r->tarpit_ms = (uint32_t)n;
        break;
    case PARAMETER_MUTATION:
        return set_mutation(s, r);
    }
    return ok;
}
