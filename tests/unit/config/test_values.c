#include "unit/config/helpers.h"

#include "config/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct config_listener *listener(const struct config *c, unsigned i)
{
    assert_true(i < c->listener_count);
    return &c->listeners[i];
}

static enum policy_word word(const struct config *c, unsigned i, enum policy_rule rule)
{
    return policy_get(&listener(c, i)->settings->policy, rule);
}

static void check_top(const struct config *c)
{
    assert_string_equal(c->file, "config/good/everything.conf");
    assert_string_equal(c->vantage, "dmz-outside");
    assert_ptr_equal(c->transcript.vantage, c->vantage);
    assert_int_equal(c->workers, 3);
    assert_int_equal(c->drain_timeout_ms, 120000);
    assert_string_equal(c->log_level, "debug");
    assert_int_equal(c->listener_count, 3);
}

static void check_first_listener(const struct config *c)
{
    const struct config_listener *l = listener(c, 0);
    const struct relay_settings *s = l->settings;
    char text[ADDR_TEXT_MAX];

    assert_string_equal(s->name, "mx");
    assert_false(s->observe);
    assert_int_equal(l->listen_count, 2);
    addr_text(&l->listen[1], text);
    assert_string_equal(text, "[::1]:25");
    assert_int_equal(s->upstream_count, 4);
    assert_int_equal(s->upstreams[1].addr.port, 25);
    assert_string_equal(s->upstreams[2].host, "mx.example.org");
    assert_true(s->upstreams[3].reflect);
    assert_int_equal(s->sessions, 500);
    assert_int_equal(s->per_client, 0);
    assert_int_equal(s->prefix4, 24);
    assert_int_equal(s->prefix6, 48);
    assert_int_equal(s->error_limit, 1);
    assert_int_equal(s->timeouts.connect, 100);
    assert_int_equal(s->timeouts.data_end, 86400000);
    assert_int_equal(s->timeouts.command, 305000);
}

/* The preset stands behind one key and before others, and loses to all of them. */
static void check_policy(const struct config *c)
{
    assert_int_equal(word(c, 0, RULE_VRFY), WORD_PASS);
    assert_int_equal(word(c, 0, RULE_DATA_BARE_LF), WORD_SPACE);
    assert_int_equal(word(c, 0, RULE_STARTTLS), WORD_REFUSE);
    assert_int_equal(word(c, 0, RULE_CMD_BARE_LF), WORD_REJECT); /* strict */
    assert_int_equal(word(c, 0, RULE_LIMIT_MODE), WORD_FIXED);
    assert_int_equal(listener(c, 0)->settings->policy.limit_fixed, 4096);
    assert_int_equal(listener(c, 0)->settings->policy.limit_auth_line, 1024);
    assert_int_equal(word(c, 1, RULE_VRFY), WORD_REJECT502); /* not the first one's */
    assert_true(listener(c, 2)->settings->observe);
    assert_int_equal(word(c, 2, RULE_VRFY), WORD_PASS);
}

static void check_transcript(const struct writer_config *t)
{
    assert_string_equal(t->file, "/var/log/smtpscope/%Y \"x\" \\new caf\303\251.jsonl");
    assert_int_equal(t->fd, -1);
    assert_int_equal(t->content, CONTENT_LEVEL_FULL);
    assert_string_equal(t->spool, "/var/spool/smtpscope");
    assert_int_equal(t->redact, REDACT_NONE);
    assert_true(t->sha256);
    assert_int_equal(t->flush_ms, 0);
    assert_int_equal(t->on_full, ON_FULL_DROP);
    assert_int_equal(t->queue_octets, 1048576);
    assert_int_equal(t->rotate_octets, 3145729);
    assert_int_equal(t->rotate_seconds, 129600);
    assert_int_equal(t->file_mode, 0600);
}

static void test_every_kind(void **state)
{
    char *errors;
    struct config *c = load_file("config/good/everything.conf", &errors);

    (void)state;
    if (c == NULL)
        fail_msg("%s", errors);
    check_top(c);
    check_first_listener(c);
    check_policy(c);
    check_transcript(&c->transcript);
    free(errors);
    config_free(&c);
}

