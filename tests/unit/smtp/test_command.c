#include "unit/check.h"

#include "base/attributes.h"
#include "smtp/command.h"

struct command_case {
    struct span in;
    enum verb verb;
    unsigned faults;
    size_t fault_at;
    const char *arg;
};

static const struct command_case cases[] = {
    { SPAN_INIT("NOOP"), VERB_NOOP, 0, 0, "" },
    { SPAN_INIT("noop"), VERB_NOOP, 0, 0, "" },
    { SPAN_INIT("MAIL FROM:<a@b>"), VERB_MAIL, 0, 0, "FROM:<a@b>" },
    { SPAN_INIT("NOOP   x  y"), VERB_NOOP, 0, 0, "x  y" },
    { SPAN_INIT("FOOBAR baz"), VERB_UNKNOWN, 0, 0, "baz" },
    { SPAN_INIT(""), VERB_UNKNOWN, FAULT_BLANK, 0, "" },
    { SPAN_INIT("  \t"), VERB_UNKNOWN, FAULT_BLANK, 0, "" },
    { SPAN_INIT(" QUIT"), VERB_QUIT, FAULT_LEADING_WS, 0, "" },
    { SPAN_INIT("\tNOOP x"), VERB_NOOP, FAULT_LEADING_WS, 0, "x" },
    { SPAN_INIT("NOOP \t "), VERB_NOOP, FAULT_TRAILING_WS, 0, "" },
    { SPAN_INIT("NOOP\targ"), VERB_NOOP, FAULT_TAB, 0, "arg" },
    { SPAN_INIT("NOOP a\tb"), VERB_NOOP, 0, 0, "a\tb" },
    { SPAN_INIT("NOOP\t"), VERB_NOOP, FAULT_TRAILING_WS, 0, "" },
    { SPAN_INIT("NOOP\rNOOP"), VERB_UNKNOWN, FAULT_BARE_CR, 4, "" },
    { SPAN_INIT("NOOP \x7f"), VERB_NOOP, FAULT_CTRL, 5, "\x7f" },
    { SPAN_INIT("NOOP \x1b[2J"), VERB_NOOP, FAULT_CTRL, 5, "\x1b[2J" },
    { SPAN_INIT("NOOP a\nQUIT"), VERB_NOOP, FAULT_CTRL, 6, "a\nQUIT" },
    { SPAN_INIT("M\xc4\xaaIL x"), VERB_UNKNOWN, FAULT_8BIT_VERB, 1, "x" },
    { SPAN_INIT("MAIL FROM:<j\xc3\xb6>"), VERB_MAIL, FAULT_8BIT_ARG, 12, "FROM:<j\xc3\xb6>" },
    { SPAN_INIT("MAIL j\xf6rg"), VERB_MAIL, FAULT_8BIT_ARG | FAULT_NOT_UTF8, 6, "j\xf6rg" },
    { SPAN_INIT("\xff \xff"), VERB_UNKNOWN, FAULT_8BIT_VERB | FAULT_8BIT_ARG | FAULT_NOT_UTF8,
      0, "\xff" },
};

static void command_is_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct command c = command_parse(guarded(cases[i].in));
        const char *what = (const char *)cases[i].in.ptr;

        check_number(c.verb, cases[i].verb, what);
        check_number(c.faults, cases[i].faults, what);
        check_number(c.fault_at, cases[i].fault_at, what);
        check_span(c.arg, span_str(cases[i].arg), what);
    }
}

static void nul_is_found(void **state)
{
    (void)state;
    struct command c = command_parse(guarded(SPAN_LIT("MAIL FROM:<a@b>\0<c@d>")));

    assert_int_equal(c.faults, FAULT_NUL);
    assert_int_equal(c.fault_at, 15);
    assert_int_equal(c.arg.len, 16);
}

static void text_is_without_outer_blanks(void **state)
{
    (void)state;
    struct command c = command_parse(guarded_str(" \tNOOP  x \t"));

    check_span(c.text, SPAN_LIT("NOOP  x"), "text");
    check_span(c.word, SPAN_LIT("NOOP"), "word");
    check_span(c.arg, SPAN_LIT("x"), "arg");
}

/* Every octet alone in an argument has exactly its own fault. */
static void each_octet_has_its_class(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        unsigned char line[] = { 'N', 'O', 'O', 'P', ' ', 'a', (unsigned char)c, 'b' };
        unsigned want = c == 0      ? FAULT_NUL
                        : c == '\r' ? FAULT_BARE_CR
                        : c == '\t' ? 0
                        : c < 0x20  ? FAULT_CTRL
                        : c == 0x7f ? FAULT_CTRL
                        : c >= 0x80 ? FAULT_8BIT_ARG | FAULT_NOT_UTF8
                                    : 0;

        check_number(command_parse(guarded(span_of(line, sizeof line))).faults, want, "octet");
    }
}

