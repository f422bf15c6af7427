/*
 * listener - a listening TCP socket of one loop.
 *
 * Every worker has a socket of its own for each address (SO_REUSEPORT): the kernel spreads
 * the connections. Sockets are made and bound before privileges are dropped, then handed to
 * the workers. What is set here (no Nagle, keepalive) the accepted sockets inherit.
 *
 * When the owner has no room, or there is no file descriptor (which is told in the log),
 * connections wait in the kernel's queue and are offered again a little later. Nothing is
 * accepted only to be closed, as libuv's own accepting does with EMFILE without a word.
 *
 * Owns: the socket, once listener_open() was called. Its memory is the owner's and must
 * stay until the loop has run once more after listener_close().
 */
#ifndef TRANSPORT_LISTENER_H
#define TRANSPORT_LISTENER_H

#include "base/attributes.h"
#include "transport/addr.h"
#include "transport/tcp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct listener {
    uv_poll_t poll;
    uv_timer_t retry;
    int fd;     /* -1: not open */
    int parked; /* accepted, and for listener_accept(); or -1 */
    /* Call listener_accept() now and return true; false: no room, ask again. */
    bool (*on_connection)(struct listener *l);
    void *owner;
    struct addr bound;
    bool any_address; /* bound to 0.0.0.0 or [::]: a connection's own address differs */
    bool closing;
    uint64_t told_ms; /* that accepting fails; 0: never */
};

/* How to bind: bits. */
enum {
    LISTENER_SHARED = 1,      /* further sockets will be bound to the same address */
    LISTENER_TRANSPARENT = 2, /* accept what goes to addresses of others (transport/origin) */
};

/*
 * A bound socket, not listening yet; *bound tells the port chosen for port 0. -1: `error`
 * says what and where. Another process on the same port is an error, shared or not.
 */
MUST_CHECK int listener_bind(const struct addr *a, unsigned how, struct addr *bound,
                             char *error, size_t size);
/* One more socket on an address that listener_bind() has bound as LISTENER_SHARED. */
MUST_CHECK int listener_bind_again(const struct addr *bound, unsigned how, char *error,
                                   size_t size);

/*
 * Starts to listen; on_connection and owner must be set. 0 or libuv's error: the socket is
 * closed then, but listener_close() is needed in both cases.
 */
MUST_CHECK int listener_open(struct listener *l, uv_loop_t *loop, int fd);
void listener_close(struct listener *l);

/* The connection that is offered becomes *t, which tcp_init() has made. 0 or libuv's error. */
MUST_CHECK int listener_accept(struct listener *l, struct tcp *t);

#endif
