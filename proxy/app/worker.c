#include "app/worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/relay.h"

enum order { ORDER_DRAIN = 1, ORDER_ABORT = 2, ORDER_RELOAD = 4, ORDER_DUMP = 8 };

struct worker {
    uv_loop_t loop;
    uv_async_t wake;
    pthread_t thread;
    bool started, draining, closing;
    atomic_uint orders;
    atomic_bool done;
    pthread_mutex_t lock;
    pthread_cond_t taken;
    struct relay_settings **next; /* settings to be taken over, under lock */
    bool reloading;               /* until they are, under lock */
    struct relay_loop *relays;
    struct service **services; /* by listener */
    unsigned service_count;
    struct admission **admission; /* by listener */
    struct listener *listeners;   /* by socket */
    unsigned *listener_of;        /* by socket: index of its service */
    unsigned socket_count;
    void (*on_done)(void *);
    void *arg;
};

static bool on_connection(struct listener *l)
{
    struct worker *w = l->owner;

    return relay_accept(w->services[w->listener_of[l - w->listeners]], l);
}

/* ---- orders ---- */

/* When nothing lives any more: all handles away, uv_run() returns. */
static void worker_close_if_empty(void *arg)
{
    struct worker *w = arg;

    if (!w->draining || w->closing || relay_loop_live(w->relays) > 0)
        return;
    w->closing = true;
    relay_loop_close(w->relays);
    uv_close((uv_handle_t *)&w->wake, NULL);
}

static void obey_drain(struct worker *w)
{
    if (w->draining)
        return;
    w->draining = true;
    for (unsigned i = 0; i < w->socket_count; i++)
        listener_close(&w->listeners[i]);
    relay_loop_end(w->relays, CLOSE_SHUTDOWN);
    worker_close_if_empty(w);
}

static void obey_reload(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    for (unsigned i = 0; i < w->service_count; i++) {
        if (w->next[i] == NULL)
            continue;
        struct service *fresh = service_new(w->relays, w->next[i], w->admission[i]);
        settings_unref(&w->next[i]);
        if (fresh == NULL)
            continue; /* no memory: the old ones stay */
        service_unref(&w->services[i]);
        w->services[i] = fresh;
    }
    w->reloading = false;
    pthread_cond_signal(&w->taken);
    pthread_mutex_unlock(&w->lock);
}

static void on_wake(uv_async_t *wake)
{
    struct worker *w = CONTAINER_OF(wake, struct worker, wake);
    unsigned orders = atomic_exchange(&w->orders, 0);

    if (orders & ORDER_RELOAD)
        obey_reload(w);
    if (orders & ORDER_DUMP)
        relay_loop_dump(w->relays);
    if (orders & (ORDER_DRAIN | ORDER_ABORT))
        obey_drain(w);
    if (orders & ORDER_ABORT)
        relay_loop_abort(w->relays, CLOSE_DRAIN_TIMEOUT);
}

static void worker_order(struct worker *w, enum order order)
{
    if (atomic_load(&w->done))
        return;
    atomic_fetch_or(&w->orders, (unsigned)order);
    uv_async_send(&w->wake);
}

void worker_drain(struct worker *w)
{
    worker_order(w, ORDER_DRAIN);
}

void worker_abort(struct worker *w)
{
    worker_order(w, ORDER_ABORT);
}

void worker_dump(struct worker *w)
{
    worker_order(w, ORDER_DUMP);
}

