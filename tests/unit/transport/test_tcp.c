/* One loop with our side of a connection; the other side is a plain socket, driven by hand. */
#include "transport/listener.h"
#include "transport/tcp.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static uv_loop_t loop;
static struct tcp_loop shared;
static struct listener listener;
static struct tcp tcp;
static int peer; /* the other side */
static bool accepted, refuse;
static char got[256];
static size_t got_len;
static unsigned ends, rooms, flushes, failures, closes;
static enum close_kind how;

static void on_bytes(struct tcp *t, struct span bytes)
{
    assert_ptr_equal(t, &tcp);
    assert_true(t->read_most == 0 || bytes.len <= t->read_most);
    if (got_len + bytes.len <= sizeof got)
        memcpy(got + got_len, bytes.ptr, bytes.len);
    got_len += bytes.len;
}

static void on_end(struct tcp *t, enum close_kind end)
{
    (void)t;
    ends++;
    how = end;
}

static void on_room(struct tcp *t)
{
    assert_true(t->queue_memory <= TCP_LOW_WATER);
    rooms++;
}

static void on_flushed(struct tcp *t)
{
    assert_int_equal(tcp_queued(t), 0);
    flushes++;
}

static void on_failed(struct tcp *t, int error)
{
    (void)t;
    assert_true(error < 0);
    failures++;
}

static void on_closed(struct tcp *t)
{
    (void)t;
    closes++;
}

static const struct tcp_events events = { on_bytes,   on_end,    on_room,
                                          on_flushed, on_failed, on_closed };

static bool on_connection(struct listener *l)
{
    if (refuse)
        return false;
    tcp_init(&tcp, &loop, NULL);
    assert_int_equal(listener_accept(l, &tcp), 0);
    accepted = true;
    return true;
}

static void spin_until(const unsigned *count, unsigned want)
{
    while (*count < want)
        uv_run(&loop, UV_RUN_ONCE);
}

static int dial(void)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(&listener.bound, &ss);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
    return fd;
}

