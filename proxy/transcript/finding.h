/*
 * finding - something that looks like the work of a box between client and server.
 *
 * A finding names its detector (SV-..: one vantage; TV-..: two), says how bad and how sure it
 * is and which side it points to, shows its evidence (a place in a record, octet by octet), and
 * says in one plain sentence what was seen, and in another what would prove it.
 */
#ifndef TRANSCRIPT_FINDING_H
#define TRANSCRIPT_FINDING_H

#include "base/span.h"

#include <stdint.h>

#define SEVERITIES(X)                                                                          \
    X(INFO, "info") /* worth knowing: nothing is damaged */                                    \
    X(LOW, "low")                                                                              \
    X(MEDIUM, "medium")     /* mail flows, degraded */                                         \
    X(HIGH, "high")         /* mail fails */                                                   \
    X(CRITICAL, "critical") /* mail or its security is lost */

#define CONFIDENCES(X)                                                                         \
    X(LOW, "low")                                                                              \
    X(MEDIUM, "medium")                                                                        \
    X(HIGH, "high")                                                                            \
    X(CERTAIN, "certain")

#define BLAMES(X)                                                                              \
    X(UNKNOWN, "unknown")                                                                      \
    X(CLIENT, "client")   /* on the client's side of this vantage point */                     \
    X(SERVER, "server")   /* on the upstream's side of it */                                   \
    X(BETWEEN, "between") /* between two vantage points */

enum severity {
#define X(id, name) SEVERITY_##id,
    SEVERITIES(X)
#undef X
};

enum confidence {
#define X(id, name) CONFIDENCE_##id,
    CONFIDENCES(X)
#undef X
};

enum blame {
#define X(id, name) BLAME_##id,
    BLAMES(X)
#undef X
};

enum { FINDING_PRODUCTS_MAX = 4, FINDING_TEXT_MAX = 400, FINDING_BYTES_MAX = 64 };

/* Everything in it is valid until the call that tells of it returns. */
struct finding {
    const char *id;   /* "SV-01"; constant */
    const char *name; /* "banner-mask"; constant */
    enum severity severity;
    enum confidence confidence;
    enum blame side;
    uint32_t record;             /* `n` of the record that shows it */
    const char *field;           /* of that record: "reply", "received"; constant, NULL: none */
    uint64_t at;                 /* offset in that field */
    struct span bytes;           /* there; at most FINDING_BYTES_MAX octets */
    char text[FINDING_TEXT_MAX]; /* one sentence; text of peers in it is escaped */
    const char *next_test;       /* one sentence: what would confirm it; constant */
    /* Ids of the catalogue this fits, the best match first; NULL: no more. */
    const char *products[FINDING_PRODUCTS_MAX];
};

const char *severity_name(enum severity s);
const char *confidence_name(enum confidence c);
const char *blame_name(enum blame b);

#endif
