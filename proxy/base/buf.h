/*
 * buf - a growing byte buffer that has a maximum from birth.
 *
 * Starts without memory, grows by doubling, gives all memory back with
 * buf_release(): an idle session holds no buffer. Full is an answer.
 *
 * Owns:  its memory. Spans of it are valid until the next call on it.
 * Limit: `max`, in octets; at most 4 GiB - 1.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdint.h>

struct buf {
    unsigned char *ptr;
    uint32_t len;  /* octets held */
    uint32_t size; /* octets allocated */
    uint32_t max;
};

void buf_init(struct buf *b, uint32_t max);
/* Gives the memory back; the buffer is empty and may be used again. */
void buf_release(struct buf *b);

/* False when it would pass `max` or memory is out: nothing was added then. */
MUST_CHECK bool buf_append(struct buf *b, struct span s);
/* Takes the first n octets away (n <= len; more is all); memory that is not needed for the rest
 * is given back. */
void buf_drop(struct buf *b, size_t n);

static inline struct span buf_span(const struct buf *b)
{
    return (struct span){ b->ptr, b->len };
}

#endif
