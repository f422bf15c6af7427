/*
 * capture - packets of a pcap or pcapng file, as TCP streams, as sessions.
 *
 *   file --libpcap--> frames --link, IP, fragments--> segments --reassembly--> octets in order
 *        --> smtp session (observe mode) --> records, as if smtpscope had stood there
 *
 * Link layers: Ethernet (802.1Q, 802.1ad, QinQ), Linux cooked v1 and v2, raw IP, loopback (BSD,
 * OpenBSD). IPv4 and IPv6 with fragments and extension headers. Retransmissions and overlaps:
 * the first octets seen win, differing ones are noted. What was not captured is a gap, said and
 * never guessed: the session becomes opaque from there on until it ends.
 *
 * Sessions are written as they end, in the order they began within the bounds of memory.
 * Limits: 64 MiB of octets waiting for a hole in all, 1 MiB a stream; 65536 streams at a time:
 *         beyond them the oldest is ended ("capture-limit").
 */
#ifndef PATH_CAPTURE_CAPTURE_H
#define PATH_CAPTURE_CAPTURE_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream; /* transcript/stream.h */

struct capture_config {
    const char *file;      /* "-": standard input */
    const uint16_t *ports; /* of servers; count 0: 25, 465, 587, 2525 and what greets as SMTP */
    unsigned port_count;
    struct stream *records; /* where to */
};

struct capture_result {
    uint64_t packets, octets, sessions, gaps, fragments, skipped; /* skipped: no TCP, or cut */
    bool truncated; /* the file ends in the middle of a packet */
};

/* False: `error` says what and where. */
MUST_CHECK bool capture_import(const struct capture_config *c, struct capture_result *out,
                               char *error, size_t size);

#endif
