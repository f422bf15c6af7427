/* octets - numbers in network order, read from packets. The caller has looked at the length. */
#ifndef CAPTURE_OCTETS_H
#define CAPTURE_OCTETS_H

#include <stdint.h>

static inline uint16_t octets_u16(const unsigned char *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t octets_u32(const unsigned char *p)
{
    return (uint32_t)octets_u16(p) << 16 | octets_u16(p + 2);
}

#endif
