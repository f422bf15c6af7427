/*
 * segment - one TCP segment of a capture (RFC 9293 3.1). Sans-IO; views are of the packet.
 */
#ifndef CAPTURE_SEGMENT_H
#define CAPTURE_SEGMENT_H

#include "capture/ip.h"

enum {
    SEGMENT_FIN = 1,
    SEGMENT_SYN = 2,
    SEGMENT_RST = 4,
    SEGMENT_PSH = 8,
    SEGMENT_ACK = 16,
};

struct segment {
    struct addr from, to;
    uint32_t seq, ack; /* seq: of the first octet of payload, the SYN left out */
    uint8_t flags;
    struct span options, payload;
    size_t cut; /* octets behind it that were not captured */
    uint64_t t_us;
};

/* False: no TCP, or too short to be. t_us is the caller's to set. */
MUST_CHECK bool segment_parse(const struct ip_packet *p, struct segment *out);

/* Sequence numbers wrap: is a before b? */
static inline bool seq_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

#endif