/* Defaults of a file and of no file at all are the same. */
static void test_defaults(void **state)
{
    struct config_options none = { 0 };
    char *errors, *a, *b;
    struct config *c = load_file("config/good/minimal.conf", &errors);
    struct config *d = config_from_options(&none, CONFIG_TEXT, stderr);

    (void)state;
    assert_non_null(c);
    assert_non_null(d);
    assert_null(d->file);
    assert_string_equal(c->transcript.file, "-");
    assert_true(c->workers >= 1);
    assert_true(c->vantage[0] != '\0');
    a = printed(c);
    b = printed(d);
    assert_string_equal(a, b);
    free(a);
    free(b);
    free(errors);
    config_free(&c);
    config_free(&d);
}

/* Sessions asked for stay, the others share what file descriptors remain. */
static void test_sessions_share(void **state)
{
    char *errors;
    struct config *c =
        load_text("workers = 1; listeners = (\n"
                  "{ name = \"a\"; listen = \"127.0.0.1:1\"; upstream = \"mx\";\n"
                  "  limits = { sessions = 500; }; },\n"
                  "{ name = \"b\"; listen = \"127.0.0.1:2\"; upstream = \"mx\"; });",
                  &errors);

    (void)state;
    assert_non_null(c);
    assert_int_equal(listener(c, 0)->settings->sessions, 500);
    assert_in_range(listener(c, 1)->settings->sessions, 1000, 1600);
    assert_true(config_files_needed(c) <= FILES_LIMIT);
    assert_string_equal(errors, "");
    free(errors);
    config_free(&c);
}

static void test_options(void **state)
{
    const char *listen[] = { "127.0.0.1:0", "[::1]:2525" }, *upstream[] = { "mx.example.org" };
    struct config_options o = { .listen = listen,
                                .listen_count = 2,
                                .upstream = upstream,
                                .upstream_count = 1,
                                .mode = "observe",
                                .intercept = "redirect",
                                .tls_upstream = "implicit",
                                .transcript = "x.jsonl",
                                .vantage = "near",
                                .workers = "2" };
    struct config *c = config_from_options(&o, CONFIG_TEXT, stderr);

    (void)state;
    assert_non_null(c);
    assert_int_equal(listener(c, 0)->listen_count, 2);
    assert_string_equal(listener(c, 0)->settings->upstreams[0].host, "mx.example.org");
    assert_true(listener(c, 0)->settings->observe);
    assert_int_equal(listener(c, 0)->settings->intercept, INTERCEPT_REDIRECT);
    assert_int_equal(listener(c, 0)->settings->tls.upstream, UPSTREAM_TLS_IMPLICIT);
    assert_string_equal(c->transcript.file, "x.jsonl");
    assert_string_equal(c->transcript.vantage, "near");
    assert_int_equal(c->workers, 2);
    config_free(&c);
}

static void test_bad_options(void **state)
{
    const char *listen[] = { "2525", "127.0.0.1:1", "127.0.0.1:1" },
               *upstream[] = { "refelct:x" };
    struct config_options o = { .listen = listen,
                                .listen_count = 3,
                                .upstream = upstream,
                                .upstream_count = 1,
                                .mode = "observ",
                                .transcript = "a\nb",
                                .vantage = "\033",
                                .workers = "0" };
    char *errors;
    size_t size;
    FILE *out = open_memstream(&errors, &size);

    (void)state;
    assert_null(config_from_options(&o, CONFIG_TEXT, out));
    fclose(out);
    assert_string_equal(
        errors,
        "--listen: \"2525\": not an IPv4 address\n"
        "--listen: \"127.0.0.1:1\": this listener has the address already\n"
        "--upstream: \"refelct:x\": the port is not a number from 1 to 65535; did you mean "
        "\"reflect\"?\n"
        "--mode: \"observ\": expected \"enforce\" or \"observe\"; did you mean \"observe\"?\n"
        "--transcript: \"a\\nb\": expected printable characters\n"
        "--vantage: \"\\033\": expected printable ASCII characters\n"
        "--workers: \"0\": expected 1 to 256 or \"auto\"\n");
    free(errors);
}

static void check_client(const struct relay_settings *s)
{
    static const char *const networks[] = { "192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32",
                                            "::1/128",      "10.0.0.0/8",      "0.0.0.0/0" };
    char text[NETWORK_TEXT_MAX];

    assert_true(s->upstreams[0].original);
    assert_int_equal(s->intercept, INTERCEPT_TPROXY);
    assert_true(s->source_client);
    assert_int_equal(s->proxy_protocol, PROXY_ANY);
    assert_int_equal(s->trusted.count, ARRAY_LEN(networks));
    for (unsigned i = 0; i < s->trusted.count; i++) {
        network_text(&s->trusted.list[i], text);
        assert_string_equal(text, networks[i]);
    }
    assert_int_equal(s->timeouts.tls, 5000);
    assert_int_equal(s->timeouts.proxy, 3000);
}

