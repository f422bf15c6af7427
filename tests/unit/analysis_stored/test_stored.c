/*
 * The same sessions live and read back: equal findings. What stands in a transcript already
 * is not found again.
 */
#include "unit/analysis_stored/tape.h"

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void check_told(struct told *got, struct told *want)
{
    qsort(got->line, got->count, sizeof got->line[0], by_text);
    qsort(want->line, want->count, sizeof want->line[0], by_text);
    for (unsigned i = 0; i < got->count || i < want->count; i++)
        if (strcmp(got->line[i], want->line[i]) != 0)
            fail_msg("got  %s\nwant %s", i < got->count ? got->line[i] : "-",
                     i < want->count ? want->line[i] : "-");
}

static void test_equal_findings(void **state)
{
    static struct tape t;
    static struct back b;

    (void)state;
    record_all(&t, false);
    memset(&b, 0, sizeof b);
    read_back(t.text, &b);
    assert_int_equal(b.recorded, 0);
    assert_true(b.told.count >= 40);
    check_told(&b.told, &t.live);
    free(t.text);
}

/* Every kind of detector that looks at records is among these. */
static void test_which_detectors(void **state)
{
    static const char *const ids[] = { "SV-01", "SV-02", "SV-03", "SV-04", "SV-05", "SV-06",
                                       "SV-07", "SV-08", "SV-09", "SV-10", "SV-11", "SV-13",
                                       "SV-14", "SV-15", "SV-16", "SV-17", "SV-20", "SV-21",
                                       "SV-22", "SV-25", "SV-28", "SV-29" };
    static struct tape t;

    (void)state;
    record_all(&t, false);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        bool there = false;
        for (unsigned k = 0; k < t.live.count; k++)
            there = there || strstr(t.live.line[k], ids[i]) != NULL;
        if (!there)
            fail_msg("no %s", ids[i]);
    }
    free(t.text);
}

static void test_recorded_findings(void **state)
{
    static struct tape t;
    static struct back b;

    (void)state;
    record_all(&t, true);
    memset(&b, 0, sizeof b);
    read_back(t.text, &b);
    check_told(&b.told, &t.live);
    assert_int_equal(b.recorded, b.told.count); /* each once, none anew */
    free(t.text);
}

/* Twice the same, and from the file without its findings: nothing is kept anywhere else. */
static void test_the_same_again(void **state)
{
    static struct tape t;
    static struct back a, b;

    (void)state;
    record_all(&t, false);
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    read_back(t.text, &a);
    read_back(t.text, &b);
    assert_int_equal(memcmp(&a, &b, sizeof a), 0);
    free(t.text);
}

/* ---- sessions side by side ---- */

/* One line of each session in turn; those that need no past are found all the same. */
static void interleave(char *text, char *out)
{
    char *at[64];
    unsigned count = 0, left = 1;
    char last[27] = "";

    for (char *p = text; *p != '\0'; p = strchr(p, '\n') + 1) {
        char *sid = strstr(p, "\"sid\":\"") + 7;
        if (strncmp(sid, last, 26) != 0) {
            assert_true(count < 64);
            at[count++] = p;
            memcpy(last, sid, 26);
        }
    }
    char *ends[64];
    for (unsigned i = 0; i < count; i++)
        ends[i] = i + 1 < count ? at[i + 1] : text + strlen(text);
    while (left > 0) {
        left = 0;
        for (unsigned i = 0; i < count; i++) {
            if (at[i] >= ends[i])
                continue;
            size_t len = (size_t)(strchr(at[i], '\n') + 1 - at[i]);
            memcpy(out, at[i], len);
            out += len;
            at[i] += len;
            left++;
        }
    }
    *out = '\0';
}

static void test_interleaved(void **state)
{
    static struct tape t;
    static struct back b;
    unsigned same = 0;

    (void)state;
    record_all(&t, false);
    char *mixed = malloc(strlen(t.text) + 1);
    interleave(t.text, mixed);
    assert_int_equal(strlen(mixed), strlen(t.text));
    memset(&b, 0, sizeof b);
    read_back(mixed, &b);
    for (unsigned i = 0; i < t.live.count; i++)
        for (unsigned k = 0; k < b.told.count; k++)
            same += strcmp(t.live.line[i], b.told.line[k]) == 0;
    assert_true(same >= 40);
    free(mixed);
    free(t.text);
}

/* A session cut off anywhere gives no finding that the whole one does not give. */
static void test_cut_short(void **state)
{
    static struct tape t;
    static struct back b;

    (void)state;
    record_all(&t, false);
    for (char *p = t.text; (p = strchr(p, '\n')) != NULL; p++) {
        char next = p[1];
        p[1] = '\0';
        memset(&b, 0, sizeof b);
        read_back(t.text, &b);
        p[1] = next;
        for (unsigned i = 0; i < b.told.count; i++) {
            bool there = false;
            for (unsigned k = 0; k < t.live.count; k++)
                there = there || strcmp(b.told.line[i], t.live.line[k]) == 0;
            if (!there)
                fail_msg("only when cut: %s", b.told.line[i]);
        }
        p += strlen(p) / 20; /* some twenty places */
    }
    free(t.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_findings),    cmocka_unit_test(test_which_detectors),
        cmocka_unit_test(test_recorded_findings), cmocka_unit_test(test_the_same_again),
        cmocka_unit_test(test_interleaved),       cmocka_unit_test(test_cut_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
