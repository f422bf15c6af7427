/* hash_impl - the four functions of struct hash_ops over <xxhash.h> as the includer has
 * configured it. */
#ifndef TRANSCRIPT_HASH_IMPL_H
#define TRANSCRIPT_HASH_IMPL_H

#include "transcript/hash.h"

static void hash_put(XXH128_hash_t h, unsigned char out[HASH_OCTETS])
{
    XXH128_canonical_t c;

    XXH128_canonicalFromHash(&c, h);
    memcpy(out, c.digest, HASH_OCTETS);
}

static void hash_reset(void *state)
{
    XXH3_128bits_reset(state);
}

static void hash_update(void *state, struct span s)
{
    XXH3_128bits_update(state, s.ptr, s.len);
}

static void hash_digest(const void *state, unsigned char out[HASH_OCTETS])
{
    hash_put(XXH3_128bits_digest(state), out);
}

static void hash_whole(struct span s, unsigned char out[HASH_OCTETS])
{
    hash_put(XXH3_128bits(s.ptr, s.len), out);
}

#endif
