/*
 * verb - the verbs of SMTP as an enum, with their names and properties: verbs.def.
 * Sans-IO, no memory.
 */
#ifndef SMTP_VERB_H
#define SMTP_VERB_H

#include "base/span.h"

enum verb {
#define VERB_ROW(name, ...) VERB_##name,
#include "smtp/verbs.def"
    VERB_COUNT
};

enum verb_flag {
    VERB_SYNC = 1 << 0,
    VERB_NO_ARG = 1 << 1,
    VERB_SUGGEST = 1 << 2,
    VERB_PRE_TLS = 1 << 3,
    VERB_UTF8 = 1 << 4,
    VERB_STRIP = 1 << 5,
    VERB_MESSAGE = 1 << 6,
};

/* What an argument is to who looks for secrets. */
enum verb_argument {
    ARGUMENT_NONE,     /* there is none, as a rule: what stands there may be one */
    ARGUMENT_DOMAIN,   /* one word, as of EHLO */
    ARGUMENT_PATH,     /* FROM:<path> or TO:<path>, and parameters */
    ARGUMENT_CHUNK,    /* a size, and LAST */
    ARGUMENT_IDENTITY, /* names and addresses */
    ARGUMENT_SECRET,   /* holds one */
};

/* Counters of a session, in the order of the close record. Postfix has the same in its
 * disconnect line. */
#define TALLIES(X)                                                                             \
    X(EHLO, "ehlo")                                                                            \
    X(HELO, "helo")                                                                            \
    X(STARTTLS, "starttls")                                                                    \
    X(AUTH, "auth")                                                                            \
    X(MAIL, "mail")                                                                            \
    X(RCPT, "rcpt")                                                                            \
    X(DATA, "data")                                                                            \
    X(BDAT, "bdat")                                                                            \
    X(RSET, "rset")                                                                            \
    X(NOOP, "noop")                                                                            \
    X(VRFY, "vrfy")                                                                            \
    X(QUIT, "quit")                                                                            \
    X(OTHER, "other")                                                                          \
    X(UNKNOWN, "unknown")

enum verb_tally {
#define X(id, name) TALLY_##id,
    TALLIES(X)
#undef X
        TALLY_COUNT
};

/* Case does not matter (RFC 5321 2.4). VERB_UNKNOWN when it is none of ours. */
enum verb verb_lookup(struct span word);
/* Upper case; "." for VERB_DOT, "" for VERB_UNKNOWN. */
const char *verb_name(enum verb v);
unsigned verb_flags(enum verb v);
enum verb_tally verb_tally(enum verb v);
enum verb_argument verb_argument(enum verb v);
/* Lower case: "mail", "rcpt", "other". */
const char *verb_tally_name(unsigned tally);

#endif
