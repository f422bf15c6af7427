/* hash64 - the one hash of tables and seeds: XXH3, 64 bits. Digests of content: transcript/hash. */
#ifndef BASE_HASH64_H
#define BASE_HASH64_H

#include "base/span.h"

#include <stdint.h>

uint64_t hash64(struct span s);
uint64_t hash64_seeded(struct span s, uint64_t seed);

#endif
