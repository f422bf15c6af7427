/*
 * A whole session over loopback, in which the Nth call of malloc() or of libuv fails, for
 * N = 1, 2, ... until nothing fails any more. Every run has to end: no hang, no leak (ASan),
 * every open record followed by exactly one close record, uv_loop_close() == 0.
 *
 * The relay runs in this thread, and only its calls are counted; the client and the upstream
 * are threads with blocking sockets.
 */
#include "faults/stage.h"
#include "transcript/record.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { BODY_LINES = 16000, TAKEN_AT_ONCE = 16384, WAIT_MS = 400 };

/* ---- the calls that fail ---- */

static _Thread_local bool counting;
static unsigned calls, fail_at; /* this thread's */
static unsigned opens, closes;
static unsigned queued; /* calls of uv_write() */
static enum close_reason last_reason;

static bool fails(void)
{
    return counting && ++calls == fail_at;
}

#define WRAP(type, name, params, args, failure)                                                \
    type __real_##name params;                                                                 \
    type __wrap_##name params;                                                                 \
    type __wrap_##name params                                                                  \
    {                                                                                          \
        return fails() ? failure : __real_##name args;                                         \
    }

WRAP(void *, malloc, (size_t n), (n), NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), NULL)
WRAP(void *, realloc, (void *p, size_t n), (p, n), NULL)
int __real_uv_write(uv_write_t *r, uv_stream_t *s, const uv_buf_t b[], unsigned n,
                    uv_write_cb cb);
int __wrap_uv_write(uv_write_t *r, uv_stream_t *s, const uv_buf_t b[], unsigned n,
                    uv_write_cb cb);
int __wrap_uv_write(uv_write_t *r, uv_stream_t *s, const uv_buf_t b[], unsigned n,
                    uv_write_cb cb)
{
    queued++;
    return fails() ? UV_ENOBUFS : __real_uv_write(r, s, b, n, cb);
}

/* A kernel with little room, so that the rest is queued whatever the machine. */
int __real_uv_try_write(uv_stream_t *s, const uv_buf_t b[], unsigned n);
int __wrap_uv_try_write(uv_stream_t *s, const uv_buf_t b[], unsigned n);
int __wrap_uv_try_write(uv_stream_t *s, const uv_buf_t b[], unsigned n)
{
    uv_buf_t first = b[0];

    if (fails())
        return UV_EPIPE;
    if (!counting || first.len <= TAKEN_AT_ONCE)
        return __real_uv_try_write(s, b, n);
    first.len = TAKEN_AT_ONCE;
    return __real_uv_try_write(s, &first, 1);
}

WRAP(int, uv_tcp_connect,
     (uv_connect_t * r, uv_tcp_t *h, const struct sockaddr *a, uv_connect_cb cb), (r, h, a, cb),
     UV_ENETUNREACH)
WRAP(int, uv_shutdown, (uv_shutdown_t * r, uv_stream_t *s, uv_shutdown_cb cb), (r, s, cb),
     UV_ENOTCONN)
WRAP(int, uv_read_start, (uv_stream_t * s, uv_alloc_cb a, uv_read_cb r), (s, a, r), UV_EALREADY)
WRAP(int, pthread_create,
     (pthread_t * t, const pthread_attr_t *a, void *(*run)(void *), void *arg),
     (t, a, run, arg), EAGAIN)

WRAP(int, uv_tcp_open, (uv_tcp_t * h, uv_os_sock_t fd), (h, fd), UV_ENOBUFS)

/* The connection stays in the kernel's queue. */
int __real_accept4(int fd, struct sockaddr *a, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *a, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *a, socklen_t *len, int flags)
{
    if (!fails())
        return __real_accept4(fd, a, len, flags);
    errno = EMFILE;
    return -1;
}

/* ---- a wall clock that steps back each time it is read ---- */

enum { STEP_BACK_SECONDS = 3600, LONGEST_US = 60 * 1000000 };

static bool steps_back;
static unsigned long long last_us; /* of the records */

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
    static atomic_int times;
    int result = __real_clock_gettime(id, ts);

    if (steps_back && id == CLOCK_REALTIME)
        ts->tv_sec -= STEP_BACK_SECONDS * (1 + atomic_fetch_add(&times, 1));
    return result;
}

