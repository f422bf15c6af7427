/*
 * ehlo - the keywords of an EHLO reply: which may pass, what they allow.
 *
 * A keyword that changes framing or trust in a way this proxy does not follow is
 * removed, so that no client uses it (RFC 5321 4.1.1.1; 1869 for line limits).
 * Sans-IO.
 */
#ifndef SMTP_EHLO_H
#define SMTP_EHLO_H

#include "base/attributes.h"
#include "base/buf.h"
#include "base/span.h"
#include "smtp/policy.h"
#include "smtp/verb.h"

/*
 * EHLO_KEYWORD(ID, "KEYWORD", TREATMENT, MAIL_OCTETS, RCPT_OCTETS): how much longer
 * MAIL and RCPT may be when it is offered. 8BITMIME and BINARYMIME count once.
 */
#define EHLO_KEYWORDS(X)                                                                       \
    X(PIPELINING, "PIPELINING", KEEP, 0, 0)                                                    \
    X(SIZE, "SIZE", KEEP, 26, 0)                                                               \
    X(8BITMIME, "8BITMIME", KEEP, 16, 0)                                                       \
    X(BINARYMIME, "BINARYMIME", KEEP, 16, 0)                                                   \
    X(ENHANCEDSTATUSCODES, "ENHANCEDSTATUSCODES", KEEP, 0, 0)                                  \
    X(DSN, "DSN", KEEP, 116, 536)                                                              \
    X(SMTPUTF8, "SMTPUTF8", KEEP, 10, 0)                                                       \
    X(HELP, "HELP", KEEP, 0, 0)                                                                \
    X(DELIVERBY, "DELIVERBY", KEEP, 17, 0)                                                     \
    X(MT_PRIORITY, "MT-PRIORITY", KEEP, 15, 0)                                                 \
    X(FUTURERELEASE, "FUTURERELEASE", KEEP, 34, 0)                                             \
    X(NO_SOLICITING, "NO-SOLICITING", KEEP, 1007, 0)                                           \
    X(MTRK, "MTRK", KEEP, 40, 0)                                                               \
    X(RRVS, "RRVS", KEEP, 0, 33)                                                               \
    X(SUBMITTER, "SUBMITTER", KEEP, 0, 0)                                                      \
    X(LIMITS, "LIMITS", KEEP, 0, 0)                                                            \
    X(CHUNKING, "CHUNKING", KEEP, 0, 0)                                                        \
    X(STARTTLS, "STARTTLS", BY_STARTTLS, 0, 0)                                                 \
    X(AUTH, "AUTH", BY_AUTH, 500, 0)                                                           \
    X(REQUIRETLS, "REQUIRETLS", BY_TLS, 11, 0)                                                 \
    X(ETRN, "ETRN", BY_ETRN, 0, 0)                                                             \
    X(VRFY, "VRFY", BY_VRFY, 0, 0)                                                             \
    X(EXPN, "EXPN", BY_EXPN, 0, 0)                                                             \
    X(BURL, "BURL", DROP, 0, 0)                                                                \
    X(PRDR, "PRDR", DROP, 0, 0)                                                                \
    X(PIPECONNECT, "PIPECONNECT", DROP, 0, 0)                                                  \
    X(X_PIPE_CONNECT, "X_PIPE_CONNECT", DROP, 0, 0)                                            \
    X(XEXCH50, "XEXCH50", DROP, 0, 0)                                                          \
    X(X_LINK2STATE, "X-LINK2STATE", DROP, 0, 0)                                                \
    X(X_EXPS, "X-EXPS", DROP, 0, 0)                                                            \
    X(XCLIENT, "XCLIENT", BY_TRUST, 0, 0)                                                      \
    X(XFORWARD, "XFORWARD", BY_TRUST, 0, 0)                                                    \
    X(XVERP, "XVERP", DROP, 0, 0)                                                              \
    X(TURN, "TURN", DROP, 0, 0)                                                                \
    X(ATRN, "ATRN", DROP, 0, 0)                                                                \
    X(CHECKPOINT, "CHECKPOINT", DROP, 0, 0)

enum ehlo_keyword {
#define X(id, text, treatment, mail, rcpt) EHLO_##id,
    EHLO_KEYWORDS(X)
#undef X
        EHLO_KEYWORD_COUNT
};

/* Offered keywords as bits: 1ull << EHLO_x. */
typedef uint64_t ehlo_set; /* a number, not a struct: the one typedef */

static inline bool ehlo_offers(ehlo_set set, enum ehlo_keyword k)
{
    return (set >> k & 1) != 0;
}

/* What decides about keywords. */
struct ehlo_terms {
    const struct policy *policy;
    bool client_secure, upstream_secure; /* the leg has TLS that ends here */
    bool terminate;                      /* STARTTLS is answered here, and so offered */
    bool trusted;                        /* the client may say who it speaks for */
};

struct ehlo_offer {
    ehlo_set offered; /* what the client may use */
    ehlo_set removed; /* what it is not told of; bit EHLO_KEYWORD_COUNT: one not known */
    uint64_t size;    /* the largest message offered (SIZE, RFC 1870 3); 0: not known */
    bool sasl_layer;  /* a mechanism was removed */
};

/*
 * Reads a complete 250 reply to EHLO; returns what the client is offered under
 * these terms. When something must be removed, added (STARTTLS) or changed (SASL
 * mechanisms with a security layer leave the AUTH line, too), the reply for the client is
 * appended to `out` in canonical form; otherwise `out` stays as it is. False when memory
 * is out: nothing was appended.
 */
MUST_CHECK bool ehlo_filter(struct span reply, const struct ehlo_terms *terms,
                            struct ehlo_offer *offer, struct buf *out);

/*
 * May this parameter of MAIL or RCPT ("SIZE=100", "BODY=BINARYMIME") not pass, because its
 * keyword was removed from what the server offered? Returns its name for the reply, else NULL.
 * A parameter that is not known belongs to a removed keyword that is not known, if there was
 * one. PRDR makes a server send several replies to the end of data: it never passes.
 */
const char *ehlo_parameter_removed(ehlo_set removed, struct span parameter);

/* What the reply offers, nothing removed, "AUTH=" too: observe mode. */
ehlo_set ehlo_parse(struct span reply);
/* Is `word` among what follows the keyword in its line ("XCLIENT NAME ADDR")? */
bool ehlo_names(struct span reply, enum ehlo_keyword k, struct span word);

/*
 * Longest command line allowed, in octets with CRLF: 512 plus what each offered
 * extension adds (RFC 1869 4.1.2), by limit.mode. AUTH: its own limit, RFC 4954.
 */
size_t ehlo_command_limit(enum verb verb, ehlo_set offered, const struct policy *policy);

#endif
