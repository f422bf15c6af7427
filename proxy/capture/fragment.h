/*
 * fragment - IP fragments put together again (RFC 815, RFC 5722).
 *
 * A datagram is whole when its last fragment is there and nothing is missing before it. One
 * whose fragments overlap with other octets is refused as a whole: systems differ in what
 * they would make of it. So is one that was cut off by the capture; TCP then has a hole.
 *
 * Owns:   the octets of unfinished datagrams, and of the one given out last.
 * Limits: 4 MiB in all, 256 datagrams, 64 KiB each, 30 s of the capture's time: beyond them
 *         the oldest is forgotten.
 */
#ifndef CAPTURE_FRAGMENT_H
#define CAPTURE_FRAGMENT_H

#include "capture/packet.h"

struct datagram;

enum {
    FRAGMENTS_OCTETS_MAX = 4 << 20,
    FRAGMENTS_DATAGRAMS_MAX = 256,
    FRAGMENTS_SECONDS = 30,
    FRAGMENTS_DATAGRAM_MAX = 65535
};

struct fragments {
    struct datagram *first, **last; /* the oldest first */
    unsigned count;
    size_t octets;
    struct datagram *given;
    uint64_t refused; /* datagrams forgotten or refused */
};

void fragments_init(struct fragments *f);
void fragments_deinit(struct fragments *f);

/*
 * Takes a fragment, as ip_parse() gave it. True: its datagram is whole, and p->payload is all
 * of it until the next call.
 */
MUST_CHECK bool fragments_take(struct fragments *f, struct ip_packet *p, uint64_t now_us);

#endif
