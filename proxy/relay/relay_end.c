#include "relay/relay_private.h"

#include "base/log.h"

enum {
    QUIT_WAIT_MS = 5000,   /* for either side to close after QUIT */
    LINGER_WAIT_MS = 3000, /* for the client to close after our last reply */
    REFUSED_WAIT_MS = 500, /* the same, where it never had a session */
    REFUSED_MAX = 64,      /* of those, of one loop at a time; more are closed at once */
    FLUSH_WAIT_MS = 30000, /* for the client to take what was queued before */
};

void relay_note_first(struct relay *r, int first, enum close_kind how)
{
    if (r->first != FIRST_UNKNOWN)
        return;
    r->first = (int8_t)first;
    r->how = (uint8_t)how;
    r->first_us = relay_now_us(r) - r->opened_us;
}

static enum close_kind how_of(enum close_reason reason)
{
    switch (reason) {
    case CLOSE_CLIENT_TIMEOUT:
    case CLOSE_CLIENT_SLOW:
    case CLOSE_UPSTREAM_TIMEOUT:
    case CLOSE_CLIENT_STALLED:
    case CLOSE_UPSTREAM_STALLED:
        return END_TIMEOUT;
    default:
        return END_FIN;
    }
}

/* ---- the record ---- */

static void leg_look(struct tcp *t)
{
    if (t->open && !t->closing && !t->facts.valid)
        tcp_look(t);
}

static struct record_tcp record_leg(struct tcp *t)
{
    const struct tcp_facts *f = &t->facts;

    leg_look(t);
    return (struct record_tcp){
        .valid = f->valid,
        .rtt_us = f->rtt_us,
        .retransmits = f->retransmits,
        .unacked = f->unacked,
        .pmtu = f->pmtu,
        .acked = f->acked,
        .received = f->received,
    };
}

static void relay_record_close(struct relay *r)
{
    struct record_close info = {
        .t_us = relay_now_us(r),
        .reason = (enum close_reason)r->reason,
        .first = r->first,
        .how = (enum close_kind)r->how,
        .first_us = r->first_us,
        .good = r->session.good,
        .all = r->session.all,
    };

    info.us = info.t_us - r->opened_us;
    for (int side = CLIENT; side <= SERVER; side++) {
        info.tcp[side] = record_leg(&r->leg[side].tcp);
        info.octets_in[side] = r->leg[side].tcp.received;
        info.octets_out[side] = tcp_delivered(&r->leg[side].tcp);
    }
    r->observer.now_us = info.t_us;
    observer_close(&r->observer, &info);
}

/* Nobody gets in, and nothing but a setting of the upstream will change that. */
static void relay_warn_xclient(const struct relay *r)
{
    struct service *s = r->service;

    if (!relay_may_warn(r, &s->xclient))
        return;
    log_warn(
        "listener %s: the upstream %s does not accept XCLIENT with the client's address "
        "from this host, %u session%s closed with 421: in Postfix, add this host's address to "
        "smtpd_authorized_xclient_hosts",
        s->settings->name, s->settings->upstreams[r->upstream].text, s->xclient.sessions,
        s->xclient.sessions == 1 ? "" : "s");
    s->xclient.sessions = 0;
}

/* ---- the way out ---- */

void relay_drop_leg(struct relay *r, enum side side)
{
    relay_note_first(r, FIRST_PROXY, how_of((enum close_reason)r->reason));
    leg_look(&r->leg[side].tcp);
    conn_close(&r->leg[side]);
}

void relay_close(struct relay *r)
{
    enum close_reason reason = (enum close_reason)r->reason;

    if (r->phase == RELAY_CLOSED)
        return;
    r->phase = RELAY_CLOSED;
    relay_note_first(r, FIRST_PROXY, how_of(reason));
    if (!r->unrecorded)
        relay_record_close(r);
    wheel_cancel(&relay_shared(r)->wheel, &r->timer);
    relay_dial_cancel(r);
    relay_shared(r)->refused -= r->refused;
    if (r->admitted)
        admission_leave(r->service->admission, &r->client, r->service->settings);
    /* Where ends are mirrored, the reset of one side becomes a reset of the other. */
    if (session_mirrors_ends(&r->session) &&
        (reason == CLOSE_CLIENT_RESET || r->leg[CLIENT].reset))
        conn_close_reset(&r->leg[SERVER]);
    if (session_mirrors_ends(&r->session) &&
        (reason == CLOSE_UPSTREAM_RESET || r->leg[SERVER].reset))
        conn_close_reset(&r->leg[CLIENT]);
    conn_close(&r->leg[CLIENT]);
    if (reason == CLOSE_QUIT && r->leg[SERVER].ended)
        tcp_close(&r->leg[SERVER].tcp); /* it closed after QUIT: nothing is left to say */
    else
        conn_close(&r->leg[SERVER]);
}

