/*
 * packet - IPv4 (RFC 791) and IPv6 (RFC 8200) packets, and the TCP segments (RFC 9293 3.1) in them.
 *
 * Options and extension headers are skipped, fragments put together (fragment.h). The
 * packet's own length counts, not the frame's: padding is left out, and what the capture
 * cut off (snaplen) is told. Checksums are not looked at: where the sending machine itself
 * captures, its network card has not made them yet.
 *
 * Sans-IO. Owns: nothing; views are of the packet.
 */
#ifndef CAPTURE_PACKET_H
#define CAPTURE_PACKET_H

#include "base/attributes.h"
#include "base/span.h"
#include "transport/addr.h"

#include <stdbool.h>
#include <stdint.h>

struct ip_packet {
    struct addr from, to; /* without ports */
    uint8_t protocol;     /* IPPROTO_ */
    struct span payload;  /* as far as it was captured */
    size_t cut;           /* octets behind it that were not */
    /* A fragment: then the payload is a part of one. */
    bool fragment, more;
    uint32_t id;
    uint32_t offset;
};

/* frame_octets: true length of the frame's packet, for lengths IP cannot say (BIG TCP). */
MUST_CHECK bool ip_parse(struct span in, size_t frame_octets, struct ip_packet *out);

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
