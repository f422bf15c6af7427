/* TCP options as text, whole and cut everywhere. */
#include "unit/check.h"

#include "capture/syn.h"

static void as_text(void **state)
{
    static const struct {
        const char *octets;
        size_t len;
        const char *text;
    } cases[] = {
        { "", 0, "" },
        { "\2\4\5\xb4", 4, "mss 1460" },
        { "\2\4\5\xb4\4\2\x8\xa\0\0\0\1\0\0\0\0\1\3\3\7", 20,
          "mss 1460, sack, timestamps, scale 7" },
        { "\1\1\1\1", 4, "" },
        { "\2\4\xff\xff\0\3\3\7", 8, "mss 65535" },
        { "\3\3\x0e\x22\2\xfe\6abcd", 11, "scale 14, option 34, option 254" },
        { "\2\3\5", 3, "option 2" },
        { "\4\2\2\1\5\xb4", 6, "sack, malformed" },
        { "\4\2\2\0", 4, "sack, malformed" },
        { "\2\4\5", 3, "malformed" },
        { "\2", 1, "malformed" },
    };
    char out[SYN_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = syn_text(guarded(span_of(cases[i].octets, cases[i].len)), out);
        assert_int_equal(len, strlen(out));
        if (strcmp(out, cases[i].text) != 0)
            fail_msg("case %zu: \"%s\", want \"%s\"", i, out, cases[i].text);
    }
}

/* The longest text there can be. */
static void fits(void **state)
{
    unsigned char options[SYN_OPTIONS_MAX];
    char out[SYN_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof options; i += 2) {
        options[i] = 255;
        options[i + 1] = 2;
    }
    size_t len = syn_text(span_of(options, sizeof options), out);
    assert_int_equal(len, 20 * strlen("option 255, ") - 2);
    assert_string_equal(out + len - 12, ", option 255");
    for (size_t cut = 0; cut < sizeof options; cut++)
        assert_true(syn_text(guarded(span_of(options, cut)), out) < SYN_TEXT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(as_text), cmocka_unit_test(fits) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
