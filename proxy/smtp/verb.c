#include "smtp/verb.h"

#include "base/attributes.h"

static const struct {
    const char *name;
    unsigned char len, flags;
} verbs[] = {
#define VERB(name, flags) { #name, sizeof #name - 1, (flags) },
#include "smtp/verbs.def"
#undef VERB
    { ".", 1, 0 },
    { "", 0, 0 },
};

_Static_assert(ARRAY_LEN(verbs) == VERB_COUNT, "a verb has no entry");

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

const char *verb_tally_name(unsigned tally)
{
    static const char *const names[TALLY_COUNT] = {
        "ehlo", "helo", "starttls", "auth", "mail", "rcpt",  "data",
        "bdat", "rset", "noop",     "vrfy", "quit", "other", "unknown",
    };
    return names[tally];
}
