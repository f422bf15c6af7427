#include "relay/relay_private.h"

#include "base/log.h"
#include "base/no_descriptors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { WARN_EVERY_MS = 60000 };

size_t relay_size(void)
{
    return sizeof(struct relay);
}

static void relay_link(struct relay *r)
{
    struct relay_loop *l = relay_shared(r);

    list_prepend(&l->relays_live, &r->in_loop);
    l->live++;
}

static void relay_unlink(struct relay *r)
{
    list_remove(&r->in_loop);
    relay_shared(r)->live--;
}

static void relay_free(struct relay *r)
{
    struct service *service = r->service;
    struct relay_loop *l = service->loop;

    relay_dial_free(r);
    free(r->early);
    free(r->destination);
    observer_deinit(&r->observer);
    session_deinit(&r->session);
    relay_memory_forget(r);
    relay_unlink(r);
    descriptors_give(r->descriptors);
    pool_give(&l->relays, r);
    service_unref(&service);
    if (l->live == 0 && l->on_empty != NULL)
        l->on_empty(l->on_empty_arg);
}

void relay_leg_closed(struct relay *r, enum side side)
{
    if (side == SERVER && r->phase == RELAY_CONNECTING) {
        relay_dial_again(r);
        return;
    }
    if (--r->open == 0)
        relay_free(r);
}

/* Nothing here can fail: from now on relay_close() is always legal. */
static struct relay *relay_new(struct service *s)
{
    struct relay *r = pool_take(&s->loop->relays);

    if (r == NULL)
        return NULL;
    memset(r, 0, sizeof *r);
    r->service = s;
    s->references++;
    clock_set(&r->clock);
    r->opened_us = relay_now_us(r);
    r->first = FIRST_UNKNOWN;
    r->open = 2;
    conn_init(&r->leg[CLIENT], s->loop->uv, r);
    conn_init(&r->leg[SERVER], s->loop->uv, r);
    session_init(&r->session, &s->env);
    recorder_init(&r->recorder, s->loop->stream, r->opened_us);
    observer_init(&r->observer, &s->loop->observer_env, &r->recorder);
    relay_link(r);
    return r;
}

/* ---- the client is there ---- */

/* Where the client's connection ends; without a system call where the listener knows. */
static bool relay_own_address(const struct relay *r, struct addr *out)
{
    if (r->listener->any_address || r->service->settings->intercept != INTERCEPT_NO)
        return tcp_local(&r->leg[CLIENT].tcp, out);
    *out = r->listener->bound;
    return true;
}

bool relay_destination(const struct relay *r, struct addr *out)
{
    const struct relay_settings *s = r->service->settings;

    if (r->destination != NULL) {
        *out = *r->destination;
        return true;
    }
    if (s->intercept == INTERCEPT_NO)
        return relay_own_address(r, out);
    return origin_find(&r->leg[CLIENT].tcp, (enum intercept)s->intercept, NULL, out) ==
           ORIGIN_FOUND;
}

bool relay_may_warn(const struct relay *r, struct warning *w)
{
    w->sessions++;
    if (relay_now_ms(r) < w->due_ms)
        return false;
    w->due_ms = relay_now_ms(r) + WARN_EVERY_MS;
    return true;
}

void relay_record_open(struct relay *r, const struct proxy_header *header, bool above)
{
    char client[ADDR_TEXT_MAX], server[ADDR_TEXT_MAX], original[ADDR_TEXT_MAX];
    char peer[ADDR_TEXT_MAX];
    const struct relay_settings *s = r->service->settings;
    struct addr own, other;
    struct record_open info = {
        .t_us = r->opened_us,
        .listener = span_str(s->name),
        .mode = s->observe ? SPAN_LIT("observe") : SPAN_LIT("enforce"),
        .client = span_of(client, addr_text(&r->client, client)),
        .above_per_client = above,
    };

    if (relay_own_address(r, &own))
        info.server = span_of(server, addr_text(&own, server));
    if (s->intercept != INTERCEPT_NO && relay_destination(r, &other))
        info.original = span_of(original, addr_text(&other, original));
    if (header != NULL && tcp_peer(&r->leg[CLIENT].tcp, &other)) {
        info.proxy_version = header->version;
        info.proxy_local = header->local;
        info.proxy_peer = span_of(peer, addr_text(&other, peer));
    }
    r->observer.now_us = info.t_us;
    observer_open(&r->observer, &info);
}

void relay_refuse(struct relay *r, enum close_reason why)
{
    bool mute = r->service->settings->tls.implicit; /* nothing is said in the clear there */

    r->phase = RELAY_PASSING;
    tcp_read(&r->leg[CLIENT].tcp);
    session_end(&r->session, why, relay_now_us(r));
    if (mute)
        r->leg_state[CLIENT] = LEG_REPORTED;
    relay_work(r, -1);
}

/* "ADDR=IPV6:2001:db8::1 PORT=4711"; what: "" or "DEST". Returns its length. */
static size_t xclient_end(char *text, size_t size, const char *what, const struct addr *a)
{
    char ip[ADDR_TEXT_MAX];

    (void)addr_ip_text(a, ip);
    return (size_t)snprintf(text, size, " %sADDR=%s%s %sPORT=%u", what,
                            a->family == AF_INET6 ? "IPV6:" : "", ip, what, a->port);
}

/*
 * Who the client is, in the words of Postfix's XCLIENT. Its names are not looked up; one that
 * is not said would be this host's. A balancer that speaks for itself is a client, too.
 */
