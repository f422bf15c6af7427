/*
 * dkim - is the body what its signature says? The body hash of DKIM and ARC, no DNS needed.
 *
 * Every DKIM-Signature and ARC-Message-Signature header carries bh=, a digest of the canonical
 * body (RFC 6376 3.4, 3.7; RFC 8617). It is checked as the mail passes: octets in, verdicts at
 * the end. A mismatch proves that the body was changed behind the signer, whoever that was.
 *
 * Canonicalizations simple and relaxed, l=, sha256 and sha1 (RFC 8301: sha1 is told, too).
 * Equal (canonicalization, algorithm, l=) are hashed once.
 *
 * Owns: the signatures' tags and hash states, while a mail is under way.
 * Limits: DKIM_SIGNATURES_MAX signatures, DKIM_HEADER_MAX octets of one header; beyond them it
 *         is said that not all were looked at.
 */
#ifndef TRANSCRIPT_DKIM_H
#define TRANSCRIPT_DKIM_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { DKIM_SIGNATURES_MAX = 8, DKIM_HEADER_MAX = 8192, DKIM_HASH_MAX = 32 };

enum dkim_result {
    DKIM_OK,        /* the body is as signed */
    DKIM_CHANGED,   /* it is not */
    DKIM_MALFORMED, /* the signature cannot be read */
    DKIM_UNKNOWN,   /* an algorithm or canonicalization not known */
    DKIM_CUT,       /* the mail did not come to its end */
};

struct dkim_signature {
    enum dkim_result result;
    bool arc;
    uint8_t instance; /* ARC i= */
    bool relaxed;     /* of the body */
    bool sha1;
    bool limited;                    /* l= was there */
    uint64_t length;                 /* l= */
    char domain[256], selector[128]; /* d=, s=; printable ASCII only */
    uint8_t hash_len;
    unsigned char expected[DKIM_HASH_MAX], computed[DKIM_HASH_MAX];
};

struct dkim_verdict {
    struct dkim_signature signatures[DKIM_SIGNATURES_MAX]; /* in the order of the header */
    unsigned count;
    bool more; /* there were more than that, or too long ones */
};

struct dkim;

/* NULL when memory is out. */
MUST_CHECK struct dkim *dkim_new(void);
/* The next octets of the content: DATA with its dots still stuffed (`stuffed`), or BDAT. */
void dkim_add(struct dkim *d, struct span bytes, bool stuffed);
/* No more octets. Valid as long as d. */
const struct dkim_verdict *dkim_finish(struct dkim *d, bool complete);
void dkim_free(struct dkim **d);

#endif
