/*
 * The writer's thread lets go of its lock to open a file anew: what others ask of it meanwhile
 * must not be lost. Each order is made here on purpose while that thread is inside trusted_open().
 */
#include "unit/transcript/rig.h"

#include "base/trusted_open.h"
#include "transcript/queue.h"
#include "transcript/stream.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

static struct queue *queue;
static sem_t inside;
static unsigned opened;
static bool (*meanwhile)(void); /* was it asked for? */

int __real_trusted_open(const char *name, int flags, mode_t mode);
int __wrap_trusted_open(const char *name, int flags, mode_t mode);
int __wrap_trusted_open(const char *name, int flags, mode_t mode)
{
    bool asked = false;

    if (opened++ == 1) { /* the first one is the start's */
        sem_post(&inside);
        while (!asked) {
            pthread_mutex_lock(&queue->lock);
            asked = meanwhile();
            pthread_mutex_unlock(&queue->lock);
            sched_yield();
        }
    }
    return __real_trusted_open(name, flags, mode);
}

static bool stop_was_asked(void)
{
    return queue->stop;
}

static bool reopen_was_asked(void)
{
    return queue->reopen;
}

static bool chunk_came(void)
{
    return queue->first != NULL;
}

/* A writer that is opening its file anew until `until` is true. */
static struct writer *opening(bool (*until)(void))
{
    opened = 0;
    meanwhile = until;
    assert_int_equal(sem_init(&inside, 0, 0), 0);
    struct writer *w = open_writer((struct writer_config){ .flush_ms = 0 });
    queue = writer_queue(w);
    writer_reopen(w);
    while (sem_wait(&inside) != 0)
        ;
    return w;
}

static void stop_while_opening(void **state)
{
    struct writer *w = opening(stop_was_asked);

    (void)state;
    writer_stop(&w, 1000);
    assert_int_equal(opened, 2);
}

static unsigned opened_now(void)
{
    pthread_mutex_lock(&queue->lock);
    unsigned n = opened;
    pthread_mutex_unlock(&queue->lock);
    return n;
}

static void reopen_while_opening(void **state)
{
    struct writer *w = opening(reopen_was_asked);

    (void)state;
    writer_reopen(w);
    WAIT_FOR(opened_now() == 3);
    writer_stop(&w, 1000);
}

static void record_while_opening(void **state)
{
    struct writer *w = opening(chunk_came);
    struct stream *s = stream_new(w, NULL, NULL);

    (void)state;
    note(s, 1);
    WAIT_FOR(STAT(w, octets) > 0);
    stream_free(&s);
    writer_stop(&w, 1000);
    assert_int_equal(whole_lines_in(path), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stop_while_opening),
        TEST(reopen_while_opening),
        TEST(record_while_opening),
    };

    log_set_level(LOG_ERROR + 1);
    alarm(WAIT_MS / 1000 * 3); /* a thread that nobody wakes */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
