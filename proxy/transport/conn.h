/*
 * conn - one TCP connection whose octets may be encrypted: plaintext in, plaintext out.
 *
 * The same events and rules as tcp.h, one level up. conn_start_tls() puts a TLS engine
 * between: from then on on_bytes gives what was decrypted, conn_write() encrypts, and FIN
 * is sent behind a close_notify. One read of the socket makes one on_bytes, one conn_write()
 * one write, encrypted or not.
 *
 * The end of the other side is its close_notify or its FIN, whichever comes first; a FIN
 * without close_notify sets `truncated` (RFC 8446 6.1).
 */
#ifndef TRANSPORT_CONN_H
#define TRANSPORT_CONN_H

#include "transport/tcp.h"
#include "transport/tls.h"

struct conn;

struct conn_events {
    void (*on_bytes)(struct conn *c, struct span bytes);
    void (*on_end)(struct conn *c, enum close_kind how);
    /* The handshake is over: c->secure, or it failed and conn_tls_facts() says why. Octets
     * are thrown away then; on_end still follows. */
    void (*on_handshake)(struct conn *c);
    void (*on_room)(struct conn *c);
    void (*on_flushed)(struct conn *c);
    void (*on_failed)(struct conn *c, int error);
    void (*on_closed)(struct conn *c);
};

struct conn_loop {
    struct tcp_loop tcp;
    const struct conn_events *events;
    char *plain;  /* what one read decrypts to */
    char *record; /* small pieces on their way into one record */
    struct tls_wire wire;
};

struct conn {
    struct tcp tcp;
    struct tls *tls; /* NULL: in the clear */
    bool handshaking;
    bool secure;     /* the handshake is complete */
    bool tls_failed; /* in the handshake, or later: then on_end() tells */
    bool ended;      /* on_end was raised: the other side sends no more */
    bool truncated;  /* it ended without close_notify */
    bool reset;      /* it ended otherwise than in order: nobody listens */
    bool heard;      /* an octet came for TLS */
};

/* False when memory is out; conn_loop_deinit() is due in both cases. */
MUST_CHECK bool conn_loop_init(struct conn_loop *l, uv_loop_t *loop,
                               const struct conn_events *events, size_t read_size);
void conn_loop_deinit(struct conn_loop *l);

/* From here on conn_close() is legal and needed; what it holds is freed with on_closed. */
void conn_init(struct conn *c, uv_loop_t *loop, void *owner);
static inline void *conn_owner(const struct conn *c)
{
    return c->tcp.uv.data;
}

/*
 * Starts a handshake; what was written before leaves before it, in the clear. on_handshake
 * follows, not from inside. name: see tls_new(). 0 or libuv's error; then nothing follows.
 */
MUST_CHECK int conn_start_tls(struct conn *c, struct tls_context *ctx, const char *name);
/* Octets of the wire that were read before conn_start_tls(), behind a PROXY header. Raises
 * events from inside. */
void conn_feed(struct conn *c, struct span wire);
/* The time for the handshake is over. Raises on_handshake from inside. */
void conn_handshake_timeout(struct conn *c);
void conn_tls_facts(const struct conn *c, struct tls_facts *out);

/* As tcp_write(); encrypted where there is TLS. Also during a handshake only for octets that
 * leave in the clear before it. */
MUST_CHECK int conn_write(struct conn *c, uv_buf_t *bufs, unsigned count);
/* close_notify where there is TLS, then FIN behind what is queued. */
MUST_CHECK bool conn_shutdown(struct conn *c);
void conn_close(struct conn *c);
void conn_close_reset(struct conn *c);

#endif
