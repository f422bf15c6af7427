/*
 * Clients that are refused and stay: they get their answer and the end of the connection, and
 * only a few of them hold descriptors of the proxy.
 */
#include "faults/stage.h"

#include "base/log.h"

#include <signal.h>
#include <stdio.h>

enum { FLOOD = 200, LINGER_MAX = 64 };

static struct relay_settings *no_session(void)
{
    struct relay_settings *s = settings_new();
    struct addr nobody = { .ip = { 127, 0, 0, 1 }, .family = AF_INET, .port = 1 };

    s->sessions = 0;
    s->upstreams = calloc(1, sizeof *s->upstreams);
    s->upstream_count = 1;
    s->upstreams[0] = (struct upstream){ .text = strdup("nobody"), .addr = nobody };
    return s;
}

/* Reads what came; true at the end of the connection. */
static bool has_ended(int fd, char answer[64], size_t *len)
{
    ssize_t n = recv(fd, answer + *len, 63 - *len, MSG_DONTWAIT);

    if (n > 0)
        *len += (size_t)n;
    return n == 0;
}

static void flood(void **state)
{
    static char answer[FLOOD][64];
    static size_t len[FLOOD];
    bool ended[FLOOD] = { false };
    struct stage stage = { 0 };
    struct addr entrance;
    int fd[FLOOD];
    unsigned left = FLOOD;

    (void)state;
    stage_open(&stage, no_session(), &entrance);
    for (unsigned i = 0; i < FLOOD; i++) {
        fd[i] = call_socket(&entrance);
        assert_true(fd[i] >= 0);
    }
    while (left > 0) {
        uv_run(&stage.loop, UV_RUN_NOWAIT);
        for (unsigned i = 0; i < FLOOD; i++) {
            if (ended[i] || !has_ended(fd[i], answer[i], &len[i]))
                continue;
            ended[i] = true;
            left--;
        }
    }
    uv_run(&stage.loop, UV_RUN_NOWAIT); /* handles that are closing */
    uv_run(&stage.loop, UV_RUN_NOWAIT);
    assert_true(relay_loop_live(stage.relays) <= LINGER_MAX);
    for (unsigned i = 0; i < FLOOD; i++) {
        assert_memory_equal(answer[i], "421 4.7.0 Too many connections", 30);
        close(fd[i]);
    }
    while (relay_loop_live(stage.relays) > 0)
        uv_run(&stage.loop, UV_RUN_ONCE);
    /* Those that left are not counted any more: the next one may stay a while. */
    fd[0] = call_socket(&entrance);
    len[0] = 0;
    while (!has_ended(fd[0], answer[0], &len[0]))
        uv_run(&stage.loop, UV_RUN_NOWAIT);
    for (unsigned i = 0; i < 3; i++)
        uv_run(&stage.loop, UV_RUN_NOWAIT);
    assert_int_equal(relay_loop_live(stage.relays), 1);
    close(fd[0]);
    while (relay_loop_live(stage.relays) > 0)
        uv_run(&stage.loop, UV_RUN_ONCE);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flood),
    };
    log_set_level(LOG_ERROR + 1);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
