#include "lab/simulator/simulator_session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "lab/simulator/simulator.h"

#define SESSION_MAGIC 0x51b0a7edu

enum { HOLD_CONNECTING = 1, HOLD_FULL = 2 };

struct simulator_session {
    unsigned magic;
    struct simulator_sessions *all;
    struct list in_all;
    struct conn legs[2]; /* by enum side */
    uv_connect_t connect;
    uv_timer_t timer;
    struct box *box;
    unsigned number; /* in the log */
    unsigned open_handles;
    bool ended[2], gone[2], closing;
};

static struct simulator_session *session_of(void *data)
{
    struct simulator_session *s = data;

    assert(s != NULL && s->magic == SESSION_MAGIC);
    return s;
}

static struct simulator_session *owner_of(const struct conn *c)
{
    return session_of(conn_owner(c));
}

static enum side side_of(const struct simulator_session *s, const struct conn *c)
{
    return c == &s->legs[CLIENT] ? CLIENT : SERVER;
}

/* ---- closing ---- */

static void handle_closed(struct simulator_session *s)
{
    if (--s->open_handles > 0)
        return;
    box_free(&s->box);
    s->magic = 0;
    free(s);
}

static void on_closed(struct conn *c)
{
    handle_closed(owner_of(c));
}

static void on_timer_closed(uv_handle_t *h)
{
    handle_closed(session_of(h->data));
}

static void session_close(struct simulator_session *s)
{
    if (s->closing)
        return;
    s->closing = true;
    s->all->count--;
    list_remove(&s->in_all);
    conn_close(&s->legs[CLIENT]);
    conn_close(&s->legs[SERVER]);
    uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

void simulator_sessions_close(struct simulator_sessions *all)
{
    for (struct simulator_session *s;
         (s = LIST_FIRST(&all->sessions, struct simulator_session, in_all)) != NULL;)
        session_close(s);
}

/* Nothing more can happen on this side: it ended, and so did we. */
static bool leg_is_over(const struct simulator_session *s, enum side side)
{
    bool finished = s->legs[side].tcp.fin_sent || box_is_mute(s->box);

    return s->gone[side] || (s->ended[side] && finished);
}

/* ---- actions ---- */

static void session_advance(struct simulator_session *s);

static void leg_reset(struct simulator_session *s, enum side side)
{
    s->gone[side] = true;
    conn_close_reset(&s->legs[side]);
}

static void leg_send(struct simulator_session *s, enum side side, struct span bytes)
{
    uv_buf_t buf = { .base = (char *)bytes.ptr, .len = bytes.len };

    if (s->gone[side] || conn_write(&s->legs[side], &buf, 1) == 0)
        return;
    s->gone[side] = true;
    conn_close(&s->legs[side]);
    box_end(s->box, side, true);
}

static void leg_finish(struct simulator_session *s, enum side side)
{
    if (!s->gone[side] && s->legs[side].tcp.open && !conn_shutdown(&s->legs[side]))
        leg_reset(s, side);
}

static void leg_start_tls(struct simulator_session *s, enum side side)
{
    struct tls_context *context = side == CLIENT ? s->all->server : s->all->client;

    if (s->gone[side] || conn_start_tls(&s->legs[side], context, NULL) != 0)
        box_tls(s->box, side, false);
}

static void session_do(struct simulator_session *s, const struct box_action *w)
{
    switch (w->kind) {
    case BOX_SEND:
        leg_send(s, w->side, w->bytes);
        break;
    case BOX_FIN:
        leg_finish(s, w->side);
        break;
    case BOX_RESET:
        leg_reset(s, w->side);
        break;
    case BOX_START_TLS:
        leg_start_tls(s, w->side);
        break;
    case BOX_LOG:
        log_info("simulate: %u: %.*s", s->number, (int)w->bytes.len,
                 (const char *)w->bytes.ptr);
        break;
    }
}

static void on_timer(uv_timer_t *t)
{
    struct simulator_session *s = session_of(t->data);

    box_time(s->box, uv_now(s->all->loop));
    session_advance(s);
}

static void session_wait(struct simulator_session *s)
{
    uint64_t due = box_wake_ms(s->box), now = uv_now(s->all->loop);

    if (due == UINT64_MAX)
        uv_timer_stop(&s->timer);
    else
        uv_timer_start(&s->timer, on_timer, due > now ? due - now : 0, 0);
}

/* A side is not read while what it sent cannot leave. */
static void session_throttle(struct simulator_session *s)
{
    for (unsigned i = 0; i < 2; i++) {
        enum side from = (enum side)i, to = from == CLIENT ? SERVER : CLIENT;

        if (box_has_room(s->box, from) && (!s->legs[to].tcp.full || s->gone[to]))
            tcp_release(&s->legs[from].tcp, HOLD_FULL);
        else
            tcp_hold(&s->legs[from].tcp, HOLD_FULL);
    }
}

static void session_advance(struct simulator_session *s)
{
    struct box_action w;

    while (!s->closing && box_next(s->box, &w))
        session_do(s, &w);
    if (s->closing)
        return;
    if (leg_is_over(s, CLIENT) && leg_is_over(s, SERVER)) {
        session_close(s);
        return;
    }
    session_throttle(s);
    session_wait(s);
}

/* ---- input ---- */

static void session_time(struct simulator_session *s)
{
    box_time(s->box, uv_now(s->all->loop));
}

static void on_bytes(struct conn *c, struct span bytes)
{
    struct simulator_session *s = owner_of(c);
    enum side from = side_of(s, c);

    session_time(s);
    while (bytes.len > 0) { /* what TLS decrypted may be more than a read */
        box_bytes(s->box, from, span_first(bytes, BOX_READ_MAX));
        bytes = span_drop(bytes, BOX_READ_MAX);
    }
    session_advance(s);
}

static void on_end(struct conn *c, enum close_kind how)
{
    struct simulator_session *s = owner_of(c);
    enum side from = side_of(s, c);

    if (s->gone[from])
        return;
    s->ended[from] = true;
    session_time(s);
    if (how != END_FIN) {
        s->gone[from] = true;
        conn_close(c);
    }
    box_end(s->box, from, how != END_FIN);
    session_advance(s);
}

static void on_handshake(struct conn *c)
{
    struct simulator_session *s = owner_of(c);

    session_time(s);
    box_tls(s->box, side_of(s, c), c->secure);
    session_advance(s);
}

static void on_room(struct conn *c)
{
    session_advance(owner_of(c));
}

static void on_failed(struct conn *c, int error)
{
    (void)error;
    on_end(c, END_RESET);
}

const struct conn_events simulator_session_events = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_handshake = on_handshake,
    .on_room = on_room,
    .on_flushed = on_room,
    .on_failed = on_failed,
    .on_closed = on_closed,
};

