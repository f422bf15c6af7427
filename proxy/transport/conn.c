#include "transport/conn.h"

#include <assert.h>
#include <stdlib.h>

enum {
    PLAIN_ROOM = TLS_RECORD_MAX,     /* an unfinished record of earlier reads */
    WIRE_ROOM = 4 * TLS_RECORD_ROOM, /* what records add to a whole read */
    PIECE_ALONE = 4096,              /* octets worth a record without being copied */
};

static struct conn *conn_of(struct tcp *t)
{
    return CONTAINER_OF(t, struct conn, tcp);
}

static struct conn_loop *shared(const struct conn *c)
{
    return c->tcp.uv.loop->data; /* the tcp_loop is its first member */
}

static const struct conn_events *events(const struct conn *c)
{
    return shared(c)->events;
}

/* ---- the wire ---- */

static int conn_send_wire(struct conn *c)
{
    struct tls_wire *wire = &shared(c)->wire;
    uv_buf_t buf = { .base = wire->bytes, .len = wire->len };
    int error = 0;

    if (wire->len > 0 && c->tcp.open && !c->tcp.closing && !c->tcp.fin_asked)
        error = tcp_write(&c->tcp, &buf, 1);
    wire->len = 0;
    return error;
}

/* The handshake has come to its end, one way or the other. */
static void conn_handshake_over(struct conn *c, bool ok)
{
    c->handshaking = false;
    c->secure = ok;
    c->tls_failed = !ok;
    events(c)->on_handshake(c);
}

static void conn_ended(struct conn *c, enum close_kind how)
{
    c->ended = true;
    c->reset = how != END_FIN;
    events(c)->on_end(c, how);
}

/* Everything the octets put in decrypt to, as one event. */
static void conn_read_plain(struct conn *c)
{
    struct conn_loop *l = shared(c);
    size_t size = l->tcp.read_size + PLAIN_ROOM, used = 0, got = 0;
    enum tls_result r;

    while ((r = tls_read(c->tls, l->plain + used, size - used, &got)) == TLS_OK)
        used += got;
    (void)conn_send_wire(c); /* a write that fails shows in the next one, or in the end */
    if (used > 0)
        events(c)->on_bytes(c, span_of(l->plain, used));
    if (r == TLS_MORE || c->tcp.closing || c->ended)
        return;
    c->tls_failed = r == TLS_FAILED;
    conn_ended(c, r == TLS_CLOSED ? END_FIN : END_RESET);
}

void conn_feed(struct conn *c, struct span wire)
{
    if (c->ended || c->tls_failed)
        return;
    c->heard = true;
    tls_put_wire(c->tls, wire);
    if (c->handshaking) {
        enum tls_result r = tls_handshake(c->tls);
        (void)conn_send_wire(c);
        if (r == TLS_MORE)
            return;
        conn_handshake_over(c, r == TLS_OK);
    }
    if (c->secure && !c->tcp.closing && !c->ended)
        conn_read_plain(c);
}

static void on_bytes(struct tcp *t, struct span bytes)
{
    struct conn *c = conn_of(t);

    if (c->tls == NULL)
        events(c)->on_bytes(c, bytes);
    else
        conn_feed(c, bytes);
}

static enum tls_failure failure_of(enum close_kind how)
{
    return how == END_FIN ? TLS_FAILURE_EOF : TLS_FAILURE_RESET;
}

static void on_end(struct tcp *t, enum close_kind how)
{
    struct conn *c = conn_of(t);

    if (c->ended)
        return;
    if (c->handshaking) {
        tls_fail(c->tls, failure_of(how));
        conn_handshake_over(c, false);
        if (c->tcp.closing)
            return;
    }
    c->truncated = c->secure && how == END_FIN;
    conn_ended(c, how);
}

static void on_room(struct tcp *t)
{
    events(conn_of(t))->on_room(conn_of(t));
}

static void on_flushed(struct tcp *t)
{
    events(conn_of(t))->on_flushed(conn_of(t));
}

static void on_failed(struct tcp *t, int error)
{
    events(conn_of(t))->on_failed(conn_of(t), error);
}

static void on_closed(struct tcp *t)
{
    struct conn *c = conn_of(t);

    tls_free(&c->tls);
    events(c)->on_closed(c);
}

static const struct tcp_events tcp_events = { on_bytes,   on_end,    on_room,
                                              on_flushed, on_failed, on_closed };

/* ---- life ---- */

