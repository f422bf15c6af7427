#include "transport/wheel.h"

#include "base/attributes.h"

#include <assert.h>
#include <stddef.h>

static void wheel_unlink(struct wheel *w, struct wheel_entry *e)
{
    list_remove(&e->in_bucket);
    w->entries--;
}

static void wheel_link(struct wheel *w, struct wheel_entry *e)
{
    uint64_t tick = e->due_ms / WHEEL_TICK_MS + 1;

    if (tick <= w->tick)
        tick = w->tick + 1;
    if (tick > w->tick + WHEEL_BUCKETS - 1)
        tick = w->tick + WHEEL_BUCKETS - 1;
    e->tick = tick;
    list_prepend(&w->bucket[tick % WHEEL_BUCKETS], &e->in_bucket);
    w->entries++;
}

/* Takes the bucket off the wheel first: on_due() may set entries again. */
static void wheel_turn(struct wheel *w, struct list *bucket, uint64_t now_ms)
{
    struct list rest = { NULL, NULL };

    list_move(&rest, bucket);
    for (struct wheel_entry *e;
         (e = LIST_FIRST(&rest, struct wheel_entry, in_bucket)) != NULL;) {
        wheel_unlink(w, e);
        if (e->due_ms <= now_ms)
            w->on_due(e);
        else
            wheel_link(w, e);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct wheel *w = CONTAINER_OF(timer, struct wheel, timer);
    uint64_t now_ms = uv_now(timer->loop);
    uint64_t to = now_ms / WHEEL_TICK_MS;
    uint64_t from = w->tick + 1;

    if (to >= from + WHEEL_BUCKETS) /* the loop stood still for more than a turn */
        from = to - WHEEL_BUCKETS + 1;
    for (uint64_t tick = from; tick <= to; tick++) {
        w->tick = tick;
        wheel_turn(w, &w->bucket[tick % WHEEL_BUCKETS], now_ms);
    }
    if (w->entries == 0)
        uv_timer_stop(timer);
}

void wheel_init(struct wheel *w, uv_loop_t *loop, void (*on_due)(struct wheel_entry *e))
{
    *w = (struct wheel){ .on_due = on_due };
    int error = uv_timer_init(loop, &w->timer);
    assert(error == 0);
    (void)error;
}

void wheel_deinit(struct wheel *w)
{
    assert(w->entries == 0);
    uv_close((uv_handle_t *)&w->timer, NULL);
}

void wheel_set(struct wheel *w, struct wheel_entry *e, uint64_t due_ms)
{
    e->due_ms = due_ms;
    if (list_is_linked(&e->in_bucket)) {
        if (due_ms / WHEEL_TICK_MS + 1 >= e->tick)
            return; /* looked at before it is due */
        wheel_unlink(w, e);
    } else if (!uv_is_active((uv_handle_t *)&w->timer)) {
        w->tick = uv_now(w->timer.loop) / WHEEL_TICK_MS;
        uv_timer_start(&w->timer, on_tick, WHEEL_TICK_MS, WHEEL_TICK_MS);
    }
    wheel_link(w, e);
}

void wheel_cancel(struct wheel *w, struct wheel_entry *e)
{
    if (list_is_linked(&e->in_bucket))
        wheel_unlink(w, e);
}