static void utf8_is_strict(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } utf8[] = {
        { "\xc2\x80", true },          { "\xdf\xbf", true },          { "\xe0\xa0\x80", true },
        { "\xed\x9f\xbf", true },      { "\xee\x80\x80", true },      { "\xef\xbf\xbf", true },
        { "\xf0\x90\x80\x80", true },  { "\xf4\x8f\xbf\xbf", true },  { "\x80", false },
        { "\xc0\x80", false },         { "\xc1\xbf", false },         { "\xc2", false },
        { "\xc2\x41", false },         { "\xc2\xc0", false },         { "\xe0\x9f\xbf", false },
        { "\xe0\xa0", false },         { "\xe0\xa0\xc0", false },     { "\xed\xa0\x80", false },
        { "\xf0\x8f\xbf\xbf", false }, { "\xf4\x90\x80\x80", false }, { "\xf0\x90\x80", false },
        { "\xf0\x90\x80\x7f", false }, { "\xf5\x80\x80\x80", false }, { "\xff", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(utf8); i++) {
        char line[16] = "NOOP ";

        memcpy(line + 5, utf8[i].text, strlen(utf8[i].text));
        struct command c = command_parse(guarded(span_of(line, 5 + strlen(utf8[i].text))));
        check_number((c.faults & FAULT_NOT_UTF8) == 0, utf8[i].valid, utf8[i].text);
    }
}

static void domains(void **state)
{
    static const struct {
        const char *text;
        bool domain;
    } names[] = {
        { "client.example.com", true },
        { "a", true },
        { "a-b.c--d", true },
        { "192.0.2.1", true },
        { "[192.0.2.1]", true },
        { "[IPv6:2001:db8::1]", true },
        { "", false },
        { "my_host", false },
        { "a.", false },
        { ".a", false },
        { "a..b", false },
        { "-a", false },
        { "a-", false },
        { "a-.b", false },
        { "[]", false },
        { "[", false },
        { "[a b]", false },
        { "[a[b]", false },
        { "[a]b", false },
        { "a b", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        check_number(command_is_domain(guarded_str(names[i].text)), names[i].domain,
                     names[i].text);
}

static void bdat_arguments(void **state)
{
    static const struct {
        const char *arg;
        enum bdat_result result;
        uint64_t octets;
        bool last, plain;
    } bdats[] = {
        { "0", BDAT_OK, 0, false, true },
        { "5 LAST", BDAT_OK, 5, true, true },
        { "5 last", BDAT_OK, 5, true, true },
        { "2   last", BDAT_OK, 2, true, false },
        { "2147483647", BDAT_OK, 2147483647, false, true },
        { "0000000005", BDAT_OK, 5, false, false },
        { "00", BDAT_OK, 0, false, false },
        { "2147483648 LAST", BDAT_WIDE, UINT64_C(2147483648), true, true },
        { "4294967297 LAST", BDAT_WIDE, UINT64_C(4294967297), true, true },
        { "9223372036854775807", BDAT_WIDE, INT64_MAX, false, true },
        { "00000000005", BDAT_WIDE, 5, false, false },
        { "18446744073709551615", BDAT_WIDE, UINT64_MAX, false, true },
        { "18446744073709551617", BDAT_WIDE, UINT64_MAX, false, true },
        { "9999999999999999999999999999999999999999", BDAT_WIDE, UINT64_MAX, false, true },
        { "", BDAT_BAD, 0, false, false },
        { "LAST", BDAT_BAD, 0, false, false },
        { "-1 LAST", BDAT_BAD, 0, false, false },
        { "+1", BDAT_BAD, 0, false, false },
        { "five LAST", BDAT_BAD, 0, false, false },
        { "3 FINAL", BDAT_BAD, 0, false, false },
        { "3LAST", BDAT_BAD, 0, false, false },
        { "3\tLAST", BDAT_BAD, 0, false, false },
        { "3 LAST x", BDAT_BAD, 0, false, false },
        { "3 4", BDAT_BAD, 0, false, false },
        { "0x10", BDAT_BAD, 0, false, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bdats); i++) {
        struct bdat b = { 0 };

        check_number(command_bdat(guarded_str(bdats[i].arg), &b), bdats[i].result,
                     bdats[i].arg);
        check_number(b.octets, bdats[i].octets, bdats[i].arg);
        check_number(b.last, bdats[i].last, bdats[i].arg);
        check_number(b.plain, bdats[i].plain, bdats[i].arg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_is_taken_apart),
        cmocka_unit_test(nul_is_found),
        cmocka_unit_test(text_is_without_outer_blanks),
        cmocka_unit_test(each_octet_has_its_class),
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(domains),
        cmocka_unit_test(bdat_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
