/*
 * Every file in tests/config: bad ones must fail with exactly the lines in NAME.err, good
 * ones load with the warnings in NAME.err (if any), and print as a file that loads again to
 * the same. SMTPSCOPE_UPDATE=1 writes the .err files anew: read the difference.
 */
#include "unit/config/helpers.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void compare(const char *path, const char *errors)
{
    char golden[512];
    char *expected;

    snprintf(golden, sizeof golden, "%.*s.err", (int)(strlen(path) - strlen(".conf")), path);
    if (getenv("SMTPSCOPE_UPDATE") != NULL && errors[0] != '\0') {
        FILE *f = fopen(golden, "w");

        assert_non_null(f);
        fputs(errors, f);
        fclose(f);
    }
    if (access(golden, R_OK) != 0) {
        assert_string_equal(errors, "");
        return;
    }
    expected = read_whole(golden);
    assert_string_equal(errors, expected);
    free(expected);
}

static void check_bad(const char *path)
{
    char *errors;
    struct config *c = load_file(path, &errors);

    assert_null(c);
    assert_true(errors[0] != '\0');
    compare(path, errors);
    free(errors);
}

static void check_good(const char *path)
{
    char *errors, *text, *again;
    struct config *c = load_file(path, &errors);

    if (c == NULL)
        fail_msg("%s", errors);
    compare(path, errors);
    bool warned = errors[0] != '\0';
    free(errors);
    text = printed(c);
    config_free(&c);
    c = load_text(text, &errors);
    if (c == NULL || (errors[0] != '\0' && !warned))
        fail_msg("%s printed as\n%s%s", path, text, errors);
    again = printed(c);
    assert_string_equal(again, text);
    config_free(&c);
    free(errors);
    free(text);
    free(again);
}

static void for_each(const char *folder, void (*check)(const char *), unsigned at_least)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);
    unsigned count = 0;

    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(names[i]->d_name, '.');
        char path[512];

        if (dot != NULL && strcmp(dot, ".conf") == 0) {
            snprintf(path, sizeof path, "%s/%.255s", folder, names[i]->d_name);
            check(path);
            count++;
        }
        free(names[i]);
    }
    free(names);
    assert_true(count >= at_least);
}

static void test_bad_files(void **state)
{
    (void)state;
    for_each("config/bad", check_bad, 20);
}

static void test_good_files(void **state)
{
    (void)state;
    for_each("config/good", check_good, 4);
}

/* A file that includes a file, and so on: `deep` of them. What config_load() says. */
static char *load_chain(const char *folder, unsigned deep)
{
    char path[128], *errors;

    for (unsigned i = 0; i <= deep; i++) {
        snprintf(path, sizeof path, "%s/%u.conf", folder, i);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        if (i < deep)
            fprintf(f, "@include \"%u.conf\"\n", i + 1);
        fclose(f);
    }
    snprintf(path, sizeof path, "%s/0.conf", folder);
    struct config *c = load_file(path, &errors);
    if (c != NULL)
        config_free(&c);
    for (unsigned i = 0; i <= deep; i++) {
        snprintf(path, sizeof path, "%s/%u.conf", folder, i);
        unlink(path);
    }
    return errors;
}

static void test_depth_of_includes(void **state)
{
    char folder[] = "/tmp/smtpscope-test-include-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    char *eight = load_chain(folder, 8), *nine = load_chain(folder, 9);
    assert_null(strstr(eight, "more than 8 deep"));
    assert_non_null(strstr(nine, "more than 8 deep"));
    free(eight);
    free(nine);
    assert_int_equal(rmdir(folder), 0);
}

static void test_not_readable(void **state)
{
    char *errors;

    (void)state;
    assert_null(load_file("config/bad/none.conf", &errors));
    assert_string_equal(
        errors, "config/bad/none.conf: cannot read the file: No such file or directory\n");
    free(errors);
    assert_null(load_file("config", &errors));
    assert_string_equal(errors, "config: cannot read the file: Is a directory\n");
    free(errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_good_files),
        cmocka_unit_test(test_depth_of_includes),
        cmocka_unit_test(test_not_readable),
    };

    limit_files();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
