#include "unit/check.h"

#include "base/attributes.h"
#include "smtp/line.h"

struct line_case {
    struct span in;
    enum line_end end;
    size_t text; /* octets */
    size_t used;
};

static const struct line_case cases[] = {
    { SPAN_INIT(""), LINE_MORE, 0, 0 },
    { SPAN_INIT("NOOP"), LINE_MORE, 0, 0 },
    { SPAN_INIT("QUIT\r"), LINE_MORE, 0, 0 },
    { SPAN_INIT("NOOP\r\n"), LINE_CRLF, 4, 6 },
    { SPAN_INIT("NOOP\n"), LINE_LF, 4, 5 },
    { SPAN_INIT("NOOP\r\r\n"), LINE_CRCRLF, 4, 7 },
    { SPAN_INIT("NOOP\r\r\r\r\n"), LINE_CRCRLF, 4, 9 },
    { SPAN_INIT("\n"), LINE_LF, 0, 1 },
    { SPAN_INIT("\r\n"), LINE_CRLF, 0, 2 },
    { SPAN_INIT("\r\r\n"), LINE_CRCRLF, 0, 3 },
    { SPAN_INIT("a\rb\r\n"), LINE_CRLF, 3, 5 },
    { SPAN_INIT("a\n\rb\r\n"), LINE_LF, 1, 2 },
    { SPAN_INIT("a\r\nb\r\n"), LINE_CRLF, 1, 3 },
    { SPAN_INIT("a\0b\r\n"), LINE_CRLF, 3, 5 },
};

static void line_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct span in = guarded(cases[i].in);
        struct line l = line_next(in);

        assert_int_equal(l.end, cases[i].end);
        assert_int_equal(l.text.len, cases[i].text);
        assert_int_equal(l.used, cases[i].used);
        assert_true(l.end == LINE_MORE || l.text.ptr == in.ptr);
    }
}

/* Fewer octets are LINE_MORE until the line is whole; more change nothing. */
static void line_is_the_same_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t n = 0; n <= cases[i].in.len; n++) {
            struct line l = line_next(guarded(span_first(cases[i].in, n)));
            bool whole = cases[i].end != LINE_MORE && n >= cases[i].used;

            assert_int_equal(l.end, whole ? cases[i].end : LINE_MORE);
            assert_int_equal(l.used, whole ? cases[i].used : 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_ends),
        cmocka_unit_test(line_is_the_same_however_it_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
