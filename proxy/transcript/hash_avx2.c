/* Compiled with -mavx2 on x86-64 (CMakeLists.txt): nothing of it runs before hash_ops()
 * has asked the processor. */
#include "transcript/hash.h"

#ifdef __AVX2__
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "transcript/hash_impl.h"

static const struct hash_ops ops = { hash_reset, hash_update, hash_digest, hash_whole };
const struct hash_ops *const hash_ops_avx2 = &ops;
#else
const struct hash_ops *const hash_ops_avx2 = &hash_ops_plain;
#endif
