/*
 * exchange - one command on its way: what was received, what was sent on, what is
 * or will be the reply. Its event is filled in as it goes and told when complete.
 *
 * Blocks of one size from a pool, so that a command costs no allocation; a line
 * too long for the block's own room gets memory of its own.
 */
#ifndef SMTP_EXCHANGE_H
#define SMTP_EXCHANGE_H

#include "base/attributes.h"
#include "base/pool.h"
#include "smtp/event.h"
#include "smtp/local_reply.h"

enum { EXCHANGE_ROOM = 224 };

struct exchange {
    struct exchange *next;
    struct event event;
    unsigned char *own;     /* received, then forwarded: `room` or malloc'ed */
    enum local_reply local; /* LOCAL_NONE: the upstream answers */
    const char *hint;       /* for the local reply; constant text */
    bool waits;             /* local reply replaces the upstream's, when that has come */
    bool last_chunk;        /* BDAT LAST: ends the message */
    char text[LOCAL_REPLY_MAX];
    unsigned char room[EXCHANGE_ROOM];
};

/* NULL: memory is out. Everything but the text is zero. */
MUST_CHECK struct exchange *exchange_new(struct pool *pool);
void exchange_free(struct pool *pool, struct exchange *ex);

/* Copies `first` octets of the line into the exchange, event.received; with room for
 * `extra` more octets behind. */
MUST_CHECK bool exchange_store(struct exchange *ex, struct span line, size_t extra);
/* Sets event.forwarded to text + CRLF. */
MUST_CHECK bool exchange_rewrite(struct exchange *ex, struct span text);

static inline bool exchange_is_local(const struct exchange *ex)
{
    return ex->local != LOCAL_NONE && !ex->waits;
}

#endif
