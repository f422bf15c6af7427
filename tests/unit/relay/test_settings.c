#include "relay/settings.h"
#include "smtp/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static void test_upstream(void **state)
{
    static const struct {
        const char *in;
        const char *host; /* NULL: an address */
        const char *addr; /* NULL: a name */
        unsigned port;
    } cases[] = {
        { "192.0.2.1:2525", NULL, "192.0.2.1:2525", 2525 },
        { "192.0.2.1", NULL, "192.0.2.1:25", 25 },
        { "[2001:db8::1]:26", NULL, "[2001:db8::1]:26", 26 },
        { "[2001:db8::1]", NULL, "[2001:db8::1]:25", 25 },
        { "mx.example.org:587", "mx.example.org", NULL, 587 },
        { "mx.example.org", "mx.example.org", NULL, 25 },
        { "mx.example.org.", "mx.example.org.", NULL, 25 },
        { "localhost:65535", "localhost", NULL, 65535 },
        { "mail_1", "mail_1", NULL, 25 },
        { "mx1:25", "mx1", NULL, 25 },
        { "reflector", "reflector", NULL, 25 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct upstream u;
        const char *why = NULL;
        char text[ADDR_TEXT_MAX];

        if (!upstream_parse(&u, cases[i].in, &why))
            fail_msg("%s: %s", cases[i].in, why);
        assert_string_equal(u.text, cases[i].in);
        assert_int_equal(u.port, cases[i].port);
        assert_false(u.reflect);
        if (cases[i].host != NULL) {
            assert_string_equal(u.host, cases[i].host);
            assert_int_equal(u.addr.family, 0);
        } else {
            assert_null(u.host);
            addr_text(&u.addr, text);
            assert_string_equal(text, cases[i].addr);
        }
        free(u.text);
        free(u.host);
    }
}

static void test_upstream_reflect(void **state)
{
    struct upstream u;
    const char *why;

    (void)state;
    assert_true(upstream_parse(&u, "reflect", &why));
    assert_true(u.reflect);
    assert_string_equal(u.text, "reflect");
    assert_null(u.host);
    assert_int_equal(u.addr.family, 0);
    free(u.text);
}

static void test_bad_upstream(void **state)
{
    static const struct {
        const char *in, *why;
    } cases[] = {
        { "", "the host is missing" },
        { ":25", "the host is missing" },
        { "mx.example.org:", "the port is not a number from 1" },
        { "mx.example.org:0", "the port is not a number from 1" },
        { "mx.example.org:65536", "the port is not a number from 1" },
        { "mx.example.org:smtp", "the port is not a number from 1" },
        { "192.0.2.1:0", "the port is not a number from 1" },
        { "192.0.2.256", "not an IPv4 address" },
        { "192.0.2:25", "not an IPv4 address" },
        { "25", "not an IPv4 address" },
        { "2001:db8::1", "an IPv6 address stands in brackets" },
        { "[2001:db8::1", "the closing ] is missing" },
        { "[mx.example.org]:25", "not an IPv6 address" },
        { "mx..example.org", "not a host name" },
        { ".example.org", "not a host name" },
        { "mx example", "not a host name" },
        { "mx/24", "not a host name" },
        { "mx\n", "not a host name" },
        { "b\303\274ro", "not a host name" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.org",
          "not a host name" },
        { "1111111111111111111111111111111111111111111111111111111111111111111111111111",
          "not an address" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct upstream u = { .port = 7 };
        const char *why = "";

        if (upstream_parse(&u, cases[i].in, &why))
            fail_msg("accepted: %s", cases[i].in);
        if (strncmp(why, cases[i].why, strlen(cases[i].why)) != 0)
            fail_msg("%s: %s", cases[i].in, why);
        assert_int_equal(u.port, 7); /* untouched */
    }
}

static void test_upstream_original(void **state)
{
    struct upstream u;
    const char *why;

    (void)state;
    assert_true(upstream_parse(&u, "original", &why));
    assert_true(u.original);
    assert_false(u.reflect);
    assert_null(u.host);
    assert_int_equal(u.addr.family, 0);
    free(u.text);
}

static void test_network(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "192.0.2.0/24", "192.0.2.0/24" },
        { "192.0.2.1", "192.0.2.1/32" },
        { "192.0.2.1/32", "192.0.2.1/32" },
        { "192.0.2.128/25", "192.0.2.128/25" },
        { "0.0.0.0/0", "0.0.0.0/0" },
        { "10.0.0.0/008", "10.0.0.0/8" },
        { "2001:db8::/32", "2001:db8::/32" },
        { "2001:DB8::1", "2001:db8::1/128" },
        { "::/0", "::/0" },
        { "::ffff:10.0.0.0/104", "10.0.0.0/8" },
        { "::ffff:0:0/96", "0.0.0.0/0" },
        { "::ffff:192.0.2.1", "192.0.2.1/32" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[NETWORK_TEXT_MAX];
        struct network n;
        const char *why = NULL;

        if (!network_parse(&n, cases[i].in, &why))
            fail_msg("%s: %s", cases[i].in, why);
        assert_int_equal(network_text(&n, text), strlen(cases[i].out));
        assert_string_equal(text, cases[i].out);
    }
}

static void test_bad_network(void **state)
{
    static const struct {
        const char *in, *why;
    } cases[] = {
        { "", "not an IPv4 network" },
        { "/", "not an IPv4 network" },
        { "/24", "not an IPv4 network" },
        { "192.0.2", "not an IPv4 network" },
        { "192.0.2.256", "not an IPv4 network" },
        { "192.0.2.0 /24", "not an IPv4 network" },
        { "mx.example.org", "not an IPv4 network" },
        { "192.0.2.0:25", "not an IPv6 network" },
        { "[2001:db8::]/32", "not an IPv6 network" },
        { "2001:db8:::/32", "not an IPv6 network" },
        { "192.0.2.0/", "expected 0 to 32" },
        { "192.0.2.0/33", "expected 0 to 32" },
        { "192.0.2.0/-1", "expected 0 to 32" },
        { "192.0.2.0/24/", "expected 0 to 32" },
        { "192.0.2.0/255.255.255.0", "expected 0 to 32" },
        { "192.0.2.0/280", "expected 0 to 32" }, /* 24 in eight bits */
        { "::/129", "expected 0 to 128" },
        { "192.0.2.1/24", "the address has bits" },
        { "192.0.2.128/24", "the address has bits" },
        { "2001:db8::1/64", "the address has bits" },
        { "1111111111111111111111111111111111111111111111111111111111111111111111", "not a" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct network n = { .bits = 7 };
        const char *why = "";

        if (network_parse(&n, cases[i].in, &why))
            fail_msg("accepted: %s", cases[i].in);
        if (strncmp(why, cases[i].why, strlen(cases[i].why)) != 0)
            fail_msg("%s: %s", cases[i].in, why);
        assert_int_equal(n.bits, 7); /* untouched */
    }
}

static void test_trust(void **state)
{
    static const char *const networks[] = { "192.0.2.0/25", "198.51.100.7", "2001:db8::/47" };
    static const struct {
        const char *client;
        bool trusted;
    } cases[] = {
        { "192.0.2.0:1", true },       { "192.0.2.127:65535", true },
        { "192.0.2.128:1", false },    { "192.0.1.255:1", false },
        { "198.51.100.7:25", true },   { "198.51.100.6:25", false },
        { "[2001:db8::1]:1", true },   { "[2001:db8:1:ffff::1]:1", true },
        { "[2001:db8:2::]:1", false }, { "[::ffff:192.0.2.1]:1", true },
        { "[::192.0.2.1]:1", false },
    };
    struct relay_settings *s = settings_new();
    struct addr nobody = { 0 }, client;
    const char *why;

    (void)state;
    assert_true(addr_parse(&client, "192.0.2.1:1", &why));
    assert_false(networks_have(&s->trusted, &client)); /* nobody is, at first */
    s->trusted.list = calloc(ARRAY_LEN(networks), sizeof *s->trusted.list);
    assert_non_null(s->trusted.list);
    for (; s->trusted.count < ARRAY_LEN(networks); s->trusted.count++)
        assert_true(network_parse(&s->trusted.list[s->trusted.count],
                                  networks[s->trusted.count], &why));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(addr_parse(&client, cases[i].client, &why));
        if (networks_have(&s->trusted, &client) != cases[i].trusted)
            fail_msg("%s", cases[i].client);
    }
    assert_false(networks_have(&s->trusted, &nobody));
    assert_true(network_parse(&s->trusted.list[0], "0.0.0.0/0", &why));
    assert_true(
        networks_have(&s->trusted, &(struct addr){ .ip = { 8, 8, 8, 8 }, .family = AF_INET }));
    assert_false(networks_have(&s->trusted, &nobody));
    settings_unref(&s);
}

static void test_host_names(void **state)
{
    (void)state;
    assert_true(host_is_name(SPAN_LIT("mx.example.org")));
    assert_true(host_is_name(SPAN_LIT("3com.example")));
    assert_false(host_is_name(SPAN_LIT("192.0.2.1")));
    assert_false(host_is_name(SPAN_LIT("::1")));
    assert_false(host_is_name(SPAN_LIT("mx..example")));
    assert_false(host_is_name(SPAN_LIT("")));
}

/* Waits of RFC 5321 4.5.3.2: a proxy must not be the impatient one. */
static void test_defaults(void **state)
{
    struct relay_settings *s = settings_new();
    const struct timeouts *t = &s->timeouts;

    (void)state;
    assert_string_equal(s->name, "smtp");
    assert_false(s->observe);
    assert_int_equal(policy_get(&s->policy, RULE_DATA_BARE_LF), WORD_NORMALIZE);
    assert_true(t->greeting >= 300000 && t->command >= 300000 && t->reply >= 300000);
    assert_true(t->data_start >= 120000 && t->data_block >= 180000);
    assert_true(t->data_end >= 600000 && t->opaque >= t->data_end);
    assert_true(t->connect >= 100 && t->lookalike >= 100);
    assert_int_equal(t->tls, 60000);
    assert_int_equal(t->proxy, 10000);
    assert_int_equal(s->tls.upstream, UPSTREAM_TLS_MAY);
    assert_true(command_is_domain(span_str(s->helo_name)));
    assert_int_equal(s->upstream_count, 0);
    settings_unref(&s);
    assert_null(s);
}

static void test_references(void **state)
{
    struct relay_settings *s = settings_new(), *second = settings_ref(s);
    const char *why;

    (void)state;
    assert_ptr_equal(s, second);
    s->upstreams = calloc(1, sizeof *s->upstreams);
    assert_non_null(s->upstreams);
    assert_true(upstream_parse(&s->upstreams[0], "mx.example.org", &why));
    s->upstream_count = 1;
    settings_unref(&s);
    assert_null(s);
    assert_string_equal(second->upstreams[0].host, "mx.example.org"); /* still there */
    settings_unref(&second); /* a leak would fail this test under ASan */
    settings_unref(&second);
}

/* Where the host has a name that may stand in an EHLO, that is what EHLO says. */
static void test_helo_name(void **state)
{
    struct relay_settings *s = settings_new();
    char name[256] = "";

    (void)state;
    assert_int_equal(gethostname(name, sizeof name - 1), 0);
    assert_string_equal(s->helo_name, command_is_domain(span_str(name)) ? name : "localhost");
    settings_unref(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upstream),          cmocka_unit_test(test_helo_name),
        cmocka_unit_test(test_upstream_reflect),  cmocka_unit_test(test_bad_upstream),
        cmocka_unit_test(test_defaults),          cmocka_unit_test(test_references),
        cmocka_unit_test(test_upstream_original), cmocka_unit_test(test_network),
        cmocka_unit_test(test_bad_network),       cmocka_unit_test(test_trust),
        cmocka_unit_test(test_host_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
