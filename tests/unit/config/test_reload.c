#include "unit/config/helpers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LISTENER(rest) "listeners = ( { name = \"a\"; listen = \"127.0.0.1:1\"; " rest " } );"
#define PLAIN          LISTENER("upstream = \"mx\";")

static char *restart_for(const char *before, const char *after)
{
    char *errors, *why;
    size_t size;
    FILE *out = open_memstream(&why, &size);
    struct config *old = load_text(before, &errors);
    free(errors);
    struct config *new = load_text(after, &errors);

    if (old == NULL || new == NULL)
        fail_msg("%s", errors);
    free(errors);
    bool needed = config_needs_restart(old, new, out);
    fclose(out);
    assert_int_equal(needed, why[0] != '\0');
    assert_int_equal(config_needs_restart(old, new, NULL), needed);
    config_free(&old);
    config_free(&new);
    return why;
}

static void test_restart(void **state)
{
    static const struct {
        const char *before, *after, *why;
    } cases[] = {
        { PLAIN, PLAIN, "" },
        { PLAIN, "log_level = \"debug\"; drain_timeout = \"1s\";" PLAIN, "" },
        { PLAIN, LISTENER("upstream = \"other\";"), "" },
        { PLAIN, LISTENER("upstream = \"mx\"; mode = \"observe\";"), "" },
        { PLAIN, LISTENER("upstream = \"mx\"; limits = { sessions = 5; errors = 0; };"), "" },
        { PLAIN, LISTENER("upstream = \"mx\"; policy = { preset = \"strict\"; };"), "" },
        { "workers = 1;" PLAIN, "workers = 2; user = \"mail\"; vantage = \"x\";" PLAIN,
          "vantage\nworkers\nuser\n" },
        { PLAIN,
          PLAIN
          "transcript = { file = \"x\"; flush = \"2s\"; queue_size = \"1M\"; sha256 = true; "
          "on_full = \"drop\"; rotate_age = \"1d\"; redact = \"all\"; };",
          "transcript.file\ntranscript.redact\ntranscript.sha256\ntranscript.flush\n"
          "transcript.on_full\ntranscript.queue_size\ntranscript.rotate_age\n" },
        { PLAIN, LISTENER("upstream = \"reflect\";"),
          "first use of the upstream \"reflect\"\n" },
        { LISTENER("upstream = \"reflect\";"), PLAIN, "" },
        { PLAIN,
          LISTENER("upstream = \"mx\"; source = \"client\"; trusted = \"10.0.0.0/8\"; "
                   "proxy_protocol = \"any\"; send_proxy = \"v2\"; tls = { implicit = true; "
                   "certificate = \"x\"; upstream = \"require\"; verify = \"ca\"; };"),
          "" },
        { PLAIN, LISTENER("upstream = \"original\"; intercept = \"tproxy\";"),
          "listeners.intercept of listener \"a\"\n" },
        { PLAIN,
          "listeners = ( { name = \"a\"; listen = \"127.0.0.1:2\"; upstream = \"mx\"; } );",
          "listeners.listen of listener \"a\"\n" },
        { PLAIN,
          "listeners = ( { name = \"a\"; listen = [ \"127.0.0.1:1\", \"127.0.0.1:2\" ]; "
          "upstream = \"mx\"; } );",
          "listeners.listen of listener \"a\"\n" },
        { PLAIN,
          "listeners = ( { name = \"b\"; listen = \"127.0.0.1:1\"; upstream = \"mx\"; } );",
          "removal of listener \"a\"\naddition of listener \"b\"\n" },
        { "listeners = ( { name = \"a\"; listen = \"127.0.0.1:1\"; upstream = \"mx\"; },"
          "{ name = \"b\"; listen = \"127.0.0.1:2\"; upstream = \"mx\"; } );",
          "listeners = ( { name = \"b\"; listen = \"127.0.0.1:2\"; upstream = \"mx\"; },"
          "{ name = \"a\"; listen = \"127.0.0.1:1\"; upstream = \"mx\"; } );",
          "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *why = restart_for(cases[i].before, cases[i].after);

        assert_string_equal(why, cases[i].why);
        free(why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restart),
    };

    limit_files();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
