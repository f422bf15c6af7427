/*
 * tcp - one TCP connection on a loop: reading that can be held for several reasons,
 * writing that copies only what the kernel does not take, ends told apart.
 *
 *   any number of on_bytes, at most one on_end per connection; on_closed once, last.
 *   No event is raised from inside the call that caused it, on_closed included.
 *   Whoever gets an event may call anything here, tcp_close() too.
 *
 * All connections of a loop share one read buffer: bytes are consumed before on_bytes
 * returns. Write requests are allocated only for what the kernel did not take.
 *
 * Owns:  the socket, the queued octets. The memory of the connection is the owner's and
 *        must stay until on_closed.
 * Limit: nothing here bounds the queue; from TCP_HIGH_WATER on `full` says so and on_room
 *        follows at TCP_LOW_WATER: hold the source in between. What counts are octets of
 *        memory, so that small writes, which need more of it than they send, count, too.
 */
#ifndef TRANSPORT_TCP_H
#define TRANSPORT_TCP_H

#include "base/attributes.h"
#include "base/close_kind.h"
#include "base/span.h"
#include "transport/addr.h"
#include "transport/tcp_facts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
    TCP_HIGH_WATER = 128 * 1024,
    TCP_LOW_WATER = 32 * 1024,
    TCP_READ_SIZE =
        256 * 1024, /* measured: a 10 MiB message costs 15 % less than with 64 KiB */
};

struct tcp;

struct tcp_events {
    void (*on_bytes)(struct tcp *t, struct span bytes);
    void (*on_end)(struct tcp *t, enum close_kind how);
    /* The queue's memory fell to TCP_LOW_WATER after it had been full. */
    void (*on_room)(struct tcp *t);
    /* The queue is empty again and, when tcp_shutdown() was called, the FIN is sent. */
    void (*on_flushed)(struct tcp *t);
    /* A queued write failed: libuv's error. */
    void (*on_failed)(struct tcp *t, int error);
    void (*on_closed)(struct tcp *t);
};

/* What the connections of a loop share; loop->data points here. */
struct tcp_loop {
    const struct tcp_events *events;
    char *read_buf;
    size_t read_size;
    size_t read_most; /* octets that one on_bytes may bring, of any connection; 0: read_size */
    bool read_busy;
};

struct tcp {
    uv_tcp_t uv;            /* uv.data: the owner */
    uint64_t received;      /* octets */
    uint64_t written;       /* octets given to tcp_write() */
    struct tcp_facts facts; /* as of the end, or of tcp_look() */
    size_t queue_memory;    /* octets that what is queued takes, requests and all */
    size_t read_most;       /* octets that one on_bytes may bring; 0: as many as come */
    uint8_t holds;          /* reasons not to read: bits of the owner's choice */
    bool reading, want_read, open;
    bool full;              /* the queue's memory passed TCP_HIGH_WATER */
    bool ended;             /* on_end was raised */
    bool read_start_failed; /* libuv refused to read: nothing will be told of this side */
    bool fin_asked, fin_sent;
    bool closing;
};

/* False when memory is out. Binds to the loop until tcp_loop_deinit(). */
MUST_CHECK bool tcp_loop_init(struct tcp_loop *s, uv_loop_t *loop,
                              const struct tcp_events *events, size_t read_size);
void tcp_loop_deinit(struct tcp_loop *s);

/* From here on tcp_close() is legal and needed. */
void tcp_init(struct tcp *t, uv_loop_t *loop, void *owner);
/* 0 or libuv's error. */
MUST_CHECK int tcp_accept(struct tcp *t, uv_stream_t *listener);
/* A connected socket is taken over, also when this fails. 0 or libuv's error. */
MUST_CHECK int tcp_adopt(struct tcp *t, int fd);
/* 0 or libuv's error; the result comes to `done`. */
MUST_CHECK int tcp_connect(struct tcp *t, uv_connect_t *req, const struct addr *to,
                           uv_connect_cb done);
/* The same with a socket made by the caller; it is taken over, also when this fails. */
MUST_CHECK int tcp_connect_socket(struct tcp *t, uv_connect_t *req, int fd,
                                  const struct addr *to, uv_connect_cb done);
/* Answers at once, however small; `keepalive`: notice a peer that is gone. */
void tcp_tune(struct tcp *t, bool keepalive);
bool tcp_local(const struct tcp *t, struct addr *out);
bool tcp_peer(const struct tcp *t, struct addr *out);

/* Reads from now on, unless held. */
void tcp_read(struct tcp *t);
void tcp_hold(struct tcp *t, uint8_t reason);
void tcp_release(struct tcp *t, uint8_t reason);

/*
 * All octets of bufs, in order, in one system call if the kernel takes them; what it does
 * not take is copied. bufs is used up (its entries change). 0, or libuv's error: then
 * nothing more can be sent here.
 */
MUST_CHECK int tcp_write(struct tcp *t, uv_buf_t *bufs, unsigned count);
static inline size_t tcp_queued(const struct tcp *t)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&t->uv);
}
/* Octets the kernel took. */
static inline uint64_t tcp_delivered(const struct tcp *t)
{
    return t->written - tcp_queued(t);
}
/* FIN behind what is queued; false: impossible (memory, connection gone). */
MUST_CHECK bool tcp_shutdown(struct tcp *t);

/* Reads TCP_INFO into t->facts. */
void tcp_look(struct tcp *t);

/* What is queued is lost; on_closed follows. Further calls do nothing. */
void tcp_close(struct tcp *t);
/* The same with a RST, where that is still possible. */
void tcp_close_reset(struct tcp *t);

#endif
