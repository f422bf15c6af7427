/*
 * body - hashes of a body's canonical form (RFC 6376 3.4.3, 3.4.4, 3.7).
 *
 * One canonicalization, and hashes that differ in algorithm and l=. Canonical text is never
 * built: stretches of the input that stay as they are go to the hashes as they lie.
 *
 * Streaming: any cut of the input gives the same hashes. Only CRLF ends a line; other CRs and
 * LFs are text like any other.
 *
 * Owns: its hash states. Private to dkim.
 */
#ifndef DKIM_BODY_H
#define DKIM_BODY_H

#include "dkim/dkim.h"

#include <openssl/evp.h>

enum { DKIM_GATHER = 512 };

struct dkim_body_hash {
    EVP_MD_CTX *ctx;
    bool sha1;
    uint64_t length; /* l=; UINT64_MAX: none */
    uint64_t left;   /* octets still to be hashed */
    unsigned char digest[DKIM_HASH_MAX];
};

struct dkim_body {
    struct dkim_body_hash hashes[DKIM_SIGNATURES_MAX];
    unsigned count;
    bool relaxed;
    bool any;      /* something is canonical */
    bool blank;    /* relaxed: blanks are held back, of which at most one will be left */
    bool blank_cr; /* and a CR behind them */
    bool cr;       /* held back behind crlf */
    uint64_t crlf; /* CRLFs held back: they vanish if nothing else comes */
    unsigned gathered;
    unsigned char gather[DKIM_GATHER]; /* short stretches, not yet hashed */
};

void dkim_body_init(struct dkim_body *b, bool relaxed);
void dkim_body_deinit(struct dkim_body *b);
/*
 * Before the first octet. Which of the hashes it is, or -1: memory is out, or OpenSSL does not
 * let the algorithm be used. An equal one is shared.
 */
int dkim_body_hash(struct dkim_body *b, bool sha1, bool limited, uint64_t length);
void dkim_body_add(struct dkim_body *b, struct span bytes);
/* A second one that goes on from where b is; b must have a hash. False: memory is out. */
MUST_CHECK bool dkim_body_copy(struct dkim_body *to, const struct dkim_body *b);
/* No more octets; only dkim_body_digest() may follow. */
void dkim_body_finish(struct dkim_body *b);
/* 20 or 32 octets; valid as long as b. */
const unsigned char *dkim_body_digest(const struct dkim_body *b, unsigned i);

#endif
