#include "relay/relay_private.h"

#include "base/no_descriptors.h"

#include <stdlib.h>

struct dial {
    uv_connect_t req;
    struct relay *relay;
    struct resolve resolving;
    uint64_t began_us, due_ms;
    unsigned upstream;    /* the one after the one being tried */
    unsigned next, count; /* of `to` */
    struct addr to[RESOLVED_MAX];
};

size_t relay_dial_size(void)
{
    return sizeof(struct dial);
}

uint64_t relay_dial_due_ms(const struct relay *r)
{
    return r->dial->due_ms;
}

static const struct upstream *dial_upstream(const struct dial *d)
{
    return &d->relay->service->settings->upstreams[d->upstream - 1];
}

static void dial_record(struct dial *d, const char *error)
{
    struct relay *r = d->relay;
    char upstream[ADDR_TEXT_MAX], local[ADDR_TEXT_MAX] = "";
    struct record_connect info = { .t_us = relay_now_us(r), .error = error };
    struct addr own;

    info.us = info.t_us - d->began_us;
    info.upstream = span_str(dial_upstream(d)->text);
    if (d->next > 0)
        info.upstream = span_of(upstream, addr_text(&d->to[d->next - 1], upstream));
    if (error == NULL && tcp_local(&r->leg[SERVER].tcp, &own))
        info.local = span_of(local, addr_text(&own, local));
    r->observer.now_us = info.t_us;
    observer_connect(&r->observer, &info);
}

static void dial_start_clock(struct dial *d)
{
    d->began_us = relay_now_us(d->relay);
    d->due_ms = relay_now_ms(d->relay) + d->relay->service->settings->timeouts.connect;
}

static void dial_next(struct relay *r);

/* The handle of a failed attempt cannot be used again: on_closed goes on. */
static void dial_failed(struct dial *d, const char *error)
{
    dial_record(d, error);
    conn_close(&d->relay->leg[SERVER]);
}

void relay_dial_refused(struct relay *r)
{
    conn_close(&r->leg[SERVER]);
}

const char *relay_upstream_name(const struct relay *r, char out[ADDR_TEXT_MAX])
{
    const struct relay_settings *s = r->service->settings;
    const struct upstream *u = &s->upstreams[r->upstream];
    const struct conn *client = &r->leg[CLIENT];
    struct addr peer;

    if (s->tls.verify_name != NULL)
        return s->tls.verify_name;
    if (u->host != NULL)
        return u->host;
    if (u->original && client->tls != NULL && tls_server_name(client->tls)[0] != '\0')
        return tls_server_name(client->tls);
    peer = u->addr;
    if (u->original && !relay_destination(r, &peer))
        return NULL;
    (void)addr_ip_text(&peer, out);
    return out;
}

/* The PROXY header is the first thing the upstream sees. 0 or libuv's error. */
static int dial_say_client(struct relay *r)
{
    const struct relay_settings *s = r->service->settings;
    unsigned char header[PROXY_HEADER_ROOM];
    struct addr source = r->client, destination = { .family = 0 };
    uv_buf_t buf = { .base = (char *)header };

    if (s->send_proxy == 0)
        return 0;
    if (r->local || !relay_destination(r, &destination))
        source.family = 0;
    buf.len = proxy_header_write(s->send_proxy, &source, &destination, header);
    return tcp_write(&r->leg[SERVER].tcp, &buf, 1);
}

void relay_dial_done(struct relay *r)
{
    relay_dial_free(r);
    r->phase = RELAY_PASSING;
    if (session_mirrors_ends(&r->session) && r->leg[CLIENT].ended &&
        !conn_shutdown(&r->leg[SERVER]))
        r->no_memory = true;
    tcp_release(&r->leg[CLIENT].tcp, HOLD_DIAL);
    tcp_read(&r->leg[SERVER].tcp);
    tcp_read(&r->leg[CLIENT].tcp);
    if (r->leg[SERVER].secure)
        session_tls(&r->session, SERVER, true, relay_now_us(r));
    relay_work(r, SERVER);
    if (r->early != NULL && r->phase == RELAY_PASSING) {
        struct early *early = r->early;
        r->early = NULL;
        session_bytes(&r->session, CLIENT, span_of(early->bytes, early->len), relay_now_us(r));
        relay_work(r, CLIENT);
        free(early);
    }
}

static void dial_start_tls(struct dial *d)
{
    struct relay *r = d->relay;

    d->due_ms = relay_now_ms(r) + r->service->settings->timeouts.tls;
    tcp_read(&r->leg[SERVER].tcp);
    if (relay_start_tls(r, SERVER) != 0)
        relay_dial_refused(r);
    relay_update(r);
}

