/*
 * resolve - waiting for the addresses of a name, in one thread's loop, without blocking it.
 *
 * A resolver_loop is what the requests of one thread share; everything here is called from
 * that thread. Owns nothing: a request is a member of whoever waits.
 */
#ifndef TRANSPORT_RESOLVE_H
#define TRANSPORT_RESOLVE_H

#include "base/list.h"
#include "transport/resolver.h"

#include <uv.h>

struct resolve;
struct resolver_name;

struct resolver_loop {
    struct resolver *resolver;
    uv_async_t answered; /* a lookup has ended */
    uv_timer_t moment;   /* a stale answer is good enough then */
    struct list waiting, ready;
    struct list in_resolver; /* under its lock */
};

/* The answer is borrowed. */
typedef void resolve_done(void *owner, const struct resolved *answer);

struct resolve {
    struct list in_loop; /* while something is waited for */
    struct resolver_name *name;
    resolve_done *done;
    void *owner;
    uint64_t stale_due_ms;
    unsigned round; /* lookups of the name that had ended before */
};

/* 0 or libuv's error. The resolver is borrowed. */
MUST_CHECK int resolver_loop_init(struct resolver_loop *l, uv_loop_t *loop,
                                  struct resolver *resolver);
/* No request may wait. Its handles are closed once the loop has run. */
void resolver_loop_close(struct resolver_loop *l);

/*
 * True: *now is the answer. False: done(owner, answer) is called once, later, unless
 * resolve_cancel() was.
 */
MUST_CHECK bool resolve_start(struct resolver_loop *l, struct resolve *w, const char *host,
                              resolve_done *done, void *owner, struct resolved *now);
/* All zero, or answered already: nothing happens. */
void resolve_cancel(struct resolver_loop *l, struct resolve *w);
static inline bool resolve_waits(const struct resolve *w)
{
    return list_is_linked(&w->in_loop);
}

#endif
