/*
 * capture - packets of a pcap or pcapng file, as TCP streams, as sessions.
 *
 *   file --libpcap--> frames --link, IP, fragments--> segments --reassembly--> octets in order
 *        --> smtp session (observe mode) --> records, as if smtpscope had stood there
 *
 * Link layers: Ethernet (802.1Q, 802.1ad, QinQ), Linux cooked v1 and v2, raw IP, loopback (BSD,
 * OpenBSD). IPv4 and IPv6 with fragments and extension headers. Retransmissions and overlaps:
 * the first octets seen win, differing ones are counted. What was not captured is a gap, said
 * and never guessed: the session becomes opaque from there on until it ends.
 *
 * Records are written as they become complete, those of several sessions interleaved, as the
 * proxy writes them. Their times are those of the packets.
 * Limits: 64 MiB of octets waiting for a hole in all, 1 MiB a stream: beyond them the hole is a
 *         gap; 65536 connections at a time: beyond them the one silent for longest is ended
 *         ("capture-limit").
 */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct stream;    /* transcript/writer.h */
struct catalogue; /* analysis/catalogue.h */

struct capture_config {
    const char *file;      /* "-": standard input */
    FILE *open;            /* the file, open already; closed in the end; NULL: it is not */
    const uint16_t *ports; /* of servers; count 0: 25, 465, 587, 2525 and what greets as SMTP */
    unsigned port_count;
    struct stream *records;            /* where to */
    bool findings;                     /* say what looks like the work of a box on the path */
    const struct catalogue *catalogue; /* of products, for the findings; may be NULL */
    /* Waits until the stream has room again; false: in vain, the import is over. */
    bool (*wait)(void *arg);
    void *wait_arg;
};

struct capture_result {
    uint64_t packets, octets, sessions, gaps, fragments;
    uint64_t skipped;   /* packets: no TCP, or cut before it begins */
    uint64_t missing;   /* octets, in the gaps */
    uint64_t differing; /* segments that came again with other octets: the first ones count */
    bool truncated;     /* the file ends in the middle of a packet */
};

/* False: `error` says what and where; what was read before it is in the records. */
MUST_CHECK bool capture_import(const struct capture_config *c, struct capture_result *out,
                               char *error, size_t size);

#endif
