#include "unit/check.h"

#include "base/buf.h"

static void it_owns_no_memory_until_needed(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    assert_null(b.ptr);
    assert_true(buf_append(&b, SPAN_LIT("")));
    assert_null(b.ptr);
    assert_int_equal(buf_span(&b).len, 0);
}

static void append_and_drop(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    assert_true(buf_append(&b, guarded_str("hello ")));
    assert_true(buf_append(&b, guarded_str("world")));
    check_span(buf_span(&b), SPAN_LIT("hello world"), "appended");
    buf_drop(&b, 0);
    buf_drop(&b, 6);
    check_span(buf_span(&b), SPAN_LIT("world"), "dropped");
    assert_non_null(b.ptr);
    buf_drop(&b, 5);
    assert_null(b.ptr); /* an idle session holds no buffer */
    assert_true(buf_append(&b, SPAN_LIT("again")));
    check_span(buf_span(&b), SPAN_LIT("again"), "again");
    buf_release(&b);
    assert_null(b.ptr);
    assert_int_equal(b.max, 100);
}

/* Of a large buffer with little in it most goes back. */
static void what_is_empty_goes_back(void **state)
{
    static unsigned char octets[50000];
    struct buf b;

    (void)state;
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (unsigned char)(i * 7);
    buf_init(&b, 1 << 20);
    assert_true(buf_append(&b, span_of(octets, sizeof octets)));
    for (size_t used = 0, step; b.len > 0; used += step) {
        step = b.len / 3 + 1;
        buf_drop(&b, step);
        check_span(buf_span(&b), span_of(octets + used + step, b.len), "the rest");
        assert_true(b.size <= 256 || b.size < 4 * b.len);
    }
    assert_null(b.ptr);
}

static void the_maximum_is_exact(void **state)
{
    struct buf b;

    (void)state;
    for (uint32_t max = 1; max < 1100; max += 13) {
        buf_init(&b, max);
        for (uint32_t i = 0; i < max; i++)
            assert_true(buf_append(&b, SPAN_LIT("x")));
        assert_false(buf_append(&b, SPAN_LIT("y")));
        assert_int_equal(b.len, max);
        assert_true(b.size <= max);
        buf_release(&b);
    }
}

static void what_does_not_fit_adds_nothing(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 8);
    assert_true(buf_append(&b, SPAN_LIT("12345")));
    assert_false(buf_append(&b, SPAN_LIT("6789")));
    check_span(buf_span(&b), SPAN_LIT("12345"), "unchanged");
    assert_true(buf_append(&b, SPAN_LIT("678")));
    assert_false(buf_append(&b, span_of("x", SIZE_MAX)));
    buf_release(&b);
}

static void growth_keeps_the_octets(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (unsigned i = 0; i < 100000; i++) {
        unsigned char c = (unsigned char)(i * 7);
        assert_true(buf_append(&b, span_of(&c, 1)));
    }
    for (unsigned i = 0; i < 100000; i++)
        if (b.ptr[i] != (unsigned char)(i * 7))
            fail_msg("octet %u changed", i);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_owns_no_memory_until_needed),
        cmocka_unit_test(append_and_drop),
        cmocka_unit_test(what_is_empty_goes_back),
        cmocka_unit_test(the_maximum_is_exact),
        cmocka_unit_test(what_does_not_fit_adds_nothing),
        cmocka_unit_test(growth_keeps_the_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
