#include "transcript/writer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/trusted_open.h"
#include "transcript/queue.h"
#include "transcript/sink.h"
#include "transcript/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RETRY_MS = 1000,
    DEFAULT_QUEUE_OCTETS = 16 << 20,
    DEFAULT_FILE_MODE = 0640,
};

struct writer {
    struct queue queue;
    struct writer_config config;
    struct sink *sink; /* of the records */
    pthread_t thread;
    uint64_t deadline_us; /* of a stop; under the queue's lock */
};

struct queue *writer_queue(struct writer *w)
{
    return &w->queue;
}

const struct writer_config *writer_config_of(const struct writer *w)
{
    return &w->config;
}

static struct sink *sink_of_chunk(const struct writer *w, const struct chunk *c)
{
    return c->sink != NULL ? c->sink : w->sink;
}

static const char *name_of(const struct sink *s, char out[PATH_MAX])
{
    s->ops->name(s, out, PATH_MAX);
    return out;
}

/* Under the lock: what came of writing the first chunk. */
static void chunk_result(struct writer *w, struct chunk *c, int error, size_t done)
{
    struct queue *q = &w->queue;
    bool was_failing = q->failing;
    char name[PATH_MAX];

    q->stats.octets += done - c->done;
    q->stats.rotations = w->sink->rotations;
    q->stats.write_errors += error != 0;
    if (error != 0 && !was_failing)
        log_error("transcript %s: cannot write: %s; retrying every second, %s",
                  name_of(sink_of_chunk(w, c), name), trusted_open_reason(error),
                  w->config.on_full == ON_FULL_PAUSE ? "clients wait"
                                                     : "records may be dropped");
    if (error == 0 && was_failing)
        log_info("transcript %s: writing again", name_of(w->sink, name));
    if (was_failing != (error != 0))
        queue_set_failing(q, error != 0);
    queue_written(q, done);
}

/* Under the lock, given back for the writing. False: give up. */
static bool write_first(struct writer *w)
{
    struct queue *q = &w->queue;
    struct chunk *c = q->first;
    struct sink *sink = sink_of_chunk(w, c);
    size_t done = c->done, ready = c->ready;

    pthread_mutex_unlock(&q->lock);
    int error = sink->ops->write(sink, (struct span){ c->bytes, ready }, &done);
    pthread_mutex_lock(&q->lock);
    chunk_result(w, c, error, done);
    if (error == 0)
        return true;
    if (q->stop && clock_monotonic_us() >= w->deadline_us)
        return false;
    queue_sleep(q, q->stop ? RETRY_MS / 10 : RETRY_MS);
    return true;
}

/* Under the lock, given back meanwhile. What fails now is told and tried again by the next
 * write. */
static void reopen_sink(struct writer *w)
{
    struct queue *q = &w->queue;
    char name[PATH_MAX];

    q->reopen = false;
    pthread_mutex_unlock(&q->lock);
    int error = w->sink->ops->reopen(w->sink);
    pthread_mutex_lock(&q->lock);
    if (error != 0)
        log_error("transcript %s: cannot reopen: %s", name_of(w->sink, name),
                  trusted_open_reason(error));
    else
        log_info("transcript %s: reopened", name_of(w->sink, name));
}