bool conn_loop_init(struct conn_loop *l, uv_loop_t *loop, const struct conn_events *ev,
                    size_t read_size)
{
    *l = (struct conn_loop){ .events = ev };
    l->wire.size = read_size + WIRE_ROOM;
    l->wire.bytes = malloc(l->wire.size);
    l->wire.seen = tls_seen_new();
    l->plain = malloc(read_size + PLAIN_ROOM);
    l->record = malloc(TLS_RECORD_MAX);
    return tcp_loop_init(&l->tcp, loop, &tcp_events, read_size) && l->wire.bytes != NULL &&
           l->plain != NULL && l->record != NULL;
}

void conn_loop_deinit(struct conn_loop *l)
{
    tcp_loop_deinit(&l->tcp);
    tls_seen_free(&l->wire.seen);
    free(l->wire.bytes);
    free(l->plain);
    free(l->record);
    l->wire.bytes = l->plain = l->record = NULL;
}

void conn_init(struct conn *c, uv_loop_t *loop, void *owner)
{
    *c = (struct conn){ 0 };
    tcp_init(&c->tcp, loop, owner);
}

int conn_start_tls(struct conn *c, struct tls_context *ctx, const char *name)
{
    assert(c->tls == NULL);
    if (c->tls != NULL)
        return UV_EALREADY;
    c->tls = tls_new(ctx, &shared(c)->wire, name);
    if (c->tls == NULL)
        return UV_ENOMEM;
    c->handshaking = true;
    if (tls_handshake(c->tls) == TLS_FAILED) /* a client's hello could not be made */
        return UV_ENOMEM;
    return conn_send_wire(c);
}

void conn_handshake_timeout(struct conn *c)
{
    tls_fail(c->tls, TLS_FAILURE_TIMEOUT);
    conn_handshake_over(c, false);
}

void conn_tls_facts(const struct conn *c, struct tls_facts *out)
{
    tls_facts(c->tls, out);
}

/* ---- writing ---- */

static int conn_encrypt(struct conn *c, struct span plain)
{
    struct tls_wire *wire = &shared(c)->wire;
    size_t took = 0;

    while (plain.len > 0) {
        if (tls_write(c->tls, plain, &took) != TLS_OK)
            return UV_EPIPE;
        plain = span_drop(plain, took);
        int error = wire->size - wire->len < TLS_RECORD_ROOM ? conn_send_wire(c) : 0;
        if (error != 0)
            return error;
    }
    return 0;
}

/* Small neighbours share a record. */
static int conn_encrypt_all(struct conn *c, const uv_buf_t *bufs, unsigned count)
{
    char *record = shared(c)->record;
    size_t used = 0;
    int error = 0;

    for (unsigned i = 0; i < count && error == 0; i++) {
        bool alone = bufs[i].len >= PIECE_ALONE || (used == 0 && i + 1 == count);

        if (used > 0 && (alone || bufs[i].len > TLS_RECORD_MAX - used)) {
            error = conn_encrypt(c, span_of(record, used));
            used = 0;
        }
        if (alone && error == 0) {
            error = conn_encrypt(c, span_of(bufs[i].base, bufs[i].len));
        } else if (error == 0) {
            memcpy(record + used, bufs[i].base, bufs[i].len);
            used += bufs[i].len;
        }
    }
    if (used > 0 && error == 0)
        error = conn_encrypt(c, span_of(record, used));
    return error;
}

int conn_write(struct conn *c, uv_buf_t *bufs, unsigned count)
{
    if (c->tls == NULL)
        return tcp_write(&c->tcp, bufs, count);
    assert(!c->handshaking);
    if (c->handshaking || c->tls_failed || c->tcp.fin_asked)
        return UV_EPIPE;
    int error = conn_encrypt_all(c, bufs, count);
    int sent = conn_send_wire(c);
    return error != 0 ? error : sent;
}

/* ---- ends ---- */

static void conn_say_goodbye(struct conn *c)
{
    if (!c->secure || c->tls_failed || c->tcp.fin_asked)
        return;
    tls_finish(c->tls);
    (void)conn_send_wire(c);
}

bool conn_shutdown(struct conn *c)
{
    conn_say_goodbye(c);
    return tcp_shutdown(&c->tcp);
}

void conn_close(struct conn *c)
{
    if (c->tcp.closing)
        return;
    if (!c->reset) /* also behind its FIN somebody may still listen */
        conn_say_goodbye(c);
    tcp_close(&c->tcp);
}

void conn_close_reset(struct conn *c)
{
    tcp_close_reset(&c->tcp);
}
