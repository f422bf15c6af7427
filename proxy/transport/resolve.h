/*
 * resolve - a host name to all its addresses, without blocking the loop.
 *
 * The answer comes exactly once, later, unless resolve_cancel() was called. After a cancel
 * the request ends by itself in the thread pool; the owner need not wait for it.
 *
 * Limit: RESOLVE_MAX addresses; further ones are left out.
 */
#ifndef TRANSPORT_RESOLVE_H
#define TRANSPORT_RESOLVE_H

#include "base/attributes.h"
#include "transport/addr.h"

#include <stdint.h>
#include <uv.h>

enum { RESOLVE_MAX = 16 };

struct resolve;

/* count is 0 when there are none: then `error` says why. The list is borrowed. */
typedef void resolve_done(void *owner, const struct addr *list, unsigned count,
                          const char *error);

/* NULL when memory is out. */
MUST_CHECK struct resolve *resolve_start(uv_loop_t *loop, const char *host, uint16_t port,
                                         resolve_done *done, void *owner);
/* Accepts NULL; stores NULL. */
void resolve_cancel(struct resolve **r);

#endif