static void *writer_run(void *arg)
{
    struct writer *w = arg;
    struct queue *q = &w->queue;
    bool going = true;

    pthread_mutex_lock(&q->lock);
    while (going && (q->first != NULL || !q->stop)) {
        if (q->reopen && !w->sink->middle)
            reopen_sink(w); /* without the lock: all is asked again before a sleep */
        else if (q->first != NULL)
            going = write_first(w);
        else
            queue_sleep(q, 0);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

static void config_free(struct writer_config *c)
{
    free((char *)c->file);
    free((char *)c->vantage);
    free((char *)c->spool);
}

static bool config_copy(struct writer_config *to, const struct writer_config *from)
{
    *to = *from;
    to->file = strdup(from->file != NULL ? from->file : "");
    to->vantage = strdup(from->vantage != NULL ? from->vantage : "");
    to->spool = strdup(from->spool != NULL ? from->spool : "");
    if (to->queue_octets == 0)
        to->queue_octets = DEFAULT_QUEUE_OCTETS;
    if (to->file_mode == 0)
        to->file_mode = DEFAULT_FILE_MODE;
    return to->file != NULL && to->vantage != NULL && to->spool != NULL;
}

static bool spool_is_usable(const struct writer_config *c, char *error, size_t size)
{
    if (c->content != CONTENT_LEVEL_FULL)
        return true;
    if (c->redact == REDACT_ALL) {
        snprintf(error, size,
                 "content = \"full\" keeps what redact = \"all\" must hide; "
                 "choose one of them");
        return false;
    }
    int fd = trusted_open(c->spool, O_PATH | O_DIRECTORY, 0);
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && access(c->spool, W_OK | X_OK) == 0)
        return true;
    snprintf(error, size,
             "spool folder \"%s\": not a folder that can be written to; "
             "content = \"full\" needs one%s%s",
             c->spool, fd < 0 && code == ELOOP ? ": " : "",
             fd < 0 && code == ELOOP ? trusted_open_reason(code) : "");
    return false;
}

/* All signals are blocked in the thread: none interrupts a write, and SIGXFSZ and SIGPIPE
 * become errors of write(). */
static int start_thread(struct writer *w)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&w->thread, NULL, writer_run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static void writer_release(struct writer *w)
{
    if (w->sink != NULL)
        w->sink->ops->close(w->sink);
    queue_deinit(&w->queue);
    config_free(&w->config);
    free(w);
}

static bool writer_begin(struct writer *w, char *error, size_t size)
{
    char name[PATH_MAX];

    if (!spool_is_usable(&w->config, error, size))
        return false;
    int code = w->sink->ops->open(w->sink);
    if (code != 0) {
        snprintf(error, size, "transcript \"%s\": cannot open: %s", name_of(w->sink, name),
                 trusted_open_reason(code));
        return false;
    }
    code = start_thread(w);
    if (code != 0)
        snprintf(error, size, "transcript: cannot start its thread: %s", strerror(code));
    return code == 0;
}

struct writer *writer_start(const struct writer_config *c, char *error, size_t size)
{
    error[0] = '\0';
    if (c->fd < 0 && (c->file == NULL || c->file[0] == '\0'))
        return NULL;
    struct writer *w = calloc(1, sizeof *w);
    bool ready =
        w != NULL && config_copy(&w->config, c) && (w->sink = sink_of(&w->config)) != NULL;
    if (!ready)
        snprintf(error, size, "transcript: out of memory");
    if (w == NULL)
        return NULL;
    queue_init(&w->queue, &w->config);
    if (!ready || !writer_begin(w, error, size)) {
        writer_release(w);
        return NULL;
    }
    return w;
}

static uint64_t octets_left(const struct queue *q)
{
    uint64_t n = 0;

    for (const struct chunk *c = q->first; c != NULL; c = c->next)
        n += c->ready - c->done;
    return n;
}

uint64_t writer_stop(struct writer **wp, unsigned ms)
{
    struct writer *w = *wp;
    char name[PATH_MAX];

    *wp = NULL;
    if (w == NULL)
        return 0;
    for (struct stream *s;
         (s = LIST_FIRST(&w->queue.streams, struct stream, in_queue)) != NULL;)
        stream_leave(s);
    pthread_mutex_lock(&w->queue.lock);
    w->deadline_us = clock_monotonic_us() + ms * UINT64_C(1000);
    w->queue.stop = true;
    pthread_cond_signal(&w->queue.wake);
    pthread_mutex_unlock(&w->queue.lock);
    pthread_join(w->thread, NULL);
    uint64_t left = octets_left(&w->queue);
    if (left > 0)
        log_error("transcript %s: %llu bytes of records could not be written and are lost",
                  name_of(w->sink, name), (unsigned long long)left);
    writer_release(w);
    return left;
}

void writer_reopen(struct writer *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->queue.lock);
    w->queue.reopen = true;
    pthread_cond_signal(&w->queue.wake);
    pthread_mutex_unlock(&w->queue.lock);
}

void writer_get_stats(struct writer *w, struct writer_stats *out)
{
    *out = (struct writer_stats){ 0 };
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->queue.lock);
    *out = w->queue.stats;
    pthread_mutex_unlock(&w->queue.lock);
}
