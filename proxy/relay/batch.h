/*
 * batch - what the actions of one input send to one side, gathered for one write.
 *
 * Octets that stay valid until the next input are referenced; others are copied into a
 * scratch of bounded size. Neighbours in memory become one piece, so clean mail data, cut
 * by the session into lines or not, leaves as it came: one read, one write.
 *
 * One per worker and side: only one input is worked on at a time.
 *
 * Limit: BATCH_PIECES pieces, BATCH_SCRATCH octets copied; full is an answer: send first.
 */
#ifndef RELAY_BATCH_H
#define RELAY_BATCH_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

enum { BATCH_PIECES = 64, BATCH_SCRATCH = 16384 };

struct batch {
    uv_buf_t piece[BATCH_PIECES];
    unsigned count;
    size_t used; /* of scratch */
    char scratch[BATCH_SCRATCH];
};

static inline void batch_clear(struct batch *b)
{
    b->count = 0;
    b->used = 0;
}

/*
 * False: no room; send the batch, clear it, add again. Into an empty batch everything fits
 * but a span longer than BATCH_SCRATCH that is not lasting: send that by itself.
 */
MUST_CHECK bool batch_add(struct batch *b, struct span bytes, bool lasting);

#endif
