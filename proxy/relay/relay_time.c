#include "relay/relay_private.h"

enum { HALF_CLOSED_POLL_MS = 5000 };

/* ---- reasons not to read ---- */

static void leg_set_hold(struct tcp *leg, uint8_t reason, bool on)
{
    if (on == ((leg->holds & reason) != 0))
        return;
    if (on)
        tcp_hold(leg, reason);
    else
        tcp_release(leg, reason);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Where a queue is there already, a read does not take it far beyond its high water. */
static size_t queue_room(const struct relay *r, enum side side)
{
    size_t queued = r->leg[side == CLIENT ? SERVER : CLIENT].tcp.queue_memory;

    if (queued == 0)
        return SIZE_MAX;
    return queued + TCP_LOW_WATER < TCP_HIGH_WATER ? TCP_HIGH_WATER - queued : TCP_LOW_WATER;
}

/* One read brings no more than the session can take: with TLS, what came before of an
 * unfinished record may add to it. */
static void leg_set_room(struct relay *r, enum side side, size_t room)
{
    struct tcp *leg = &r->leg[side].tcp;
    size_t more = r->leg[side].tls != NULL ? TLS_RECORD_MAX : 0;

    room = room > more ? room - more : 0;
    leg_set_hold(leg, HOLD_SESSION, room == 0);
    leg_set_hold(leg, HOLD_MEMORY, relay_memory_holds(r, side));
    leg->read_most = least(room, least(relay_memory_room(r), queue_room(r, side)));
}

static void relay_update_holds(struct relay *r)
{
    struct relay_loop *l = relay_shared(r);
    bool client_full = r->leg[CLIENT].tcp.full, server_full = r->leg[SERVER].tcp.full;

    leg_set_room(r, CLIENT, session_room(&r->session, CLIENT));
    leg_set_room(r, SERVER, session_room(&r->session, SERVER));
    leg_set_hold(&r->leg[SERVER].tcp, HOLD_FULL, client_full);
    /* Answers made here have their source in the client. */
    leg_set_hold(&r->leg[CLIENT].tcp, HOLD_FULL,
                 server_full || (client_full && !r->service->env.observe));
    if (l->blocked || relay_loop_is_blocked(l)) {
        tcp_hold(&r->leg[CLIENT].tcp, HOLD_TRANSCRIPT);
        if (r->suspended)
            tcp_hold(&r->leg[SERVER].tcp, HOLD_TRANSCRIPT);
    }
}

/* ---- waiting ---- */

unsigned relay_waits_for(enum wait wait)
{
    switch (wait) {
    case WAIT_COMMAND:
    case WAIT_LOOKALIKE:
        return 1u << CLIENT;
    case WAIT_GREETING:
    case WAIT_REPLY:
    case WAIT_DATA_START:
    case WAIT_DATA_END:
        return 1u << SERVER;
    case WAIT_DATA_BLOCK:
    case WAIT_OPAQUE:
        return 1u << CLIENT | 1u << SERVER;
    case WAIT_NONE:
    case WAIT_TLS:
        return 0;
    }
    return 0;
}

/*
 * A wait begins anew when what is waited for changes and when the side waited for made the
 * session do something: not with every octet, so that a trickle does not keep it alive.
 */
void relay_update_wait(struct relay *r, int from)
{
    enum wait wait = session_wait(&r->session);
    bool counts = from >= 0 && (relay_waits_for(wait) & 1u << from) != 0;
    bool flows = wait == WAIT_DATA_BLOCK || wait == WAIT_OPAQUE;

    if (wait != r->wait || (counts && (r->moved || flows)))
        r->wait_since_ms = relay_now_ms(r);
    r->wait = (uint8_t)wait;
}

/* ---- stalled queues ---- */

/* 0: the leg has nothing queued. */
static uint64_t stall_due_ms(struct relay *r, enum side side)
{
    struct stall *s = &r->stall[side];
    struct tcp *leg = &r->leg[side].tcp;

    if (leg->closing || tcp_queued(leg) == 0) {
        s->watched = false;
        return 0;
    }
    if (!s->watched)
        *s = (struct stall){ tcp_delivered(leg), relay_now_ms(r), true };
    return s->since_ms + r->service->settings->timeouts.data_block;
}

/* The queue gave nothing away for the time allowed. */
static bool leg_is_stalled(struct relay *r, enum side side)
{
    struct stall *s = &r->stall[side];
    uint64_t due_ms = stall_due_ms(r, side);

    if (due_ms == 0 || due_ms > relay_now_ms(r))
        return false;
    if (s->delivered == tcp_delivered(&r->leg[side].tcp))
        return true;
    s->watched = false; /* it moved: watch anew */
    return false;
}

/* ---- deadlines ---- */

/* 0: as long as it takes. */
static uint32_t wait_ms(const struct relay *r)
{
    const struct timeouts *t = &r->service->settings->timeouts;

    switch ((enum wait)r->wait) {
    case WAIT_NONE:
        return 0;
    case WAIT_GREETING:
        return t->greeting;
    case WAIT_COMMAND:
        return t->command;
    case WAIT_REPLY:
        return t->reply;
    case WAIT_DATA_START:
        return t->data_start;
    case WAIT_DATA_BLOCK:
        return t->data_block;
    case WAIT_DATA_END:
        return t->data_end;
    case WAIT_LOOKALIKE:
        return t->lookalike;
    case WAIT_OPAQUE:
        return t->opaque;
    case WAIT_TLS:
        return t->tls;
    }
    return 0;
}

static uint64_t earlier(uint64_t a_ms, uint64_t b_ms)
{
    return a_ms == 0 || (b_ms != 0 && b_ms < a_ms) ? b_ms : a_ms;
}

static bool relay_is_half_closed(const struct relay *r)
{
    return r->leg[CLIENT].ended != r->leg[SERVER].ended;
}

/* 0: none. */
static uint64_t passing_due_ms(struct relay *r)
{
    uint64_t due_ms = 0;

    if (relay_is_half_closed(r))
        due_ms = relay_now_ms(r) + HALF_CLOSED_POLL_MS;
    if (r->service->env.observe)
        return due_ms;
    if (wait_ms(r) > 0)
        due_ms = earlier(due_ms, r->wait_since_ms + wait_ms(r));
    for (int side = CLIENT; side <= SERVER; side++)
        due_ms = earlier(due_ms, stall_due_ms(r, (enum side)side));
    due_ms = earlier(due_ms, relay_pace_due_ms(r));
    return due_ms;
}

static uint64_t relay_due_ms(struct relay *r)
{
    switch ((enum relay_phase)r->phase) {
    case RELAY_PREFACE:
    case RELAY_HANDSHAKE:
        return r->end_due_ms;
    case RELAY_CONNECTING:
        return relay_dial_due_ms(r);
    case RELAY_PASSING:
        return passing_due_ms(r);
    case RELAY_ENDING:
        return r->end_due_ms;
    case RELAY_CLOSED:
        break;
    }
    return 0;
}

void relay_update(struct relay *r)
{
    if (r->phase == RELAY_CLOSED)
        return;
    relay_memory_count(r);
    if (r->phase != RELAY_ENDING)
        relay_update_holds(r);
    relay_pace_update(r);
    uint64_t due_ms = relay_due_ms(r);
    if (due_ms != 0)
        wheel_set(&relay_shared(r)->wheel, &r->timer, due_ms);
    else
        wheel_cancel(&relay_shared(r)->wheel, &r->timer);
}

/* After its FIN a side is not read any more: no event tells of a reset. */
static bool half_closed_is_dead(struct relay *r, enum side *side)
{
    *side = r->leg[CLIENT].ended ? CLIENT : SERVER;
    struct tcp *leg = &r->leg[*side].tcp;

    if (!relay_is_half_closed(r) || leg->closing || leg->fin_sent)
        return false;
    tcp_look(leg);
    return leg->facts.valid && leg->facts.dead;
}

/* Nobody is silent who cannot hear us: octets for the side waited for are still queued. */
static bool waits_for_read_start(struct relay *r, enum side side)
{
    struct stall *s = &r->stall[side];

    if ((relay_waits_for((enum wait)r->wait) & 1u << side) == 0 ||
        tcp_queued(&r->leg[side].tcp) == 0)
        return false;
    if (s->watched && s->delivered == tcp_delivered(&r->leg[side].tcp))
        return true;
    s->watched = false;
    r->wait_since_ms = relay_now_ms(r); /* it still takes some */
    return false;
}

static bool wait_is_over(const struct relay *r)
{
    return wait_ms(r) > 0 && r->wait_since_ms + wait_ms(r) <= relay_now_ms(r);
}

/* Not for silence: that is a timeout. */
static bool relay_is_too_slow(const struct relay *r)
{
    return relay_pace_is_over(r) && relay_pace_due_ms(r) < r->wait_since_ms + wait_ms(r);
}

static void enforce_due(struct relay *r, uint64_t now_us)
{
    if (relay_shared(r)->blocked) { /* nobody is late whom we do not read */
        r->wait_since_ms = relay_now_ms(r);
        return;
    }
    bool over = wait_is_over(r);

    if (leg_is_stalled(r, CLIENT) || (over && waits_for_read_start(r, CLIENT)))
        session_end(&r->session, CLOSE_CLIENT_STALLED, now_us);
    else if (leg_is_stalled(r, SERVER) || (over && waits_for_read_start(r, SERVER)))
        session_end(&r->session, CLOSE_UPSTREAM_STALLED, now_us);
    else if (relay_is_too_slow(r))
        session_end(&r->session, CLOSE_CLIENT_SLOW, now_us);
    else if (wait_is_over(r))
        session_timeout(&r->session, now_us);
}

static void passing_due(struct relay *r)
{
    uint64_t now_us = relay_now_us(r);
    enum side side;

    if (r->wait == WAIT_TLS && wait_is_over(r) && !relay_shared(r)->blocked) {
        relay_handshake_due(r);
        return;
    }
    if (half_closed_is_dead(r, &side)) {
        r->leg_state[side] = LEG_REPORTED;
        session_end(&r->session, side == CLIENT ? CLOSE_CLIENT_RESET : CLOSE_UPSTREAM_RESET,
                    now_us);
    } else if (!r->service->env.observe) {
        enforce_due(r, now_us);
    }
    relay_work(r, -1);
}

void relay_on_due(struct wheel_entry *e)
{
    struct relay *r = CONTAINER_OF(e, struct relay, timer);

    switch ((enum relay_phase)r->phase) {
    case RELAY_PREFACE:
        relay_proxy_header_due(r);
        return;
    case RELAY_HANDSHAKE:
        conn_handshake_timeout(&r->leg[CLIENT]);
        return;
    case RELAY_CONNECTING:
        relay_dial_timeout(r);
        return;
    case RELAY_PASSING:
        passing_due(r);
        return;
    case RELAY_ENDING:
        relay_end_due(r);
        return;
    case RELAY_CLOSED:
        return;
    }
}
