#include "base/hash64.h"

/* Inline: whoever links base needs no library for it. */
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash64(struct span s)
{
    return XXH3_64bits(s.ptr, s.len);
}
