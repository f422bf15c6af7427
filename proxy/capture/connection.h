/*
 * connection - a TCP connection of a capture: both flows, in the order in which they were
 * said, as facts for a session.
 *
 * A segment is passed on when nothing is missing before it in its own flow, and when the other
 * flow was passed on as far as its sender had received it (its ACK): so a reply never comes
 * before its command, however packets are ordered in the file.
 *
 *   hole not acknowledged    waits: it will be sent again
 *   hole acknowledged        the capture lost it: waits a second for packets out of order,
 *                            then it is a gap
 *   end, or out of bounds    what is acknowledged and missing is a gap, what was never
 *                            acknowledged is nothing
 *
 * Who is the client: who sent the SYN; without one, who did not greet; else who talks to a port
 * of servers. Whether it is SMTP at all is decided with the first octets: on a port of its own
 * always; on another by the word in the greeting, or by EHLO or HELO behind a 220.
 *
 * Owns: flows, the feed.
 */
#ifndef CAPTURE_CONNECTION_H
#define CAPTURE_CONNECTION_H

#include "base/list.h"
#include "base/buf.h"
#include "capture/capture.h"
#include "capture/feed.h"
#include "capture/flow.h"
#include "capture/syn.h"

/* What the connections of an import share. */
struct connection_env {
    struct feed_env feed;
    struct capture_result *result;
    size_t held;    /* octets, of all flows */
    uint64_t order; /* of the packet at hand */
};

enum { CONNECTION_HELD_MAX = 64 << 20, CONNECTION_PATIENCE_US = 1000000 };

/* Of a SYN. */
struct syn_options {
    bool seen;
    uint8_t len;
    unsigned char octets[SYN_OPTIONS_MAX];
};

struct connection {
    struct connection *next; /* table.h: in its bucket, */
    struct list by_age;      /* and by its last packet */
    struct connection_env *env;
    struct addr addr[2]; /* by enum side */
    struct flow flow[2];
    struct syn_options syn_options[2]; /* by enum side */
    struct feed *feed;                 /* NULL: nothing was said yet, or all is over */
    struct buf first; /* what the server said first, while that may be SMTP or not */
    uint64_t first_said_us;
    uint64_t first_us, answered_us, last_us;
    uint64_t stuck_us; /* since when something waits; 0: nothing does */
    bool syn;          /* the client's SYN was captured */
    bool start;        /* it, or the answer to it */
    bool on_port;      /* the server's port is one of those asked for */
    bool lost;         /* octets are missing: nothing will be understood any more */
    bool dead;         /* over; kept for what comes late */
    bool foreign;      /* no SMTP: nobody wants to see it */
};

/* Does it begin as SMTP servers greet? */
bool connection_is_greeting(struct span octets);

/* The first segment; who sent it and whether a port of servers is in it. */
void connection_init(struct connection *c, struct connection_env *env, const struct segment *s,
                     enum side from, bool on_port);
void connection_deinit(struct connection *c);

void connection_take(struct connection *c, struct segment *s);
/* Its SYN was seen, and it is none of ours; kept, so that nobody takes its client for a server
 * later. */
void connection_ignore(struct connection *c);
/* Would this segment begin another connection between the same ports? */
bool connection_is_renewed(const struct connection *c, const struct segment *s);
/* No more of it is to be seen. */
void connection_end(struct connection *c, enum close_reason why);

#endif
