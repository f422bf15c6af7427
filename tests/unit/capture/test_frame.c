/* frame, ip, segment - packets taken apart, whole and cut at every octet. */
#include "unit/check.h"

#include "capture/frame.h"
#include "capture/packet.h"

#include "base/attributes.h"

#include <pcap/dlt.h>

#define MAC "\2\0\0\0\0\2\2\0\0\0\0\1"
#define TCP                                                                                    \
    "\x9c\x40\0\x19\0\0\x03\xe8\0\0\x23\x28\x60\x18\xff\xff\0\0\0\0\1\1\1\0" /* one option */  \
    "NOOP\r\n"
#define V4         "\x45\0\0\x32\0\1\0\0\x40\6\0\0\xc0\0\2\x0a\xc0\0\2\x19" TCP
#define V4_OPTIONS "\x46\0\0\x36\0\1\0\0\x40\6\0\0\xc0\0\2\x0a\xc0\0\2\x19\1\1\1\0" TCP
#define A6         "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x0a"
#define B6         "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x19"
#define V6         "\x60\0\0\0\0\x1e\6\x40" A6 B6 TCP
/* hop-by-hop, destination, routing, authentication */
#define V6_EXTENSIONS                                                                          \
    "\x60\0\0\0\0\x4a\0\x40" A6 B6 "\x3c\0\0\0\0\0\0\0"                                        \
    "\x2b\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0"                                                       \
    "\x33\0\0\0\0\0\0\0"                                                                       \
    "\6\1\0\0\0\0\0\0\0\0\0\0" TCP

struct packet_case {
    const char *name;
    int link;
    struct span frame;
    size_t before; /* octets in front of the IP packet */
};

static const struct packet_case cases[] = {
    { "raw", DLT_RAW, SPAN_INIT(V4), 0 },
    { "raw, options", DLT_RAW, SPAN_INIT(V4_OPTIONS), 0 },
    { "raw, IPv6", DLT_RAW, SPAN_INIT(V6), 0 },
    { "ethernet", DLT_EN10MB, SPAN_INIT(MAC "\x08\0" V4), 14 },
    { "ethernet, IPv6", DLT_EN10MB, SPAN_INIT(MAC "\x86\xdd" V6), 14 },
    { "802.1Q", DLT_EN10MB, SPAN_INIT(MAC "\x81\0\0\7\x08\0" V4), 18 },
    { "802.1ad", DLT_EN10MB, SPAN_INIT(MAC "\x88\xa8\0\7\x81\0\0\7\x08\0" V4), 22 },
    { "QinQ", DLT_EN10MB, SPAN_INIT(MAC "\x91\0\0\7\x81\0\0\7\x86\xdd" V6), 22 },
    { "cooked", DLT_LINUX_SLL, SPAN_INIT("\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0" V4), 16 },
    { "cooked v2", DLT_LINUX_SLL2, SPAN_INIT("\x08\0\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0" V4),
      20 },
    { "loopback", DLT_NULL, SPAN_INIT("\2\0\0\0" V4), 4 },
    { "loopback of OpenBSD", DLT_LOOP, SPAN_INIT("\0\0\0\x18" V6), 4 },
};

static bool take_apart(int link, struct span frame, struct segment *s)
{
    struct span packet;
    struct ip_packet p;

    return frame_packet(link, frame, &packet) && ip_parse(packet, packet.len, &p) &&
           !p.fragment && segment_parse(&p, s);
}

static void every_link_layer(void **state)
{
    struct segment s;
    struct span packet;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        const struct packet_case *c = &cases[i];
        struct span frame = guarded(c->frame);

        assert_true(frame_is_known(c->link));
        assert_true(frame_packet(c->link, frame, &packet));
        check_number((size_t)(packet.ptr - frame.ptr), c->before, c->name);
        assert_true(take_apart(c->link, frame, &s));
        check_span(s.payload, SPAN_LIT("NOOP\r\n"), c->name);
        check_number(s.from.port, 40000, c->name);
        check_number(s.to.port, 25, c->name);
        check_number(s.seq, 1000, c->name);
        check_number(s.ack, 9000, c->name);
        check_number(s.flags, SEGMENT_ACK | SEGMENT_PSH, c->name);
        check_number(s.cut, 0, c->name);
    }
    assert_false(frame_is_known(DLT_IEEE802_11));
}

