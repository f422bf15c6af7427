#include "relay/relay_private.h"

#include <time.h>

uint64_t relay_clock_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

size_t relay_size(void)
{
    return sizeof(struct relay);
}

static void relay_link(struct relay *r)
{
    struct relay_loop *l = relay_shared(r);

    r->next = l->first;
    r->link = &l->first;
    if (r->next != NULL)
        r->next->link = &r->next;
    l->first = r;
    l->live++;
}

static void relay_unlink(struct relay *r)
{
    *r->link = r->next;
    if (r->next != NULL)
        r->next->link = r->link;
    relay_shared(r)->live--;
}

static void relay_free(struct relay *r)
{
    struct service *service = r->service;
    struct relay_loop *l = service->loop;

    relay_dial_free(r);
    session_deinit(&r->session);
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
    r->opened_us = relay_clock_us();
    r->first = FIRST_UNKNOWN;
    r->open = 2;
    tcp_init(&r->leg[CLIENT], s->loop->uv, r);
    tcp_init(&r->leg[SERVER], s->loop->uv, r);
    session_init(&r->session, &s->env);
    recorder_init(&r->recorder, s->loop->stream, r->opened_us);
    relay_link(r);
    return r;
}

static void relay_record_open(struct relay *r, const struct listener *l)
{
    char client[ADDR_TEXT_MAX], server[ADDR_TEXT_MAX];
    const struct relay_settings *s = r->service->settings;
    struct addr own = l->bound;

    if (l->any_address)
        (void)tcp_local(&r->leg[CLIENT], &own);
    struct record_open info = {
        .t_us = r->opened_us,
        .listener = span_str(s->name),
        .mode = s->observe ? SPAN_LIT("observe") : SPAN_LIT("enforce"),
        .client = span_of(client, addr_text(&r->client, client)),
        .server = span_of(server, addr_text(&own, server)),
    };
    record_open(&r->recorder, &info);
}

/* Too many sessions: the client hears 421, no upstream is asked. */
static void relay_refuse(struct relay *r, enum admit why)
{
    r->phase = RELAY_PASSING;
    tcp_read(&r->leg[CLIENT]);
    session_end(&r->session,
                why == ADMIT_CLIENT_LIMIT ? CLOSE_CLIENT_LIMIT : CLOSE_SESSION_LIMIT,
                relay_clock_us());
    relay_work(r, -1);
}

bool relay_accept(struct service *s, struct listener *l)
{
    struct relay_loop *loop = s->loop;

    if (stream_is_blocked(loop->stream) || !descriptors_take(2))
        return false;
    struct relay *r = relay_new(s);
    if (r == NULL) {
        descriptors_give(2);
        return false;
    }
    r->descriptors = 2;
    int error = tcp_accept(&r->leg[CLIENT], (uv_stream_t *)&l->uv);
    (void)tcp_peer(&r->leg[CLIENT], &r->client);
    relay_record_open(r, l);
    relay_loop_start_flush(loop);
    if (error != 0) {
        session_end(&r->session, CLOSE_INTERNAL, r->opened_us);
        relay_work(r, -1);
        return true;
    }
    enum admit answer = admission_enter(s->admission, &r->client, s->settings);
    r->admitted = answer == ADMIT_YES;
    if (!r->admitted) {
        relay_refuse(r, answer);
        return true;
    }
    if (!s->env.observe) /* what comes early is held by the session */
        tcp_read(&r->leg[CLIENT]);
    relay_dial(r);
    return true;
}
