/* The table of detectors: its ids in the order they are called; the catalogue names no other. */
#include "unit/check.h"

#include "analysis/detect.h"

static const char *const ids[] = {
    "SV-22 crlf-in-replies low",      "SV-04 x-echo high",
    "SV-05 noop-ehlo high",           "SV-06 ehlo-template medium",
    "SV-03 ehlo-illegal-kw medium",   "SV-12 proxy-banner info",
    "SV-02 ehlo-x-mask high",         "SV-01 banner-mask high",
    "SV-08 tls-missing critical",     "SV-19 cap-drift medium",
    "SV-07 ehlo-dangling high",       "SV-17 desync high",
    "SV-21 idle-death low",           "SV-13 foreign-reply high",
    "SV-09 tls-refused critical",     "SV-20 cap-lie high",
    "SV-15 eod-stall high",           "SV-25 repeat-eod high",
    "SV-14 data-stall-net critical",  "SV-16 kill-after high",
    "SV-10 tls-interceptor critical", "SV-11 tls-stall high",
    "SV-29 content-tells medium",     "SV-26 size-mismatch low",
    "SV-27 dkim-bh-repair high",      "SV-28 av-header info",
};

static const char *word_of(enum severity s)
{
#define X(id, name) name,
    static const char *const words[] = { SEVERITIES(X) };
#undef X
    return words[s];
}

static void test_list(void **state)
{
    const char *id, *name;
    enum severity severity;
    unsigned i;

    (void)state;
    for (i = 0; detect_list(i, &id, &name, &severity); i++) {
        char line[80];
        assert_true(i < ARRAY_LEN(ids));
        snprintf(line, sizeof line, "%s %s %s", id, name, word_of(severity));
        assert_string_equal(line, ids[i]);
    }
    assert_int_equal(i, ARRAY_LEN(ids));
    assert_false(detect_list(i + 1, &id, &name, &severity));
}

/* Every detector of one vantage point is explained by some product, but for these. */
static void test_catalogue_names_them(void **state)
{
    char error[512];
    struct catalogue *c = catalogue_load("../conf/middleboxes.conf", error, sizeof error);
    const char *id, *name;
    enum severity severity;

    (void)state;
    if (c == NULL)
        fail_msg("%s", error);
    for (unsigned i = 0; detect_list(i, &id, &name, &severity); i++)
        if (catalogue_for(c, id, NULL) == NULL && strcmp(id, "SV-22") != 0)
            fail_msg("no entry names %s", id);
    catalogue_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_catalogue_names_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
