/*
 * What needs no privileges: a connection nobody intercepted is known as such, and without
 * the right to it nothing is done in the name of others. Interception itself is tested in
 * network namespaces (tests/netns).
 */
#include "transport/origin.h"

#include "transport/listener.h"
#include "unit/check.h"

static uv_loop_t loop;
static struct tcp_loop shared;
static struct tcp inside, outside;
static struct listener listener;
static uv_connect_t req;
static bool accepted;
static int connected;
static unsigned closed;

static void on_closed(struct tcp *t)
{
    (void)t;
    closed++;
}

static const struct tcp_events events = { .on_closed = on_closed };

static bool on_connection(struct listener *l)
{
    assert_int_equal(listener_accept(l, &inside), 0);
    accepted = true;
    return true;
}

static void on_connected(uv_connect_t *r, int error)
{
    (void)r;
    connected = error;
}

static struct addr parsed(const char *text)
{
    struct addr a;
    const char *why;

    assert_true(addr_parse(&a, text, &why));
    return a;
}

/* A connection from outside to inside, to address `to` of a listener bound to `bind`. */
static bool connect_to(const char *bind, const char *to)
{
    struct addr a = parsed(bind), target = parsed(to), bound;
    char error[256];

    accepted = false;
    closed = 0;
    connected = 1;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_true(tcp_loop_init(&shared, &loop, &events, 4096));
    tcp_init(&inside, &loop, NULL);
    tcp_init(&outside, &loop, NULL);
    int fd = listener_bind(&a, 0, &bound, error, sizeof error);
    if (fd < 0)
        return false;
    listener = (struct listener){ .on_connection = on_connection };
    assert_int_equal(listener_open(&listener, &loop, fd), 0);
    target.port = bound.port;
    assert_int_equal(tcp_connect(&outside, &req, &target, on_connected), 0);
    while (!accepted || connected == 1)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(connected, 0);
    return true;
}

static void disconnect(void)
{
    if (accepted)
        listener_close(&listener);
    tcp_close(&inside);
    tcp_close(&outside);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 2);
    assert_int_equal(uv_loop_close(&loop), 0);
    tcp_loop_deinit(&shared);
}

static const struct {
    const char *bind, *to;
} ways[] = {
    { "127.0.0.1:0", "127.0.0.1:0" }, { "0.0.0.0:0", "127.0.0.1:0" },
    { "0.0.0.0:0", "127.77.0.1:0" }, /* this machine's too, though no interface says so */
    { "[::1]:0", "[::1]:0" },         { "[::]:0", "[::1]:0" },
};

static void test_direct_is_known(void **state)
{
    unsigned tried = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct addr found, local;

        if (connect_to(ways[i].bind, ways[i].to)) {
            tried++;
            assert_true(tcp_local(&inside, &local));
            if (origin_find(&inside, INTERCEPT_TPROXY, &listener.bound, &found) !=
                ORIGIN_DIRECT)
                fail_msg("%s to %s: not known as direct", ways[i].to, ways[i].bind);
            assert_true(addr_equal(&found, &local));
            /* where connections are tracked it is found, and is the listener itself */
            assert_int_not_equal(
                origin_find(&inside, INTERCEPT_REDIRECT, &listener.bound, &found),
                ORIGIN_FOUND);
        }
        disconnect();
    }
    assert_true(tried >= 3);
}

/* Another port of this machine: somebody else's listener, to be relayed to. */
static void test_another_port_is_no_loop(void **state)
{
    struct addr found, bound;

    (void)state;
    assert_true(connect_to("0.0.0.0:0", "127.0.0.1:0"));
    bound = listener.bound;
    bound.port ^= 1;
    assert_int_equal(origin_find(&inside, INTERCEPT_TPROXY, &bound, &found), ORIGIN_FOUND);
    assert_int_equal(found.port, listener.bound.port);
    /* bound to one address only, another one is not the listener */
    bound = parsed("127.0.0.2:0");
    bound.port = listener.bound.port;
    assert_int_equal(origin_find(&inside, INTERCEPT_TPROXY, &bound, &found), ORIGIN_FOUND);
    assert_int_equal(origin_find(&inside, INTERCEPT_TPROXY, NULL, &found), ORIGIN_FOUND);
    disconnect();
}

static void test_not_connected(void **state)
{
    struct addr found = { .family = 99 };

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_true(tcp_loop_init(&shared, &loop, &events, 4096));
    closed = 0;
    accepted = false;
    tcp_init(&inside, &loop, NULL);
    tcp_init(&outside, &loop, NULL);
    assert_int_equal(origin_find(&inside, INTERCEPT_TPROXY, NULL, &found), ORIGIN_LOST);
    assert_int_equal(found.family, 0);
    assert_int_equal(origin_find(&inside, INTERCEPT_REDIRECT, NULL, &found), ORIGIN_LOST);
    disconnect();
}

static void test_families_differ(void **state)
{
    struct addr source = parsed("192.0.2.1:0"), to = parsed("[::1]:25");

    (void)state;
    assert_true(connect_to("127.0.0.1:0", "127.0.0.1:0"));
    assert_int_equal(origin_connect(&outside, &req, &source, &to, on_connected),
                     UV_EAFNOSUPPORT);
    disconnect();
}

/* With the right to it: as another address of this machine, the port kept unless it is taken.
 */
static void test_speak_as(void **state)
{
    struct addr source = parsed("127.9.8.7:0"), to = parsed("127.0.0.1:0"), peer;

    (void)state;
    assert_true(connect_to("0.0.0.0:0", "127.0.0.1:0"));
    to.port = listener.bound.port;
    for (unsigned round = 0; round < 2; round++) {
        struct tcp again;

        tcp_close(&inside);
        while (closed == 0)
            uv_run(&loop, UV_RUN_ONCE);
        closed = 0;
        tcp_init(&inside, &loop, NULL);
        tcp_init(&again, &loop, NULL);
        accepted = false;
        connected = 1;
        source.port = round == 0 ? 0 : listener.bound.port; /* taken, by the listener */
        int error = origin_connect(&again, &req, &source, &to, on_connected);
        if (!origin_allowed()) {
            assert_int_equal(error, UV_EPERM);
            accepted = true; /* so that the listener is closed */
        } else {
            assert_int_equal(error, 0);
            while (!accepted || connected == 1)
                uv_run(&loop, UV_RUN_ONCE);
            assert_true(tcp_peer(&inside, &peer));
            assert_true(addr_equal_ip(&peer, &source));
            assert_int_not_equal(peer.port, listener.bound.port);
        }
        tcp_close(&again);
        while (closed == 0)
            uv_run(&loop, UV_RUN_ONCE);
        closed = 0;
    }
    disconnect();
}

static void test_transparent_listener(void **state)
{
    struct addr other = parsed("192.0.2.99:0"), bound;
    char error[256] = "";

    (void)state;
    int fd = listener_bind(&other, LISTENER_TRANSPARENT, &bound, error, sizeof error);
    if (origin_allowed()) {
        assert_true(fd >= 0);
        assert_true(addr_equal_ip(&bound, &other));
        close(fd);
    } else {
        assert_int_equal(fd, -1);
        assert_non_null(strstr(error, "192.0.2.99"));
        assert_non_null(strstr(error, "transparent sockets need root, CAP_NET_RAW"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_direct_is_known), cmocka_unit_test(test_another_port_is_no_loop),
        cmocka_unit_test(test_not_connected),   cmocka_unit_test(test_families_differ),
        cmocka_unit_test(test_speak_as),        cmocka_unit_test(test_transparent_listener),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
