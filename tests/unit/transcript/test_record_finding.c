/* A finding is as long as its parts: whichever is the longest, the record has it whole. */
#include "unit/transcript/scene.h"

static char ones[FINDING_TEXT_MAX];

static void whichever_is_long(void **state)
{
    static const struct finding short_one = { .id = "", .name = "" };
    struct finding f[6];
    struct scene s;

    (void)state;
    memset(ones, '\x01', sizeof ones - 1);
    begin(&s, (struct writer_config){ 0 });
    for (unsigned i = 0; i < ARRAY_LEN(f); i++)
        f[i] = short_one;
    f[0].id = ones;
    f[1].name = ones;
    memcpy(f[2].text, ones, sizeof ones);
    f[3].next_test = ones;
    f[4].products[0] = ones;
    f[5].bytes = span_first(span_str(ones), FINDING_BYTES_MAX);
    for (unsigned i = 0; i < ARRAY_LEN(f); i++)
        record_finding(&s.recorder, &f[i], (uint64_t)T * 1000000);
    char *text = end(&s);
    assert_int_equal(count_text(text, "\"kind\":\"finding\""), ARRAY_LEN(f));
    assert_int_equal(count_text(text, "\\u0001"), 5 * (sizeof ones - 1));
    free(text);
    end_folder();
}

/* The last record says how many there were, so that sessions with any are found by it alone. */
static void close_counts_them(void **state)
{
    static const struct finding f = { .id = "SV-01", .name = "x" };
    const struct record_close c = { .reason = CLOSE_QUIT };
    struct scene s;

    (void)state;
    for (int n = 0; n <= 2; n++) {
        begin(&s, (struct writer_config){ 0 });
        for (int i = 0; i < n; i++)
            record_finding(&s.recorder, &f, (uint64_t)T * 1000000);
        record_close(&s.recorder, &c);
        char *text = end(&s);
        assert_int_equal(count_text(text, "\"findings\":"), n > 0);
        assert_int_equal(count_text(text, "\"findings\":2"), n == 2);
        free(text);
        end_folder();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whichever_is_long),
        cmocka_unit_test(close_counts_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
