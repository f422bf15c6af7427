#include "config/near.h"
#include "config/unit.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void test_sizes(void **state)
{
    static const struct {
        const char *in;
        uint64_t octets;
        const char *out;
    } cases[] = {
        { "0", 0, "0" },
        { "1", 1, "1" },
        { "1023", 1023, "1023" },
        { "1024", 1024, "1k" },
        { "10k", 10240, "10k" },
        { "10K", 10240, "10k" },
        { "10M", 10485760, "10M" },
        { "1536k", 1572864, "1536k" },
        { "2g", UINT64_C(2147483648), "2G" },
        { "007", 7, "7" },
        { "17179869183G", UINT64_C(18446744072635809792), "17179869183G" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t octets;
        const char *why = NULL;
        char text[UNIT_TEXT_MAX];

        if (!unit_parse_size(&octets, cases[i].in, &why))
            fail_msg("%s: %s", cases[i].in, why);
        assert_true(octets == cases[i].octets);
        unit_size_text(octets, text);
        assert_string_equal(text, cases[i].out);
    }
}

static void test_times(void **state)
{
    static const struct {
        const char *in;
        uint64_t ms;
        const char *out;
    } cases[] = {
        { "0", 0, "0" },
        { "0s", 0, "0" },
        { "1ms", 1, "1ms" },
        { "300ms", 300, "300ms" },
        { "1000ms", 1000, "1s" },
        { "305s", 305000, "305s" },
        { "300S", 300000, "5m" },
        { "5m", 300000, "5m" },
        { "60m", 3600000, "1h" },
        { "24h", 86400000, "1d" },
        { "36h", 129600000, "36h" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t ms;
        const char *why = NULL;
        char text[UNIT_TEXT_MAX];

        if (!unit_parse_time(&ms, cases[i].in, &why))
            fail_msg("%s: %s", cases[i].in, why);
        assert_true(ms == cases[i].ms);
        unit_time_text(ms, text);
        assert_string_equal(text, cases[i].out);
    }
}

static void test_bad_units(void **state)
{
    static const char *const sizes[] = { "",
                                         "k",
                                         "-1",
                                         "+1",
                                         " 1",
                                         "1 ",
                                         "1 k",
                                         "1kb",
                                         "1.5k",
                                         "1T",
                                         "0x10",
                                         "18446744073709551616",
                                         "18014398509481984k",
                                         "99999999999999999999999" };
    static const char *const times[] = { "",
                                         "s",
                                         "-1s",
                                         "1",
                                         "30",
                                         "1 s",
                                         "1sec",
                                         "1.5s",
                                         "1h30m",
                                         "1w",
                                         "18446744073709551615d",
                                         "18446744073709551616ms" };
    static const char *const modes[] = { "",     "64",   "06400", "888",  "0x1ff", "rw-",
                                         "0440", "-640", "1777",  "7777", "640 " };
    uint64_t value = 7;
    unsigned mode = 7;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        const char *why = NULL;

        if (unit_parse_size(&value, sizes[i], &why) || why == NULL)
            fail_msg("size '%s'", sizes[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        const char *why = NULL;

        if (unit_parse_time(&value, times[i], &why) || why == NULL)
            fail_msg("time '%s'", times[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        const char *why = NULL;

        if (unit_parse_mode(&mode, modes[i], &why) || why == NULL)
            fail_msg("mode '%s'", modes[i]);
    }
    assert_int_equal(value, 7); /* untouched */
    assert_int_equal(mode, 7);
}

static void test_modes(void **state)
{
    unsigned mode;
    const char *why;
    char text[UNIT_TEXT_MAX];

    (void)state;
    assert_true(unit_parse_mode(&mode, "0640", &why));
    assert_int_equal(mode, 0640);
    assert_true(unit_parse_mode(&mode, "600", &why));
    assert_int_equal(mode, 0600);
    unit_mode_text(mode, text);
    assert_string_equal(text, "0600");
}

static void test_distance(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned distance;
    } cases[] = {
        { "", "", 0 },
        { "", "abc", 3 },
        { "listen", "listen", 0 },
        { "LISTEN", "listen", 0 },
        { "lisen", "listen", 1 },
        { "lsiten", "listen", 1 },
        { "lixten", "listen", 1 },
        { "listenx", "listen", 1 },
        { "kitten", "sitting", 3 },
        { "ca", "abc", 3 }, /* optimal string alignment, not full Damerau */
    };
    char longest[42];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(config_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(config_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(config_distance(longest, longest), UINT_MAX);
    assert_int_equal(config_distance(longest + 1, longest + 1), 0);
}

static void test_near(void **state)
{
    (void)state;
    assert_true(config_is_near("lisen", "listen"));
    assert_true(config_is_near("warning", "warn"));
    assert_true(config_is_near("err", "error"));
    assert_false(config_is_near("", "a"));
    assert_false(config_is_near("er", "error"));
    assert_false(config_is_near("admin", "user"));
    assert_false(config_is_near("intercept", "upstream"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),     cmocka_unit_test(test_times),
        cmocka_unit_test(test_bad_units), cmocka_unit_test(test_modes),
        cmocka_unit_test(test_distance),  cmocka_unit_test(test_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
