/* relay_tls - handshakes of a session's two legs. */
#include "relay/relay_private.h"

void relay_record_handshake(struct relay *r, enum side side)
{
    struct tls_facts facts;
    struct record_tls info = {
        .t_us = r->tls_us,
        .us = relay_now_us(r) - r->tls_us,
        .side = side,
        .starttls = r->upgraded,
        .facts = &facts,
    };

    conn_tls_facts(&r->leg[side], &facts);
    r->observer.now_us = info.t_us + info.us;
    witness_tls(&r->observer, &info);
}

int relay_start_tls(struct relay *r, enum side side)
{
    const struct relay_tls *tls = &r->service->settings->tls;
    char text[ADDR_TEXT_MAX];
    const char *name = side == SERVER ? relay_upstream_name(r, text) : NULL;

    r->tls_us = relay_now_us(r);
    r->upgraded = r->phase == RELAY_PASSING;
    r->wait_since_ms = relay_now_ms(r);
    return conn_start_tls(&r->leg[side], side == CLIENT ? tls->server : tls->client, name);
}

void relay_handshake(struct relay *r, struct span rest)
{
    struct conn *client = &r->leg[CLIENT];

    r->phase = RELAY_HANDSHAKE;
    r->end_due_ms = relay_now_ms(r) + r->service->settings->timeouts.tls;
    if (relay_start_tls(r, CLIENT) != 0) {
        relay_refuse(r, CLOSE_NO_MEMORY);
        return;
    }
    tcp_read(&client->tcp);
    if (rest.len > 0)
        conn_feed(client, rest);
    else
        relay_update(r);
}

/* Implicit TLS with the client: now there is a session. */
static void handshake_done(struct relay *r)
{
    if (r->service->env.observe)
        tcp_hold(&r->leg[CLIENT].tcp, HOLD_DIAL);
    session_tls(&r->session, CLIENT, true, relay_now_us(r));
    relay_work(r, -1);
    if (r->phase != RELAY_HANDSHAKE)
        return;
    r->phase = RELAY_CONNECTING;
    relay_dial(r);
}

void relay_on_handshake(struct conn *c)
{
    struct relay *r = relay_of(c);
    enum side side = relay_side(r, c);

    if (r->phase >= RELAY_ENDING)
        return;
    if (r->phase == RELAY_HANDSHAKE && !c->heard && c->tcp.ended)
        return; /* it left without a word: on_end follows */
    relay_record_handshake(r, side);
    if (r->phase == RELAY_HANDSHAKE && c->secure) {
        handshake_done(r);
        return;
    }
    if (r->phase == RELAY_CONNECTING && side == SERVER) {
        if (c->secure)
            relay_dial_done(r);
        else
            relay_dial_refused(r);
        return;
    }
    session_tls(&r->session, side, c->secure, relay_now_us(r));
    relay_work(r, -1);
}

void relay_handshake_due(struct relay *r)
{
    for (int side = CLIENT; side <= SERVER; side++) {
        if (!r->leg[side].handshaking)
            continue;
        conn_handshake_timeout(&r->leg[side]);
        return;
    }
}
