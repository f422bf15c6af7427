/*
 * box - one connection through a box that damages SMTP, sans-IO: input in, actions out.
 *
 * Facts: octets of a side as one read, the end of a side, a handshake that is over, the time.
 * After each input box_next() is called until it has no more actions. What one read of a side
 * becomes leaves as one write, unless a rule says otherwise; without rules box is a wire.
 *
 * It understands just enough SMTP to find commands, replies, mail data and chunks; whatever it
 * does not understand passes as it is.
 *
 *   SCOPE_AFTER    read -> write, then parsed
 *   SCOPE_PER_READ  read -> the same number of octets -> write
 *   SCOPE_PER_LINE  read -> (waits for a line's or reply's end) -> write
 *
 * Content rules look at DATA; the octets of BDAT chunks are altered by rules for BDAT and by
 * `mutation` only.
 *
 * Owns:   its buffers. Rules are borrowed; they must stay.
 * Limits: BOX_HELD_MAX octets held in a direction; when that is full, a connection is reset.
 *         BOX_READ_MAX octets a read. While box_has_room() is false no octets may be given.
 */
#ifndef LAB_SIMULATOR_BOX_H
#define LAB_SIMULATOR_BOX_H

#include "base/attributes.h"
#include "base/span.h"
#include "lab/simulator/rules.h"
#include "smtp/event.h"

#include <stddef.h>
#include <stdint.h>

enum {
    BOX_HELD_MAX = 1 << 20,
    BOX_READ_MAX = 64 * 1024,
    BOX_COMMAND_MAX = 4096,    /* a longer line passes unjudged */
    BOX_REPLY_MAX = 64 * 1024, /* so does a longer reply */
    BOX_OUTSTANDING_MAX = 4096 /* commands without a reply */
};

enum box_action_kind {
    BOX_SEND,      /* bytes to side, as one write */
    BOX_FIN,       /* to side; nothing is sent to it after that */
    BOX_RESET,     /* side; it is gone then */
    BOX_START_TLS, /* with side: as the server with CLIENT, as a client with SERVER */
    BOX_LOG,       /* bytes: what was done, for a log; plain ASCII */
};

struct box_action {
    enum box_action_kind kind;
    enum side side;
    struct span bytes; /* valid until the next call */
};

struct box;

/* NULL when memory is out. */
MUST_CHECK struct box *box_new(const struct rules *rules, uint64_t seed);
void box_free(struct box **b);

/* False: the box answers by itself. */
bool box_needs_server(const struct rules *rules);

/* The time of the input that follows; what waited for it happens. */
void box_time(struct box *b, uint64_t now_ms);
/* When box_time() is due at the latest; UINT64_MAX: it need not be. */
uint64_t box_wake_ms(const struct box *b);

/* Client and server (where one is needed) are connected. */
void box_connected(struct box *b);
/* There is no server. */
void box_refused(struct box *b);
void box_bytes(struct box *b, enum side from, struct span bytes);
/* Nothing more comes from this side: it sent a FIN, or it is gone. */
void box_end(struct box *b, enum side from, bool reset);
/* The handshake with this side is over. */
void box_tls(struct box *b, enum side side, bool ok);

/* The box forgot the connection: what one side does, the other never hears of. */
bool box_is_mute(const struct box *b);
bool box_has_room(const struct box *b, enum side from);
/* False: nothing left to do. */
bool box_next(struct box *b, struct box_action *w);

#endif