/* ---- beginning ---- */

static void session_begin(struct simulator_session *s)
{
    session_time(s);
    box_connected(s->box);
    tcp_release(&s->legs[CLIENT].tcp, HOLD_CONNECTING);
    session_advance(s);
}

/* There is no server, and never was. */
static void session_refused(struct simulator_session *s)
{
    s->gone[SERVER] = true;
    session_time(s);
    box_refused(s->box);
    tcp_release(&s->legs[CLIENT].tcp, HOLD_CONNECTING);
    session_advance(s);
}

static void on_connected(uv_connect_t *req, int error)
{
    struct simulator_session *s = session_of(req->data);

    if (s->closing)
        return;
    if (error != 0) {
        log_info("simulate: %u: cannot connect to the upstream: %s", s->number,
                 uv_strerror(error));
        session_refused(s);
        return;
    }
    tcp_tune(&s->legs[SERVER].tcp, true);
    tcp_read(&s->legs[SERVER].tcp);
    session_begin(s);
}

static struct simulator_session *session_new(struct simulator_sessions *all)
{
    struct simulator_session *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    *s = (struct simulator_session){ .magic = SESSION_MAGIC, .all = all, .open_handles = 3 };
    s->number = ++all->accepted;
    s->box = box_new(all->rules, all->seed * 0x9e3779b97f4a7c15u + s->number);
    if (s->box == NULL) {
        free(s);
        return NULL;
    }
    conn_init(&s->legs[CLIENT], all->loop, s);
    conn_init(&s->legs[SERVER], all->loop, s);
    int error = uv_timer_init(all->loop, &s->timer);
    assert(error == 0); /* cannot fail */
    (void)error;
    s->timer.data = s;
    s->connect.data = s;
    list_prepend(&all->sessions, &s->in_all);
    all->count++;
    return s;
}

void simulator_session_accept(struct simulator_sessions *all, uv_stream_t *listener)
{
    struct simulator_session *s = session_new(all);

    if (s == NULL) {
        log_error("simulate: out of memory, not accepting");
        return;
    }
    if (tcp_accept(&s->legs[CLIENT].tcp, listener) != 0 ||
        all->count > SIMULATOR_SESSIONS_MAX) {
        conn_close_reset(&s->legs[CLIENT]);
        session_close(s);
        return;
    }
    tcp_tune(&s->legs[CLIENT].tcp, true);
    tcp_hold(&s->legs[CLIENT].tcp, HOLD_CONNECTING);
    tcp_read(&s->legs[CLIENT].tcp);
    if (!box_needs_server(all->rules)) {
        s->gone[SERVER] = true;
        session_begin(s);
    } else if (tcp_connect(&s->legs[SERVER].tcp, &s->connect, &all->upstream, on_connected) !=
               0) {
        session_refused(s);
    }
}
