#include "relay/relay_private.h"

#include "base/log.h"

#include <assert.h>

static void relay_send(struct relay *r, enum side to)
{
    struct batch *b = &relay_shared(r)->batch[to];
    int error = 0;

    /* In a handshake nothing can be said, but only the end of the session could be. */
    if (b->count > 0 && r->leg_state[to] == LEG_FINE && !r->leg[to].tcp.closing &&
        !r->leg[to].handshaking)
        error = conn_write(&r->leg[to], b->piece, b->count);
    batch_clear(b);
    if (error != 0)
        relay_write_failed(r, to, error);
}

static void relay_put(struct relay *r, enum side to, struct span bytes, bool lasting)
{
    struct batch *b = &relay_shared(r)->batch[to];

    if (batch_add(b, bytes, lasting))
        return;
    relay_send(r, to);
    if (batch_add(b, bytes, lasting))
        return;
    bool fits = batch_add(b, bytes, true); /* too long to copy: sent before it is gone */
    assert(fits);
    if (!fits)
        r->broken = true;
    relay_send(r, to);
}

/* What cannot be, or a system call that should not fail: the session ends, and somebody has to
 * look. */
static void relay_log_fault(const struct relay *r)
{
    char sid[27];

    recorder_sid(&r->recorder, sid);
    log_error("listener %s: session %s cannot continue and is closed: internal error",
              r->service->settings->name, sid);
}

static void relay_apply(struct relay *r, const struct action *action)
{
    int error;

    if (action->content != CONTENT_NONE && action->bdat)
        record_chunk(&r->recorder, action->content, action->bytes);
    else if (action->content != CONTENT_NONE)
        record_content(&r->recorder, action->content, action->bytes);
    switch (action->kind) {
    case ACTION_FORWARD:
        relay_put(r, action->side, action->bytes, action->lasting);
        if (r->service->env.observe) /* before it is looked at */
            relay_send(r, action->side);
        break;
    case ACTION_ANSWER:
        relay_put(r, CLIENT, action->bytes, action->lasting);
        break;
    case ACTION_CONTENT:
        break;
    case ACTION_START_TLS:
        relay_send(r, action->side);
        error = relay_start_tls(r, action->side);
        if (error != 0)
            relay_write_failed(r, action->side, error);
        break;
    case ACTION_RECORD:
        r->observer.now_us = r->session.now_us;
        observer_event(&r->observer, action->event);
        break;
    case ACTION_DROP_UPSTREAM:
        batch_clear(&relay_shared(r)->batch[SERVER]);
        relay_drop_leg(r, SERVER);
        break;
    case ACTION_CLOSE:
        if (action->reason == CLOSE_INTERNAL)
            relay_log_fault(r);
        r->close_requested = true;
        r->reason = (uint8_t)action->reason;
        break;
    }
}

void relay_write_failed(struct relay *r, enum side side, int error)
{
    struct tcp *leg = &r->leg[side].tcp;

    if (r->leg_state[side] != LEG_FINE)
        return;
    if (error == UV_ENOMEM || error == UV_ENOBUFS)
        r->no_memory = true;
    tcp_look(leg);
    r->leg_state[side] = leg->facts.dead && leg->reading ? LEG_WRITE_FAILED : LEG_LOST;
}

/* No event will tell of its end. */
static bool leg_is_unheard(const struct relay *r, int side)
{
    const struct tcp *leg = &r->leg[side].tcp;

    if (r->leg[side].ended || leg->closing)
        return false;
    return leg->read_start_failed || (r->leg_state[side] == LEG_WRITE_FAILED && !leg->reading);
}

/* One input of our own, if a leg or memory was lost while actions were carried out. */
static bool relay_report_leg_errors(struct relay *r)
{
    if (r->broken) {
        r->broken = false;
        session_end(&r->session, CLOSE_INTERNAL, relay_now_us(r));
        return true;
    }
    if (r->no_memory) {
        r->no_memory = false;
        session_end(&r->session, CLOSE_NO_MEMORY, relay_now_us(r));
        return true;
    }
    for (int side = CLIENT; side <= SERVER; side++) {
        if (r->leg_state[side] != LEG_REPORTED && leg_is_unheard(r, side))
            r->leg_state[side] = LEG_LOST;
        if (r->leg_state[side] != LEG_LOST)
            continue;
        r->leg_state[side] = LEG_REPORTED;
        relay_note_first(r, side, END_RESET);
        session_eof(&r->session, (enum side)side, END_RESET, relay_now_us(r));
        return true;
    }
    return false;
}

/* Input already read may make more records than there is room for: it waits, too. */
static bool relay_suspends(struct relay *r, const struct action *action)
{
    if (action->kind != ACTION_RECORD || session_is_closing(&r->session) ||
        !relay_loop_is_blocked(relay_shared(r)))
        return false;
    session_hold(&r->session);
    r->suspended = true;
    return true;
}

static void relay_pump(struct relay *r)
{
    struct action action = { 0 };

    r->suspended = false;
    while (session_next(&r->session, &action)) {
        r->moved = true;
        relay_apply(r, &action);
        if (relay_suspends(r, &action))
            break;
        action.content = CONTENT_NONE;
    }
    relay_send(r, CLIENT);
    relay_send(r, SERVER);
}

void relay_work(struct relay *r, int from)
{
    r->moved = false;
    session_save_memory(&r->session, relay_memory_is_short(r));
    do {
        do
            relay_pump(r);
        while (relay_report_leg_errors(r));
        if (r->close_requested && r->phase < RELAY_ENDING)
            relay_end(r);
        if (r->phase < RELAY_ENDING)
            relay_update_wait(r, from);
        relay_update(r);
    } while (r->phase < RELAY_ENDING && relay_report_leg_errors(r));
}
