#include "unit/check.h"

#include "analysis/report/match.h"
#include "base/attributes.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char catalogue_text[] =
    "entries = (\n"
    "{ id = \"acme-one\"; product = \"Acme Wall 1\"; does = \"x\"; direction = \"both\";\n"
    "  severity = \"high\"; confidence = \"high\"; findings = [ \"SV-01\" ]; fix = \"one\"; "
    "},\n"
    "{ id = \"acme-two\"; product = \"Acme Wall 2\"; does = \"x\"; direction = \"both\";\n"
    "  severity = \"high\"; confidence = \"high\"; findings = [ \"SV-02\" ]; fix = \"two\"; "
    "},\n"
    "{ id = \"any\"; product = \"boxes of all kinds\"; does = \"x\"; direction = \"both\";\n"
    "  severity = \"high\"; confidence = \"low\"; findings = [ \"SV-01\" ]; fix = \"three\"; "
    "},\n"
    "{ id = \"zeta\"; product = \"Zeta\"; does = \"x\"; direction = \"both\";\n"
    "  severity = \"high\"; confidence = \"high\"; findings = [ \"SV-02\" ]; fix = \"four\"; "
    "},\n"
    "{ id = \"zeta-two\"; product = \"Zeta two\"; does = \"x\"; direction = \"both\";\n"
    "  severity = \"high\"; confidence = \"high\"; findings = [ \"SV-02\" ]; fix = \"five\"; "
    "}\n"
    ");\n";

static struct catalogue *catalogue;
static struct groups groups;
static struct match match;
static struct verdict verdict;

static int load(void **state)
{
    char name[] = "/tmp/report-XXXXXX", error[512];
    int fd = mkstemp(name);

    (void)state;
    if (fd < 0 || write(fd, catalogue_text, sizeof catalogue_text - 1) < 0)
        return -1;
    close(fd);
    catalogue = catalogue_load(name, error, sizeof error);
    unlink(name);
    if (catalogue == NULL)
        fprintf(stderr, "%s\n", error);
    return catalogue == NULL;
}

static int unload(void **state)
{
    (void)state;
    catalogue_free(&catalogue);
    return 0;
}

static void find(const char *id, enum severity severity, enum blame side, const char *product,
                 const char *second)
{
    struct found f = { .severity = severity, .confidence = CONFIDENCE_HIGH, .side = side };
    bool is_new;

    snprintf(f.id, sizeof f.id, "%s", id);
    snprintf(f.products[0], sizeof f.products[0], "%s", product);
    snprintf(f.products[1], sizeof f.products[1], "%s", second);
    struct group *g = groups_of(&groups, &f, "here", &is_new);
    assert_non_null(g);
    group_add(g, &f, 1);
}

static void judge(void)
{
    groups_sort(&groups);
    match_make(&match, &groups, catalogue);
    verdict_make(&verdict, &groups, &match, "here");
}

static void forget(void)
{
    groups_free(&groups);
}

/* Two entries of Zeta are the better match of one finding; Acme explains both findings. */
static void the_maker_that_explains_most(void **state)
{
    (void)state;
    find("SV-01", SEVERITY_HIGH, BLAME_SERVER, "any", "acme-one");
    find("SV-02", SEVERITY_HIGH, BLAME_SERVER, "zeta", "zeta-two");
    snprintf(groups.list[1]->example.products[2], FOUND_PRODUCT_MAX, "%s", "acme-two");
    judge();
    assert_int_equal(match.count, 5);
    assert_int_equal(match.family, 2);
    assert_string_equal(match.list[0].id, "acme-one");
    assert_string_equal(match.list[1].id, "acme-two");
    assert_int_equal(match.explained, 2);
    assert_string_equal(verdict.product, "Acme Wall 1");
    assert_string_equal(verdict.sentence,
                        "A box on the server's side of here masks the greeting and masks EHLO "
                        "keywords: this is what Acme Wall 1 does.");
    assert_int_equal(verdict.fix_count, 1);
    assert_string_equal(verdict.fixes[0], "one");
    forget();
}

static void what_it_does_not_explain_is_said(void **state)
{
    (void)state;
    find("SV-01", SEVERITY_CRITICAL, BLAME_SERVER, "acme-one", "");
    find("SV-14", SEVERITY_LOW, BLAME_CLIENT, "", "");
    judge();
    assert_int_equal(match.explained, 1);
    assert_int_equal(match.damage, 2);
    assert_non_null(strstr(verdict.sentence, "which explains 1 of 2 kinds of damage."));
    assert_non_null(strstr(verdict.sentence, "on the path, on either side of here"));
    forget();
}

static void information_is_no_damage(void **state)
{
    (void)state;
    find("SV-12", SEVERITY_INFO, BLAME_SERVER, "zeta", "");
    judge();
    assert_false(verdict.damaged);
    assert_string_equal(verdict.sentence, "Nothing was found that damages mail; what is listed "
                                          "below is for information.");
    assert_int_equal(verdict.fix_count, 0);
    forget();
    judge();
    assert_false(verdict.damaged);
    assert_string_equal(verdict.sentence, "Nothing was found that damages mail.");
}

/* An id that is in no catalogue, a finding without a phrase. */
static void unknown_names_do_no_harm(void **state)
{
    (void)state;
    find("XX-99", SEVERITY_HIGH, BLAME_UNKNOWN, "nobody", "");
    judge();
    assert_string_equal(verdict.sentence, "A box on the path, on either side of here damages "
                                          "mail: this is what nobody does.");
    assert_null(match.list[0].entry);
    forget();
    find("SV-01", SEVERITY_HIGH, BLAME_SERVER, "", "");
    judge();
    assert_non_null(strstr(verdict.sentence, "No product of the catalogue fits that."));
    forget();
}

static void groups_have_a_limit(void **state)
{
    char vantage[32];
    struct found f = { .id = "SV-01" };
    bool is_new;

    (void)state;
    for (unsigned i = 0; i < GROUPS_MAX + 10; i++) {
        snprintf(vantage, sizeof vantage, "v%u", i);
        struct group *g = groups_of(&groups, &f, vantage, &is_new);
        assert_int_equal(g != NULL, i < GROUPS_MAX);
    }
    assert_int_equal(groups.count, GROUPS_MAX);
    assert_int_equal(groups.beyond, 10);
    judge();
    forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_maker_that_explains_most),
        cmocka_unit_test(what_it_does_not_explain_is_said),
        cmocka_unit_test(information_is_no_damage),
        cmocka_unit_test(unknown_names_do_no_harm),
        cmocka_unit_test(groups_have_a_limit),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
