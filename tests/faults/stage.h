/*
 * stage - what the programs here share: blocking sockets for the two ends of a session, and a
 * relay on a loop of this thread.
 */
#ifndef FAULTS_STAGE_H
#define FAULTS_STAGE_H

#include "relay/relay.h"
#include "transcript/writer.h"
#include "transport/resolver.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { STEP_SECONDS = 10 };

/* ---- the two ends ---- */

static inline int listen_socket(struct addr *bound)
{
    const struct addr any = { .ip = { 127, 0, 0, 1 }, .family = AF_INET };
    char error[256];
    int fd = listener_bind(&any, 0, bound, error, sizeof error), small = 4096;

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static inline bool say(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* Reads until what was read ends with `end` (NULL: until the end). False: it ended before. */
static inline bool hear(int fd, const char *end)
{
    static _Thread_local char in[65536];
    size_t want = end != NULL ? strlen(end) : 0, kept = 0;
    ssize_t n;

    while ((n = recv(fd, in + kept, sizeof in - kept, 0)) > 0) {
        kept += (size_t)n;
        if (end != NULL && kept >= want && memcmp(in + kept - want, end, want) == 0)
            return true;
        if (kept > want) {
            memmove(in, in + kept - want, want);
            kept = want;
        }
    }
    return false;
}

static inline bool reply(int fd, const char *command_end, const char *text)
{
    return hear(fd, command_end) && say(fd, text, strlen(text));
}

/* Connected to `to`, with a limit for every step; -1: it was refused. */
static inline int call_socket(const struct addr *to)
{
    struct timeval limit = { STEP_SECONDS, 0 };
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(to, &ss);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&ss, len) == 0)
        return fd;
    close(fd);
    return -1;
}

/* ---- the relay ---- */

static inline bool on_connection(struct listener *l)
{
    return relay_accept(l->owner, l);
}

struct stage {
    uv_loop_t loop;
    struct resolver *resolver;
    struct writer *writer;
    struct relay_loop *relays;
    struct admission *admission;
    struct service *service;
    struct listener listener;
};

/* Takes the settings over; `entrance`: where clients connect to. */
static inline void stage_open(struct stage *g, struct relay_settings *settings,
                              struct addr *entrance)
{
    const struct writer_config config = { .file = "/dev/null",
                                          .fd = -1,
                                          .vantage = "v",
                                          .content = CONTENT_LEVEL_DIGEST,
                                          .flush_ms = 1000,
                                          .queue_octets = 1 << 20,
                                          .file_mode = 0600 };
    const struct addr any = { .ip = { 127, 0, 0, 1 }, .family = AF_INET };
    char error[256];

    assert_int_equal(uv_loop_init(&g->loop), 0);
    g->resolver = resolver_new(&(struct resolver_config){ .lookup = NULL });
    assert_non_null(g->resolver);
    g->writer = writer_start(&config, error, sizeof error);
    assert_non_null(g->writer);
    g->relays = relay_loop_new(&g->loop, g->resolver, g->writer, 1000);
    g->admission = admission_new();
    g->service = service_new(g->relays, settings, g->admission);
    settings_unref(&settings);
    g->listener = (struct listener){ .on_connection = on_connection, .owner = g->service };
    int fd = listener_bind(&any, 0, entrance, error, sizeof error);
    assert_int_equal(listener_open(&g->listener, &g->loop, fd), 0);
}

/* Handles of the test's own must be closed. */
static inline void stage_close(struct stage *g)
{
    listener_close(&g->listener);
    service_unref(&g->service);
    relay_loop_close(g->relays);
    uv_run(&g->loop, UV_RUN_DEFAULT);
    relay_loop_free(&g->relays);
    assert_int_equal(uv_loop_close(&g->loop), 0);
    resolver_free(&g->resolver);
    writer_stop(&g->writer, 1000);
    assert_int_equal(admission_sessions(g->admission), 0);
    admission_free(&g->admission);
}

#endif
