#include "smtp/suggest.h"

#include "base/attributes.h"

enum { WORD_MAX = 32, VERB_MAX = 8, NEAR_SHORT = 1, NEAR_LONG = 2, SHORT_WORD = 4 };

#define VERB_ROW(name, text, ...)                                                              \
    _Static_assert(sizeof(text) - 1 <= VERB_MAX, "no verb is longer");
#include "smtp/verbs.def"

static unsigned char upper(unsigned char c)
{
    return c >= 'a' && c <= 'z' ? (unsigned char)(c - 32) : c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/*
 * Optimal string alignment: insert, delete, replace, swap neighbours; no octet is
 * edited twice. Three rows of the table are alive at a time.
 */
static unsigned distance(struct span word, struct span verb)
{
    unsigned rows[3][VERB_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];

    for (unsigned j = 0; j <= verb.len; j++)
        last[j] = j;
    for (unsigned i = 1; i <= word.len; i++) {
        unsigned char c = upper(word.ptr[i - 1]);

        row[0] = i;
        for (unsigned j = 1; j <= verb.len; j++) {
            row[j] =
                least(least(last[j], row[j - 1]) + 1, last[j - 1] + (c != verb.ptr[j - 1]));
            if (i > 1 && j > 1 && c == verb.ptr[j - 2] &&
                upper(word.ptr[i - 2]) == verb.ptr[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[verb.len];
}

/* MAILFROM:<...> and RCPTTO:<...>: the blank was forgotten. */
static enum verb glued_verb(struct span word)
{
    static const struct {
        const char *start;
        enum verb verb;
    } glued[] = {
        { "MAILFROM:", VERB_MAIL },
        { "MAILTO:", VERB_MAIL },
        { "RCPTTO:", VERB_RCPT },
        { "RCPTFROM:", VERB_RCPT },
    };

    for (unsigned i = 0; i < ARRAY_LEN(glued); i++)
        if (span_starts_with_nocase(word, span_str(glued[i].start)))
            return glued[i].verb;
    return VERB_UNKNOWN;
}

static enum verb nearest_verb(struct span word)
{
    unsigned best = (word.len <= SHORT_WORD ? NEAR_SHORT : NEAR_LONG) + 1;
    enum verb verb = VERB_UNKNOWN;

    if (word.len > WORD_MAX)
        return VERB_UNKNOWN;
    for (unsigned v = 0; v < VERB_DOT; v++) {
        unsigned d;

        if ((verb_flags((enum verb)v) & VERB_SUGGEST) == 0)
            continue;
        d = distance(word, span_str(verb_name((enum verb)v)));
        if (d < best) {
            best = d;
            verb = (enum verb)v;
        }
    }
    return verb;
}

const char *suggest_verb(struct span word, enum verb *verb)
{
    *verb = glued_verb(word);
    if (*verb == VERB_MAIL)
        return "MAIL FROM:";
    if (*verb == VERB_RCPT)
        return "RCPT TO:";
    *verb = nearest_verb(word);
    return *verb == VERB_UNKNOWN ? NULL : verb_name(*verb);
}

bool suggest_is_probe(struct span word)
{
    static const char *const probes[] = { "DEBUG", "WIZ", "KILL", "SHOWQ", "SHELL" };

    for (unsigned i = 0; i < ARRAY_LEN(probes); i++)
        if (span_equal_nocase(word, span_str(probes[i])))
            return true;
    return false;
}
