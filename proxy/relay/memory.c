#include "relay/memory.h"

#include <assert.h>
#include <stdint.h>

enum {
    STEP_MAX = 65536,
    STEPS = 1024,    /* of the limit */
    PORTION = 8,     /* of what is left, for one session */
    WAKE_LEVELS = 16 /* of the limit: falling below one is worth a look */
};

void memory_init(struct memory *m, size_t limit)
{
    int error = pthread_mutex_init(&m->lock, NULL);

    assert(error == 0); /* a default mutex takes nothing that could be out */
    (void)error;
    atomic_init(&m->used, 0);
    atomic_init(&m->limit, limit);
    m->shares = (struct list){ NULL, NULL };
}

void memory_deinit(struct memory *m)
{
    pthread_mutex_destroy(&m->lock);
}

/* Whoever said it waits, by now, is told. */
static void wake_waiting(struct memory *m)
{
    pthread_mutex_lock(&m->lock);
    LIST_EACH (s, &m->shares, struct memory_share, in_memory)
        if (atomic_exchange(&s->waiting, false))
            s->on_room(s->arg);
    pthread_mutex_unlock(&m->lock);
}

void memory_set_limit(struct memory *m, size_t limit)
{
    atomic_store(&m->limit, limit);
    wake_waiting(m);
}

void memory_join(struct memory_share *s, struct memory *m, void (*on_room)(void *), void *arg)
{
    *s = (struct memory_share){ .memory = m, .on_room = on_room, .arg = arg };
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    list_prepend(&m->shares, &s->in_memory);
    pthread_mutex_unlock(&m->lock);
}

static void give_back(struct memory_share *s, size_t octets)
{
    struct memory *m = s->memory;
    size_t limit = atomic_load(&m->limit),
           level = limit < WAKE_LEVELS ? 1 : limit / WAKE_LEVELS;

    s->taken -= octets;
    size_t before = atomic_fetch_sub(&m->used, octets); /* before the look for the waiting */
    if (before / level != (before - octets) / level)
        wake_waiting(m);
}

void memory_leave(struct memory_share *s)
{
    struct memory *m = s->memory;

    if (m == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    list_remove(&s->in_memory);
    pthread_mutex_unlock(&m->lock);
    give_back(s, s->taken);
    s->memory = NULL;
}

static size_t step_of(const struct memory *m)
{
    size_t step = atomic_load_explicit(&m->limit, memory_order_relaxed) / STEPS;

    return step == 0 ? 1 : step < STEP_MAX ? step : STEP_MAX;
}

void memory_count(struct memory_share *s, size_t *held, size_t now)
{
    if (now == *held)
        return;
    s->used += now - *held; /* unsigned: also when it is less */
    *held = now;
    if (s->memory == NULL)
        return;
    size_t step = step_of(s->memory);
    size_t whole = s->used / step * step + (s->used % step != 0 ? step : 0);
    if (whole > s->taken) {
        atomic_fetch_add(&s->memory->used, whole - s->taken);
        s->taken = whole;
    } else if (s->taken - whole > step) { /* one step is kept, not to go to and fro */
        give_back(s, s->taken - whole);
    }
}

static size_t portion(size_t used, size_t limit)
{
    if (used <= limit / 2)
        return SIZE_MAX;
    return used < limit ? (limit - used) / PORTION : 0;
}

size_t memory_allowed(const struct memory_share *s)
{
    if (s->memory == NULL)
        return SIZE_MAX;
    return portion(atomic_load_explicit(&s->memory->used, memory_order_relaxed),
                   atomic_load_explicit(&s->memory->limit, memory_order_relaxed));
}

bool memory_allows(struct memory_share *s, size_t octets)
{
    if (octets <= memory_allowed(s))
        return true;
    atomic_store(&s->waiting, true); /* before the look at what is used */
    return octets <= portion(atomic_load(&s->memory->used), atomic_load(&s->memory->limit));
}