static bool leg_is_flushed(const struct conn *c)
{
    const struct tcp *t = &c->tcp;

    return t->closing || !t->open || (tcp_queued(t) == 0 && t->fin_asked == t->fin_sent);
}

static enum ending ending_of(const struct relay *r)
{
    const struct conn *client = &r->leg[CLIENT], *server = &r->leg[SERVER];

    if (client->tcp.closing || !client->tcp.open || r->leg_state[CLIENT] != LEG_FINE)
        return ENDING_NOW;
    switch ((enum close_reason)r->reason) {
    case CLOSE_CLIENT_RESET:
    case CLOSE_CLIENT_STALLED:
    case CLOSE_CLIENT_EOF_DATA:
    case CLOSE_PROXY_HEADER:
    case CLOSE_NO_PROXY_HEADER:
    case CLOSE_DRAIN_TIMEOUT:
    case CLOSE_NO_MEMORY:
    case CLOSE_INTERNAL:
        return ENDING_NOW;
    case CLOSE_UPSTREAM_RESET:
        if (session_mirrors_ends(&r->session))
            return ENDING_NOW;
        break;
    case CLOSE_QUIT:
        if (!client->ended && !server->ended && !server->tcp.closing)
            return ENDING_QUIT;
        return ENDING_FLUSH;
    default:
        break;
    }
    return client->ended ? ENDING_FLUSH : ENDING_LINGER;
}

static void end_wait(struct relay *r, uint64_t ms)
{
    r->end_due_ms = relay_now_ms(r) + ms;
}

/* All is delivered: how long the client may take to close. */
static void end_delivered(struct relay *r)
{
    if (r->ending == ENDING_LINGER)
        end_wait(r, r->admitted ? LINGER_WAIT_MS : REFUSED_WAIT_MS);
    if (r->ending == ENDING_QUIT)
        end_wait(r, QUIT_WAIT_MS);
}

/* Who floods the listener gets an answer, and no descriptors that others need. */
static bool refused_may_linger(struct relay *r)
{
    if (r->admitted)
        return true;
    if (relay_shared(r)->refused >= REFUSED_MAX)
        return false;
    relay_shared(r)->refused++;
    r->refused = true;
    return true;
}

void relay_end(struct relay *r)
{
    struct conn *client = &r->leg[CLIENT];

    r->phase = RELAY_ENDING;
    r->ending = (uint8_t)ending_of(r);
    if (r->reason == CLOSE_UPSTREAM_XCLIENT)
        relay_warn_xclient(r);
    relay_dial_cancel(r);
    tcp_release(&client->tcp, UINT8_MAX);
    tcp_release(&r->leg[SERVER].tcp, UINT8_MAX);
    end_wait(r, FLUSH_WAIT_MS);
    if (r->ending == ENDING_LINGER && !refused_may_linger(r))
        r->ending = ENDING_FLUSH;
    if (r->ending == ENDING_LINGER) {
        relay_drop_leg(r, SERVER);
        if (!conn_shutdown(client))
            r->ending = ENDING_NOW;
    }
    if (leg_is_flushed(client)) /* no event will tell: its FIN may have left long ago */
        end_delivered(r);
    relay_end_step(r);
}

void relay_end_step(struct relay *r)
{
    const struct conn *client = &r->leg[CLIENT], *server = &r->leg[SERVER];
    bool flushed = leg_is_flushed(client) && leg_is_flushed(server);
    bool done = false;

    switch ((enum ending)r->ending) {
    case ENDING_NOW:
        done = true;
        break;
    case ENDING_FLUSH:
        done = flushed;
        break;
    case ENDING_QUIT:
        done = flushed && (client->ended || server->ended);
        break;
    case ENDING_LINGER:
        done = client->ended;
        break;
    }
    if (done)
        relay_close(r);
    else
        relay_update(r);
}

void relay_end_flushed(struct relay *r, enum side side)
{
    if (side == CLIENT)
        end_delivered(r);
    relay_end_step(r);
}

void relay_end_due(struct relay *r)
{
    relay_close(r);
}
