/*
 * blocks - where two contents differ, by the hashes of their blocks: which are equal at the
 * beginning and at the end, and how many of those between are found again.
 */
#ifndef ANALYSIS_DIFF_BLOCKS_H
#define ANALYSIS_DIFF_BLOCKS_H

#include "analysis/diff/talk.h"

struct block_range {
    bool known;              /* both have lists */
    uint64_t at;             /* octets before the first block that differs */
    uint64_t sent, received; /* octets from there to the end of the last one that differs */
    uint32_t first;          /* its number, from 0 */
    uint32_t blocks;         /* of those sent, that are not found again */
    uint32_t of;             /* blocks sent in all */
    uint32_t arrived;        /* of those received, from the first that differs to the last */
};

/* False: memory is out. */
MUST_CHECK bool blocks_compare(struct block_range *out, struct scratch *mem,
                               const struct content_facts *near,
                               const struct content_facts *far);

#endif