void worker_reload(struct worker *w, struct relay_settings *const *settings)
{
    pthread_mutex_lock(&w->lock);
    for (unsigned i = 0; i < w->service_count; i++) {
        if (w->next[i] != NULL)
            settings_unref(&w->next[i]);
        w->next[i] = settings_ref(settings[i]);
    }
    w->reloading = true;
    worker_order(w, ORDER_RELOAD);
    while (w->reloading)
        pthread_cond_wait(&w->taken, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

bool worker_is_done(const struct worker *w)
{
    return atomic_load(&w->done);
}

/* ---- life ---- */

static void *worker_thread(void *arg)
{
    struct worker *w = arg;
    void (*on_done)(void *) = w->on_done;

    uv_run(&w->loop, UV_RUN_DEFAULT);
    atomic_store(&w->done, true);
    on_done(w->arg);
    return NULL;
}

/* Signals are the main thread's. */
bool worker_start(struct worker *w)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    w->started = pthread_create(&w->thread, NULL, worker_thread, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return w->started;
}

/* False: `error` says why. What was made so far is worker_free()'s. */
static bool worker_open(struct worker *w, const struct worker_config *c, char *error,
                        size_t size)
{
    for (unsigned i = 0; i < c->listeners; i++) {
        w->services[i] = service_new(w->relays, c->settings[i], c->admission[i]);
        if (w->services[i] == NULL) {
            snprintf(error, size, "out of memory");
            return false;
        }
    }
    for (; w->socket_count < c->socket_count; w->socket_count++) {
        struct listener *l = &w->listeners[w->socket_count];
        *l = (struct listener){ .on_connection = on_connection, .owner = w };
        w->listener_of[w->socket_count] = c->sockets[w->socket_count].listener;
        int failed = listener_open(l, &w->loop, c->sockets[w->socket_count].fd);
        if (failed != 0) {
            w->socket_count++;
            snprintf(error, size, "cannot listen: %s", uv_strerror(failed));
            return false;
        }
    }
    return true;
}

static bool worker_allocate(struct worker *w, const struct worker_config *c)
{
    w->service_count = c->listeners;
    w->services = calloc(c->listeners, sizeof *w->services);
    w->next = calloc(c->listeners, sizeof *w->next);
    w->admission = calloc(c->listeners, sizeof *w->admission);
    w->listeners = calloc(c->socket_count, sizeof *w->listeners);
    w->listener_of = calloc(c->socket_count, sizeof *w->listener_of);
    if (w->services == NULL || w->next == NULL || w->admission == NULL ||
        w->listeners == NULL || w->listener_of == NULL)
        return false;
    for (unsigned i = 0; i < c->listeners; i++)
        w->admission[i] = c->admission[i];
    return true;
}

static void worker_release(struct worker *w)
{
    for (unsigned i = 0; w->next != NULL && i < w->service_count; i++)
        if (w->next[i] != NULL)
            settings_unref(&w->next[i]);
    free(w->services);
    free(w->next);
    free(w->admission);
    free(w->listeners);
    free(w->listener_of);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->taken);
    free(w);
}

struct worker *worker_new(const struct worker_config *c, char *error, size_t size)
{
    struct worker *w = calloc(1, sizeof *w);
    unsigned opened = 0;

    snprintf(error, size, "out of memory");
    if (w == NULL)
        goto fail;
    w->on_done = c->on_done;
    w->arg = c->arg;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->taken, NULL);
    if (!worker_allocate(w, c) || uv_loop_init(&w->loop) != 0) {
        worker_release(w);
        goto fail;
    }
    w->relays = relay_loop_new(&w->loop, c->resolver, c->writer, c->flush_ms);
    if (w->relays == NULL || uv_async_init(&w->loop, &w->wake, on_wake) != 0) {
        abort(); /* at the start, and nothing is served yet */
    }
    if (c->findings && !relay_loop_detect(w->relays, c->catalogue))
        abort();
    relay_loop_share_memory(w->relays, c->memory);
    relay_loop_on_empty(w->relays, worker_close_if_empty, w);
    if (worker_open(w, c, error, size))
        return w;
    opened = w->socket_count;
    worker_free(&w);
fail:
    for (unsigned i = opened; i < c->socket_count; i++)
        close(c->sockets[i].fd);
    return NULL;
}

void worker_free(struct worker **wp)
{
    struct worker *w = *wp;

    *wp = NULL;
    if (w == NULL)
        return;
    if (w->started) {
        pthread_join(w->thread, NULL);
    } else {
        obey_drain(w);
        uv_run(&w->loop, UV_RUN_DEFAULT);
    }
    for (unsigned i = 0; i < w->service_count; i++)
        service_unref(&w->services[i]);
    relay_loop_free(&w->relays);
    int open = uv_loop_close(&w->loop);
    assert(open == 0);
    (void)open;
    worker_release(w);
}
