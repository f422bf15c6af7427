#include "transcript/hash.h"

/* For the size of XXH3_state_t; its layout belongs to the ABI since 0.8.0. */
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "transcript/hash_impl.h"

const struct hash_ops hash_ops_plain = { hash_reset, hash_update, hash_digest, hash_whole };

size_t hash_state_size(void)
{
    return sizeof(XXH3_state_t);
}

const struct hash_ops *hash_ops(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return hash_ops_avx2;
#endif
    return &hash_ops_plain;
}
