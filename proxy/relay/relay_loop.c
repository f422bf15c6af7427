#include "relay/relay_private.h"

#include "base/log.h"

#include <assert.h>
#include <stdlib.h>

enum { KEEP_RELAYS = 64, KEEP_DIALS = 32, KEEP_EXCHANGES = 256, KEEP_CONTENTS = 16 };

/* The writer's thread: only this call may cross. */
static void on_room(void *arg)
{
    struct relay_loop *l = arg;

    uv_async_send(&l->room);
}

/* Looking and wanting to be woken are one step: on_room_here() passes over a loop that does not
 * wait, and room may come at any moment. */
bool relay_loop_is_blocked(struct relay_loop *l)
{
    if (!stream_is_blocked(l->stream))
        return false;
    if (!l->blocked)
        stream_flush(l->stream);
    l->blocked = true;
    return true;
}

static void on_room_here(uv_async_t *async)
{
    struct relay_loop *l = CONTAINER_OF(async, struct relay_loop, room);

    if (!l->blocked || stream_is_blocked(l->stream))
        return;
    l->blocked = false;
    /* A relay leaves the list only when its handles are closed: never inside this walk. */
    LIST_EACH (r, &l->relays_live, struct relay, in_loop) {
        r->wait_since_ms = relay_now_ms(r);
        tcp_release(&r->leg[CLIENT].tcp, HOLD_TRANSCRIPT);
        tcp_release(&r->leg[SERVER].tcp, HOLD_TRANSCRIPT);
        if (r->suspended && r->phase < RELAY_ENDING)
            relay_work(r, -1);
    }
}

static void on_flush(uv_timer_t *timer)
{
    struct relay_loop *l = CONTAINER_OF(timer, struct relay_loop, flush);

    stream_flush(l->stream);
    if (l->live == 0)
        uv_timer_stop(timer);
}

void relay_loop_start_flush(struct relay_loop *l)
{
    if (l->flush_ms > 0 && !uv_is_active((uv_handle_t *)&l->flush))
        uv_timer_start(&l->flush, on_flush, l->flush_ms, l->flush_ms);
}

struct relay_loop *relay_loop_new(uv_loop_t *loop, struct resolver *resolver,
                                  struct writer *writer, uint32_t flush_ms)
{
    struct relay_loop *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    l->uv = loop;
    l->flush_ms = flush_ms;
    l->stream = stream_new(writer, on_room, l);
    if (l->stream == NULL ||
        !conn_loop_init(&l->conn, loop, &relay_conn_events, TCP_READ_SIZE) ||
        uv_async_init(loop, &l->room, on_room_here) != 0 ||
        resolver_loop_init(&l->names, loop, resolver) != 0 || !relay_memory_start(l))
        goto fail;
    int error = uv_timer_init(loop, &l->flush);
    assert(error == 0);
    (void)error;
    wheel_init(&l->wheel, loop, relay_on_due);
    pool_init(&l->relays, relay_size(), KEEP_RELAYS);
    pool_init(&l->dials, relay_dial_size(), KEEP_DIALS);
    pool_init(&l->exchanges, session_exchange_size(), KEEP_EXCHANGES);
    pool_init(&l->contents, session_content_size(), KEEP_CONTENTS);
    return l;
fail:
    if (l->stream != NULL)
        stream_free(&l->stream);
    conn_loop_deinit(&l->conn);
    free(l);
    return NULL;
}

bool relay_loop_detect(struct relay_loop *l, const struct catalogue *catalogue)
{
    l->observer_env =
        (struct observer_env){ .catalogue = catalogue, .memory = detect_memory_new() };
    return l->observer_env.memory != NULL;
}

void relay_loop_on_empty(struct relay_loop *l, void (*on_empty)(void *), void *arg)
{
    l->on_empty = on_empty;
    l->on_empty_arg = arg;
}

static void tell_health_checks(const struct relay_loop *l)
{
    if (l->health_checks > 0)
        log_info("%llu connections of trusted load balancers closed before a session began",
                 (unsigned long long)l->health_checks);
}

void relay_loop_close(struct relay_loop *l)
{
    assert(l->live == 0);
    tell_health_checks(l);
    stream_free(&l->stream);
    wheel_deinit(&l->wheel);
    relay_memory_close(l);
    resolver_loop_close(&l->names);
    uv_close((uv_handle_t *)&l->flush, NULL);
    uv_close((uv_handle_t *)&l->room, NULL);
}

void relay_loop_free(struct relay_loop **lp)
{
    struct relay_loop *l = *lp;

    *lp = NULL;
    if (l == NULL)
        return;
    pool_deinit(&l->relays);
    pool_deinit(&l->dials);
    pool_deinit(&l->exchanges);
    pool_deinit(&l->contents);
    detect_memory_free(&l->observer_env.memory);
    conn_loop_deinit(&l->conn);
    free(l);
}

/* A relay leaves the list only when its handles are closed: never inside this walk. */
void relay_loop_end(struct relay_loop *l, enum close_reason why)
{
    LIST_EACH (r, &l->relays_live, struct relay, in_loop) {
        if (r->phase >= RELAY_ENDING)
            continue;
        if (r->phase == RELAY_PREFACE) { /* no session yet */
            r->unrecorded = true;
            relay_close(r);
            continue;
        }
        session_end(&r->session, why, relay_now_us(r));
        relay_work(r, -1);
    }
}

void relay_loop_abort(struct relay_loop *l, enum close_reason why)
{
    relay_loop_end(l, why);
    LIST_EACH (r, &l->relays_live, struct relay, in_loop) {
        if (r->phase != RELAY_ENDING)
            continue;
        relay_close(r);
    }
}

unsigned relay_loop_live(const struct relay_loop *l)
{
    return l->live;
}

void relay_loop_dump(const struct relay_loop *l)
{
    char sid[27], client[ADDR_TEXT_MAX];

    tell_health_checks(l);
    LIST_EACH (r, &l->relays_live, const struct relay, in_loop) {
        recorder_sid(&r->recorder, sid);
        (void)addr_text(&r->client, client);
        log_info("session %s listener %s client %s age %llu s state %s%s queued %zu to client, "
                 "%zu to upstream",
                 sid, r->service->settings->name, client,
                 (unsigned long long)((relay_now_us(r) - r->opened_us) / 1000000),
                 r->phase == RELAY_CONNECTING ? "connecting, " : "",
                 session_state_name(&r->session), tcp_queued(&r->leg[CLIENT].tcp),
                 tcp_queued(&r->leg[SERVER].tcp));
    }
}

struct service *service_new(struct relay_loop *l, struct relay_settings *settings,
                            struct admission *admission)
{
    struct service *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->settings = settings_ref(settings);
    s->admission = admission;
    s->loop = l;
    s->references = 1;
    s->env = (struct session_env){
        .policy = &s->settings->policy,
        .observe = s->settings->observe,
        .error_limit = s->settings->error_limit,
        .upstream_tls = s->settings->tls.upstream,
        .helo_name = s->settings->helo_name,
        .exchanges = &l->exchanges,
        .contents = &l->contents,
    };
    return s;
}

void service_unref(struct service **sp)
{
    struct service *s = *sp;

    *sp = NULL;
    if (s == NULL || --s->references > 0)
        return;
    settings_unref(&s->settings);
    free(s);
}
