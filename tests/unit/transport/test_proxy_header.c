#include "transport/proxy_header.h"

#include "unit/check.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4      SIGNATURE "\x21\x11\0\x0c\xc0\0\x02\x01\xcb\0\x71\x02\x9c\x40\0\x19"
#define TCP6_ADDRESSES                                                                         \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"     \
    "\xff\xff\0\x19"
#define TCP6           SIGNATURE "\x21\x21\0\x24" TCP6_ADDRESSES
#define X18            "xxxxxxxxxxxxxxxxxx"
#define UNIX_ADDRESSES X18 X18 X18 X18 X18 X18 X18 X18 X18 X18 X18 X18 /* two of 108 octets */

/* 192.0.2.1:40000 > 203.0.113.2:25 with a NOOP TLV and a CRC-32c of another implementation */
#define TCP4_CRC                                                                               \
    SIGNATURE "\x21\x11\0\x18\xc0\0\x02\x01\xcb\0\x71\x02\x9c\x40\0\x19\x04\0\x02zz\x03\0\x04" \
              "\x34\xd4\x74\x96"

static const struct good {
    const char *what;
    struct span in;
    unsigned version;
    const char *source, *destination; /* "": local */
} good[] = {
    { "v1 tcp4", SPAN_INIT("PROXY TCP4 192.0.2.1 203.0.113.2 40000 25\r\n"), 1,
      "192.0.2.1:40000", "203.0.113.2:25" },
    { "v1 tcp6", SPAN_INIT("PROXY TCP6 2001:db8::1 2001:db8::2 65535 25\r\n"), 1,
      "[2001:db8::1]:65535", "[2001:db8::2]:25" },
    { "v1 capital letters", SPAN_INIT("PROXY TCP6 2001:DB8::A 2001:db8::B 1 2\r\n"), 1,
      "[2001:db8::a]:1", "[2001:db8::b]:2" },
    { "v1 mapped", SPAN_INIT("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n"), 1,
      "192.0.2.1:1", "192.0.2.2:2" },
    { "v1 port 0", SPAN_INIT("PROXY TCP4 0.0.0.0 255.255.255.255 0 0\r\n"), 1, "0.0.0.0:0",
      "255.255.255.255:0" },
    { "v1 longest address",
      SPAN_INIT("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
      1, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
      "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
    { "v1 unknown", SPAN_INIT("PROXY UNKNOWN\r\n"), 1, "", "" },
    { "v1 unknown, 107 octets",
      SPAN_INIT("PROXY UNKNOWN ffff:f...f:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
                "65535 and what ever..........\r\n"),
      1, "", "" },
    { "v2 tcp4", SPAN_INIT(TCP4), 2, "192.0.2.1:40000", "203.0.113.2:25" },
    { "v2 tcp6", SPAN_INIT(TCP6), 2, "[2001:db8::1]:65535", "[2001:db8::2]:25" },
    { "v2 local", SPAN_INIT(SIGNATURE "\x20\0\0\0"), 2, "", "" },
    { "v2 local, the rest skipped",
      SPAN_INIT(SIGNATURE "\x20\x11\0\x0c\xc0\0\x02\x01\xcb\0\x71\x02\x9c\x40\0\x19"), 2, "",
      "" },
    { "v2 local, a strange rest", SPAN_INIT(SIGNATURE "\x20\xff\0\x03zzz"), 2, "", "" },
    { "v2 unspec", SPAN_INIT(SIGNATURE "\x21\0\0\0"), 2, "", "" },
    { "v2 unspec, TLV", SPAN_INIT(SIGNATURE "\x21\0\0\x05\x04\0\x02zz"), 2, "", "" },
    { "v2 unix", SPAN_INIT(SIGNATURE "\x21\x31\0\xd8" UNIX_ADDRESSES), 2, "", "" },
    { "v2 empty TLV", SPAN_INIT(SIGNATURE "\x21\x21\0\x27" TCP6_ADDRESSES "\x04\0\0"), 2,
      "[2001:db8::1]:65535", "[2001:db8::2]:25" },
    { "v2 two TLVs",
      SPAN_INIT(SIGNATURE
                "\x21\x11\0\x16\xc0\0\x02\x01\xcb\0\x71\x02\x9c\x40\0\x19\xe0\0\x01z\xe1\0\x03"
                "abc"),
      2, "192.0.2.1:40000", "203.0.113.2:25" },
    { "v2 crc", SPAN_INIT(TCP4_CRC), 2, "192.0.2.1:40000", "203.0.113.2:25" },
};

static const struct wrong {
    struct span in;
    const char *why;
} wrong[] = {
#define BAD(text, why)                                                                         \
    {                                                                                          \
        SPAN_INIT(text), why                                                                   \
    }
    BAD("EHLO x\r\n", "not a PROXY header of a version"),
    BAD("proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "not a PROXY header of a version"),
    BAD("PROXy", "not a PROXY header"),
    BAD("PROXY\tTCP4", "not a PROXY header"),
    BAD("PROXY \r\n", "neither TCP4"),
    BAD("PROXY TCP4\r\n", "not an address"),
    BAD("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n", "neither TCP4"),
    BAD("PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "neither TCP4"),
    BAD("PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n", "neither TCP4"),
    BAD("PROXY UNKNOWNX\r\n", "neither TCP4"),
    BAD("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", "not an address"),
    BAD("PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n", "not an address"),
    BAD("PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n", "not an address"),
    BAD("PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n", "not an address"),
    BAD("PROXY TCP4 192.0.2.1\0x 192.0.2.2 1 2\r\n", "not an address"),
    BAD("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", "not an address"),
    BAD("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", "not an address"),
    BAD("PROXY TCP6 2001:db8::1 192.0.2.2 1 2\r\n", "not an address"),
    BAD("PROXY TCP6 fe80::1%lo 2001:db8::2 1 2\r\n", "not an address"),
    BAD("PROXY TCP6 [2001:db8::1] [2001:db8::2] 1 2\r\n", "not an address"),
    BAD("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n", "the addresses are of different"),
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", "not two port"),
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n", "not two port"),
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", "not two port"),
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", "not two port"),
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", "not two port"),
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 1 00\r\n", "not two port"),
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n", "not two port"),
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n", "not two port"),
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 1 4294967321\r\n", "not two port"),
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", "a line that does not end"),
    BAD("PROXY UNKNOWN \n", "a line that does not end"),
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rx", "a CR inside"),
    BAD("PROXY UNKNOWN \r\r", "a CR inside"),
    BAD("PROXY UNKNOWN ffff:f...f:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
        "65535 and what ever...........\r\n",
        "a line of more than 107"),
    BAD("\r\n\r\n\0\r\nQUIT\r", "not a PROXY header"),
    BAD("\r\nEHLO", "not a PROXY header"),
    BAD(SIGNATURE "\x11", "neither a LOCAL"),
    BAD(SIGNATURE "\x22", "neither a LOCAL"),
    BAD(SIGNATURE "\x31", "neither a LOCAL"),
    BAD(SIGNATURE "\x21\x12", "an unknown family"),
    BAD(SIGNATURE "\x21\x22", "an unknown family"),
    BAD(SIGNATURE "\x21\x32", "an unknown family"),
    BAD(SIGNATURE "\x21\x10", "an unknown family"),
    BAD(SIGNATURE "\x21\x01", "an unknown family"),
    BAD(SIGNATURE "\x21\x41", "an unknown family"),
    BAD(SIGNATURE "\x21\x11\0\x0b" TCP6_ADDRESSES, "too short for"),
    BAD(SIGNATURE "\x21\x11\0\0", "too short for"),
    BAD(SIGNATURE "\x21\x21\0\x0c" TCP6_ADDRESSES, "too short for"),
    BAD(SIGNATURE "\x21\x31\0\xd7" UNIX_ADDRESSES, "too short for"),
    BAD(SIGNATURE "\x21\x21\0\x25" TCP6_ADDRESSES "\x04", "a cut TLV"),
    BAD(SIGNATURE "\x21\x21\0\x26" TCP6_ADDRESSES "\x04\0", "a cut TLV"),
    BAD(SIGNATURE "\x21\x21\0\x27" TCP6_ADDRESSES "\x04\0\x01", "a TLV longer"),
    BAD(SIGNATURE "\x21\0\0\x02zz", "a cut TLV"),
    BAD(SIGNATURE "\x21\x21\0\x2a" TCP6_ADDRESSES "\x03\0\x03zzz", "a checksum of"),
    BAD(SIGNATURE "\x21\x21\0\x2c" TCP6_ADDRESSES "\x03\0\x05zzzzz", "a checksum of"),
    BAD(SIGNATURE "\x21\x21\0\x2b" TCP6_ADDRESSES "\x03\0\x04zzzz", "the checksum is wrong"),
    BAD(SIGNATURE "\x21\x11\x08\x01", "a header of more than 2064"),
    BAD(SIGNATURE "\x20\0\xff\xff", "a header of more than 2064"),
    BAD(SIGNATURE "\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01\x20\x01\x0d\xb8"
                  "\0\0\0\0\0\0\0\0\0\0\0\x02\0\x01\0\x02",
        "the addresses are of different"),
};

static enum proxy_result read_any(struct span in, struct proxy_header *h)
{
    return proxy_header_read(guarded(in), PROXY_ANY, h);
}

static void check_addr(const struct addr *a, const char *want, const char *what)
{
    char text[ADDR_TEXT_MAX];

    (void)addr_text(a, text);
    if (strcmp(text, want) != 0)
        fail_msg("%s: got \"%s\", want \"%s\"", what, text, want);
}

static void check_good(const struct good *c, const struct proxy_header *h)
{
    check_number(h->version, c->version, c->what);
    check_number(h->used, c->in.len, c->what);
    check_number(h->local, c->source[0] == '\0', c->what);
    check_addr(&h->source, c->source, c->what);
    check_addr(&h->destination, c->destination, c->what);
}

static void test_good(void **state)
{
    struct proxy_header h;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        const struct good *c = &good[i];
        char more[512];

        for (size_t cut = 0; cut < c->in.len; cut++) {
            if (read_any(span_first(c->in, cut), &h) != PROXY_MORE)
                fail_msg("%s: cut at %zu: %s", c->what, cut, h.why);
        }
        if (read_any(c->in, &h) != PROXY_OK)
            fail_msg("%s: %s", c->what, h.why);
        check_good(c, &h);
        memcpy(more, c->in.ptr, c->in.len);
        memcpy(more + c->in.len, "EHLO x\r\n", 8);
        check_number(read_any(span_of(more, c->in.len + 8), &h), PROXY_OK, c->what);
        check_good(c, &h);
    }
}

/* Whatever arrives of it first: never accepted, and the same verdict at the end. */
static void test_wrong(void **state)
{
    struct proxy_header h;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        const struct wrong *c = &wrong[i];
        enum proxy_result before = PROXY_MORE;

        for (size_t cut = 0; cut <= c->in.len; cut++) {
            enum proxy_result r = read_any(span_first(c->in, cut), &h);
            if (r == PROXY_OK || (before == PROXY_BAD && r != PROXY_BAD))
                fail_msg("case %zu (%s), cut at %zu: %d after %d", i, c->why, cut, r, before);
            before = r;
        }
        if (before != PROXY_BAD)
            fail_msg("case %zu (%s): not refused", i, c->why);
        if (strncmp(h.why, c->why, strlen(c->why)) != 0)
            fail_msg("case %zu: \"%s\", want \"%s\"", i, h.why, c->why);
        check_number(h.used, 0, c->why);
        check_number(h.source.family, 0, c->why);
    }
}

static void test_longest(void **state)
{
    static unsigned char longest[PROXY_HEADER_MAX] = SIGNATURE "\x20\0\x08";
    struct proxy_header h;

    (void)state;
    assert_int_equal(read_any(span_of(longest, sizeof longest - 1), &h), PROXY_MORE);
    assert_int_equal(read_any(span_of(longest, sizeof longest), &h), PROXY_OK);
    assert_int_equal(h.used, sizeof longest);
}

static void test_versions_allowed(void **state)
{
    static const struct {
        unsigned allowed;
        enum proxy_result v1, v2;
    } cases[] = {
        { 0, PROXY_BAD, PROXY_BAD },
        { PROXY_V1, PROXY_OK, PROXY_BAD },
        { PROXY_V2, PROXY_BAD, PROXY_OK },
        { PROXY_ANY, PROXY_OK, PROXY_OK },
    };
    struct span v1 = SPAN_LIT("PROXY UNKNOWN\r\n"), v2 = SPAN_LIT(TCP4);
    struct proxy_header h;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum proxy_versions allowed = (enum proxy_versions)cases[i].allowed;

        assert_int_equal(proxy_header_read(v1, allowed, &h), cases[i].v1);
        assert_int_equal(proxy_header_read(v2, allowed, &h), cases[i].v2);
        assert_int_equal(proxy_header_read(span_first(v1, 1), allowed, &h),
                         cases[i].v1 == PROXY_OK ? PROXY_MORE : PROXY_BAD);
        assert_int_equal(proxy_header_read(span_first(v2, 1), allowed, &h),
                         cases[i].v2 == PROXY_OK ? PROXY_MORE : PROXY_BAD);
    }
}

static bool same(const struct proxy_header *a, const struct proxy_header *b)
{
    return a->version == b->version && a->local == b->local && a->used == b->used &&
           addr_equal(&a->source, &b->source) && addr_equal(&a->destination, &b->destination);
}

static bool is_letter(unsigned char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* One octet changed: refused, or it means something else. Only the case of a hexadecimal
 * digit means nothing, in version 1. */
static void check_mutants(const struct good *c)
{
    struct proxy_header whole, h;
    unsigned char copy[512];

    assert_int_equal(proxy_header_read(c->in, PROXY_ANY, &whole), PROXY_OK);
    memcpy(copy, c->in.ptr, c->in.len);
    for (size_t at = 0; at < c->in.len; at++) {
        for (unsigned value = 0; value < 256; value++) {
            unsigned char old = c->in.ptr[at];

            copy[at] = (unsigned char)value;
            if (value == old || (c->version == 1 && is_letter(old) && (value ^ old) == 0x20))
                continue;
            if (read_any(span_of(copy, c->in.len), &h) == PROXY_OK && same(&h, &whole))
                fail_msg("%s: octet %zu as %#x means the same", c->what, at, value);
        }
        copy[at] = c->in.ptr[at];
    }
}

static void test_mutants(void **state)
{
    static const char *const exact[] = { "v1 tcp4", "v1 tcp6", "v2 tcp4", "v2 tcp6" };
    size_t checked = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        for (size_t k = 0; k < ARRAY_LEN(exact); k++) {
            if (strcmp(good[i].what, exact[k]) == 0) {
                check_mutants(&good[i]);
                checked++;
            }
        }
    }
    assert_int_equal(checked, ARRAY_LEN(exact));
}

/* A checksum guards every octet. */
static void test_checksum(void **state)
{
    static const char lengths[] = { 29, 30, 33, 34, 35, 0 };
    unsigned char copy[sizeof TCP4_CRC - 1];
    struct proxy_header h;

    (void)state;
    for (size_t bit = 8 * 16; bit < 8 * sizeof copy; bit++) {
        memcpy(copy, TCP4_CRC, sizeof copy);
        copy[bit / 8] ^= (unsigned char)(1U << bit % 8);
        if (strchr(lengths, (int)(bit / 8)) != NULL)
            continue; /* where the checksum is, or that it is one */
        check_number(read_any(span_of(copy, sizeof copy), &h), PROXY_BAD, "a bit");
    }
}

static void test_written(void **state)
{
    static const struct {
        const char *source, *destination;
        unsigned version;
        struct span want;
    } cases[] = {
        { "192.0.2.1:40000", "203.0.113.2:25", 1,
          SPAN_INIT("PROXY TCP4 192.0.2.1 203.0.113.2 40000 25\r\n") },
        { "192.0.2.1:40000", "203.0.113.2:25", 2, SPAN_INIT(TCP4) },
        { "[2001:db8::1]:65535", "[2001:db8::2]:25", 1,
          SPAN_INIT("PROXY TCP6 2001:db8::1 2001:db8::2 65535 25\r\n") },
        { "[2001:db8::1]:65535", "[2001:db8::2]:25", 2, SPAN_INIT(TCP6) },
        { "192.0.2.1:1", "[2001:db8::2]:25", 1, SPAN_INIT("PROXY UNKNOWN\r\n") },
        { "192.0.2.1:1", "[2001:db8::2]:25", 2, SPAN_INIT(SIGNATURE "\x20\0\0\0") },
        { "", "203.0.113.2:25", 1, SPAN_INIT("PROXY UNKNOWN\r\n") },
        { "203.0.113.2:25", "", 2, SPAN_INIT(SIGNATURE "\x20\0\0\0") },
        { "", "", 2, SPAN_INIT(SIGNATURE "\x20\0\0\0") },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addr source = { 0 }, destination = { 0 };
        unsigned char out[PROXY_HEADER_ROOM];
        const char *why;

        if (cases[i].source[0] != '\0')
            assert_true(addr_parse(&source, cases[i].source, &why));
        if (cases[i].destination[0] != '\0')
            assert_true(addr_parse(&destination, cases[i].destination, &why));
        size_t len = proxy_header_write(cases[i].version, &source, &destination, out);
        check_span(span_of(out, len), cases[i].want, cases[i].source);
    }
}

static void test_round_trip(void **state)
{
    static const int families[] = { AF_INET, AF_INET6 };
    uint32_t seed = 1;

    (void)state;
    for (unsigned i = 0; i < 4000; i++) {
        unsigned char octets[36], out[PROXY_HEADER_ROOM];
        unsigned version = 1 + i % 2;
        int family = families[i / 2 % 2];
        struct proxy_header h;

        for (size_t k = 0; k < sizeof octets; k++) {
            seed = seed * 1664525 + 1013904223;
            octets[k] = i % 5 == 0 && k % 4 != 0 ? 0 : (unsigned char)(seed >> 24);
        }
        struct addr source = addr_from_octets(family, octets, (uint16_t)(seed >> 8));
        struct addr destination = addr_from_octets(family, octets + 16, octets[34]);
        size_t len = proxy_header_write(version, &source, &destination, out);
        assert_true(len <= PROXY_HEADER_ROOM);
        assert_int_equal(read_any(span_of(out, len), &h), PROXY_OK);
        assert_int_equal(h.used, len);
        assert_int_equal(h.version, version);
        assert_false(h.local);
        assert_true(addr_equal(&h.source, &source));
        assert_true(addr_equal(&h.destination, &destination));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_longest), cmocka_unit_test(test_versions_allowed),
        cmocka_unit_test(test_mutants), cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_written), cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