static void check_times(uint64_t t_us, uint64_t us)
{
    if (!steps_back)
        return;
    if (us > LONGEST_US)
        fail_msg("a duration of %llu us", (unsigned long long)us);
    if (t_us + us < last_us)
        fail_msg("the time of a record is %llu us before the last one's",
                 last_us - (unsigned long long)t_us);
    last_us = t_us;
}

void __real_record_connect(struct recorder *r, const struct record_connect *info);
void __wrap_record_connect(struct recorder *r, const struct record_connect *info);
void __wrap_record_connect(struct recorder *r, const struct record_connect *info)
{
    check_times(info->t_us, info->us);
    __real_record_connect(r, info);
}

void __real_record_event(struct recorder *r, const struct event *e);
void __wrap_record_event(struct recorder *r, const struct event *e);
void __wrap_record_event(struct recorder *r, const struct event *e)
{
    check_times(e->t_us, e->kind == EVENT_CONTENT ? e->content_us : e->reply_us);
    check_times(e->t_us, e->forwarded_us);
    __real_record_event(r, e);
}

void __real_record_open(struct recorder *r, const struct record_open *info);
void __wrap_record_open(struct recorder *r, const struct record_open *info);
void __wrap_record_open(struct recorder *r, const struct record_open *info)
{
    opens++;
    __real_record_open(r, info);
}

void __real_record_close(struct recorder *r, const struct record_close *info);
void __wrap_record_close(struct recorder *r, const struct record_close *info);
void __wrap_record_close(struct recorder *r, const struct record_close *info)
{
    closes++;
    last_reason = info->reason;
    check_times(info->t_us, info->us);
    __real_record_close(r, info);
}

/* ---- the two ends ---- */

struct scene {
    int upstream;         /* listening, non-blocking */
    struct addr entrance; /* of the relay */
    atomic_bool over;
    uv_async_t done;
    bool observe, half_close, reset;
};

static void *serve(void *arg)
{
    struct scene *s = arg;
    struct timeval limit = { STEP_SECONDS, 0 };
    int fd;

    while ((fd = accept(s->upstream, NULL, NULL)) < 0 && !atomic_load(&s->over))
        usleep(1000);
    if (fd < 0)
        return NULL;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    bool ok = say(fd, "220 mx.test ESMTP\r\n", 19) &&
              reply(fd, "\r\n", "250-mx.test\r\n250 PIPELINING\r\n") &&
              reply(fd, "MAIL FROM:<a@x.test>\r\n", "250 ok\r\n") &&
              reply(fd, "RCPT TO:<b@y.test>\r\n", "250 ok\r\n") &&
              reply(fd, "DATA\r\n", "354 go\r\n");
    ok = ok && reply(fd, "\r\n.\r\n", "250 queued\r\n") && reply(fd, "QUIT\r\n", "221 bye\r\n");
    if (!ok)
        (void)hear(fd, NULL);
    close(fd);
    return NULL;
}

static bool body(int fd)
{
    static const char line[] = "The quick brown fox jumps over the lazy dog, and on.\r\n";
    static char text[BODY_LINES * (sizeof line - 1)];

    for (size_t i = 0; i < BODY_LINES; i++)
        memcpy(text + i * (sizeof line - 1), line, sizeof line - 1);
    return say(fd, text, sizeof text) && say(fd, ".\r\n", 3);
}

static bool ask(int fd, const char *command, const char *answer_end)
{
    return say(fd, command, strlen(command)) && hear(fd, answer_end);
}

/* VRFY is answered here; observe mode would pass it on. */
static bool talk(int fd, bool observe)
{
    return hear(fd, "ESMTP\r\n") && ask(fd, "EHLO c.test\r\n", "250 PIPELINING\r\n") &&
           ask(fd, "MAIL FROM:<a@x.test>\r\n", "250 ok\r\n") &&
           (observe || ask(fd, "VRFY root\r\n", "delivery\r\n")) &&
           ask(fd, "RCPT TO:<b@y.test>\r\n", "250 ok\r\n") && ask(fd, "DATA\r\n", "354 go\r\n");
}

static void *call(void *arg)
{
    struct scene *s = arg;
    struct linger now = { 1, 0 };
    int fd = call_socket(&s->entrance);

    if (fd >= 0 && talk(fd, s->observe)) {
        bool ok = body(fd);
        if (s->reset)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        else if (ok && hear(fd, "250 queued\r\n") && say(fd, "QUIT\r\n", 6) && s->half_close)
            shutdown(fd, SHUT_WR);
    }
    if (!s->reset)
        (void)hear(fd, NULL);
    close(fd);
    atomic_store(&s->over, true);
    uv_async_send(&s->done);
    return NULL;
}