static void on_connected(uv_connect_t *req, int error)
{
    struct dial *d = CONTAINER_OF(req, struct dial, req);
    struct relay *r = d->relay;

    if (r->leg[SERVER].tcp.closing) /* timed out, or the relay is closing */
        return;
    if (error == 0) {
        tcp_tune(&r->leg[SERVER].tcp, r->service->env.observe);
        r->upstream = (uint8_t)(d->upstream - 1);
        error = dial_say_client(r);
    }
    if (error != 0) {
        dial_failed(d, uv_strerror(error));
        return;
    }
    dial_record(d, NULL);
    if (r->service->settings->tls.upstream == UPSTREAM_TLS_IMPLICIT)
        dial_start_tls(d);
    else
        relay_dial_done(r);
}

static void dial_take(struct dial *d, const struct resolved *answer)
{
    if (answer->count == 0)
        dial_record(d, answer->error);
    for (unsigned i = 0; i < answer->count; i++) {
        d->to[i] = answer->list[i];
        d->to[i].port = dial_upstream(d)->port;
    }
    d->count = answer->count;
}

static void on_resolved(void *owner, const struct resolved *answer)
{
    struct relay *r = owner;

    dial_take(r->dial, answer);
    dial_next(r);
}

static void dial_resolve(struct dial *d)
{
    struct resolver_loop *names = &relay_shared(d->relay)->names;
    struct resolved answer;

    dial_start_clock(d);
    if (resolve_start(names, &d->resolving, dial_upstream(d)->host, on_resolved, d->relay,
                      &answer))
        dial_take(d, &answer);
}

static int dial_connect(struct dial *d, const struct addr *to)
{
    struct relay *r = d->relay;
    const struct relay_settings *s = r->service->settings;
    struct addr source = r->client;

    if (!s->source_client || r->local)
        return tcp_connect(&r->leg[SERVER].tcp, &d->req, to, on_connected);
    if (s->intercept !=
        INTERCEPT_TPROXY) /* the client's own port is taken, by its connection */
        source.port = 0;
    return origin_connect(&r->leg[SERVER].tcp, &d->req, &source, to, on_connected);
}

static void dial_address(struct dial *d)
{
    const struct addr *to = &d->to[d->next++];

    dial_start_clock(d);
    int error = dial_connect(d, to);
    if (no_descriptors_is(error))
        no_descriptors_tell(error, "a client hears 421");
    if (error != 0)
        dial_failed(d, uv_strerror(error));
}

/* False when there is none left. */
static bool dial_upstream_next(struct dial *d)
{
    const struct relay_settings *s = d->relay->service->settings;

    if (d->upstream == s->upstream_count)
        return false;
    const struct upstream *u = &s->upstreams[d->upstream++];
    d->next = d->count = 0;
    if (u->original) {
        if (relay_destination(d->relay, &d->to[0]))
            d->count = 1;
        else
            dial_record(d, "the original destination is not known any more");
        return true;
    }
    if (u->host == NULL) {
        d->to[d->count++] = u->addr;
        return true;
    }
    dial_resolve(d);
    return true;
}

static void dial_next(struct relay *r)
{
    struct dial *d = r->dial;

    while (d->next == d->count && !resolve_waits(&d->resolving)) {
        if (!dial_upstream_next(d)) {
            relay_dial_free(r);
            session_upstream_down(&r->session, relay_now_us(r));
            relay_work(r, -1);
            return;
        }
    }
    if (!resolve_waits(&d->resolving))
        dial_address(d);
    relay_update(r);
}

void relay_dial(struct relay *r)
{
    struct dial *d = pool_take(&relay_shared(r)->dials);

    if (d == NULL) {
        session_end(&r->session, CLOSE_NO_MEMORY, relay_now_us(r));
        relay_work(r, -1);
        return;
    }
    d->relay = r;
    d->resolving = (struct resolve){ .name = NULL };
    d->upstream = d->next = d->count = 0;
    r->dial = d;
    dial_next(r);
}

void relay_dial_again(struct relay *r)
{
    conn_init(&r->leg[SERVER], relay_shared(r)->uv, r);
    r->leg_state[SERVER] = LEG_FINE;
    dial_next(r);
}

void relay_dial_timeout(struct relay *r)
{
    struct dial *d = r->dial;

    if (r->leg[SERVER].handshaking) {
        conn_handshake_timeout(&r->leg[SERVER]);
        return;
    }
    if (!resolve_waits(&d->resolving)) {
        dial_failed(d, "timed out");
        return;
    }
    relay_dial_cancel(r);
    dial_record(d, "the name was not resolved in time");
    dial_next(r);
}

void relay_dial_cancel(struct relay *r)
{
    if (r->dial != NULL)
        resolve_cancel(&relay_shared(r)->names, &r->dial->resolving);
}

void relay_dial_free(struct relay *r)
{
    if (r->dial == NULL)
        return;
    relay_dial_cancel(r);
    pool_give(&relay_shared(r)->dials, r->dial);
    r->dial = NULL;
}
