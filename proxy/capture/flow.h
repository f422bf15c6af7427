/*
 * flow - one direction of a TCP connection in a capture: octets in their order (RFC 9293 3.4).
 *
 *   .. next          given out
 *   next ..          a hole, or held: octets that came before those in front of them
 *   fin              where the stream ends, once its FIN was seen
 *
 * The first octets seen win. What comes again is compared where that is possible: with what
 * is held, and with the last segments given out as long as they come in the same pieces.
 *
 * Sans-IO. Owns:  copies of what is held; what comes in order is never copied.
 * Limits: FLOW_HELD_MAX octets and FLOW_PIECES_MAX pieces are for the caller to keep to:
 *         flow_is_full().
 */
#ifndef CAPTURE_FLOW_H
#define CAPTURE_FLOW_H

#include "capture/packet.h"

enum { FLOW_HELD_MAX = 1 << 20, FLOW_PIECES_MAX = 2048, FLOW_REMEMBERED = 16 };

/* A piece of the stream that waits. */
struct held {
    struct held *next;
    uint64_t t_us;
    uint64_t order; /* of its packet in the file */
    uint32_t seq, len;
    uint32_t ack; /* what its sender had received by then */
    bool acks;
    unsigned char bytes[];
};

/* A segment given out, for comparison. */
struct sent {
    uint32_t seq, len, hash;
};

struct flow {
    struct held *first, *last; /* by sequence number, without overlaps */
    size_t held;               /* octets, with what keeping them costs */
    size_t *held_in_all;
    unsigned pieces;
    uint32_t begin; /* sequence number of the first octet, */
    uint32_t next;  /* and of the next one to give out */
    uint32_t acked; /* the other side has all before this */
    uint32_t fin_seq, fin_ack;
    uint64_t fin_us, fin_order;
    bool started, heard; /* next is known; acked is */
    bool fin, ended;     /* a FIN was seen; it was given out */
    uint8_t sent_at;
    struct sent sent[FLOW_REMEMBERED];
};

void flow_init(struct flow *f, size_t *held_in_all);
void flow_deinit(struct flow *f);

void flow_start(struct flow *f, uint32_t next);
void flow_acknowledge(struct flow *f, uint32_t ack);

/*
 * Takes away from the segment what was given out before; false: it differed from that.
 * Its FIN is noted.
 */
bool flow_trim(struct flow *f, struct segment *s, uint64_t order);
/* Is it the very next thing, and nothing held before or behind it? */
bool flow_is_next(const struct flow *f, const struct segment *s);
/* These octets, at `next`, are given out now. */
void flow_pass(struct flow *f, struct span octets);
/*
 * Keeps what of the segment is not held yet; false: what was differs. Without memory it is
 * lost, and a hole stays.
 */
bool flow_hold(struct flow *f, const struct segment *s, uint64_t order);
bool flow_is_full(const struct flow *f);

/* What waits first, if it is next in line. */
const struct held *flow_ready(const struct flow *f);
/* Its octets are given out: frees them. */
void flow_take(struct flow *f);
/* Octets up to `seq` are given up. */
void flow_skip(struct flow *f, uint32_t seq);
/* A FIN was seen and not given out yet. */
bool flow_fin_waits(const struct flow *f);
/* The FIN was given out. */
void flow_end(struct flow *f);
/* The other side never had what is held. */
void flow_discard(struct flow *f);

/* Octets the other side has and this one was not seen to send; at the end of the capture. */
uint32_t flow_missing(const struct flow *f);

#endif
