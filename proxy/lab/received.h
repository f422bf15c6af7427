/*
 * received - the mail data as a receiver takes it: digested, counted, never kept.
 *
 * End of data is CR LF . CR LF and nothing else, or . CR LF as the first line
 * (RFC 5321 4.1.1.4, 4.5.2). Counted and digested is what an MTA would store: the
 * dot that stuffs a line is left out, all other octets are as they came. The digest
 * is XXH3-128, so `xxh128sum` of the message gives the same.
 *
 * Written apart from smtp/data on purpose: the far end must not share the mistakes
 * of the proxy it judges.
 *
 * Owns: the digest's state, from received_begin() to received_end().
 */
#ifndef LAB_RECEIVED_H
#define LAB_RECEIVED_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdint.h>
#include <xxhash.h>

struct received {
    XXH3_state_t *digest;
    uint64_t octets;
    uint8_t state; /* private: where in CR LF . CR LF */
};

enum { RECEIVED_TEXT_MAX = 80 };

/* False: out of memory. */
MUST_CHECK bool received_begin(struct received *r);
void received_end(struct received *r);
static inline bool received_is_open(const struct received *r)
{
    return r->digest != NULL;
}

/* Takes octets of DATA; returns how many were used, *ended when the last are the end. */
size_t received_data(struct received *r, struct span in, bool *ended);
/* Takes octets of a BDAT chunk, dots and all (RFC 3030 2). */
void received_chunk(struct received *r, struct span in);
/* "1024 octets, xxh128 0123456789abcdef0123456789abcdef" */
void received_text(const struct received *r, char out[RECEIVED_TEXT_MAX]);

#endif
