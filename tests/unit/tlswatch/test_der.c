#include "unit/check.h"

#include "base/attributes.h"
#include "tlswatch/der.h"

static const struct {
    struct span in;
    bool ok;
    unsigned tag;
    size_t value, whole; /* octets */
} cases[] = {
    { SPAN_INIT(""), false, 0, 0, 0 },
    { SPAN_INIT("\x30"), false, 0, 0, 0 },
    { SPAN_INIT("\x30\0"), true, DER_SEQUENCE, 0, 2 },
    { SPAN_INIT("\x02\1\5"), true, DER_INTEGER, 1, 3 },
    { SPAN_INIT("\x02\1\5\x05\0"), true, DER_INTEGER, 1, 3 },
    { SPAN_INIT("\x02\2\5"), false, 0, 0, 0 },
    { SPAN_INIT("\x3f\2\1\0"), false, 0, 0, 0 }, /* a tag of several octets */
    { SPAN_INIT("\xa0\1x"), true, DER_CONTEXT_0, 1, 3 },
    { SPAN_INIT("\x30\x80\0\0"), false, 0, 0, 0 },     /* indefinite */
    { SPAN_INIT("\x04\x81\1x"), false, 0, 0, 0 },      /* longer than need be */
    { SPAN_INIT("\x04\x82\0\x80"), false, 0, 0, 0 },   /* a leading zero */
    { SPAN_INIT("\x04\x81\x80"), false, 0, 0, 0 },     /* cut off */
    { SPAN_INIT("\x04\x83\1\0\0"), false, 0, 0, 0 },   /* the same */
    { SPAN_INIT("\x04\x84\0\0\0\1"), false, 0, 0, 0 }, /* more than 16 MiB */
    { SPAN_INIT("\x04\xff"), false, 0, 0, 0 },
};

static void elements_are_taken_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct span in = guarded(cases[i].in), rest = in;
        struct der d;

        assert_int_equal(der_next(&rest, &d), cases[i].ok);
        assert_int_equal(rest.len, in.len - cases[i].whole);
        if (!cases[i].ok)
            continue;
        check_number(d.tag, cases[i].tag, "tag");
        check_number(d.value.len, cases[i].value, "value");
        check_span(d.whole, span_first(in, cases[i].whole), "whole");
        assert_ptr_equal(d.value.ptr + d.value.len, d.whole.ptr + d.whole.len);
    }
}

static void long_lengths_are_read(void **state)
{
    static const struct {
        struct span head;
        size_t len;
        bool bad; /* longer than need be, or than what is read */
    } longs[] = {
        { SPAN_INIT("\x04\x81\x80"), 128, false },
        { SPAN_INIT("\x04\x81\xff"), 255, false },
        { SPAN_INIT("\x04\x82\1\0"), 256, false },
        { SPAN_INIT("\x04\x82\xff\xff"), 65535, false },
        { SPAN_INIT("\x04\x83\1\0\0"), 65536, false },
        { SPAN_INIT("\x04\x82\0\x80"), 128, true },
        { SPAN_INIT("\x04\x83\0\xff\xff"), 65535, true },
        { SPAN_INIT("\x04\x84\1\0\0\0"), 1 << 24, true },
    };
    static unsigned char octets[6 + (1 << 24)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(longs); i++) {
        size_t all = longs[i].head.len + longs[i].len;
        struct span in, rest;
        struct der d;

        memcpy(octets, longs[i].head.ptr, longs[i].head.len);
        in = span_of(octets, all);
        rest = in = in.len <= GUARDED_MAX ? guarded(in) : in;
        assert_int_equal(der_next(&rest, &d), !longs[i].bad);
        if (longs[i].bad)
            continue;
        assert_int_equal(d.value.len, longs[i].len);
        assert_int_equal(rest.len, 0);
        rest = guarded(span_of(octets, all - 1));
        assert_false(der_next(&rest, &d));
    }
}

static void another_kind_is_left_where_it_is(void **state)
{
    struct span in = SPAN_LIT("\x02\1\5");
    struct der d;

    (void)state;
    assert_false(der_expect(&in, DER_SEQUENCE, &d));
    assert_int_equal(in.len, 3);
    assert_true(der_expect(&in, DER_INTEGER, &d));
    assert_int_equal(in.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_taken_or_refused),
        cmocka_unit_test(long_lengths_are_read),
        cmocka_unit_test(another_kind_is_left_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
