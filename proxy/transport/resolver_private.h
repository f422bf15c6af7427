/* resolver_private - what resolver.c and resolve.c share; nobody else includes this. */
#ifndef TRANSPORT_RESOLVER_PRIVATE_H
#define TRANSPORT_RESOLVER_PRIVATE_H

#include "transport/resolve.h"

#include <pthread.h>

/* Everything behind the resolver's lock, but for the host, which never changes. */
struct resolver_name {
    struct resolver_name *next;
    struct resolver *resolver;
    struct resolved good; /* the last answer with addresses; count is 0 when there is none */
    const char *error;    /* of the last lookup; NULL: it went well */
    uint64_t good_ms;     /* when `good` came */
    uint64_t asked_ms;    /* when the last lookup began */
    uint64_t due_ms;      /* asked again from then on */
    unsigned rounds;      /* lookups that have ended */
    unsigned waiting;     /* requests that have no answer yet */
    bool asking;          /* a lookup is under way */
    bool unused;          /* forgotten as soon as nobody needs it */
    bool told; /* the log says that stale addresses are used; until it resolves quickly */
    char host[];
};

struct resolver {
    struct resolver_config config;
    pthread_mutex_t lock;
    struct resolver_name *names;
    struct list loops;
    unsigned lookups; /* under way */
    bool closed;      /* the last lookup frees it */
};

/* ---- under the lock ---- */

/* Under the lock, too: what another thread has noted is never later than this. */
static inline uint64_t resolver_now(const struct resolver *r)
{
    return r->config.now_ms(r->config.arg);
}

/* The entry, asked again when that is due; NULL: no memory. */
struct resolver_name *resolver_ask(struct resolver *r, const char *host, uint64_t now_ms);
/* While the name is asked: from when on its last addresses are good enough. At once when asking
 * failed the last time; UINT64_MAX: there are none. */
uint64_t resolver_stale_due(const struct resolver_name *n, uint64_t now_ms);
/* The answer as it is known now. That stale addresses are used is logged, once. */
void resolver_answer(struct resolver_name *n, uint64_t now_ms, struct resolved *out);
/* A request less that waits; an entry that nobody needs is gone then. */
void resolver_leave(struct resolver_name *n);

#endif
