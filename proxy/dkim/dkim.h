/*
 * dkim - is the body what its signature says? The body hash of DKIM and ARC, no DNS needed.
 *
 * Every DKIM-Signature and ARC-Message-Signature header carries bh=, a digest of the canonical
 * body (RFC 6376 3.4, 3.7; RFC 8617). It is checked as the mail passes: octets in, verdicts at
 * the end. A mismatch proves that the body was changed behind the signer, whoever that was.
 *
 * Canonicalizations simple and relaxed, l=, sha256 and sha1 (RFC 8301: sha1 is told, too).
 * Equal (canonicalization, algorithm, l=) are hashed once. The octets are hashed as they came:
 * an ending that is not CRLF is not repaired first. Of DATA, one dot is removed behind CRLF.
 *
 * A mail without a signature costs a look at the first octet of each header line.
 *
 * Owns: the signatures' tags and hash states, while a mail is under way; the body, if wanted.
 * Limits: DKIM_SIGNATURES_MAX signatures, DKIM_HEADER_MAX octets of one header; beyond them it
 *         is said that not all were looked at. DKIM_BODY_MAX octets of a body that is kept.
 */
#ifndef DKIM_DKIM_H
#define DKIM_DKIM_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DKIM_SIGNATURES_MAX = 8,
    DKIM_HEADER_MAX = 8192,
    DKIM_HASH_MAX = 32,
    DKIM_DOMAIN_SIZE = 256,
    DKIM_SELECTOR_SIZE = 128,
    DKIM_ALGORITHM_SIZE = 32,
    DKIM_DAMAGE_SIZE = 200,
    DKIM_BODY_MAX = 4 << 20,
};

#define DKIM_RESULTS(X)                                                                        \
    X(OK, "ok")               /* the body is as signed */                                      \
    X(CHANGED, "changed")     /* it is not */                                                  \
    X(MALFORMED, "malformed") /* the signature cannot be read */                               \
    X(UNKNOWN, "unknown")     /* a version, algorithm or canonicalization not known */         \
    X(CUT, "cut")             /* the mail did not come to its end */

enum dkim_result {
#define X(id, name) DKIM_##id,
    DKIM_RESULTS(X)
#undef X
};

struct dkim_signature {
    enum dkim_result result;
    bool arc;
    uint8_t instance; /* ARC i= */
    bool relaxed;     /* of the body */
    bool sha1;
    bool limited;                        /* l= was there */
    uint64_t length;                     /* l= */
    char algorithm[DKIM_ALGORITHM_SIZE]; /* a=; what is not printable ASCII here is "?" */
    char domain[DKIM_DOMAIN_SIZE];       /* d= */
    char selector[DKIM_SELECTOR_SIZE];   /* s= */
    uint8_t hash_len;                    /* 0: malformed or unknown */
    unsigned char expected[DKIM_HASH_MAX], computed[DKIM_HASH_MAX];
    /* What was found to restore the hash: see dkim/repair.h. */
    const char *damage; /* stable name; NULL: nothing found, or not looked for */
    char damage_text[DKIM_DAMAGE_SIZE];
};

struct dkim_verdict {
    struct dkim_signature signatures[DKIM_SIGNATURES_MAX]; /* in the order of the header */
    unsigned count;
    bool more;           /* there were more than that, or too long ones */
    bool body_too_large; /* it was to be kept, and was not */
};

struct dkim;

const char *dkim_result_name(enum dkim_result r);

/* NULL when memory is out. keep_body: for dkim_body(), once there is a signature. */
MUST_CHECK struct dkim *dkim_new(bool keep_body);
/* The next octets of the content: DATA with its dots still stuffed (`stuffed`), or BDAT. */
void dkim_add(struct dkim *d, struct span bytes, bool stuffed);
/* No more octets; again is legal. NULL: no signature. Valid as long as d. */
const struct dkim_verdict *dkim_finish(struct dkim *d, bool complete);
/*
 * After dkim_finish(): what stands behind the header's empty line, dots unstuffed; valid as
 * long as d. False: not kept, because not wanted, not changed, or too large.
 */
bool dkim_body(const struct dkim *d, struct span *body);
/* What damaged the body signature i is about; `damage` is a constant, or NULL. */
void dkim_set_damage(struct dkim *d, unsigned i, const char *damage, const char *text);
void dkim_free(struct dkim **d);

#endif
