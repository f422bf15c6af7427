/*
 * resolver - host names to addresses, for all threads of the process. A name is asked once at a
 * time, whoever waits for it, by a thread of its own, and the answer is kept.
 *
 * getaddrinfo() cannot be interrupted and says nothing of the time to live. So:
 *
 *   fresh    an answer is used for RESOLVER_FRESH_MS, then the name is asked again
 *   failed   a name that was not resolved is not asked again for RESOLVER_FAILED_MS
 *   stale    when asking again fails, or takes longer than RESOLVER_MOMENT_MS, the last
 *            addresses stay in use, until they are RESOLVER_STALE_MS old
 *
 * The answer that a name does not exist (any more) is an answer: nothing older is used then
 * (RFC 8767, section 4).
 *
 * Limits: a thread, while it is asked, and an entry for each name; names come from the
 * configuration. A lookup that hangs holds up its own name only; nothing waits for it at the
 * end.
 */
#ifndef TRANSPORT_RESOLVER_H
#define TRANSPORT_RESOLVER_H

#include "base/attributes.h"
#include "transport/addr.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RESOLVED_MAX = 16, /* addresses of a name; further ones are left out */
    RESOLVER_FRESH_MS = 60 * 1000,
    RESOLVER_FAILED_MS = 5 * 1000,
    RESOLVER_MOMENT_MS = 1000,
    RESOLVER_STALE_MS = 24 * 60 * 60 * 1000,
};

/* Addresses without a port, or why there are none. */
struct resolved {
    struct addr list[RESOLVED_MAX];
    unsigned count;
    bool denied;       /* it is known that there are none */
    const char *error; /* static text; NULL when count > 0 */
};

/* What a test puts in the place of the system's; all zero: getaddrinfo(), the real clock. */
struct resolver_config {
    void (*lookup)(void *arg, const char *host, struct resolved *out); /* may block */
    uint64_t (*now_ms)(void *arg); /* any thread; never goes back */
    void *arg;
};

struct resolver;

/* NULL when memory is out. */
MUST_CHECK struct resolver *resolver_new(const struct resolver_config *config);
/* No resolver_loop may be left. Lookups under way end by themselves. */
void resolver_free(struct resolver **r);

/* After a reload: forgets the names that are not `used`, and asks the others when they are
 * needed next. */
void resolver_reload(struct resolver *r, bool (*used)(void *arg, const char *host), void *arg);
/* Names known, lookups under way. */
unsigned resolver_names(struct resolver *r);
unsigned resolver_lookups(struct resolver *r);

#endif