static void check_tls(const struct config_listener *l)
{
    assert_int_equal(l->settings->tls.upstream, UPSTREAM_TLS_REQUIRE);
    assert_string_equal(l->settings->tls.verify_name, "mx.example.org");
    assert_null(l->settings->tls.server); /* only the text was asked for */
    assert_null(l->settings->tls.client);
    assert_int_equal(l->tls.certificates.count, 2);
    assert_string_equal(l->tls.certificates.items[1], "/etc/ssl/b.pem");
    assert_int_equal(l->tls.keys.count, 2);
    assert_string_equal(l->tls.keys.items[1], "");
    assert_int_equal(l->tls.pins.count, 4);
    assert_int_equal(l->tls.verify, TLS_VERIFY_PIN);
    assert_string_equal(l->tls.ca, "/etc/ssl/ca.pem");
    assert_true(l->tls.ask_client);
    assert_string_equal(l->tls.client_ca, "/etc/ssl/clients.pem");
    assert_string_equal(l->tls.keylog, "/var/tmp/keys \"x\".txt");
}

static void test_tls(void **state)
{
    char *errors;
    struct config *c = load_file("config/good/tls.conf", &errors);

    (void)state;
    if (c == NULL)
        fail_msg("%s", errors);
    check_client(listener(c, 0)->settings);
    check_tls(listener(c, 0));
    assert_int_equal(word(c, 0, RULE_STARTTLS), WORD_TERMINATE); /* by its certificate */
    assert_int_equal(word(c, 1, RULE_STARTTLS), WORD_PASSTHROUGH);
    assert_int_equal(word(c, 2, RULE_STARTTLS), WORD_REFUSE);
    assert_int_equal(word(c, 3, RULE_STARTTLS), WORD_PASSTHROUGH);
    assert_true(listener(c, 1)->settings->tls.implicit);
    assert_int_equal(listener(c, 1)->settings->send_proxy, 2);
    assert_int_equal(listener(c, 1)->tls.keys.count, 0); /* "" alone */
    assert_true(listener(c, 2)->settings->xclient);
    assert_null(listener(c, 2)->settings->tls.verify_name);
    assert_int_equal(listener(c, 3)->tls.certificates.count, 0);
    assert_int_equal(listener(c, 3)->settings->tls.upstream, UPSTREAM_TLS_MAY);
    free(errors);
    config_free(&c);
}

/* What does not fit together is told of the option that gave it. */
static void test_options_across(void **state)
{
    static const struct {
        struct config_options options;
        const char *error;
    } cases[] = {
        { { .tls_key = "k.pem" }, "--tls-key: listeners.tls.key is of no certificate" },
        { { .tls_certificate = "", .tls_upstream = "require" },
          "--tls-upstream: listeners.tls.upstream = \"require\": no mail" },
        { { .intercept = "bridge" }, "--intercept: \"bridge\": expected \"no\"" },
        { { .tls_certificate = "/nowhere/c.pem", .mode = "enforce" },
          "--tls-certificate: listeners.tls.certificate: /nowhere/c.pem" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *errors;
        size_t size;
        FILE *out = open_memstream(&errors, &size);

        assert_null(config_from_options(&cases[i].options, CONFIG_RUN, out));
        fclose(out);
        if (strncmp(errors, cases[i].error, strlen(cases[i].error)) != 0)
            fail_msg("%s", errors);
        free(errors);
    }
}

static void test_schema(void **state)
{
    const struct config_key *key;

    (void)state;
    for (unsigned i = 1; (key = config_key_at(i)) != NULL; i++) {
        char parent[128];

        assert_ptr_equal(config_key_by_path(key->path), key); /* none stands twice */
        assert_non_null(config_key_about(key));
        assert_int_equal(config_key_about(key)[strlen(config_key_about(key)) - 1], '.');
        snprintf(parent, sizeof parent, "%.*s",
                 (int)(config_key_name(key) - key->path - (strchr(key->path, '.') != NULL)),
                 key->path);
        assert_non_null(config_key_by_path(parent));
        assert_ptr_equal(config_key_find(config_key_by_path(parent), config_key_name(key)),
                         key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_sessions_share),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_options_across),
    };

    limit_files();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
