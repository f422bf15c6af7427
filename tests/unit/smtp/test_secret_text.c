/* What of a reply is compared with secrets, and where it stands there. */
#include "smtp/secret_text.h"

#include "base/attributes.h"
#include "unit/check.h"

static void escapes(void **state)
{
    static const struct {
        const char *text;
        int value;
    } cases[] = {
        { "%41", 'A' }, { "=4a", 'J' }, { "+4A9", 'J' }, { "%4", -1 },     { "%4g", -1 },
        { "%g4", -1 },  { "41", -1 },   { "", -1 },      { "%00b", 0x00 }, { "%ff", 0xff },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(secret_escaped(guarded(span_str(cases[i].text))), cases[i].value);
}

static void codes(void **state)
{
    static const struct {
        const char *line;
        size_t len;
    } cases[] = {
        { "250 ok", 4 },
        { "250-ok", 4 },
        { "250\r\n", 3 },
        { "250\n", 3 },
        { "250x", 0 },
        { "25 ok", 0 },
        { "2500 ok", 0 },
        { "250", 3 },
        { "535 5.7.8 no", 9 },
        { "535 5.7.8", 9 },
        { "535 5.7.8x", 4 },
        { "535 5.7 no", 4 },
        { "535 5.7.8888 no", 4 },
        { "535 55.7.8 no", 4 },
        { "535 5.777.888 no", 13 },
        { "535 ", 4 },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
        check_number(secret_code_len(guarded(span_str(cases[i].line))), cases[i].len,
                     cases[i].line);
}

/* Letters, some escaped: a stretch begins with the last octets of the one before, and each
 * octet is where it says. */
static void stretches(void **state)
{
    static unsigned char reply[5000];
    static struct secret_text t;

    (void)state;
    for (unsigned i = 0; i < sizeof reply; i++)
        reply[i] = (unsigned char)('a' + i * 7 % 26);
    for (unsigned i = 100; i + 3 < sizeof reply; i += 100)
        memcpy(reply + i, "%00", 3);
    struct secret_reader r = { .reply = span_of(reply, sizeof reply), .decode = true };
    unsigned last = 0, count = 0;
    t.len = 0;
    while (secret_text_next(&r, &t)) {
        if (count++ > 0)
            assert_int_equal(t.at[SECRET_WINDOW - 2], last);
        for (size_t i = 0; i < t.len; i++) {
            bool escaped = reply[t.at[i]] == '%';
            assert_int_equal(t.octets[i], escaped ? 0 : reply[t.at[i]]);
            assert_int_equal(t.width[i], escaped ? 3 : 1);
            if (i > 0)
                assert_int_equal(t.at[i], t.at[i - 1] + t.width[i - 1]);
        }
        last = t.at[t.len - 1];
    }
    assert_int_equal(last, sizeof reply - 1);
    assert_true(count > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),
        cmocka_unit_test(codes),
        cmocka_unit_test(stretches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
