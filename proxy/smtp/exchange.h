/*
 * exchange - one command on its way: what was received, what was sent on, what is
 * or will be the reply. Its event is filled in as it goes and told when complete.
 *
 * Blocks of one size from a pool, so that a command costs no allocation; a line
 * too long for the block's own room gets memory of its own.
 *
 * Every octet that exchanges hold is counted in their session's total.
 */
#ifndef SMTP_EXCHANGE_H
#define SMTP_EXCHANGE_H

#include "base/attributes.h"
#include "base/pool.h"
#include "smtp/event.h"
#include "smtp/local_reply.h"
#include "smtp/reply.h"

enum { EXCHANGE_ROOM = 224 };

struct exchange {
    struct exchange *next;
    struct event event;
    unsigned char *own; /* what its views show: `room` or malloc'ed */
    size_t own_len, own_size;
    enum local_reply local;       /* LOCAL_NONE: the upstream answers */
    const char *reply_detail;     /* for the local reply; constant text */
    bool replaces_upstream_reply; /* the local reply does, when that has come */
    bool last_chunk;              /* BDAT LAST: ends the message */
    bool answered;     /* the upstream's reply came early, and is kept in the event */
    bool not_sent_yet; /* its turn has not come */
    size_t *total;     /* octets of all exchanges of the session */
    unsigned char room[EXCHANGE_ROOM];
};

/* NULL: memory is out. Everything but the text is zero. Counts in *total until it is freed. */
MUST_CHECK struct exchange *exchange_new(struct pool *pool, size_t *total);
void exchange_free(struct pool *pool, struct exchange *ex);

/* Copies the line into the exchange: event.received. */
MUST_CHECK bool exchange_store(struct exchange *ex, struct span line);
/* Sets event.forwarded to text + CRLF. */
MUST_CHECK bool exchange_rewrite(struct exchange *ex, struct span text);
/*
 * Copies text into the exchange: *kept, a span of its event or of the caller, shows it. Other
 * views into the exchange stay right.
 */
MUST_CHECK bool exchange_keep(struct exchange *ex, struct span text, struct span *kept);

/* Keeps a reply so: its text in *kept, code and enhanced code in the event. */
MUST_CHECK bool exchange_keep_reply(struct exchange *ex, const struct reply *r,
                                    struct span *kept);

static inline bool exchange_is_local(const struct exchange *ex)
{
    return ex->local != LOCAL_NONE && !ex->replaces_upstream_reply;
}

#endif
