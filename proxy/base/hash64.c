#include "base/hash64.h"

/* Inline: whoever links base needs no library for it. */
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash64(struct span s)
{
    return hash64_seeded(s, 0);
}

uint64_t hash64_seeded(struct span s, uint64_t seed)
{
    return XXH3_64bits_withSeed(s.ptr != NULL ? (const void *)s.ptr : "", s.len, seed);
}
