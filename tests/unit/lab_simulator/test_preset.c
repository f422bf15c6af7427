/* Names and parameters of presets; what is not one is refused with words. */
#include "unit/check.h"

#include "base/attributes.h"
#include "lab/simulator/preset.h"
#include "lab/simulator/simulator.h"

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_table(void **state)
{
    const char *name, *line, *triggers;
    char error[256];

    (void)state;
    for (unsigned i = 0; simulator_preset(i, &name, &line, &triggers); i++) {
        assert_true(simulator_check(name, error, sizeof error));
        assert_true(strlen(name) <= 20 && strlen(line) <= 78);
        for (const char *t = triggers; *t != '\0'; t += t[5] == ' ' ? 6 : 5)
            assert_true((t[0] == 'S' || t[0] == 'T') && strspn(t + 3, "0123456789") == 2);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(presets[j].name, name);
    }
    assert_false(simulator_preset((unsigned)preset_count, &name, &line, &triggers));
}

/* A preset that alters commands or replies must look at them. */
static void test_consistent(void **state)
{
    (void)state;
    for (size_t i = 0; i < preset_count; i++) {
        const struct rules *r = &presets[i].rules;
        bool commands = r->unknown != UNKNOWN_PASSED || r->normalise || r->rcpt_keep > 0 ||
                        r->answers[0].text != NULL || r->pipelined != PIPELINED_PASSED ||
                        r->bdat == BDAT_X || r->bdat == BDAT_LAST_LOST ||
                        r->data == DATA_STORED || r->starttls == STARTTLS_INJECTED;
        bool replies = r->banner != BANNER_KEPT || r->reply != REPLY_KEPT ||
                       r->ehlo.drop != NULL || r->data != DATA_PASSED || r->rcpt_keep > 0 ||
                       r->answers[0].text != NULL || r->ehlo.clear != NULL;
        assert_true(!commands || r->commands != SCOPE_AFTER);
        assert_true(!replies || r->replies != SCOPE_AFTER);
        assert_true(!r->virus || r->virus_answer != NULL);
        assert_true(r->limits.body_line == 0 || r->line_answer != NULL);
        assert_true(r->data != DATA_STORED || r->data_answer != NULL);
    }
}

static void test_parameters(void **state)
{
    struct rules r;
    char error[256];

    (void)state;
    assert_true(preset_find("idle(60)", &r, error, sizeof error));
    assert_true(r.idle_s == 60 && r.idle == IDLE_421);
    assert_true(preset_find("idle(5,silent)", &r, error, sizeof error));
    assert_true(r.idle_s == 5 && r.idle == IDLE_SILENT);
    assert_true(preset_find("size(2M)", &r, error, sizeof error));
    assert_true(r.limits.content == 2097152);
    assert_true(preset_find("ehlo-delete(X-MBP1)", &r, error, sizeof error));
    assert_string_equal(r.ehlo.drop, "X-MBP1");
    assert_true(preset_find("foot-text(a (b) c)", &r, error, sizeof error));
    assert_string_equal(r.footer, "a (b) c\r\n");
    assert_true(preset_find("foot-text(" A50 A50 ")", &r, error, sizeof error));
    assert_true(preset_find("mutate(up,insert,10k)", &r, error, sizeof error));
    assert_true(r.mutated == 1 && r.mutation == MUTATION_INSERT && r.mutation_within == 10240);
    assert_true(preset_find("mutate(down)", &r, error, sizeof error));
    assert_true(r.mutated == 2 && r.mutation == MUTATION_ANY && r.mutation_within == 1000);
    assert_true(preset_find("watchguard(3)", &r, error, sizeof error) && r.rcpt_keep == 3);
    assert_true(preset_find("tarpit(60000)", &r, error, sizeof error) && r.tarpit_ms == 60000);
    assert_true(preset_find("gfw(a b)", &r, error, sizeof error));
    assert_string_equal(r.keyword, "a b");
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        { "", "no preset \"\"" },
        { "asa-defualt", "did you mean \"asa-default\"" },
        { "nl-lfcrlf", "did you mean \"nl-lf2crlf\"" },
        { "something entirely different", "--list" },
        { "Clean", "did you mean \"clean\"" },
        { "clean()", "clean: expected no parameter" },
        { "clean(1)", "expected no parameter" },
        { "idle()", "seconds" },
        { "idle(0)", "seconds" },
        { "idle(86401)", "seconds" },
        { "idle(1", "seconds" },
        { "idle(1)x", "seconds" },
        { "idle( 1)", "seconds" },
        { "idle(+1)", "seconds" },
        { "idle(1,421,rst)", "seconds" },
        { "idle(1,)", "seconds" },
        { "idle(9999999999999999999999)", "seconds" },
        { "tarpit(60001)", "milliseconds" },
        { "size(1025M)", "1024M" },
        { "size(1G)", "octets" },
        { "size(k)", "octets" },
        { "ch-drop(65536)", "65535" },
        { "watchguard(0)", "number" },
        { "pix4(cmp)", "cmap" },
        { "ehlo-delete(A B)", "keyword" },
        { "foot-text(\x1b[0m)", "printable" },
        { "mutate(up,sideways)", "between commas" },
        { "foot-text(" A50 A50 "a)", "printable" },
        { "foot-text(" A50 A50 A50 A50 ")", "printable" },
    };
    struct rules r;
    char error[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        error[0] = '\0';
        if (preset_find(wrong[i].text, &r, error, sizeof error) ||
            strstr(error, wrong[i].says) == NULL)
            fail_msg("%s: %s", wrong[i].text, error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_consistent),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
