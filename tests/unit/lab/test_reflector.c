/* The reflector over real sockets on loopback: sessions, pieces, delays, ends. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab/reflector.h"

#define PATIENCE_MS 20000
#define GREETING    "220 mx.test ESMTP smtpscope reflector\r\n"

struct fixture {
    struct script *script;
    struct reflector *reflector;
    struct addr at;
};

static void start(struct fixture *f, const char *script)
{
    struct reflector_config c = { .hostname = "mx.test" };
    char error[256] = "";
    const char *why;

    *f = (struct fixture){ .script = script_parse(span_str(script), "s", error, sizeof error) };
    if (f->script == NULL)
        fail_msg("%s", error);
    c.script = f->script;
    assert_true(addr_parse(&c.listen, "127.0.0.1:0", &why));
    f->reflector = reflector_start(&c, &f->at, error, sizeof error);
    if (f->reflector == NULL)
        fail_msg("%s", error);
    assert_int_not_equal(f->at.port, 0);
}

static void stop(struct fixture *f)
{
    reflector_stop(&f->reflector);
    assert_null(f->reflector);
    script_free(&f->script);
}

static int dial(const struct fixture *f)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(&f->at, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Octets read, 0 at the end, -1 when reset. */
static ssize_t read_some(int fd, char *to, size_t size)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    return read(fd, to, size);
}

static void hear(int fd, const char *want)
{
    char got[4096];
    size_t len = 0, need = strlen(want);

    assert_true(need < sizeof got);
    while (len < need) {
        ssize_t n = read_some(fd, got + len, need - len);
        assert_true(n > 0);
        len += (size_t)n;
    }
    assert_memory_equal(got, want, need);
}

static void hear_end(int fd, ssize_t how)
{
    char octet;

    assert_int_equal(read_some(fd, &octet, 1), how);
    close(fd);
}

static void sessions_are_served_side_by_side(void **state)
{
    struct fixture f;
    int fds[20];

    (void)state;
    start(&f, "");
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = dial(&f);
    for (size_t i = ARRAY_LEN(fds); i-- > 0;) {
        hear(fds[i], GREETING);
        say(fds[i], "NOOP\r\nQUIT\r\nNOOP\r\n");
    }
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        hear(fds[i], "250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n");
        hear_end(fds[i], 0);
    }
    stop(&f);
}

static void pieces_and_delays_change_no_octet(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "pieces 1 every 1ms\non NOOP 1 delay 10ms\n");
    int fd = dial(&f);
    hear(fd, GREETING);
    say(fd, "NOOP\r\nRSET\r\n");
    hear(fd, "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n");
    say(fd, "QUIT\r\n");
    hear(fd, "221 2.0.0 Bye\r\n");
    hear_end(fd, 0);
    stop(&f);
}

static void end_of_the_client_ends_the_session(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "on NOOP delay 10ms\n");
    int fd = dial(&f);
    hear(fd, GREETING);
    say(fd, "NOOP\r\nNOOP\r\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    hear(fd, "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n");
    hear_end(fd, 0);
    stop(&f);
}

static void scripts_close_and_reset(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "on NOOP 1 reply \"250 half\" close\non RSET reset\n");
    int fd = dial(&f);
    hear(fd, GREETING);
    say(fd, "NOOP\r\nNOOP\r\n");
    hear(fd, "250 half");
    hear_end(fd, 0);
    fd = dial(&f);
    hear(fd, GREETING);
    say(fd, "RSET\r\n");
    hear_end(fd, -1);
    stop(&f);
}

/* Replies of far more octets than the kernel holds; the client reads only afterwards. */
static void slow_readers_are_not_read(void **state)
{
    enum { COMMANDS = 200, REPLY = 60000 };
    static char got[65536];
    struct fixture f;
    size_t total = 0;

    (void)state;
    start(&f, "on NOOP reply \"x\"*60000\n");
    int fd = dial(&f);
    hear(fd, GREETING);
    for (unsigned i = 0; i < COMMANDS; i++)
        say(fd, "NOOP\r\n");
    say(fd, "QUIT\r\n");
    for (;;) {
        ssize_t n = read_some(fd, got, sizeof got);
        assert_true(n >= 0);
        if (n == 0)
            break;
        total += (size_t)n;
    }
    assert_int_equal(total, (size_t)COMMANDS * REPLY + strlen("221 2.0.0 Bye\r\n"));
    close(fd);
    stop(&f);
}

static void stopping_closes_what_is_open(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "on NOOP delay 1m\non RSET silence\n");
    int waiting = dial(&f), silent = dial(&f), idle = dial(&f);
    hear(waiting, GREETING);
    hear(silent, GREETING);
    hear(idle, GREETING);
    say(waiting, "NOOP\r\nNOOP\r\n");
    say(silent, "RSET\r\nNOOP\r\n");
    stop(&f);
    close(waiting);
    close(silent);
    hear_end(idle, 0);
}

static void addresses_in_use_are_reported(void **state)
{
    struct fixture f;
    char error[256] = "";
    struct addr bound;

    (void)state;
    start(&f, "");
    struct reflector_config c = { .listen = f.at };
    assert_null(reflector_start(&c, &bound, error, sizeof error));
    assert_non_null(strstr(error, "address already in use"));
    stop(&f);
}

static void names_are_checked(void **state)
{
    struct reflector_config c = { .hostname = "a b" };
    char error[256] = "";
    struct addr bound;
    const char *why;

    (void)state;
    assert_true(addr_parse(&c.listen, "127.0.0.1:0", &why));
    assert_null(reflector_start(&c, &bound, error, sizeof error));
    assert_non_null(strstr(error, "host name"));
}

static void say_stop(const struct addr *bound)
{
    assert_int_not_equal(bound->port, 0);
    raise(SIGTERM);
}

static void signals_end_the_command(void **state)
{
    struct reflector_config c = { .hostname = "mx.test" };
    char error[256] = "";
    const char *why;

    (void)state;
    assert_true(addr_parse(&c.listen, "127.0.0.1:0", &why));
    assert_true(reflector_run(&c, say_stop, error, sizeof error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_are_served_side_by_side),
        cmocka_unit_test(pieces_and_delays_change_no_octet),
        cmocka_unit_test(end_of_the_client_ends_the_session),
        cmocka_unit_test(scripts_close_and_reset),
        cmocka_unit_test(slow_readers_are_not_read),
        cmocka_unit_test(stopping_closes_what_is_open),
        cmocka_unit_test(addresses_in_use_are_reported),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(signals_end_the_command),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
