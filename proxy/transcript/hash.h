/*
 * hash - XXH3-128 at the speed of the processor at hand.
 *
 * libxxhash is built for the oldest processor of its architecture; content passes
 * through here twice, so on x86-64 the same code is also compiled for AVX2 and
 * chosen at run time. The values are the same.
 */
#ifndef TRANSCRIPT_HASH_H
#define TRANSCRIPT_HASH_H

#include "base/span.h"

enum { HASH_OCTETS = 16, HASH_STATE_ALIGN = 64 };

/* XXH3_state_t; aligned to HASH_STATE_ALIGN. Copied by assignment of its octets. */
struct hash_ops {
    void (*reset)(void *state);
    void (*update)(void *state, struct span s);
    void (*digest)(const void *state, unsigned char out[HASH_OCTETS]);
    void (*whole)(struct span s, unsigned char out[HASH_OCTETS]);
};

size_t hash_state_size(void);
const struct hash_ops *hash_ops(void);

extern const struct hash_ops hash_ops_plain;
/* The same object as `plain` where there is no AVX2. */
extern const struct hash_ops *const hash_ops_avx2;

#endif
