#include "unit/check.h"

#include "base/clock.h"
#include "base/number.h"

static void digits_alone_are_a_number(void **state)
{
    static const char *const wrong[] = {
        "", "-1", "+1", " 1", "1 ", "1x", "301", "4294967297"
    };
    uint64_t n = 7;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(number_decimal(span_str(wrong[i]), 300, &n));
    assert_int_equal(n, 7);
    assert_true(number_decimal(span_str("00300"), 300, &n));
    assert_int_equal(n, 300);
    assert_true(number_decimal(span_str("18446744073709551615"), UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    assert_false(number_decimal(span_str("18446744073709551616"), UINT64_MAX, &n));
}

static void a_port_has_sixteen_bits(void **state)
{
    uint16_t port = 7;

    (void)state;
    assert_false(number_port(span_str("65536"), &port));
    assert_false(number_port(span_str("000025"), &port));
    assert_false(number_port(span_str(""), &port));
    assert_int_equal(port, 7);
    assert_true(number_port(span_str("65535"), &port));
    assert_int_equal(port, 65535);
    assert_true(number_port(span_str("0"), &port));
    assert_int_equal(port, 0);
}

static void a_moment_ahead_is_a_whole_timespec(void **state)
{
    (void)state;
    for (unsigned ms = 0; ms < 2000; ms += 50) {
        uint64_t before = clock_monotonic_us();
        struct timespec at = clock_in_ms(ms);
        uint64_t us = (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;

        assert_true(at.tv_nsec >= 0 && at.tv_nsec < 1000000000);
        assert_true(us >= before + ms * 1000 && us <= clock_monotonic_us() + ms * 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_alone_are_a_number),
        cmocka_unit_test(a_port_has_sixteen_bits),
        cmocka_unit_test(a_moment_ahead_is_a_whole_timespec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
