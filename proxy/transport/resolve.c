#include "transport/resolver_private.h"

#include <assert.h>

/* ---- answers ---- */

static void on_moment(uv_timer_t *timer);

static void wake_in(struct resolver_loop *l, uint64_t ms)
{
    if (!uv_is_active((uv_handle_t *)&l->moment) || uv_timer_get_due_in(&l->moment) > ms)
        uv_timer_start(&l->moment, on_moment, ms, 0);
}

/* Requests that have an answer become ready, the eldest first; the timer waits for the rest. */
static void collect(struct resolver_loop *l)
{
    uint64_t next_ms = UINT64_MAX;

    pthread_mutex_lock(&l->resolver->lock);
    uint64_t now_ms = resolver_now(l->resolver);
    struct resolve *w = LIST_FIRST(&l->waiting, struct resolve, in_loop), *following;
    for (; w != NULL; w = following) {
        following = LIST_AFTER(&l->waiting, w, struct resolve, in_loop);
        if (w->round != w->name->rounds || w->stale_due_ms <= now_ms) {
            list_remove(&w->in_loop);
            list_prepend(&l->ready, &w->in_loop);
        } else if (w->stale_due_ms < next_ms) {
            next_ms = w->stale_due_ms;
        }
    }
    pthread_mutex_unlock(&l->resolver->lock);
    if (next_ms != UINT64_MAX)
        wake_in(l, next_ms - now_ms);
}

/* What is called may start and cancel requests, of others, too. */
static void deliver(struct resolver_loop *l)
{
    for (struct resolve *w; (w = LIST_FIRST(&l->ready, struct resolve, in_loop)) != NULL;) {
        struct resolved answer;

        list_remove(&w->in_loop);
        pthread_mutex_lock(&l->resolver->lock);
        resolver_answer(w->name, resolver_now(l->resolver), &answer);
        resolver_leave(w->name);
        pthread_mutex_unlock(&l->resolver->lock);
        w->done(w->owner, &answer);
    }
}

static void on_moment(uv_timer_t *timer)
{
    struct resolver_loop *l = CONTAINER_OF(timer, struct resolver_loop, moment);

    collect(l);
    deliver(l);
}

static void on_answered(uv_async_t *async)
{
    struct resolver_loop *l = CONTAINER_OF(async, struct resolver_loop, answered);

    collect(l);
    deliver(l);
}

/* ---- requests ---- */

/* Under the lock: from here on the end of the lookup wakes this loop. */
static void wait_for(struct resolver_loop *l, struct resolve *w, uint64_t now_ms)
{
    w->round = w->name->rounds;
    w->stale_due_ms = resolver_stale_due(w->name, now_ms);
    w->name->waiting++;
    list_prepend(&l->waiting, &w->in_loop);
    if (w->stale_due_ms != UINT64_MAX)
        wake_in(l, w->stale_due_ms - now_ms);
}

bool resolve_start(struct resolver_loop *l, struct resolve *w, const char *host,
                   resolve_done *done, void *owner, struct resolved *now)
{
    bool waits = false;

    *w = (struct resolve){ .done = done, .owner = owner };
    pthread_mutex_lock(&l->resolver->lock);
    uint64_t now_ms = resolver_now(l->resolver);
    w->name = resolver_ask(l->resolver, host, now_ms);
    if (w->name == NULL) {
        *now = (struct resolved){ .error = uv_strerror(UV_ENOMEM) };
    } else if (w->name->asking && now_ms < resolver_stale_due(w->name, now_ms)) {
        wait_for(l, w, now_ms);
        waits = true;
    } else {
        resolver_answer(w->name, now_ms, now);
    }
    pthread_mutex_unlock(&l->resolver->lock);
    return !waits;
}

void resolve_cancel(struct resolver_loop *l, struct resolve *w)
{
    if (!resolve_waits(w))
        return;
    list_remove(&w->in_loop);
    pthread_mutex_lock(&l->resolver->lock);
    resolver_leave(w->name);
    pthread_mutex_unlock(&l->resolver->lock);
}

/* ---- the loop ---- */

int resolver_loop_init(struct resolver_loop *l, uv_loop_t *loop, struct resolver *resolver)
{
    *l = (struct resolver_loop){ .resolver = resolver };
    int error = uv_async_init(loop, &l->answered, on_answered);
    if (error != 0)
        return error;
    error = uv_timer_init(loop, &l->moment);
    assert(error == 0);
    pthread_mutex_lock(&resolver->lock);
    list_prepend(&resolver->loops, &l->in_resolver);
    pthread_mutex_unlock(&resolver->lock);
    return 0;
}

void resolver_loop_close(struct resolver_loop *l)
{
    assert(list_is_empty(&l->waiting) && list_is_empty(&l->ready));
    pthread_mutex_lock(&l->resolver->lock);
    list_remove(&l->in_resolver);
    pthread_mutex_unlock(&l->resolver->lock);
    uv_close((uv_handle_t *)&l->moment, NULL);
    uv_close((uv_handle_t *)&l->answered, NULL);
}
