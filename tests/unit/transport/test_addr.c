#include "transport/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static struct addr parsed(const char *text)
{
    struct addr a;
    const char *why = NULL;

    if (!addr_parse(&a, text, &why))
        fail_msg("%s: %s", text, why);
    return a;
}

static void test_text_round_trip(void **state)
{
    static const struct {
        const char *in, *out, *ip;
        int family;
        unsigned port;
    } cases[] = {
        { "192.0.2.1:25", "192.0.2.1:25", "192.0.2.1", AF_INET, 25 },
        { "0.0.0.0:0", "0.0.0.0:0", "0.0.0.0", AF_INET, 0 },
        { "255.255.255.255:65535", "255.255.255.255:65535", "255.255.255.255", AF_INET, 65535 },
        { "[2001:db8::1]:25", "[2001:db8::1]:25", "2001:db8::1", AF_INET6, 25 },
        { "[2001:DB8:0:0:0:0:0:1]:025", "[2001:db8::1]:25", "2001:db8::1", AF_INET6, 25 },
        { "[::]:25", "[::]:25", "::", AF_INET6, 25 },
        { "[::ffff:192.0.2.1]:25", "192.0.2.1:25", "192.0.2.1", AF_INET, 25 },
        { "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
          "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AF_INET6, 65535 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addr a = parsed(cases[i].in), again;
        struct sockaddr_storage ss;
        char text[ADDR_TEXT_MAX];

        assert_int_equal(a.family, cases[i].family);
        assert_int_equal(a.port, cases[i].port);
        assert_int_equal(addr_text(&a, text), strlen(cases[i].out));
        assert_string_equal(text, cases[i].out);
        assert_int_equal(addr_ip_text(&a, text), strlen(cases[i].ip));
        assert_string_equal(text, cases[i].ip);
        assert_int_equal(addr_to_sockaddr(&a, &ss), cases[i].family == AF_INET
                                                        ? sizeof(struct sockaddr_in)
                                                        : sizeof(struct sockaddr_in6));
        addr_from_sockaddr(&again, (struct sockaddr *)&ss);
        assert_true(addr_equal(&a, &again));
    }
}

static void test_bad_text(void **state)
{
    static const struct {
        const char *in, *why;
    } cases[] = {
        { "", "the address is missing" },
        { ":25", "the address is missing" },
        { "[]:25", "the address is missing" },
        { "192.0.2.1", "the port is missing" },
        { "192.0.2.1:", "the port is not a number" },
        { "192.0.2.1:65536", "the port is not a number" },
        { "192.0.2.1:99999999999", "the port is not a number" },
        { "192.0.2.1:-1", "the port is not a number" },
        { "192.0.2.1:25 ", "the port is not a number" },
        { "192.0.2.1:smtp", "the port is not a number" },
        { "192.0.2.256:25", "not an IPv4 address" },
        { "192.0.2:25", "not an IPv4 address" },
        { " 192.0.2.1:25", "not an IPv4 address" },
        { "mx.example.org:25", "not an IPv4 address" },
        { "::1:25", "an IPv6 address stands in brackets" },
        { "2001:db8::1", "an IPv6 address stands in brackets" },
        { "[2001:db8::1]", "the port is missing" },
        { "[2001:db8::1", "the closing ] is missing" },
        { "[2001:db8::1]25", "a port belongs after the ]" },
        { "[192.0.2.1]:25", "not an IPv6 address" },
        { "[fe80::1%eth0]:25", "an address with a zone" },
        { "[1111111111111111111111111111111111111111111111]:25", "not an IPv6 address" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addr a = { .family = 99 };
        const char *why = "";

        if (addr_parse(&a, cases[i].in, &why))
            fail_msg("accepted: %s", cases[i].in);
        if (strncmp(why, cases[i].why, strlen(cases[i].why)) != 0)
            fail_msg("%s: %s", cases[i].in, why);
        assert_int_equal(a.family, 99); /* untouched */
    }
}

static void test_none(void **state)
{
    struct sockaddr unix_socket = { .sa_family = AF_UNIX };
    struct sockaddr_storage ss;
    struct addr a = parsed("192.0.2.1:25");
    char text[ADDR_TEXT_MAX] = "x";

    (void)state;
    addr_from_sockaddr(&a, &unix_socket);
    assert_int_equal(a.family, 0);
    assert_int_equal(addr_to_sockaddr(&a, &ss), 0);
    assert_int_equal(addr_text(&a, text), 0);
    assert_string_equal(text, "");
    assert_int_equal(addr_network(&a, 24, 64).family, 0);
}

static void test_mapped_socket_address(void **state)
{
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(4711) };
    struct addr a, b = parsed("192.0.2.1:4711");

    (void)state;
    in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(in6.sin6_addr.s6_addr + 12, b.ip, 4);
    addr_from_sockaddr(&a, (struct sockaddr *)&in6);
    assert_true(addr_equal(&a, &b));
}

static void test_equal(void **state)
{
    struct addr a = parsed("192.0.2.1:25"), b = parsed("192.0.2.1:26"),
                c = parsed("192.0.2.2:25"), d = parsed("[c000:201::]:25");

    (void)state;
    assert_true(addr_equal(&a, &a));
    assert_false(addr_equal(&a, &b));
    assert_false(addr_equal(&a, &c));
    assert_false(addr_equal(&a, &d)); /* the same first four octets */
}

static void test_equal_ip(void **state)
{
    struct addr a = parsed("192.0.2.1:25"), b = parsed("192.0.2.1:26"),
                c = parsed("192.0.2.2:25"), d = parsed("[c000:201::]:25");

    (void)state;
    assert_true(addr_equal_ip(&a, &b));
    assert_false(addr_equal_ip(&a, &c));
    assert_false(addr_equal_ip(&a, &d));
}

static void test_any(void **state)
{
    struct addr v4 = parsed("0.0.0.0:25"), v6 = parsed("[::]:25"), none = { 0 };
    struct addr one4 = parsed("0.0.0.1:0"), one6 = parsed("[::1]:0");

    (void)state;
    assert_true(addr_is_any(&v4) && addr_is_any(&v6));
    assert_false(addr_is_any(&one4) || addr_is_any(&one6) || addr_is_any(&none));

    struct addr lo4 = parsed("127.9.0.1:25"), two6 = parsed("[::2]:25");

    assert_true(addr_is_loopback(&lo4) && addr_is_loopback(&one6));
    assert_false(addr_is_loopback(&one4) || addr_is_loopback(&v4) || addr_is_loopback(&v6) ||
                 addr_is_loopback(&two6) || addr_is_loopback(&none));
}

static void test_parse_ip(void **state)
{
    static const struct {
        struct span in;
        int family;
        const char *want; /* NULL: refused */
    } cases[] = {
#define IP(text, family, want)                                                                 \
    { { (const unsigned char *)(text), sizeof(text) - 1 }, family, want }
        IP("192.0.2.1", AF_INET, "192.0.2.1"),
        IP("2001:db8::1", AF_INET6, "2001:db8::1"),
        IP("::ffff:192.0.2.1", AF_INET6, "192.0.2.1"),
        IP("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", AF_INET6,
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        IP("", AF_INET, NULL),
        IP("192.0.2.1\0", AF_INET, NULL),
        IP("192.0.2.1\0x", AF_INET, NULL),
        IP("192.0.2.1:25", AF_INET, NULL),
        IP("192.0.2.1", AF_INET6, NULL),
        IP("2001:db8::1", AF_INET, NULL),
        IP("[2001:db8::1]", AF_INET6, NULL),
        IP("fe80::1%lo", AF_INET6, NULL),
        IP("1111111111111111111111111111111111111111111111", AF_INET6, NULL),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addr a = { .port = 99 };
        char text[ADDR_TEXT_MAX] = "";

        if (addr_parse_ip(&a, cases[i].family, cases[i].in) != (cases[i].want != NULL))
            fail_msg("case %zu", i);
        if (cases[i].want == NULL) {
            assert_int_equal(a.port, 99); /* untouched */
            continue;
        }
        addr_ip_text(&a, text);
        assert_string_equal(text, cases[i].want);
        assert_int_equal(a.port, 0);
    }
}

static void test_from_octets(void **state)
{
    static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
    static const uint8_t almost[16] = { [10] = 0xff, 0xfe, 192, 0, 2, 1 };
    struct addr want = parsed("192.0.2.1:25");

    (void)state;
    struct addr a = addr_from_octets(AF_INET, mapped + 12, 25);
    struct addr b = addr_from_octets(AF_INET6, mapped, 25);
    struct addr c = addr_from_octets(AF_INET6, almost, 25);
    assert_true(addr_equal(&a, &want) && addr_equal(&b, &want));
    assert_int_equal(c.family, AF_INET6);
}

static void test_network(void **state)
{
    static const struct {
        const char *in;
        unsigned bits4, bits6;
        const char *out;
    } cases[] = {
        { "192.0.2.255:25", 32, 64, "192.0.2.255:0" },
        { "192.0.2.255:25", 24, 64, "192.0.2.0:0" },
        { "192.0.2.255:25", 25, 64, "192.0.2.128:0" },
        { "192.0.2.255:25", 31, 64, "192.0.2.254:0" },
        { "192.0.2.255:25", 0, 64, "0.0.0.0:0" },
        { "192.0.2.255:25", 99, 64, "192.0.2.255:0" },
        { "[2001:db8:1:2:3:4:5:6]:25", 32, 64, "[2001:db8:1:2::]:0" },
        { "[2001:db8:1:2:3:4:5:6]:25", 32, 128, "[2001:db8:1:2:3:4:5:6]:0" },
        { "[2001:db8:1:ffff:3:4:5:6]:25", 32, 49, "[2001:db8:1:8000::]:0" },
        { "[2001:db8::1]:25", 32, 0, "[::]:0" },
        { "[2001:db8::1]:25", 32, 500, "[2001:db8::1]:0" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addr a = parsed(cases[i].in);
        struct addr network = addr_network(&a, cases[i].bits4, cases[i].bits6);
        char text[ADDR_TEXT_MAX];

        addr_text(&network, text);
        assert_string_equal(text, cases[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_round_trip),
        cmocka_unit_test(test_bad_text),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_mapped_socket_address),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_equal_ip),
        cmocka_unit_test(test_any),
        cmocka_unit_test(test_parse_ip),
        cmocka_unit_test(test_from_octets),
        cmocka_unit_test(test_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
