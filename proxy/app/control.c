#include "app/control.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>

#include "app/server.h"
#include "app/worker.h"
#include "base/log.h"
#include "transcript/writer.h"

enum {
    ABORT_WAIT_MS = 2000,  /* for workers to close everything */
    WRITER_WAIT_MS = 5000, /* for a failing disk */
};

static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };

struct control {
    struct server server;
    uv_loop_t loop;
    uv_signal_t signal[ARRAY_LEN(signals)];
    uv_async_t done, reload;
    uv_timer_t timer;
    bool draining, aborting, gave_up;
};

static void control_close(struct control *c)
{
    if (uv_is_closing((uv_handle_t *)&c->done))
        return;
    for (unsigned i = 0; i < ARRAY_LEN(signals); i++)
        uv_close((uv_handle_t *)&c->signal[i], NULL);
    uv_close((uv_handle_t *)&c->done, NULL);
    uv_close((uv_handle_t *)&c->reload, NULL);
    uv_close((uv_handle_t *)&c->timer, NULL);
}

static void on_timer(uv_timer_t *timer);

static void control_abort(struct control *c)
{
    c->aborting = true;
    uv_timer_start(&c->timer, on_timer, ABORT_WAIT_MS, 0);
    for (unsigned i = 0; i < c->server.worker_count; i++)
        worker_abort(c->server.workers[i]);
}

static void on_timer(uv_timer_t *timer)
{
    struct control *c = CONTAINER_OF(timer, struct control, timer);

    if (!c->aborting) {
        log_warn("drain_timeout expired: closing the remaining sessions");
        control_abort(c);
        return;
    }
    c->gave_up = true;
    control_close(c);
}

static void control_drain(struct control *c)
{
    if (c->aborting)
        return;
    if (c->draining) {
        log_warn("exiting immediately");
        control_abort(c);
        return;
    }
    c->draining = true;
    log_info("shutting down; a second signal exits immediately");
    uv_timer_start(&c->timer, on_timer, c->server.config->drain_timeout_ms, 0);
    for (unsigned i = 0; i < c->server.worker_count; i++)
        worker_drain(c->server.workers[i]);
}

static void control_reopen(struct control *c)
{
    if (c->server.writer != NULL)
        writer_reopen(c->server.writer);
    for (unsigned i = 0; i < c->server.worker_count; i++)
        worker_dump(c->server.workers[i]);
}

/* However many HUPs came, and behind all signals that came with them. */
static void on_reload(uv_async_t *async)
{
    struct control *c = CONTAINER_OF(async, struct control, reload);

    if (!c->draining)
        server_reload(&c->server);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct control *c = handle->data;

    if (number == SIGHUP)
        uv_async_send(&c->reload);
    else if (number == SIGUSR1)
        control_reopen(c);
    else if (number == SIGTERM || number == SIGINT)
        control_drain(c);
}

/* A worker's thread: only this may cross. */
static void on_worker_done(void *arg)
{
    struct control *c = arg;

    uv_async_send(&c->done);
}

static void on_done(uv_async_t *async)
{
    struct control *c = CONTAINER_OF(async, struct control, done);

    if (c->server.worker_count > 0 && server_is_done(&c->server))
        control_close(c);
}

static void control_init(struct control *c)
{
    int error = uv_loop_init(&c->loop);

    if (error == 0)
        error = uv_async_init(&c->loop, &c->done, on_done);
    if (error == 0)
        error = uv_async_init(&c->loop, &c->reload, on_reload);
    for (unsigned i = 0; error == 0 && i < ARRAY_LEN(signals); i++) {
        c->signal[i].data = c;
        error = uv_signal_init(&c->loop, &c->signal[i]);
        if (error == 0)
            error = uv_signal_start(&c->signal[i], on_signal, signals[i]);
    }
    if (error == 0)
        error = uv_timer_init(&c->loop, &c->timer);
    if (error != 0) {
        log_error("cannot start: %s", uv_strerror(error));
        _exit(1);
    }
}

static void control_deinit(struct control *c)
{
    uv_run(&c->loop, UV_RUN_DEFAULT);
    int open = uv_loop_close(&c->loop);
    assert(open == 0);
    (void)open;
}

int control_run(struct config *config)
{
    struct control c = { 0 };
    char error[512];

    control_init(&c);
    server_init(&c.server, config, on_worker_done, &c);
    if (!server_start(&c.server, error, sizeof error)) {
        log_error("%s", error);
        server_stop(&c.server, 0);
        control_close(&c);
        control_deinit(&c);
        return 1;
    }
    server_announce(&c.server);
    uv_run(&c.loop, UV_RUN_DEFAULT);
    if (c.gave_up) { /* a worker hangs; the sessions of the others are closed and recorded */
        if (c.server.writer != NULL)
            writer_stop(&c.server.writer, WRITER_WAIT_MS);
        _exit(0);
    }
    server_stop(&c.server, WRITER_WAIT_MS);
    control_deinit(&c);
    log_info("shutdown complete");
    return 0;
}
