/*
 * octets - numbers in network order, and length-prefixed vectors (RFC 8446 3.4) off the front
 * of a span. A vector that says it is longer than what is there is not taken.
 */
#ifndef BASE_OCTETS_H
#define BASE_OCTETS_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdint.h>

/* The caller has looked at the length. */
static inline uint16_t octets_u16(const unsigned char *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t octets_u32(const unsigned char *p)
{
    return (uint32_t)octets_u16(p) << 16 | octets_u16(p + 2);
}

/* A number of `width` octets, at most 4; false: too short, nothing is taken. */
MUST_CHECK static inline bool octets_number(struct span *in, unsigned width, uint32_t *n)
{
    uint32_t value = 0;

    if (in->len < width)
        return false;
    for (unsigned i = 0; i < width; i++)
        value = value << 8 | in->ptr[i];
    *in = span_drop(*in, width);
    *n = value;
    return true;
}

MUST_CHECK static inline bool octets_take(struct span *in, size_t n, struct span *out)
{
    if (in->len < n)
        return false;
    *out = span_first(*in, n);
    *in = span_drop(*in, n);
    return true;
}

/* What follows a length of `width` octets. */
MUST_CHECK static inline bool octets_vector(struct span *in, unsigned width, struct span *out)
{
    uint32_t n;

    return octets_number(in, width, &n) && octets_take(in, n, out);
}

#endif
