/*
 * ip - IPv4 (RFC 791) and IPv6 (RFC 8200) packets: whose octets of TCP they carry.
 *
 * Options and extension headers are skipped, fragments put together (fragment.h). The
 * packet's own length counts, not the frame's: padding is left out, and what the capture
 * cut off (snaplen) is told. Checksums are not looked at: where the sending machine itself
 * captures, its network card has not made them yet.
 *
 * Sans-IO. Owns: nothing; views are of the packet.
 */
#ifndef CAPTURE_IP_H
#define CAPTURE_IP_H

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

#endif
