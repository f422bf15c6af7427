/*
 * verb - the verbs of SMTP as an enum, with their names and properties.
 *
 * Two verbs are not in RFC 5321's list: VERB_DOT is the end of the mail data,
 * which takes a reply like a command (RFC 5321 4.1.1.4), VERB_UNKNOWN is any
 * other word. Sans-IO, no memory.
 */
#ifndef SMTP_VERB_H
#define SMTP_VERB_H

#include "base/span.h"

enum verb {
#define VERB(name, flags) VERB_##name,
#include "smtp/verbs.def"
#undef VERB
    VERB_DOT,
    VERB_UNKNOWN,
    VERB_COUNT
};

enum verb_flag {
    VERB_SYNC = 1 << 0,
    VERB_NO_ARG = 1 << 1,
    VERB_UNIMPL = 1 << 2,
    VERB_SUGGEST = 1 << 3,
};

/* Counters of a session: the first twelve verbs, then all others, then unknown. */
enum { VERB_TALLIED = 12, TALLY_OTHER = VERB_TALLIED, TALLY_UNKNOWN, TALLY_COUNT };

/* Case does not matter (RFC 5321 2.4). VERB_UNKNOWN when it is none of ours. */
enum verb verb_lookup(struct span word);
/* Upper case; "." for VERB_DOT, "" for VERB_UNKNOWN. */
const char *verb_name(enum verb v);
unsigned verb_flags(enum verb v);
static inline unsigned verb_tally(enum verb v)
{
    if ((unsigned)v < VERB_TALLIED)
        return (unsigned)v;
    return v == VERB_UNKNOWN ? TALLY_UNKNOWN : TALLY_OTHER;
}
/* Lower case, as Postfix writes it in its disconnect line: "mail", "rcpt", "other". */
const char *verb_tally_name(unsigned tally);

#endif