/* A frame that ends early is no packet, or one whose end is told to be missing. */
static void cut_anywhere(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        const struct packet_case *c = &cases[i];

        for (size_t n = 0; n < c->frame.len; n++) {
            struct span frame = guarded(span_first(c->frame, n));
            struct segment s;

            if (!take_apart(c->link, frame, &s))
                continue;
            check_number(s.payload.len + s.cut, 6, c->name);
            check_number(s.cut, c->frame.len - n < 6 ? c->frame.len - n : 6, c->name);
        }
    }
}

static void padding_is_left_out(void **state)
{
    struct segment s;

    (void)state;
    assert_true(take_apart(DLT_RAW, guarded(SPAN_LIT(V4 "\0\0\0\0")), &s));
    check_span(s.payload, SPAN_LIT("NOOP\r\n"), "IPv4");
    assert_true(take_apart(DLT_RAW, guarded(SPAN_LIT(V6 "\0\0\0\0")), &s));
    check_span(s.payload, SPAN_LIT("NOOP\r\n"), "IPv6");
}

static void extension_headers(void **state)
{
    struct segment s;
    struct ip_packet p;

    (void)state;
    assert_true(take_apart(DLT_RAW, guarded(SPAN_LIT(V6_EXTENSIONS)), &s));
    check_span(s.payload, SPAN_LIT("NOOP\r\n"), "extensions");
    for (size_t n = 0; n < sizeof(V6_EXTENSIONS) - 1; n++)
        (void)take_apart(DLT_RAW, guarded(span_first(SPAN_LIT(V6_EXTENSIONS), n)), &s);
    assert_true(ip_parse(SPAN_LIT("\x60\0\0\0\0\x10\x2c\x40" A6 B6 "\6\0\0\x09\0\0\0\7"
                                  "12345678"),
                         56, &p));
    assert_true(p.fragment && p.more);
    check_number(p.offset, 8, "offset");
    check_number(p.id, 7, "id");
}

/* BIG TCP: too long for the field, which says 0. */
static void lengths_that_ip_cannot_say(void **state)
{
    struct ip_packet p;

    (void)state;
    assert_true(ip_parse(SPAN_LIT("\x45\0\0\0\0\1\0\0\x40\6\0\0\xc0\0\2\x0a\xc0\0\2\x19"
                                  "12345"),
                         70000, &p));
    check_number(p.payload.len, 5, "there");
    check_number(p.cut, 70000 - 25, "cut");
}

static void no_packets(void **state)
{
    static const struct span bad[] = {
        SPAN_INIT(""),
        SPAN_INIT("\x35\0\0\x32\0\1\0\0\x40\6\0\0\xc0\0\2\x0a\xc0\0\2\x19" TCP), /* version 3 */
        SPAN_INIT("\x44\0\0\x32\0\1\0\0\x40\6\0\0\xc0\0\2\x0a\xc0\0\2\x19" TCP), /* head 16 */
        SPAN_INIT("\x45\0\0\x0a\0\1\0\0\x40\6\0\0\xc0\0\2\x0a\xc0\0\2\x19" TCP), /* too short */
        SPAN_INIT("\x45\0\0\x32\0\1\0\0\x40\x11\0\0\xc0\0\2\x0a\xc0\0\2\x19" TCP), /* UDP */
    };
    struct segment s;
    struct span packet;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(take_apart(DLT_RAW, guarded(bad[i]), &s));
    assert_false(frame_packet(DLT_EN10MB, SPAN_LIT(MAC "\x08\6" V4), &packet)); /* ARP */
    assert_false(frame_packet(DLT_IEEE802_11, SPAN_LIT(V4), &packet));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_link_layer),           cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(padding_is_left_out),        cmocka_unit_test(extension_headers),
        cmocka_unit_test(lengths_that_ip_cannot_say), cmocka_unit_test(no_packets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
