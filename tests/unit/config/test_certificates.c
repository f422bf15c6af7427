/*
 * What is said of certificates, keys and CAs when a file is loaded, and the contexts made of
 * them. The files are made by the test; @NAME@ in a text stands for one of them.
 */
#include "transport/tls.h"
#include "unit/config/helpers.h"
#include "unit/transport/certificates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <cmocka.h>

enum { TEXT_MAX = 4096 };

static const struct {
    const char *name;
    enum certificate which;
} names[] = {
    { "good", CERTIFICATE_GOOD },       { "other", CERTIFICATE_OTHER_KEY },
    { "expired", CERTIFICATE_EXPIRED }, { "later", CERTIFICATE_NOT_YET },
    { "soon", CERTIFICATE_SOON },       { "rsa", CERTIFICATE_RSA },
};

/* "good.pem", "good.key", "ca.pem"; anything else is a file that is not there. */
static const char *path_of(const char *name)
{
    if (strcmp(name, "ca.pem") == 0)
        return certificate_ca();
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t len = strlen(names[i].name);

        if (strncmp(names[i].name, name, len) != 0 || name[len] != '.')
            continue;
        const struct tls_key_pair *files = certificate_files(names[i].which);
        return strcmp(name + len, ".key") == 0 ? files->key : files->certificate;
    }
    return certificate_path(name);
}

/* Every @NAME@ replaced by a path. */
static void fill(char out[TEXT_MAX], const char *text)
{
    size_t at = 0;

    while (*text != '\0') {
        size_t plain = strcspn(text, "@");

        at += (size_t)snprintf(out + at, TEXT_MAX - at, "%.*s", (int)plain, text);
        text += plain;
        if (*text == '\0')
            break;
        size_t len = strcspn(++text, "@");
        char name[64];

        snprintf(name, sizeof name, "%.*s", (int)len, text);
        at += (size_t)snprintf(out + at, TEXT_MAX - at, "%s", path_of(name));
        text += len + 1;
    }
    assert_true(at < TEXT_MAX);
}

static struct config *load(const char *tls, enum config_purpose purpose, char **errors)
{
    char text[TEXT_MAX], filled[TEXT_MAX];

    snprintf(text, sizeof text,
             "listeners = ( { listen = \"127.0.0.1:1\"; upstream = \"mx\"; limits = { sessions "
             "= 1; };\ntls = {\n%s\n}; } );",
             tls);
    fill(filled, text);
    return load_text_for(filled, purpose, errors);
}

