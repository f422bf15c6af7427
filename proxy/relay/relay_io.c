#include "relay/relay_private.h"

static enum side other(enum side side)
{
    return side == CLIENT ? SERVER : CLIENT;
}

static void on_bytes(struct conn *c, struct span bytes)
{
    struct relay *r = relay_of(c);
    enum side side = relay_side(r, c);

    if (r->phase >= RELAY_ENDING)
        return; /* nobody asks any more; reading tells who closes first */
    if (r->phase == RELAY_PREFACE) {
        relay_proxy_header_bytes(r, bytes);
        return;
    }
    if (r->phase < RELAY_PASSING && r->service->env.observe) {
        r->no_memory = !relay_keep_early(r, bytes);
        return;
    }
    session_bytes(&r->session, side, bytes, relay_now_us(r));
    relay_work(r, side);
}

static void on_end(struct conn *c, enum close_kind how)
{
    struct relay *r = relay_of(c);
    enum side side = relay_side(r, c);
    struct conn *peer = &r->leg[other(side)];
    bool fin = how == END_FIN;

    if (r->phase == RELAY_PREFACE) {
        relay_proxy_header_end(r, how);
        return;
    }
    relay_note_first(r, side, how);
    if (r->phase >= RELAY_ENDING) {
        relay_end_step(r);
        return;
    }
    if (!fin)
        r->leg_state[side] = LEG_REPORTED;
    if (r->phase == RELAY_HANDSHAKE) {
        session_end(&r->session, CLOSE_CLIENT_LEFT, relay_now_us(r));
        relay_work(r, -1);
        return;
    }
    if (c->tls_failed) {
        relay_record_handshake(r, side);
        session_end(&r->session, side == CLIENT ? CLOSE_CLIENT_TLS : CLOSE_UPSTREAM_TLS,
                    relay_now_us(r));
        relay_work(r, -1);
        return;
    }
    if (fin && session_mirrors_ends(&r->session) && r->phase == RELAY_PASSING &&
        !peer->tcp.closing && r->leg_state[other(side)] == LEG_FINE && !conn_shutdown(peer))
        relay_write_failed(r, other(side), UV_EPIPE);
    session_eof(&r->session, side, fin ? END_FIN : END_RESET, relay_now_us(r));
    relay_work(r, side);
}

static void on_room(struct conn *c)
{
    relay_work(relay_of(c), -1);
}

static void on_flushed(struct conn *c)
{
    struct relay *r = relay_of(c);

    r->stall[relay_side(r, c)].watched = false;
    if (r->phase == RELAY_ENDING)
        relay_end_flushed(r, relay_side(r, c));
    else
        relay_update(r); /* what was queued is not held any more */
}

static void on_failed(struct conn *c, int error)
{
    struct relay *r = relay_of(c);

    if (r->phase == RELAY_ENDING) {
        relay_note_first(r, relay_side(r, c), END_RESET);
        relay_close(r);
        return;
    }
    relay_write_failed(r, relay_side(r, c), error);
    relay_work(r, -1);
}

static void on_closed(struct conn *c)
{
    struct relay *r = relay_of(c);

    relay_leg_closed(r, relay_side(r, c));
}

const struct conn_events relay_conn_events = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_handshake = relay_on_handshake,
    .on_room = on_room,
    .on_flushed = on_flushed,
    .on_failed = on_failed,
    .on_closed = on_closed,
};
