#include "unit/check.h"

#include "base/attributes.h"
#include "base/escape.h"

static void octets_become_printable(void **state)
{
    static const struct {
        struct span in;
        const char *out;
    } cases[] = {
        { SPAN_INIT(""), "" },
        { SPAN_INIT("EHLO x"), "EHLO x" },
        { SPAN_INIT("a\r\n\tb"), "a\\r\\n\\tb" },
        { SPAN_INIT("\\\""), "\\\\\\\"" },
        { SPAN_INIT("\0"
                    "1"),
          "\\0001" },
        { SPAN_INIT("\x1b[2J\x7f\xff\x80"), "\\033[2J\\177\\377\\200" },
        { SPAN_INIT(" ~"), " ~" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[64];

        assert_int_equal(escape(out, sizeof out, guarded(cases[i].in)), strlen(cases[i].out));
        assert_string_equal(out, cases[i].out);
    }
}

static void no_octet_gets_through_raw(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        unsigned char in = (unsigned char)c;
        char out[8];
        size_t n = escape(out, sizeof out, guarded(span_of(&in, 1)));

        assert_true(n > 0 && n <= 4);
        for (size_t i = 0; i < n; i++)
            assert_true(out[i] >= 0x20 && out[i] < 0x7f);
    }
}

static void what_does_not_fit_ends_in_dots(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(escape(out, sizeof out, guarded_str("1234567")), 7);
    assert_string_equal(out, "1234567");
    assert_int_equal(escape(out, sizeof out, guarded_str("12345678")), 7);
    assert_string_equal(out, "1234...");
    assert_int_equal(escape(out, sizeof out, guarded_str("123\r\r\r")), 6);
    assert_string_equal(out, "123...");
    assert_int_equal(escape(out, sizeof out, guarded_str("\xff\xff")), 7);
    assert_string_equal(out, "\\377...");
}

/* Heap of exact size: one octet written too far ends the test under ASan. */
static void it_stays_within_its_size(void **state)
{
    (void)state;
    for (size_t size = 8; size < 80; size++) {
        char *out = malloc(size);

        assert_non_null(out);
        size_t n =
            escape(out, size, guarded_str("ab\xff\r\x01xyz\n\xffqqqqqqqqqqqqqqqqqqqq\xff"));
        assert_true(n < size);
        assert_int_equal(strlen(out), n);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_become_printable),
        cmocka_unit_test(no_octet_gets_through_raw),
        cmocka_unit_test(what_does_not_fit_ends_in_dots),
        cmocka_unit_test(it_stays_within_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