static bool relay_name_client(struct relay *r)
{
    char text[6 * ADDR_TEXT_MAX] = "NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE]";
    size_t len = strlen(text);
    struct addr server;

    len += xclient_end(text + len, sizeof text - len, "", &r->client);
    if (relay_destination(r, &server))
        len += xclient_end(text + len, sizeof text - len, "DEST", &server);
    return session_send_xclient(&r->session, span_of(text, len));
}

/* What the session has to know of the client before it hears of anything else. */
static bool relay_announce_client(struct relay *r)
{
    const struct relay_settings *s = r->service->settings;

    if (networks_have(&s->trusted, &r->client))
        session_trust_client(&r->session);
    if (networks_have(&s->trusted_newlines, &r->client))
        session_trust_newlines(&r->session);
    return !s->xclient || relay_name_client(r);
}

static void relay_warn_per_client(const struct relay *r)
{
    struct service *s = r->service;
    char client[ADDR_TEXT_MAX];

    if (!relay_may_warn(r, &s->per_client))
        return;
    (void)addr_ip_text(&r->client, client);
    log_warn("listener %s: more than %u concurrent sessions from the network of %s, accepted "
             "in mode observe (%u such session%s)",
             s->settings->name, s->settings->per_client, client, s->per_client.sessions,
             s->per_client.sessions == 1 ? "" : "s");
    s->per_client.sessions = 0;
}

/* The first thing to do. */
static void relay_go(struct relay *r, struct span rest)
{
    const struct relay_settings *s = r->service->settings;

    if (!relay_announce_client(r)) {
        relay_refuse(r, CLOSE_NO_MEMORY);
        return;
    }
    if (s->tls.implicit) {
        relay_handshake(r, rest);
        return;
    }
    r->phase = RELAY_CONNECTING;
    if (s->observe && rest.len > 0 && !relay_keep_early(r, rest)) {
        relay_refuse(r, CLOSE_NO_MEMORY);
        return;
    }
    if (!s->observe) /* what comes early is held by the session */
        tcp_read(&r->leg[CLIENT].tcp);
    else
        tcp_hold(&r->leg[CLIENT].tcp, HOLD_DIAL);
    relay_dial(r);
    if (!s->observe && rest.len > 0 && r->phase < RELAY_ENDING) {
        session_bytes(&r->session, CLIENT, rest, relay_now_us(r));
        relay_work(r, CLIENT);
    }
}

static bool relay_keep_destination(struct relay *r, const struct addr *destination)
{
    if (r->destination == NULL)
        r->destination = malloc(sizeof *r->destination);
    if (r->destination != NULL)
        *r->destination = *destination;
    return r->destination != NULL;
}

/* Whom the upstream is told of: the balancer's client and where that was going to. */
static bool relay_accept_proxy_header(struct relay *r, const struct proxy_header *header)
{
    return header->local || relay_keep_destination(r, &header->destination);
}

void relay_begin(struct relay *r, const struct proxy_header *header, struct span rest)
{
    if (header != NULL && !header->local)
        r->client = header->source;
    r->local = header != NULL && header->local;
    enum admit answer =
        admission_enter(r->service->admission, &r->client, r->service->settings);
    r->admitted = answer == ADMIT_YES || answer == ADMIT_ABOVE;
    relay_record_open(r, header, answer == ADMIT_ABOVE);
    if (answer == ADMIT_ABOVE)
        relay_warn_per_client(r);
    if (!r->admitted)
        relay_refuse(r,
                     answer == ADMIT_CLIENT_LIMIT ? CLOSE_CLIENT_LIMIT : CLOSE_SESSION_LIMIT);
    else if (header != NULL && !relay_accept_proxy_header(r, header))
        relay_refuse(r, CLOSE_NO_MEMORY);
    else
        relay_go(r, rest);
}

/* A connection to the listener itself would be relayed to itself for ever. */
static bool relay_is_intercepted(struct relay *r, const struct listener *l)
{
    enum intercept how = (enum intercept)r->service->settings->intercept;
    struct addr original;

    if (how == INTERCEPT_NO)
        return true;
    return origin_find(&r->leg[CLIENT].tcp, how, &l->bound, &original) == ORIGIN_FOUND &&
           relay_keep_destination(r, &original);
}

bool relay_accept(struct service *s, struct listener *l)
{
    struct relay_loop *loop = s->loop;

    if (relay_loop_is_blocked(loop))
        return false;
    if (!descriptors_take(2)) {
        no_descriptors_tell(EMFILE, "new connections wait");
        return false;
    }
    struct relay *r = relay_new(s);
    if (r == NULL) {
        descriptors_give(2);
        return false;
    }
    r->descriptors = 2;
    r->listener = l;
    int error = listener_accept(l, &r->leg[CLIENT].tcp);
    bool known = tcp_peer(&r->leg[CLIENT].tcp, &r->client);
    relay_loop_start_flush(loop);
    if (error == 0 && !known) { /* it was reset before it was accepted */
        relay_record_open(r, NULL, false);
        relay_note_first(r, CLIENT, END_RESET);
        relay_refuse(r, CLOSE_CLIENT_LEFT);
    } else if (error == 0 && s->settings->proxy_protocol != 0 &&
               networks_have(&s->settings->trusted, &r->client)) {
        relay_proxy_header(r);
    } else if (error == 0 && relay_is_intercepted(r, l)) {
        relay_begin(r, NULL, (struct span){ 0 });
    } else {
        relay_record_open(r, NULL, false);
        relay_refuse(r, error != 0 ? CLOSE_INTERNAL : CLOSE_DIRECT);
    }
    return true;
}