/* The listener's tls group begins in line 3. */
static void test_wrong(void **state)
{
    static const struct {
        const char *tls, *said;
    } cases[] = {
        { "certificate = \"@good.pem@\";\nkey = \"@none.key@\";",
          ":4: listeners.tls.key: @none.key@: No such file or directory" },
        { "certificate = \"@none.pem@\";\nkey = \"@good.key@\";",
          ":3: listeners.tls.certificate: @none.pem@: No such file or directory" },
        { "key = \"@other.key@\";\ncertificate = \"@good.pem@\";",
          ":3: listeners.tls.key: @other.key@ does not belong to the certificate in "
          "@good.pem@" },
        { "certificate = [\n\"@good.pem@\",\n\"@rsa.pem@\" ];\nkey = [\n\"@good.key@\",\n"
          "\"@good.key@\" ];",
          ":8: listeners.tls.key: @good.key@ does not belong to the certificate in @rsa.pem@" },
        { "certificate = \"@good.pem@\";", ":3: listeners.tls.certificate: @good.pem@" },
        { "certificate = [ \"@good.pem@\",\n\"@other.pem@\" ]; key = [ \"@good.key@\",\n\"\" "
          "];",
          ":4: listeners.tls.certificate: @other.pem@" },
        { "certificate = \"@good.pem@\"; key = \"@good.key@\";\nask_client_certificate = true; "
          "client_ca = \"@none.pem@\";",
          ":4: listeners.tls.client_ca: @none.pem@: No such file" },
        { "upstream = \"implicit\";\nverify = \"ca\"; ca = \"@none.pem@\";",
          ":4: listeners.tls.ca: @none.pem@: No such file" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (enum config_purpose p = CONFIG_RUN; p <= CONFIG_CHECK; p++) {
            char said[TEXT_MAX], *errors;

            fill(said, cases[i].said);
            assert_null(load(cases[i].tls, p, &errors));
            if (strstr(errors, said) == NULL)
                fail_msg("%s\ninstead of\n%s", errors, said);
            free(errors);
        }
    }
}

static void test_each_is_told(void **state)
{
    char *errors;

    (void)state;
    assert_null(load("certificate = [\n\"@good.pem@\",\n\"@none.pem@\",\n\"@soon.pem@\",\n"
                     "\"@expired.pem@\" ];\n"
                     "key = [\n\"@other.key@\",\n\"@rsa.key@\",\n\"@soon.key@\",\n"
                     "\"@expired.key@\" ];",
                     CONFIG_CHECK, &errors));
    assert_non_null(strstr(errors, ":9: listeners.tls.key: "));
    assert_non_null(strstr(errors, ":5: listeners.tls.certificate: "));
    assert_non_null(strstr(errors, ":6: warning: listeners.tls.certificate: "));
    assert_non_null(strstr(errors, ":7: listeners.tls.certificate: "));
    assert_null(strstr(errors, ":4: "));
    free(errors);
}

/* Mail keeps flowing; who asks is told. */
static void test_dates(void **state)
{
    static const struct {
        const char *name, *says;
        bool wrong;
    } cases[] = {
        { "expired", " has expired on ", true },
        { "later", " is not valid before ", true },
        { "soon", " expires on ", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char tls[256], *errors;

        snprintf(tls, sizeof tls, "certificate = \"@%s.pem@\";\nkey = \"@%s.key@\";",
                 cases[i].name, cases[i].name);
        struct config *c = load(tls, CONFIG_RUN, &errors);
        if (c == NULL || strstr(errors, ":3: warning: listeners.tls.certificate: ") == NULL ||
            strstr(errors, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].name, errors);
        assert_non_null(c->listeners[0].settings->tls.server);
        config_free(&c);
        free(errors);

        c = load(tls, CONFIG_CHECK, &errors);
        if ((c == NULL) != cases[i].wrong || strstr(errors, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].name, errors);
        assert_int_equal(strstr(errors, "warning:") == NULL, cases[i].wrong);
        config_free(&c);
        free(errors);
    }
}

#define PAIR "certificate = \"@good.pem@\"; key = \"@good.key@\"; "

static void test_contexts(void **state)
{
    static const struct {
        const char *tls;
        bool server, client;
    } cases[] = {
        { "", false, false },
        { PAIR, true, true },
        { PAIR "upstream = \"no\";", true, false },
        { PAIR "upstream = \"require\"; verify = \"ca\"; ca = \"@ca.pem@\";", true, true },
        { PAIR "starttls = \"refuse\"; implicit = true;", true, true },
        { PAIR "ask_client_certificate = true; client_ca = \"@ca.pem@\";", true, true },
        { PAIR "starttls = \"passthrough\";", false, false },
        { "upstream = \"implicit\";", false, true },
        { "upstream = \"implicit\"; verify = \"pin\"; pins = \"0123456789abcdef0123456789abcdef"
          "0123456789abcdef0123456789abcdef\";",
          false, true },
        { "certificate = [ \"@good.pem@\", \"@rsa.pem@\" ]; key = [ \"@good.key@\", "
          "\"@rsa.key@\" ];",
          true, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *errors;
        struct config *c = load(cases[i].tls, CONFIG_CHECK, &errors);

        if (c == NULL || (strstr(errors, "is not used") == NULL && errors[0] != '\0'))
            fail_msg("%s: %s", cases[i].tls, errors);
        assert_int_equal(c->listeners[0].settings->tls.server != NULL, cases[i].server);
        assert_int_equal(c->listeners[0].settings->tls.client != NULL, cases[i].client);
        free(errors);
        config_free(&c);
    }
}

struct peer {
    struct tls *engine;
    struct tls_wire wire;
    enum tls_result result;
};

static void open_peer(struct peer *e, struct tls_context *ctx, const char *name)
{
    e->wire = (struct tls_wire){ .bytes = malloc(TLS_WIRE_MIN), .size = TLS_WIRE_MIN };
    assert_non_null(e->wire.bytes);
    e->engine = tls_new(ctx, &e->wire, name);
    assert_non_null(e->engine);
    e->result = tls_handshake(e->engine);
}

static void carry(struct peer *from, struct peer *to)
{
    if (from->wire.len > 0 && to->result == TLS_MORE) {
        tls_put_wire(to->engine, span_of(from->wire.bytes, from->wire.len));
        to->result = tls_handshake(to->engine);
    }
    from->wire.len = 0;
}

static void close_peer(struct peer *e)
{
    tls_free(&e->engine);
    free(e->wire.bytes);
}

/* What the client of `tls` thinks of the certificate for mx.test. */
static enum tls_failure judgement(const char *tls)
{
    char text[TEXT_MAX], *errors;
    struct tls_facts facts;
    struct peer client, server;

    snprintf(text, sizeof text, PAIR "upstream = \"require\"; %s", tls);
    struct config *c = load(text, CONFIG_RUN, &errors);
    if (c == NULL)
        fail_msg("%s", errors);
    const struct relay_tls *t = &c->listeners[0].settings->tls;
    open_peer(&server, t->server, NULL);
    open_peer(&client, t->client, t->verify_name);
    while (client.wire.len > 0 || server.wire.len > 0) {
        carry(&client, &server);
        carry(&server, &client);
    }
    tls_facts(client.engine, &facts);
    close_peer(&client);
    close_peer(&server);
    config_free(&c);
    free(errors);
    return facts.failure;
}

/* A word of the file reaches the handshake. */
static void test_verify(void **state)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t pin[TLS_PIN_OCTETS];
    char pinned[256], hex[2 * TLS_PIN_OCTETS + 1] = "";

    (void)state;
    certificate_pin(CERTIFICATE_GOOD, pin);
    for (size_t i = 0; i < sizeof hex - 1; i++)
        hex[i] = digits[(i % 2 == 0 ? pin[i / 2] >> 4 : pin[i / 2]) & 0x0f];
    snprintf(pinned, sizeof pinned, "verify = \"pin\"; pins = [ \"%064d\", \"%s\" ];", 0, hex);
    assert_int_equal(judgement(""), TLS_FAILURE_NONE);
    assert_int_equal(judgement("verify = \"ca\"; ca = \"@ca.pem@\"; name = \"mx.test\";"),
                     TLS_FAILURE_NONE);
    assert_int_equal(judgement("verify = \"ca\"; ca = \"@ca.pem@\"; name = \"mx2.test\";"),
                     TLS_FAILURE_NAME);
    assert_int_equal(judgement("verify = \"ca\"; name = \"mx.test\";"), TLS_FAILURE_UNKNOWN_CA);
    assert_int_equal(judgement(pinned), TLS_FAILURE_NONE);
    snprintf(pinned, sizeof pinned, "verify = \"pin\"; pins = \"%064d\";", 0);
    assert_int_equal(judgement(pinned), TLS_FAILURE_PIN);
}

/* The key in the file of the certificate. */
static void test_one_file(void **state)
{
    const struct tls_key_pair *files = certificate_files(CERTIFICATE_GOOD);
    const char *both = certificate_path("both.pem");
    char *certificate = read_whole(files->certificate), *key = read_whole(files->key), *errors;
    FILE *f = fopen(both, "w");

    (void)state;
    assert_non_null(f);
    fprintf(f, "%s%s", certificate, key);
    fclose(f);
    struct config *c = load("certificate = \"@both.pem@\";", CONFIG_CHECK, &errors);
    if (c == NULL)
        fail_msg("%s", errors);
    assert_non_null(c->listeners[0].settings->tls.server);
    assert_string_equal(errors, "");
    config_free(&c);
    free(errors);
    free(certificate);
    free(key);
}

static void test_keylog(void **state)
{
    const char *path = certificate_path("keys.txt");
    char *errors, error[512];
    struct stat st;

    (void)state;
    struct config *c = load(PAIR "keylog = \"@keys.txt@\";", CONFIG_RUN, &errors);
    assert_non_null(c);
    assert_int_not_equal(stat(path, &st), 0); /* loading writes nothing */
    assert_true(config_open_keylogs(c, error, sizeof error));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    config_free(&c);
    free(errors);

    c = load(PAIR "keylog = \"@no/folder/keys.txt@\";", CONFIG_RUN, &errors);
    assert_non_null(c);
    assert_false(config_open_keylogs(c, error, sizeof error));
    assert_non_null(strstr(error, "listener \"smtp\": tls.keylog: cannot write to "));
    free(errors);
    size_t size;
    FILE *out = open_memstream(&errors, &size);
    assert_false(config_check_host(c, out));
    fclose(out);
    assert_non_null(strstr(errors, "listeners.tls.keylog: the folder "));
    config_free(&c);
    free(errors);
}

static void expect_host(const char *key_mode, const char *user, const char *says)
{
    const char *key = certificate_files(CERTIFICATE_GOOD)->key;
    char *loaded, *errors;
    size_t size;
    FILE *out = open_memstream(&errors, &size);
    struct config *c = load(PAIR, CONFIG_RUN, &loaded);

    assert_non_null(c);
    assert_int_equal(chmod(key, (mode_t)strtoul(key_mode, NULL, 8)), 0);
    free(c->user);
    c->user = strdup(user);
    if (!config_check_host(c, out)) {
        fflush(out);
        fail_msg("%s", errors);
    }
    fclose(out);
    if (says == NULL ? errors[0] != '\0' : strstr(errors, says) == NULL)
        fail_msg("mode %s as \"%s\": %s", key_mode, user, errors);
    free(loaded);
    free(errors);
    config_free(&c);
}

static void test_host(void **state)
{
    (void)state;
    expect_host("0600", "", NULL);
    expect_host("0640", "", NULL);
    expect_host("0644", "", "everybody may read the private key in ");
    if (geteuid() != 0)
        return; /* only root can ask for another user */
    expect_host("0600", "nobody", "a reload will fail, as user nobody may not read");
    expect_host("0644", "nobody", "a reload will fail"); /* its folder is private */
    expect_host("0600", "root", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong),    cmocka_unit_test(test_each_is_told),
        cmocka_unit_test(test_dates),    cmocka_unit_test(test_contexts),
        cmocka_unit_test(test_one_file), cmocka_unit_test(test_keylog),
        cmocka_unit_test(test_host),     cmocka_unit_test(test_verify),
    };

    limit_files();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
