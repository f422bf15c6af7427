#include "lab/simulator/preset.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/span.h"

enum { NAME_MAX = 32, TEXT_MAX = 100 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance. */
static size_t distance(struct span a, struct span b)
{
    size_t row[NAME_MAX + 1];

    if (a.len > NAME_MAX || b.len > NAME_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 0; i < a.len; i++) {
        size_t diagonal = row[0]++;
        for (size_t j = 0; j < b.len; j++) {
            size_t changed = diagonal + (a.ptr[i] != b.ptr[j]);
            diagonal = row[j + 1];
            row[j + 1] = least(changed, 1 + least(row[j], row[j + 1]));
        }
    }
    return row[b.len];
}

static const struct preset *nearest(struct span name)
{
    const struct preset *best = NULL;
    size_t best_distance = 1 + name.len / 2;

    for (size_t i = 0; i < preset_count; i++) {
        size_t d = distance(name, span_str(presets[i].name));
        if (d < best_distance) {
            best = &presets[i];
            best_distance = d;
        }
    }
    return best;
}

static bool fail_name(struct span name, char *error, size_t size)
{
    const struct preset *near = nearest(name);

    if (near != NULL)
        snprintf(error, size, "no preset \"%.*s\"; did you mean \"%s\"?", (int)name.len,
                 (const char *)name.ptr, near->name);
    else
        snprintf(error, size, "no preset \"%.*s\"; --list shows all", (int)name.len,
                 (const char *)name.ptr);
    return false;
}

/* ---- parameters ---- */

static bool parse_number(struct span s, uint64_t least, uint64_t most, uint64_t *out)
{
    return s.len <= 12 && number_decimal(s, most, out) && *out >= least;
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

static bool set_parameter(enum parameter parameter, const char *text, struct rules *r)
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

const char *parameter_help(enum parameter p)
{
    switch (p) {
    case PARAMETER_NONE:
        return "no parameter";
    case PARAMETER_CMAP:
        return "cmap";
    case PARAMETER_KEYWORD:
        return "a keyword of EHLO";
    case PARAMETER_TEXT:
    case PARAMETER_PATTERN:
        return "up to 100 printable characters of ASCII";
    case PARAMETER_RECIPIENTS:
        return "a number from 1 to 100000";
    case PARAMETER_OCTETS:
        return "a number of octets from 1 to 1024M";
    case PARAMETER_HELLO:
        return "a number of octets from 0 to 65535";
    case PARAMETER_IDLE:
        return "seconds from 1 to 86400, and \",421\", \",rst\" or \",silent\"";
    case PARAMETER_MS:
        return "milliseconds from 1 to 60000";
    case PARAMETER_MUTATION:
        return "\"up\" or \"down\", \"change\", \"delete\" or \"insert\", and a number of "
               "octets, between commas";
    }
    return "";
}

bool preset_find(const char *text, struct rules *rules, char *error, size_t size)
{
    struct span all = span_str(text), name = span_first(all, span_find(all, '('));
    char parameter[RULE_TEXT_MAX];

    for (size_t i = 0; i < preset_count; i++) {
        const struct preset *p = &presets[i];
        if (!span_equal(name, span_str(p->name)))
            continue;
        *rules = p->rules;
        if (name.len == all.len)
            return true;
        struct span inner = span_drop(all, name.len + 1);
        bool ok = inner.len > 1 && inner.len < sizeof parameter &&
                  inner.ptr[inner.len - 1] == ')' && p->parameter != PARAMETER_NONE;
        if (ok) {
            memcpy(parameter, inner.ptr, inner.len - 1);
            parameter[inner.len - 1] = '\0';
            ok = set_parameter(p->parameter, parameter, rules);
        }
        if (!ok)
            snprintf(error, size, "%s: expected %s between the parentheses", p->name,
                     parameter_help(p->parameter));
        return ok;
    }
    return fail_name(name, error, size);
}
