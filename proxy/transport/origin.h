/*
 * origin - where an intercepted connection was going to, and speaking in the client's name.
 *
 *   redirect   nft "redirect": the destination is rewritten to this machine; the kernel's
 *              connection tracking knows the original one (SO_ORIGINAL_DST, IPv4 and IPv6)
 *   tproxy     nft "tproxy": the destination stays; a transparent socket takes it
 *
 * A connection made straight to the listener has no original destination but the listener
 * itself; relaying it there would loop for ever. It is told apart here.
 *
 * Needs CAP_NET_ADMIN or CAP_NET_RAW for transparent sockets (IP_TRANSPARENT).
 */
#ifndef TRANSPORT_ORIGIN_H
#define TRANSPORT_ORIGIN_H

#include "base/attributes.h"
#include "transport/addr.h"
#include "transport/tcp.h"

#include <stdbool.h>

enum intercept { INTERCEPT_NO, INTERCEPT_REDIRECT, INTERCEPT_TPROXY };

enum origin_result {
    ORIGIN_FOUND,
    ORIGIN_DIRECT, /* a connection to the listener itself */
    ORIGIN_LOST,   /* the system cannot tell (connection tracking forgot it) */
};

/*
 * Of an accepted connection. bound: what its listener is bound to; NULL when it was asked
 * with that before and is known not to be direct.
 */
enum origin_result origin_find(const struct tcp *t, enum intercept how,
                               const struct addr *bound, struct addr *out);

/* May this process open transparent sockets now? */
bool origin_allowed(void);
/* Lets a socket be bound to, and accept for, addresses of others. Before bind(). False: errno.
 */
MUST_CHECK bool origin_make_transparent(int fd, int family);

/*
 * As tcp_connect(), from `source`, an address of another machine. Its port is kept if nobody
 * here uses it, else (and for port 0) the system chooses one. With redirect the port must be
 * 0: connection tracking knows the client's own as taken. 0 or libuv's error; UV_EPERM: not
 * allowed to, UV_EAFNOSUPPORT: `to` is of the other family.
 */
MUST_CHECK int origin_connect(struct tcp *t, uv_connect_t *req, const struct addr *source,
                              const struct addr *to, uv_connect_cb done);

#endif
