/* fragment - datagrams put together: every order, overlaps, limits. */
#include "unit/check.h"

#include "capture/fragment.h"

#include "base/attributes.h"

static const char text[] = "0123456789abcdefghijklmnopqrst"; /* 30 octets: 8, 8, 8, 6 */

static struct ip_packet part(unsigned i, uint32_t id)
{
    size_t at = i * 8, len = i < 3 ? 8 : 6;
    struct ip_packet p = { .protocol = 6, .fragment = true, .more = i < 3, .id = id };

    p.from = addr_from_octets(AF_INET, "\xc0\0\2\1", 0);
    p.to = addr_from_octets(AF_INET, "\xc0\0\2\2", 0);
    p.offset = (uint32_t)at;
    p.payload = guarded(span_of(text + at, len));
    return p;
}

static void every_order(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 256; n++) {
        unsigned order[4] = { n & 3, n >> 2 & 3, n >> 4 & 3, n >> 6 & 3 }, seen = 0;
        struct fragments f;
        bool whole = false;

        fragments_init(&f);
        for (unsigned i = 0; i < 4 && !whole; i++) {
            struct ip_packet p = part(order[i], 7);

            seen |= 1u << order[i];
            whole = fragments_take(&f, &p, 1);
            assert_int_equal(whole, seen == 15);
            if (whole)
                check_span(p.payload, SPAN_LIT("0123456789abcdefghijklmnopqrst"), "joined");
        }
        assert_int_equal(f.count, seen == 15 ? 0 : 1);
        check_number(f.refused, 0, "refused");
        fragments_deinit(&f);
    }
}

/* What differs from octets that are there refuses the whole datagram. */
static void overlaps(void **state)
{
    static const struct {
        uint32_t offset;
        struct span octets;
        bool refused;
    } second[] = {
        { 8, SPAN_INIT("89abcdef"), false }, /* the same once more */
        { 8, SPAN_INIT("89abcdeX"), true },         { 8, SPAN_INIT("89abcdefghijklmn"), true },
        { 0, SPAN_INIT("0123456789abcdef"), true }, { 16, SPAN_INIT("ghijklmn"), false },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(second); i++) {
        struct ip_packet p = part(1, 7), again = part(1, 7);
        struct fragments f;

        fragments_init(&f);
        assert_false(fragments_take(&f, &p, 1));
        again.offset = second[i].offset;
        again.payload = second[i].octets;
        assert_false(fragments_take(&f, &again, 1));
        check_number(f.refused, second[i].refused, "refused");
        fragments_deinit(&f);
    }
}

static void unsound(void **state)
{
    struct ip_packet end = part(3, 7), behind = part(2, 7), big = part(0, 8), cut = part(0, 9);
    struct ip_packet odd = part(0, 10);
    struct fragments f;

    (void)state;
    fragments_init(&f);
    assert_false(fragments_take(&f, &end, 1));
    behind.offset = 32; /* behind the last one */
    assert_false(fragments_take(&f, &behind, 1));
    check_number(f.refused, 1, "behind the end");
    big.offset = 65528;
    assert_false(fragments_take(&f, &big, 1));
    check_number(f.refused, 2, "longer than a datagram");
    cut.cut = 1;
    assert_false(fragments_take(&f, &cut, 1));
    check_number(f.refused, 3, "cut off");
    odd.payload.len = 7;
    assert_false(fragments_take(&f, &odd, 1));
    check_number(f.refused, 4, "not a multiple of eight");
    behind = part(2, 11);
    behind.offset = 32;
    assert_false(fragments_take(&f, &behind, 1));
    end = part(3, 11);
    assert_false(fragments_take(&f, &end, 1));
    check_number(f.refused, 5, "behind an end that came later");
    assert_int_equal(f.count, 0);
    check_number(f.octets, 0, "nothing is left");
    fragments_deinit(&f);
}

static void limits(void **state)
{
    struct fragments f;

    (void)state;
    fragments_init(&f);
    for (uint32_t id = 0; id < 1000; id++) {
        struct ip_packet p = part(0, id);
        assert_false(fragments_take(&f, &p, id));
        assert_true(f.count <= FRAGMENTS_DATAGRAMS_MAX + 1);
    }
    struct ip_packet late = part(1, 999);
    assert_false(fragments_take(&f, &late, 40000000 + 1000));
    assert_int_equal(f.count, 1); /* all others were too old, and so was its own */
    static unsigned char large[60000];
    for (uint32_t id = 2000; id < 2200; id++) {
        struct ip_packet p = part(0, id);
        p.payload = span_of(large, sizeof large);
        assert_false(fragments_take(&f, &p, 50000000));
        assert_true(f.octets < FRAGMENTS_OCTETS_MAX + 2 * sizeof large);
    }
    fragments_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order),
        cmocka_unit_test(overlaps),
        cmocka_unit_test(unsound),
        cmocka_unit_test(limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
