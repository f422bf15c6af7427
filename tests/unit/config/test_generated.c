/*
 * conf/smtpscope.conf and smtpscope.conf(5) are what the schema prints. SMTPSCOPE_UPDATE=1
 * writes them anew.
 */
#include "unit/config/helpers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define EXAMPLE "../conf/smtpscope.conf"
#define MANUAL  "../proxy/man/smtpscope.conf.5"

static char *example(void)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    config_print_example(out);
    fclose(out);
    return text;
}

/* The page with the reference in place of @KEYS@. */
static char *manual(void)
{
    static const char mark[] = "@KEYS@\n";
    char *page = read_whole(MANUAL ".in"), *at = strstr(page, mark), *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(at);
    fwrite(page, 1, (size_t)(at - page), out);
    config_print_manual(out);
    fputs(at + strlen(mark), out);
    fclose(out);
    free(page);
    return text;
}

static void compare(const char *path, char *text)
{
    if (getenv("SMTPSCOPE_UPDATE") != NULL) {
        FILE *f = fopen(path, "w");

        assert_non_null(f);
        fputs(text, f);
        fclose(f);
    }
    char *in_tree = read_whole(path);
    assert_string_equal(in_tree, text);
    free(in_tree);
    free(text);
}

static void test_example_in_tree(void **state)
{
    (void)state;
    compare(EXAMPLE, example());
}

static void test_manual_in_tree(void **state)
{
    (void)state;
    compare(MANUAL, manual());
}

/* Takes the # away where a key follows at once; but how many sessions are the default
 * depends on the host. */
static unsigned uncomment(char *text)
{
    unsigned count = 0;

    for (char *p = text; *p != '\0'; p++) {
        if (p[0] == '#' && p[1] >= 'a' && p[1] <= 'z' && strncmp(p, "#sessions", 9) != 0) {
            *p = ' ';
            count++;
        }
    }
    return count;
}

/* As it is, and with every key uncommented, the example is the defaults. */
static void test_example_is_the_defaults(void **state)
{
    struct config_options none = { 0 };
    struct config *c = config_from_options(&none, CONFIG_TEXT, stderr);
    char *text = example(), *expected = printed(c), *errors, *got;

    (void)state;
    config_free(&c);
    for (int round = 0; round < 2; round++) {
        c = load_text(text, &errors);
        if (c == NULL || errors[0] != '\0')
            fail_msg("%s", errors);
        got = printed(c);
        assert_string_equal(got, expected);
        free(got);
        free(errors);
        config_free(&c);
        assert_int_equal(uncomment(text) > 50, round == 0);
    }
    free(text);
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example_in_tree),
        cmocka_unit_test(test_manual_in_tree),
        cmocka_unit_test(test_example_is_the_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
