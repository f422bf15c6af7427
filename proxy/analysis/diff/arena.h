/*
 * arena - many objects of one size, by number; and octets that live as long as one pair.
 *
 * An array that grows by blocks: nothing is moved or copied, so a million entries need no
 * second million while they grow. Numbers begin at 1; 0 is none.
 */
#ifndef ANALYSIS_DIFF_ARENA_H
#define ANALYSIS_DIFF_ARENA_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdint.h>

struct arena {
    unsigned char **blocks;
    size_t object; /* octets of one */
    uint32_t len, block_count;
};

void arena_init(struct arena *a, size_t object);
void arena_deinit(struct arena *a);
/* The number of a new object, all zero; 0: memory is out. */
uint32_t arena_add(struct arena *a);
void *arena_get(const struct arena *a, uint32_t number);

/* Octets of one pair: given out piece by piece, given back all at once. */
struct scratch {
    struct scratch_block *blocks; /* the current one first */
    size_t used, total, max;
};

void scratch_init(struct scratch *s, size_t max);
void scratch_deinit(struct scratch *s);
/* Keeps one block for the next pair. */
void scratch_reset(struct scratch *s);
/* Aligned for anything, zero; NULL: more than `max`, or memory is out. */
MUST_CHECK void *scratch_take(struct scratch *s, size_t octets);

#endif
