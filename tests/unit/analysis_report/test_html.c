#include "unit/check.h"

#include "analysis/report/html.h"
#include "base/attributes.h"

#include <stdlib.h>

static FILE *out;
static char *text;
static size_t text_len;

static void begin(void)
{
    out = open_memstream(&text, &text_len);
    assert_non_null(out);
}

static void expect(const char *want)
{
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, want);
    free(text);
}

static void octets_of_a_peer_are_text(void **state)
{
    static const struct {
        struct span in;
        const char *out;
    } cases[] = {
        { SPAN_INIT(""), "" },
        { SPAN_INIT("<b>&\"'"), "&lt;b&gt;&amp;&quot;&#39;" },
        { SPAN_INIT("a\r\n"), "a\\r\\n" },
        { SPAN_INIT("\\"), "\\\\" },
        { SPAN_INIT("\0\x1b\x7f\x80\xff"), "\\000\\033\\177\\200\\377" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        begin();
        html_octets(out, guarded(cases[i].in));
        expect(cases[i].out);
    }
}

static void no_octet_is_markup(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        unsigned char one = (unsigned char)c;
        begin();
        html_octets(out, guarded(span_of(&one, 1)));
        fclose(out);
        assert_true(text_len > 0);
        for (size_t i = 0; i < text_len; i++)
            assert_true(text[i] >= 0x20 && text[i] < 0x7f && strchr("<>\"'", text[i]) == NULL);
        free(text);
    }
}

static void what_is_cut_says_so(void **state)
{
    (void)state;
    begin();
    html_octets_cut(out, SPAN_LIT("<<<<<"), 3);
    expect("&lt;&lt;&lt;...");
    begin();
    html_octets_cut(out, SPAN_LIT("ab\r\n"), 5);
    expect("ab\\r...");
    begin();
    html_octets_cut(out, SPAN_LIT("abc"), 3);
    expect("abc");
}

static void text_keeps_letters_and_no_tricks(void **state)
{
    static const char *const cases[][2] = {
        { "Gr\xc3\xbc\xc3\x9f\x65 <&>", "Gr\xc3\xbc\xc3\x9f\x65 &lt;&amp;&gt;" },
        { "\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac" },
        { "a\\r", "a\\r" }, /* it was escaped before */
        { "\n\t", "\\n\\t" },
        { "\xe2\x80\xaetxet", "\\342\\200\\256txet" }, /* right to left */
        { "\xef\xbb\xbf", "\\357\\273\\277" },         /* byte order mark */
        { "\xc2\x9b[", "\\302\\233[" },                /* a control of 8 bits */
        { "\xc0\xbc", "\\300\\274" },                  /* "<", too long */
        { "\xed\xa0\x80", "\\355\\240\\200" },         /* a surrogate */
        { "\xf4\x90\x80\x80", "\\364\\220\\200\\200" },
        { "\xe2\x82", "\\342\\202" }, /* cut */
        { "\xff<", "\\377&lt;" },
        { "\xe2<b>", "\\342&lt;b&gt;" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *exact = strdup(cases[i][0]);
        begin();
        html_text(out, exact);
        expect(cases[i][1]);
        free(exact);
    }
}

static void figures_for_eyes(void **state)
{
    static const struct {
        uint64_t n;
        const char *count, *size, *lapse;
    } cases[] = {
        { 0, "0", "0 bytes", "0 us" },
        { 1, "1", "1 byte", "1 us" },
        { 999, "999", "999 bytes", "999 us" },
        { 1234, "1,234", "1,234 bytes", "1.2 ms" },
        { 1234567, "1,234,567", "1.2 MB", "1.23 s" },
        { 90000000, "90,000,000", "90.0 MB", "1 min 30 s" },
        { UINT64_MAX, "18,446,744,073,709,551,615", "18.4 EB", "307445734561 min 49 s" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        begin();
        html_count(out, cases[i].n);
        expect(cases[i].count);
        begin();
        html_size(out, cases[i].n);
        expect(cases[i].size);
        begin();
        html_lapse(out, cases[i].n);
        expect(cases[i].lapse);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_of_a_peer_are_text),
        cmocka_unit_test(no_octet_is_markup),
        cmocka_unit_test(what_is_cut_says_so),
        cmocka_unit_test(text_keeps_letters_and_no_tricks),
        cmocka_unit_test(figures_for_eyes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
