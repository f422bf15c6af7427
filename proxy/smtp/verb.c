#include "smtp/verb.h"

static const struct {
    const char *name;
    unsigned char len, flags, tally, argument;
} verbs[] = {
#define VERB_ROW(name, text, flags, tally, argument, judge, sent, after, renews)               \
    { text, sizeof text - 1, (flags), TALLY_##tally, ARGUMENT_##argument },
#include "smtp/verbs.def"
};

enum verb verb_lookup(struct span word)
{
    if (word.len < 4)
        return VERB_UNKNOWN;
    for (unsigned v = 0; v < VERB_DOT; v++) {
        if (verbs[v].len == word.len &&
            span_equal_nocase(word, span_of(verbs[v].name, verbs[v].len)))
            return (enum verb)v;
    }
    return VERB_UNKNOWN;
}

const char *verb_name(enum verb v)
{
    return verbs[v].name;
}

unsigned verb_flags(enum verb v)
{
    return verbs[v].flags;
}

enum verb_tally verb_tally(enum verb v)
{
    return (enum verb_tally)verbs[v].tally;
}

enum verb_argument verb_argument(enum verb v)
{
    return (enum verb_argument)verbs[v].argument;
}

const char *verb_tally_name(unsigned tally)
{
    static const char *const names[] = {
#define X(id, name) name,
        TALLIES(X)
#undef X
    };
    return names[tally];
}
