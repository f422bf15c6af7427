/* Both ends of a connection on one loop, encrypted or not, joined by a pair of sockets. */
#include "transport/conn.h"
#include "unit/transport/certificates.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { BIG = 3 * 1024 * 1024 + 17 };

struct end {
    struct conn conn;
    unsigned char *got;
    size_t len, events;
    unsigned handshakes, ends, rooms, closes, failures;
    enum close_kind how;
    bool close_in_handshake, close_in_bytes;
};

static uv_loop_t loop;
static struct conn_loop shared;
static struct end client, server;
static struct tls_context *server_context, *client_context;

static struct end *end_of(struct conn *c)
{
    return c == &client.conn ? &client : &server;
}

static void on_bytes(struct conn *c, struct span bytes)
{
    struct end *e = end_of(c);

    e->got = realloc(e->got, e->len + bytes.len);
    assert_non_null(e->got);
    memcpy(e->got + e->len, bytes.ptr, bytes.len);
    e->len += bytes.len;
    e->events++;
    if (e->close_in_bytes)
        conn_close(c);
}

static void on_end(struct conn *c, enum close_kind how)
{
    end_of(c)->ends++;
    end_of(c)->how = how;
}

static void on_handshake(struct conn *c)
{
    end_of(c)->handshakes++;
    if (end_of(c)->close_in_handshake)
        conn_close(c);
}

static void on_room(struct conn *c)
{
    end_of(c)->rooms++;
}

static void on_flushed(struct conn *c)
{
    (void)c;
}

static void on_failed(struct conn *c, int error)
{
    (void)error;
    end_of(c)->failures++;
}

static void on_closed(struct conn *c)
{
    assert_null(c->tls);
    end_of(c)->closes++;
}

static const struct conn_events events = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_handshake = on_handshake,
    .on_room = on_room,
    .on_flushed = on_flushed,
    .on_failed = on_failed,
    .on_closed = on_closed,
};

static void adopt(struct end *e, int fd)
{
    conn_init(&e->conn, &loop, NULL);
    assert_int_equal(uv_tcp_open(&e->conn.tcp.uv, fd), 0);
    e->conn.tcp.open = true;
}

/* A connected pair over loopback: TCP, because its ends are told apart by TCP_INFO. */
static void pair(int fd[2])
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof sa;
    int l = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(l, (struct sockaddr *)&sa, len), 0);
    assert_int_equal(listen(l, 1), 0);
    assert_int_equal(getsockname(l, (struct sockaddr *)&sa, &len), 0);
    fd[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd[0], (struct sockaddr *)&sa, len), 0);
    fd[1] = accept(l, NULL, NULL);
    assert_true(fd[1] >= 0);
    close(l);
}

