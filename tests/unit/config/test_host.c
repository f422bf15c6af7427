/* config_check_host(): folders and users of the machine. Everything is made in a folder of
 * its own. */
#include "unit/config/helpers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <cmocka.h>

static char base[] = "/tmp/smtpscope-test-host-XXXXXX";

static bool check(const char *user, const char *file, char **errors)
{
    struct config_options none = { 0 };
    struct config *c = config_from_options(&none, CONFIG_TEXT, stderr);
    char path[256];
    size_t size;
    FILE *out = open_memstream(errors, &size);

    assert_non_null(c);
    snprintf(path, sizeof path, "%s/%s", base, file);
    free((char *)c->transcript.file);
    free(c->user);
    c->transcript.file = strdup(path);
    c->user = strdup(user);
    bool good = config_check_host(c, out);
    fclose(out);
    config_free(&c);
    return good;
}

static void expect(const char *user, const char *file, const char *error)
{
    char *errors;
    bool good = check(user, file, &errors);

    if (good != (error == NULL) || (error != NULL && strstr(errors, error) == NULL))
        fail_msg("%s as \"%s\": %s", file, user, errors);
    free(errors);
}

static void make(const char *name, mode_t mode, bool folder)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", base, name);
    if (folder) {
        assert_int_equal(mkdir(path, mode), 0);
    } else {
        f = fopen(path, "w");
        assert_non_null(f);
        fclose(f);
    }
    assert_int_equal(chmod(path, mode), 0);
}

static void test_files(void **state)
{
    (void)state;
    expect("", "x.jsonl", NULL);
    expect("", "%Y.jsonl", NULL);
    expect("", "open/x.jsonl", NULL);
    expect("", "none/x.jsonl", "/none: No such file or directory; create it");
    expect("", "file/x.jsonl", "/file is not a folder");
    expect("", "open", "/open is a folder; add a file name");
}

static void test_users(void **state)
{
    (void)state;
    expect("no-such-user-here", "x.jsonl", "there is no user \"no-such-user-here\"; create it");
    expect("root", "x.jsonl", NULL);
    if (geteuid() != 0)
        return; /* only root can ask for another user */
    expect("nobody", "open/x.jsonl", NULL);
    expect("nobody", "closed/x.jsonl", "nobody may not write to the folder");
    expect("nobody", "open/of-root", "nobody may not write to");
    expect("nobody", "private/open/x.jsonl", "nobody may not write to the folder");
    expect("root", "closed/x.jsonl", NULL);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(base));
    assert_int_equal(chmod(base, 0755), 0);
    make("open", 0777, true);
    make("closed", 0755, true);
    make("private", 0700, true);
    make("private/open", 0777, true);
    make("file", 0644, false);
    make("open/of-root", 0644, false);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {
        "/open/of-root", "/file", "/private/open", "/private", "/open", "/closed", ""
    };
    char path[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s%s", base, names[i]);
        remove(path);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_users),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
