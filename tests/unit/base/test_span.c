#include "unit/check.h"

#include "base/attributes.h"

static void equality(void **state)
{
    (void)state;
    assert_true(span_equal(SPAN_LIT("ab"), guarded_str("ab")));
    assert_false(span_equal(SPAN_LIT("ab"), guarded_str("aB")));
    assert_false(span_equal(SPAN_LIT("ab"), guarded_str("abc")));
    assert_true(span_equal(span_of(NULL, 0), guarded_str("")));
    assert_true(span_equal_nocase(SPAN_LIT("aZ09{"), guarded_str("Az09{")));
    assert_false(
        span_equal_nocase(SPAN_LIT("["), guarded_str("{"))); /* 0x20 apart, no letters */
    assert_false(span_equal_nocase(SPAN_LIT("\xe4"), guarded_str("\xc4")));
}

static void prefixes(void **state)
{
    (void)state;
    assert_true(span_starts_with(guarded_str("MAIL FROM"), SPAN_LIT("MAIL")));
    assert_true(span_starts_with(guarded_str("MAIL"), SPAN_LIT("")));
    assert_false(span_starts_with(guarded_str("MAI"), SPAN_LIT("MAIL")));
    assert_false(span_starts_with(guarded_str("mail"), SPAN_LIT("MAIL")));
    assert_true(span_starts_with_nocase(guarded_str("mail x"), SPAN_LIT("MAIL")));
    assert_false(span_starts_with_nocase(guarded_str("mai"), SPAN_LIT("MAIL")));
}

static void parts_never_leave_the_whole(void **state)
{
    struct span s = guarded_str("abc");

    (void)state;
    for (size_t n = 0; n < 6; n++) {
        size_t cut = n < 3 ? n : 3;

        assert_int_equal(span_first(s, n).len, cut);
        assert_ptr_equal(span_first(s, n).ptr, s.ptr);
        assert_int_equal(span_drop(s, n).len, 3 - cut);
        assert_ptr_equal(span_drop(s, n).ptr, s.ptr + cut);
    }
}

static void an_empty_span_needs_no_pointer(void **state)
{
    struct span none = span_of(NULL, 0);

    (void)state;
    assert_null(span_drop(none, 3).ptr); /* UBSan of clang: no arithmetic on NULL */
    assert_null(span_first(none, 3).ptr);
    assert_int_equal(span_trim(none).len, 0);
}

static void trimming(void **state)
{
    static const struct {
        const char *in, *left, *right, *both;
    } cases[] = {
        { "", "", "", "" },
        { " \t ", "", "", "" },
        { " a b\t", "a b\t", " a b", "a b" },
        { "\ra\n", "\ra\n", "\ra\n", "\ra\n" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check_span(span_trim_left(guarded_str(cases[i].in)), span_str(cases[i].left), "left");
        check_span(span_trim_right(guarded_str(cases[i].in)), span_str(cases[i].right),
                   "right");
        check_span(span_trim(guarded_str(cases[i].in)), span_str(cases[i].both), "both");
    }
}

static void finding(void **state)
{
    (void)state;
    assert_int_equal(span_find(guarded_str("abca"), 'a'), 0);
    assert_int_equal(span_find(guarded_str("abca"), 'c'), 2);
    assert_int_equal(span_find(guarded_str("abca"), 'x'), 4);
    assert_int_equal(span_find(guarded_str(""), 'x'), 0);
    assert_int_equal(span_find(span_of(NULL, 0), 'x'), 0);
    assert_int_equal(span_find(guarded(SPAN_LIT("a\0b")), '\0'), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(parts_never_leave_the_whole),
        cmocka_unit_test(an_empty_span_needs_no_pointer),
        cmocka_unit_test(trimming),
        cmocka_unit_test(finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