static int setup(void **state)
{
    int fd[2];

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    client = server = (struct end){ .len = 0 };
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_true(conn_loop_init(&shared, &loop, &events, TCP_READ_SIZE));
    pair(fd);
    adopt(&client, fd[0]);
    adopt(&server, fd[1]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    conn_close(&client.conn);
    conn_close(&server.conn);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(client.closes + server.closes, 2);
    assert_int_equal(uv_loop_close(&loop), 0);
    conn_loop_deinit(&shared);
    free(client.got);
    free(server.got);
    return 0;
}

static int make_contexts(void **state)
{
    struct tls_server_config s = { .pairs = certificate_files(CERTIFICATE_GOOD),
                                   .pair_count = 1 };
    struct tls_client_config c = { .verify = TLS_VERIFY_CA, .ca = certificate_ca() };
    struct tls_config_error error;

    (void)state;
    server_context = tls_context_server(&s, &error);
    client_context = tls_context_client(&c, &error);
    assert_non_null(server_context);
    assert_non_null(client_context);
    return 0;
}

static int free_contexts(void **state)
{
    (void)state;
    tls_context_unref(&server_context);
    tls_context_unref(&client_context);
    return 0;
}

static void read_both(void)
{
    tcp_read(&client.conn.tcp);
    tcp_read(&server.conn.tcp);
}

static void encrypt(const char *name)
{
    read_both();
    assert_int_equal(conn_start_tls(&server.conn, server_context, NULL), 0);
    assert_int_equal(conn_start_tls(&client.conn, client_context, name), 0);
    while (client.handshakes == 0 || server.handshakes == 0)
        uv_run(&loop, UV_RUN_ONCE);
}

static int say(struct end *e, const char *text)
{
    uv_buf_t buf = uv_buf_init((char *)text, (unsigned)strlen(text));

    return conn_write(&e->conn, &buf, 1);
}

static void expect_text(struct end *e, const char *text)
{
    while (e->len < strlen(text) && e->ends == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(e->len, strlen(text));
    assert_memory_equal(e->got, text, e->len);
}

static void in_the_clear(void **state)
{
    (void)state;
    read_both();
    assert_int_equal(say(&client, "EHLO x\r\n"), 0);
    expect_text(&server, "EHLO x\r\n");
    assert_true(conn_shutdown(&client.conn));
    while (server.ends == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(server.how, END_FIN);
    assert_false(server.conn.truncated);
}

static void plaintext_in_and_out(void **state)
{
    (void)state;
    encrypt("mx.test");
    assert_true(client.conn.secure && server.conn.secure);
    assert_int_equal(say(&server, "220 mx.test\r\n"), 0);
    expect_text(&client, "220 mx.test\r\n");
    assert_int_equal(say(&client, "QUIT\r\n"), 0);
    expect_text(&server, "QUIT\r\n");
}

/* What is written before the handshake leaves in the clear, what comes after does not. */
static void clear_then_encrypted(void **state)
{
    (void)state;
    assert_int_equal(say(&server, "220 go\r\n"), 0);
    tcp_read(&client.conn.tcp);
    expect_text(&client, "220 go\r\n");
    encrypt("mx.test");
    assert_int_equal(say(&client, "EHLO x\r\n"), 0);
    expect_text(&server, "EHLO x\r\n");
}

/* Pieces small and large, and more than buffers hold: in order, complete, the reader slower. */
static void a_lot_both_ways(void **state)
{
    unsigned char *data = malloc(BIG);
    static const size_t sizes[] = { 1, 7, 4095, 4096, 16383, 16384, 16385, 250000 };

    (void)state;
    assert_non_null(data);
    for (size_t i = 0; i < BIG; i++)
        data[i] = (unsigned char)(i * 7 + i / 251);
    encrypt("mx.test");
    tcp_hold(&server.conn.tcp, 1);
    for (size_t at = 0, n = 0; at < BIG;) {
        uv_buf_t bufs[4];
        unsigned count = 0;
        for (; count < 4 && at < BIG; count++) {
            size_t len = sizes[n++ % ARRAY_LEN(sizes)];
            if (len > BIG - at)
                len = BIG - at;
            bufs[count] = uv_buf_init((char *)data + at, (unsigned)len);
            at += len;
        }
        assert_int_equal(conn_write(&client.conn, bufs, count), 0);
        if (at > BIG / 2)
            tcp_release(&server.conn.tcp, 1);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    while (server.len < BIG)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(server.len, BIG);
    assert_memory_equal(server.got, data, BIG);
    assert_int_equal(say(&server, "250 ok\r\n"), 0);
    expect_text(&client, "250 ok\r\n");
    free(data);
}

static void goodbye_is_an_end(void **state)
{
    (void)state;
    encrypt("mx.test");
    assert_true(conn_shutdown(&client.conn));
    while (server.ends == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(server.how, END_FIN);
    assert_false(server.conn.truncated);
    assert_int_equal(say(&server, "421 bye\r\n"), 0); /* the other direction is open */
    expect_text(&client, "421 bye\r\n");
    for (unsigned i = 0; i < 20; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(server.ends, 1); /* its FIN behind that is no second end */
}

static void end_without_goodbye_is_truncation(void **state)
{
    (void)state;
    encrypt("mx.test");
    assert_true(tcp_shutdown(&client.conn.tcp));
    while (server.ends == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(server.how, END_FIN);
    assert_true(server.conn.truncated);
}

static void close_says_goodbye(void **state)
{
    (void)state;
    encrypt("mx.test");
    assert_int_equal(say(&server, "221 bye\r\n"), 0);
    expect_text(&client, "221 bye\r\n"); /* the ticket before it is read, too: no reset */
    conn_close(&client.conn);
    while (server.ends == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(server.how, END_FIN);
    assert_false(server.conn.truncated);
}

static void wrong_name_fails_on_both_sides(void **state)
{
    struct tls_facts facts;

    (void)state;
    encrypt("mail.example.org");
    assert_true(client.conn.tls_failed && !client.conn.secure);
    conn_tls_facts(&client.conn, &facts);
    assert_int_equal(facts.failure, TLS_FAILURE_NAME);
    assert_false(server.conn.secure && !server.conn.tls_failed && server.ends == 0);
    assert_int_equal(client.ends, 0);
    conn_close(&client.conn);
    while (server.ends == 0)
        uv_run(&loop, UV_RUN_ONCE);
}

/* The other side as a plain socket: the first `n` octets of a hello, then an end. */
static void cut_after(const unsigned char *hello, size_t n, bool reset)
{
    struct tls_facts facts;
    struct linger now = { 1, 0 };
    int fd[2];

    pair(fd);
    server = (struct end){ .len = 0 };
    adopt(&server, fd[1]);
    tcp_read(&server.conn.tcp);
    assert_int_equal(conn_start_tls(&server.conn, server_context, NULL), 0);
    if (n > 0)
        assert_int_equal(send(fd[0], hello, n, 0), n);
    while (server.conn.tcp.received < n)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(server.handshakes, 0);
    if (reset)
        assert_int_equal(setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(fd[0]);
    while (server.ends == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(server.handshakes, 1);
    assert_true(server.conn.tls_failed);
    conn_tls_facts(&server.conn, &facts);
    assert_int_equal(facts.failure, reset ? TLS_FAILURE_RESET : TLS_FAILURE_EOF);
    conn_close(&server.conn);
    while (server.closes == 0)
        uv_run(&loop, UV_RUN_ONCE);
    server.closes = 0;
}

static void cut_in_the_hello(void **state)
{
    static char wire_octets[TLS_WIRE_MIN];
    struct tls_wire wire = { .bytes = wire_octets, .size = sizeof wire_octets };
    struct tls *t = tls_new(client_context, &wire, "mx.test");

    (void)state;
    assert_non_null(t);
    assert_int_equal(tls_handshake(t), TLS_MORE);
    assert_true(wire.len > 100);
    conn_close(&server.conn);
    while (server.closes == 0)
        uv_run(&loop, UV_RUN_ONCE);
    for (size_t n = 0; n < wire.len; n++)
        cut_after((unsigned char *)wire.bytes, n, n % 2 == 1);
    tls_free(&t);
    server.closes = 1;
}

static void timeout_is_told_from_inside(void **state)
{
    struct tls_facts facts;

    (void)state;
    read_both();
    assert_int_equal(conn_start_tls(&server.conn, server_context, NULL), 0);
    conn_handshake_timeout(&server.conn);
    assert_int_equal(server.handshakes, 1);
    conn_tls_facts(&server.conn, &facts);
    assert_int_equal(facts.failure, TLS_FAILURE_TIMEOUT);
}

/* Octets read before TLS was started, and plaintext behind the handshake in one go. */
static void fed_by_hand(void **state)
{
    unsigned char hello[TLS_RECORD_MAX];
    ssize_t n;
    int fd[2];

    (void)state;
    conn_close(&server.conn);
    while (server.closes == 0)
        uv_run(&loop, UV_RUN_ONCE);
    conn_close(&client.conn);
    while (client.closes == 0)
        uv_run(&loop, UV_RUN_ONCE);
    client = server = (struct end){ .len = 0 };
    pair(fd);
    adopt(&client, fd[0]);
    adopt(&server, fd[1]);
    assert_int_equal(conn_start_tls(&client.conn, client_context, "mx.test"), 0);
    n = recv(fd[1], hello, sizeof hello, 0);
    assert_true(n > 0);
    assert_int_equal(conn_start_tls(&server.conn, server_context, NULL), 0);
    conn_feed(&server.conn, span_of(hello, (size_t)n));
    read_both();
    while (client.handshakes == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(say(&client, "EHLO early\r\n"), 0); /* may arrive with Finished */
    expect_text(&server, "EHLO early\r\n");
    assert_int_equal(server.handshakes, 1);
}

static void closed_by_its_own_events(void **state)
{
    (void)state;
    server.close_in_bytes = true;
    encrypt("mx.test");
    assert_int_equal(say(&client, "one"), 0);
    while (server.closes == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(server.events, 1);
    assert_int_equal(server.ends, 0);
}

static void closed_in_the_handshake(void **state)
{
    (void)state;
    server.close_in_handshake = true;
    encrypt("mx.test");
    while (server.closes == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(server.events, 0);
}

static void garbage_after_the_handshake(void **state)
{
    uv_buf_t buf = uv_buf_init((char *)"250 plaintext\r\n", 15);

    (void)state;
    encrypt("mx.test");
    assert_int_equal(tcp_write(&server.conn.tcp, &buf, 1), 0);
    while (client.ends == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_true(client.conn.tls_failed);
    assert_int_equal(client.len, 0);
    assert_int_equal(say(&client, "x"), UV_EPIPE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(in_the_clear),
        TEST(plaintext_in_and_out),
        TEST(clear_then_encrypted),
        TEST(a_lot_both_ways),
        TEST(goodbye_is_an_end),
        TEST(end_without_goodbye_is_truncation),
        TEST(close_says_goodbye),
        TEST(wrong_name_fails_on_both_sides),
        TEST(cut_in_the_hello),
        TEST(timeout_is_told_from_inside),
        TEST(fed_by_hand),
        TEST(closed_by_its_own_events),
        TEST(closed_in_the_handshake),
        TEST(garbage_after_the_handshake),
    };

    return cmocka_run_group_tests(tests, make_contexts, free_contexts);
}
