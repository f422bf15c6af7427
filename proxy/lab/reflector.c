#include "lab/reflector.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <uv.h>

#include "base/log.h"
#include "lab/reflector_session.h"

#define BACKLOG 1024

struct reflector {
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_async_t stop;
    uv_signal_t signals[2];
    uv_thread_t thread;
    bool stopping;
    struct reflector_sessions sessions;
    char hostname[REFLECTOR_HOSTNAME_MAX + 1];
};

static void close_handle(uv_handle_t *h, void *unused)
{
    (void)unused;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

/* Sessions close their own handles; all others are part of the reflector. */
static void shut_down(struct reflector *r)
{
    if (r->stopping)
        return;
    r->stopping = true;
    reflector_sessions_close(&r->sessions);
    close_handle((uv_handle_t *)&r->listener, NULL);
    close_handle((uv_handle_t *)&r->stop, NULL);
    for (size_t i = 0; i < ARRAY_LEN(r->signals); i++)
        close_handle((uv_handle_t *)&r->signals[i], NULL);
}

static void on_stop(uv_async_t *async)
{
    shut_down(CONTAINER_OF(async, struct reflector, stop));
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    shut_down(handle->data);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct reflector *r = CONTAINER_OF(listener, struct reflector, listener);

    if (status == 0)
        reflector_session_accept(&r->sessions, listener);
}

MUST_CHECK static int listen_at(struct reflector *r, const struct addr *at, struct addr *bound)
{
    struct sockaddr_storage sa;
    int len = (int)addr_to_sockaddr(at, &sa);
    int err = uv_tcp_bind(&r->listener, (const struct sockaddr *)&sa, 0);

    if (err == 0)
        err = uv_listen((uv_stream_t *)&r->listener, BACKLOG, on_connection);
    len = (int)sizeof sa;
    if (err == 0)
        err = uv_tcp_getsockname(&r->listener, (struct sockaddr *)&sa, &len);
    if (err == 0)
        addr_from_sockaddr(bound, (const struct sockaddr *)&sa);
    return err;
}

MUST_CHECK static bool choose_hostname(struct reflector *r, const char *name)
{
    if (name == NULL && gethostname(r->hostname, REFLECTOR_HOSTNAME_MAX) == 0)
        return true;
    if (name == NULL)
        name = "localhost";
    int n = snprintf(r->hostname, sizeof r->hostname, "%s", name);
    return n > 0 && (size_t)n < sizeof r->hostname && strpbrk(name, " \t\r\n") == NULL;
}

/* All handles are there before anything can fail, so that shut_down() may close them. */
static void init_handles(struct reflector *r)
{
    int err = uv_tcp_init(&r->loop, &r->listener);

    err |= uv_async_init(&r->loop, &r->stop, on_stop);
    for (size_t i = 0; i < ARRAY_LEN(r->signals); i++) {
        err |= uv_signal_init(&r->loop, &r->signals[i]);
        r->signals[i].data = r;
    }
    assert(err == 0);
}

static void run_loop(void *arg)
{
    struct reflector *r = arg;

    uv_run(&r->loop, UV_RUN_DEFAULT);
    int err = uv_loop_close(&r->loop);
    assert(err == 0);
    (void)err;
}

/* NULL after a failure; everything is given back then. */
static struct reflector *reflector_new(const struct reflector_config *c, struct addr *bound,
                                       char *error, size_t size)
{
    struct reflector *r = calloc(1, sizeof *r);
    char at[ADDR_TEXT_MAX];
    int err = r != NULL ? uv_loop_init(&r->loop) : UV_ENOMEM;

    addr_text(&c->listen, at);
    if (err != 0) {
        snprintf(error, size, "%s: %s", at, uv_strerror(err));
        free(r);
        return NULL;
    }
    init_handles(r);
    reflector_sessions_init(&r->sessions, &r->loop, r->hostname, c->script, c->verbose);
    if (!choose_hostname(r, c->hostname))
        snprintf(error, size, "expected a host name of at most %d octets without blanks",
                 REFLECTOR_HOSTNAME_MAX);
    else if ((err = listen_at(r, &c->listen, bound)) != 0)
        snprintf(error, size, "%s: %s", at, uv_strerror(err));
    else
        return r;
    shut_down(r);
    run_loop(r);
    free(r);
    return NULL;
}

struct reflector *reflector_start(const struct reflector_config *c, struct addr *bound,
                                  char *error, size_t size)
{
    struct reflector *r = reflector_new(c, bound, error, size);

    if (r == NULL || uv_thread_create(&r->thread, run_loop, r) == 0)
        return r;
    snprintf(error, size, "no thread for the reflector");
    shut_down(r);
    run_loop(r);
    free(r);
    return NULL;
}

void reflector_stop(struct reflector **rp)
{
    struct reflector *r = *rp;

    *rp = NULL;
    if (r == NULL)
        return;
    uv_async_send(&r->stop);
    uv_thread_join(&r->thread);
    free(r);
}

bool reflector_run(const struct reflector_config *c, void (*ready)(const struct addr *bound),
                   char *error, size_t size)
{
    static const int numbers[] = { SIGINT, SIGTERM };
    struct addr bound;
    struct reflector *r = reflector_new(c, &bound, error, size);

    if (r == NULL)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (uv_signal_start(&r->signals[i], on_signal, numbers[i]) != 0)
            log_warn("reflect: signal %d cannot be caught", numbers[i]);
    }
    ready(&bound);
    run_loop(r);
    free(r);
    return true;
}
