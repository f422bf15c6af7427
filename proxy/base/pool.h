/*
 * pool - blocks of one size, taken and given back without the allocator.
 *
 * One pool per worker and kind of block, so no locks. Keeps at most `keep`
 * free blocks; what is given back beyond that goes to free().
 *
 * Owns: the free blocks. A block belongs to whoever took it.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/attributes.h"

#include <stddef.h>

struct pool {
    void *free_list;
    size_t block_size; /* octets, at least a pointer */
    unsigned kept, keep;
};

void pool_init(struct pool *p, size_t block_size, unsigned keep);
void pool_deinit(struct pool *p);

/* Uninitialised memory, or NULL when memory is out. */
MUST_CHECK void *pool_take(struct pool *p);
void pool_give(struct pool *p, void *block);

#endif
