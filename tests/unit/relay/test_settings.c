#include "relay/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upstream),     cmocka_unit_test(test_upstream_reflect),
        cmocka_unit_test(test_bad_upstream), cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_references),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