static int setup(void **state)
{
    const struct addr any = { .ip = { 127, 0, 0, 1 }, .family = AF_INET };
    struct addr bound;
    char error[256];

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    got_len = 0;
    ends = rooms = flushes = failures = closes = 0;
    accepted = refuse = false;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_true(tcp_loop_init(&shared, &loop, &events, TCP_READ_SIZE));
    int fd = listener_bind(&any, 0, &bound, error, sizeof error);
    assert_true(fd >= 0);
    listener = (struct listener){ .on_connection = on_connection };
    assert_int_equal(listener_open(&listener, &loop, fd), 0);
    assert_true(addr_equal(&listener.bound, &bound));
    peer = dial();
    while (!accepted)
        uv_run(&loop, UV_RUN_ONCE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (peer >= 0)
        close(peer);
    listener_close(&listener);
    tcp_close(&tcp);
    tcp_close(&tcp);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closes, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
    tcp_loop_deinit(&shared);
    return 0;
}

static void peer_says(const char *text)
{
    assert_int_equal(send(peer, text, strlen(text), 0), strlen(text));
}

static void peer_resets(void)
{
    struct linger now = { 1, 0 };

    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(peer);
    peer = -1;
}

static void peer_closes(void)
{
    close(peer);
    peer = -1;
}

static int say(const char *text)
{
    uv_buf_t b = { .base = (char *)(uintptr_t)text, .len = strlen(text) };

    return tcp_write(&tcp, &b, 1);
}

static void test_bytes_then_fin(void **state)
{
    (void)state;
    peer_says("NOOP\r\n");
    peer_closes();
    tcp_read(&tcp);
    spin_until(&ends, 1);
    assert_int_equal(how, END_FIN);
    assert_int_equal(got_len, 6);
    assert_memory_equal(got, "NOOP\r\n", 6);
    assert_int_equal(tcp.received, 6);
    assert_true(tcp.facts.valid);
}

/* The case libuv reports as a plain end of file. */
static void test_bytes_and_reset_in_one_wake_up(void **state)
{
    (void)state;
    peer_says("NOOP\r\n");
    peer_resets();
    tcp_read(&tcp);
    spin_until(&ends, 1);
    assert_int_equal(how, END_RESET);
}

static void test_reset_alone(void **state)
{
    (void)state;
    peer_resets();
    tcp_read(&tcp);
    spin_until(&ends, 1);
    assert_int_equal(how, END_RESET);
}

/* The write eats the socket's error: only its state still tells. */
static void test_reset_behind_a_failed_write(void **state)
{
    (void)state;
    peer_resets();
    assert_true(say("250 ok\r\n") < 0);
    tcp_read(&tcp);
    spin_until(&ends, 1);
    assert_int_equal(how, END_RESET);
}

static void test_fin_after_our_fin_is_no_reset(void **state)
{
    char byte;

    (void)state;
    assert_true(tcp_shutdown(&tcp));
    assert_true(tcp_shutdown(&tcp)); /* once is enough */
    spin_until(&flushes, 1);
    assert_true(tcp.fin_sent);
    assert_int_equal(recv(peer, &byte, 1, 0), 0);
    peer_closes();
    tcp_read(&tcp);
    spin_until(&ends, 1);
    assert_int_equal(how, END_FIN);
}

static void test_reset_after_our_fin(void **state)
{
    char byte;

    (void)state;
    assert_true(tcp_shutdown(&tcp));
    spin_until(&flushes, 1);
    assert_int_equal(recv(peer, &byte, 1, 0), 0);
    peer_says("late");
    peer_resets();
    tcp_read(&tcp);
    spin_until(&ends, 1);
    assert_int_equal(how, END_RESET);
}

static void test_close_reset_reaches_the_peer(void **state)
{
    char byte;

    (void)state;
    tcp_close_reset(&tcp);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(recv(peer, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
}

static void test_holds_are_reasons(void **state)
{
    (void)state;
    tcp_hold(&tcp, 1);
    tcp_read(&tcp);
    tcp_hold(&tcp, 2);
    assert_false(tcp.reading);
    tcp_release(&tcp, 1);
    assert_false(tcp.reading);
    tcp_release(&tcp, 2);
    assert_true(tcp.reading);
    tcp_hold(&tcp, 4);
    peer_says("x");
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(got_len, 0);
    tcp_release(&tcp, 4);
    while (got_len == 0)
        uv_run(&loop, UV_RUN_ONCE);
}

/* More than the kernel takes: queued, in order, with high and low water. */
static void test_queue(void **state)
{
    enum { PIECE = 100000 };
    static char piece[PIECE], in[65536];
    uint64_t total = 0, read_total = 0;
    unsigned char expected = 0;

    (void)state;
    while (!tcp.full) {
        for (size_t i = 0; i < PIECE; i++)
            piece[i] = (char)((total + i) % 251);
        uv_buf_t b[2] = { { .base = piece, .len = 7 },
                          { .base = piece + 7, .len = PIECE - 7 } };
        assert_int_equal(tcp_write(&tcp, b, 2), 0);
        memset(piece, 0, sizeof piece); /* what was not taken was copied */
        total += PIECE;
    }
    assert_true(tcp.queue_memory >= TCP_HIGH_WATER);
    assert_true(tcp_queued(&tcp) < TCP_HIGH_WATER + PIECE);
    assert_int_equal(tcp_delivered(&tcp) + tcp_queued(&tcp), total);
    assert_true(tcp_shutdown(&tcp));
    while (read_total < total) {
        uv_run(&loop, UV_RUN_NOWAIT);
        ssize_t n = recv(peer, in, sizeof in, MSG_DONTWAIT);
        for (ssize_t i = 0; i < n; i++, expected = (unsigned char)((expected + 1) % 251))
            assert_int_equal((unsigned char)in[i], expected);
        read_total += n > 0 ? (uint64_t)n : 0;
    }
    spin_until(&flushes, 1);
    assert_int_equal(rooms, 1);
    assert_int_equal(tcp.queue_memory, 0);
    assert_int_equal(recv(peer, in, sizeof in, 0), 0);
}

/* An octet that is queued alone takes far more memory than one octet. */
static void test_small_writes_count(void **state)
{
    static char piece[65536];
    size_t octets = 0;

    (void)state;
    while (tcp_queued(&tcp) == 0) {
        uv_buf_t b = { .base = piece, .len = sizeof piece };
        assert_int_equal(tcp_write(&tcp, &b, 1), 0);
    }
    for (; !tcp.full; octets++) {
        uv_buf_t b = { .base = piece, .len = 1 };
        assert_int_equal(tcp_write(&tcp, &b, 1), 0);
    }
    assert_in_range(octets, 1, TCP_HIGH_WATER / sizeof(uv_write_t));
    tcp_close(&tcp);
    spin_until(&closes, 1);
    assert_int_equal(tcp.queue_memory, 0);
}

/* One event brings no more than is asked for; the rest follows. */
static void test_reads_are_bounded(void **state)
{
    (void)state;
    tcp.read_most = 3;
    tcp_read(&tcp);
    peer_says("12345678");
    while (got_len == 0)
        uv_run(&loop, UV_RUN_ONCE);
    tcp.read_most = 1;
    while (got_len < 8)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(got_len, 8);
    assert_memory_equal(got, "12345678", 3);
}

/* A queue that never was full has no room to announce. */
static void test_small_queue(void **state)
{
    static char piece[TCP_LOW_WATER];
    char in[65536];

    (void)state;
    while (tcp_queued(&tcp) == 0) {
        uv_buf_t b = { .base = piece, .len = sizeof piece };
        assert_int_equal(tcp_write(&tcp, &b, 1), 0);
    }
    assert_false(tcp.full);
    while (flushes == 0) {
        uv_run(&loop, UV_RUN_NOWAIT);
        (void)!recv(peer, in, sizeof in, MSG_DONTWAIT);
    }
    assert_int_equal(rooms, 0);
}

static void test_close_drops_the_queue(void **state)
{
    static char piece[65536];

    (void)state;
    while (tcp_queued(&tcp) == 0) {
        uv_buf_t b = { .base = piece, .len = sizeof piece };
        assert_int_equal(tcp_write(&tcp, &b, 1), 0);
    }
    tcp_close(&tcp);
    spin_until(&closes, 1);
    assert_int_equal(failures + flushes, 0); /* nothing is told of what we gave up ourselves */
}

/* No room: the connection waits and is offered again. */
static void test_listener_waits_for_room(void **state)
{
    (void)state;
    tcp_close(&tcp);
    spin_until(&closes, 1);
    closes = 0;
    accepted = false;
    refuse = true;
    close(peer);
    peer = dial();
    peer_says("x");
    while (!uv_is_active((uv_handle_t *)&listener.retry))
        uv_run(&loop, UV_RUN_ONCE);
    refuse = false;
    while (!accepted)
        uv_run(&loop, UV_RUN_ONCE);
    tcp_read(&tcp);
    while (got_len == 0)
        uv_run(&loop, UV_RUN_ONCE);
}

static void test_port_in_use(void **state)
{
    struct addr bound;
    char error[256], text[ADDR_TEXT_MAX];

    (void)state;
    (void)addr_text(&listener.bound, text);
    assert_int_equal(
        listener_bind(&listener.bound, LISTENER_SHARED, &bound, error, sizeof error), -1);
    assert_non_null(strstr(error, text));
    struct addr elsewhere = { .ip = { 192, 0, 2, 1 }, .port = 1, .family = AF_INET };
    assert_int_equal(listener_bind(&elsewhere, 0, &bound, error, sizeof error), -1);
    assert_non_null(strstr(error, "192.0.2.1:1"));
}

static void test_shared_port(void **state)
{
    const struct addr any = { .ip = { 127, 0, 0, 1 }, .family = AF_INET };
    struct addr bound;
    char error[256];

    (void)state;
    int first = listener_bind(&any, LISTENER_SHARED, &bound, error, sizeof error);
    int second = listener_bind_again(&bound, LISTENER_SHARED, error, sizeof error);
    assert_true(first >= 0 && second >= 0);
    close(first);
    close(second);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_bytes_then_fin),
        TEST(test_bytes_and_reset_in_one_wake_up),
        TEST(test_reset_alone),
        TEST(test_reset_behind_a_failed_write),
        TEST(test_fin_after_our_fin_is_no_reset),
        TEST(test_reset_after_our_fin),
        TEST(test_close_reset_reaches_the_peer),
        TEST(test_holds_are_reasons),
        TEST(test_queue),
        TEST(test_small_queue),
        TEST(test_small_writes_count),
        TEST(test_reads_are_bounded),
        TEST(test_close_drops_the_queue),
        TEST(test_listener_waits_for_room),
        TEST(test_port_in_use),
        TEST(test_shared_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
