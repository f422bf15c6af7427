#include "lab/simulator/preset.h"

#include <stdio.h>
#include <string.h>

#include "base/span.h"

enum { NAME_MAX = 32 };

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
            ok = preset_parameter(p->parameter, parameter, rules);
        }
        if (!ok)
            snprintf(error, size, "%s: expected %s between the parentheses", p->name,
                     parameter_help(p->parameter));
        return ok;
    }
    return fail_name(name, error, size);
}
