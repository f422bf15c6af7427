#include "relay/relay_private.h"

static struct relay *relay_of(const struct tcp *t)
{
    return t->uv.data;
}

static enum side side_of(const struct relay *r, const struct tcp *t)
{
    return t == &r->leg[CLIENT] ? CLIENT : SERVER;
}

static enum side other(enum side side)
{
    return side == CLIENT ? SERVER : CLIENT;
}

static void on_bytes(struct tcp *t, struct span bytes)
{
    struct relay *r = relay_of(t);
    enum side side = side_of(r, t);

    if (r->phase >= RELAY_ENDING)
        return; /* nobody asks any more; reading tells who closes first */
    session_bytes(&r->session, side, bytes, relay_clock_us());
    relay_work(r, side);
}

static void on_end(struct tcp *t, enum tcp_end how)
{
    struct relay *r = relay_of(t);
    enum side side = side_of(r, t);
    struct tcp *peer = &r->leg[other(side)];
    bool fin = how == TCP_END_FIN;

    relay_note_first(r, side, fin ? HOW_FIN : how == TCP_END_RESET ? HOW_RESET : HOW_TIMEOUT);
    if (r->phase >= RELAY_ENDING) {
        relay_end_step(r);
        return;
    }
    if (!fin)
        r->leg_state[side] = LEG_TOLD;
    if (fin && session_mirrors_ends(&r->session) && r->phase == RELAY_PASSING &&
        !peer->closing && r->leg_state[other(side)] == LEG_FINE && !tcp_shutdown(peer))
        relay_write_failed(r, other(side), UV_EPIPE);
    session_eof(&r->session, side, fin ? END_FIN : END_RESET, relay_clock_us());
    relay_work(r, side);
}

static void on_room(struct tcp *t)
{
    relay_work(relay_of(t), -1);
}

static void on_flushed(struct tcp *t)
{
    struct relay *r = relay_of(t);

    r->stall[side_of(r, t)].watched = false;
    if (r->phase == RELAY_ENDING)
        relay_end_flushed(r, side_of(r, t));
}

static void on_failed(struct tcp *t, int error)
{
    struct relay *r = relay_of(t);

    if (r->phase == RELAY_ENDING) {
        relay_note_first(r, side_of(r, t), HOW_RESET);
        relay_close(r);
        return;
    }
    relay_write_failed(r, side_of(r, t), error);
    relay_work(r, -1);
}

static void on_closed(struct tcp *t)
{
    struct relay *r = relay_of(t);

    relay_leg_closed(r, side_of(r, t));
}

const struct tcp_events relay_tcp_events = { on_bytes,   on_end,    on_room,
                                             on_flushed, on_failed, on_closed };