/* ---- one run ---- */

static void on_done(uv_async_t *async)
{
    (void)async;
}

static struct relay_settings *short_settings(const struct addr *upstream, bool observe,
                                             bool name)
{
    struct relay_settings *s = settings_new();

    s->observe = observe;
    s->timeouts = (struct timeouts){ WAIT_MS, WAIT_MS, WAIT_MS, WAIT_MS, WAIT_MS, WAIT_MS,
                                     WAIT_MS, WAIT_MS, WAIT_MS, WAIT_MS, WAIT_MS };
    s->upstreams = calloc(1, sizeof *s->upstreams);
    s->upstream_count = 1;
    s->upstreams[0] = (struct upstream){ .text = strdup("upstream"), .addr = *upstream };
    if (name) {
        s->upstreams[0].host = strdup("localhost");
        s->upstreams[0].port = upstream->port;
    }
    return s;
}

struct kind {
    const char *name;
    bool observe, by_name, half_close, reset;
};

/* True when a call was made to fail. */
static bool run(const struct kind *k, unsigned nth)
{
    struct scene scene = { .observe = k->observe,
                           .half_close = k->half_close,
                           .reset = k->reset };
    struct stage stage = { 0 };
    pthread_t client, server;

    opens = closes = calls = 0;
    fail_at = nth;
    struct addr upstream;
    scene.upstream = listen_socket(&upstream);
    stage_open(&stage, short_settings(&upstream, k->observe, k->by_name), &scene.entrance);
    assert_int_equal(uv_async_init(&stage.loop, &scene.done, on_done), 0);
    assert_int_equal(pthread_create(&server, NULL, serve, &scene), 0);
    assert_int_equal(pthread_create(&client, NULL, call, &scene), 0);
    counting = true;
    while (!atomic_load(&scene.over) || relay_loop_live(stage.relays) > 0)
        uv_run(&stage.loop, UV_RUN_ONCE);
    counting = false;
    pthread_join(client, NULL);
    pthread_join(server, NULL);
    uv_close((uv_handle_t *)&scene.done, NULL);
    stage_close(&stage);
    close(scene.upstream);
    if (opens == 0 || opens != closes)
        fail_msg("%s, call %u: %u open records, %u close records", k->name, nth, opens, closes);
    return calls >= nth;
}

static void torture(const struct kind *k)
{
    unsigned nth = 1;

    queued = 0;
    while (run(k, nth))
        nth++;
    assert_true(queued > 0);
    print_message("%s: %u calls failed one by one\n", k->name, nth - 1);
    assert_true(nth > 10);
    enum close_reason clean = k->reset ? CLOSE_CLIENT_RESET : CLOSE_QUIT;
    assert_string_equal(close_name(last_reason),
                        close_name(clean)); /* the last run had no fault */
}

static void test_enforce(void **state)
{
    (void)state;
    torture(&(struct kind){ .name = "enforce" });
}

static void test_by_name(void **state)
{
    (void)state;
    torture(&(struct kind){ .name = "enforce, name resolved", .by_name = true });
}

static void test_half_close(void **state)
{
    (void)state;
    torture(&(struct kind){ .name = "enforce, half-close", .half_close = true });
}

static void test_client_resets(void **state)
{
    (void)state;
    torture(&(struct kind){ .name = "enforce, reset", .reset = true });
}

static void test_observe(void **state)
{
    (void)state;
    torture(&(struct kind){ .name = "observe", .observe = true });
}

static void test_observe_resets(void **state)
{
    (void)state;
    torture(&(struct kind){ .name = "observe, reset", .observe = true, .reset = true });
}

/* Durations, and the order of times, are those of a clock that never goes back. */
static void test_clock_steps_back(void **state)
{
    (void)state;
    for (int observe = 0; observe < 2; observe++) {
        last_us = 0;
        steps_back = true;
        run(&(struct kind){ .name = "steps back", .observe = observe }, 0);
        steps_back = false;
        assert_string_equal(close_name(last_reason), close_name(CLOSE_QUIT));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enforce),          cmocka_unit_test(test_by_name),
        cmocka_unit_test(test_half_close),       cmocka_unit_test(test_client_resets),
        cmocka_unit_test(test_observe),          cmocka_unit_test(test_observe_resets),
        cmocka_unit_test(test_clock_steps_back),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
