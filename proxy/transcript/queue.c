#include "transcript/queue.h"

#include "base/clock.h"
#include "transcript/sink.h"
#include "transcript/stream.h"

#include <assert.h>
#include <stdlib.h>

void queue_init(struct queue *q, const struct writer_config *c)
{
    pthread_condattr_t attr;

    *q = (struct queue){ .limit = c->queue_octets, .pause = c->on_full == ON_FULL_PAUSE };
    if (q->limit < QUEUE_MIN)
        q->limit = QUEUE_MIN;
    q->hard = q->pause ? 2 * q->limit : q->limit;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->wake, &attr);
    pthread_condattr_destroy(&attr);
}

static void free_chunks(struct chunk *c)
{
    while (c != NULL) {
        struct chunk *next = c->next;
        if (c->sink != NULL)
            c->sink->ops->close(c->sink);
        free(c);
        c = next;
    }
}

void queue_deinit(struct queue *q)
{
    free_chunks(q->first);
    free_chunks(q->free_list);
    pthread_cond_destroy(&q->wake);
    pthread_mutex_destroy(&q->lock);
}

/* Under the lock: the chunk is nobody's any more. */
static void chunk_give(struct queue *q, struct chunk *c)
{
    if (c->counted)
        q->octets -= c->size;
    if (c->sink != NULL)
        c->sink->ops->close(c->sink);
    if (c->size != CHUNK_OCTETS || q->free_count >= QUEUE_KEEP) {
        free(c);
        return;
    }
    c->sink = NULL;
    c->next = q->free_list;
    q->free_list = c;
    q->free_count++;
}

static void chunk_count(struct queue *q, struct chunk *c)
{
    if (c->counted)
        return;
    c->counted = true;
    q->octets += c->size;
    if (q->pause && q->octets >= q->limit)
        atomic_store(&q->full, true);
}

static struct chunk *take_free(struct queue *q)
{
    struct chunk *c = q->free_list;

    if (c != NULL) {
        q->free_list = c->next;
        q->free_count--;
    }
    return c;
}

struct chunk *queue_take(struct queue *q, size_t octets, struct sink *sink)
{
    struct chunk *c = NULL;
    size_t size = octets <= CHUNK_OCTETS ? CHUNK_OCTETS : octets;

    pthread_mutex_lock(&q->lock);
    bool allowed = q->octets + size <= q->hard;
    if (allowed && size == CHUNK_OCTETS)
        c = take_free(q);
    if (allowed && c == NULL)
        c = malloc(sizeof *c + size + CHUNK_SLACK);
    if (c != NULL) {
        *c = (struct chunk){ .size = size, .sink = sink };
        if (sink != NULL)
            chunk_count(q, c);
    }
    pthread_mutex_unlock(&q->lock);
    return c;
}

static void queue_append(struct queue *q, struct chunk *c)
{
    c->next = NULL;
    c->queued = true;
    if (q->first == NULL)
        q->first = c;
    else
        q->last->next = c;
    q->last = c;
}

void queue_put(struct queue *q, struct chunk *c, size_t ready, bool closed)
{
    bool wake = false;

    pthread_mutex_lock(&q->lock);
    assert(ready >= c->ready && ready <= c->size && !c->closed);
    c->ready = ready < c->ready ? c->ready : ready < c->size ? ready : c->size;
    c->closed = closed;
    if (closed)
        chunk_count(q, c);
    if (!c->queued && c->done < ready) {
        queue_append(q, c);
        wake = q->sleeping && !q->failing; /* its retries have their own pace */
        q->sleeping = q->sleeping && !wake;
    } else if (!c->queued && closed) {
        chunk_give(q, c);
    }
    pthread_mutex_unlock(&q->lock);
    if (wake)
        pthread_cond_signal(&q->wake);
}

/* on_room only wakes another thread's loop (writer.h), so it may run under the lock. */
static void tell_room(struct queue *q)
{
    if (!atomic_load(&q->full) || q->failing || q->octets > q->limit / 2)
        return;
    atomic_store(&q->full, false);
    LIST_EACH (s, &q->streams, struct stream, in_queue)
        if (s->on_room != NULL)
            s->on_room(s->arg);
}

void queue_written(struct queue *q, size_t done)
{
    struct chunk *c = q->first;

    assert(done <= c->ready);
    c->done = done < c->ready ? done : c->ready;
    if (c->done < c->ready)
        return;
    q->first = c->next;
    c->queued = false;
    if (c->closed)
        chunk_give(q, c);
    tell_room(q);
}

void queue_set_failing(struct queue *q, bool failing)
{
    q->failing = failing;
    if (failing && q->pause)
        atomic_store(&q->full, true);
    tell_room(q);
}

void queue_sleep(struct queue *q, unsigned ms)
{
    q->sleeping = true;
    if (ms == 0) {
        pthread_cond_wait(&q->wake, &q->lock);
    } else {
        struct timespec until = clock_in_ms(ms);
        pthread_cond_timedwait(&q->wake, &q->lock, &until);
    }
    q->sleeping = false;
}
