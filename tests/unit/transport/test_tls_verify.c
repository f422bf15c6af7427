/* What is checked of the other side's certificate, and what is told when it does not pass. */
#include <openssl/ssl.h>

#include "transport/tls_private.h"
#include "unit/transport/tls_pair.h"

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static struct tls_context *pin_client(enum certificate which)
{
    uint8_t pins[2][TLS_PIN_OCTETS] = { { 1 } };
    struct tls_client_config c = { .verify = TLS_VERIFY_PIN,
                                   .pins = (const uint8_t(*)[TLS_PIN_OCTETS])pins,
                                   .pin_count = 2 };
    struct tls_config_error error;

    certificate_pin(which, pins[1]);
    struct tls_context *ctx = tls_context_client(&c, &error);
    assert_non_null(ctx);
    return ctx;
}

struct run {
    struct tls_facts client, server;
};

static void run(struct run *out, struct tls_context *client, enum certificate which,
                const char *name, int version)
{
    struct tls_context *server = rig_server(&which, 1);
    struct tls_pair_rig r;
    unsigned char in[8];
    size_t len = 0;

    rig_init(&r, client, server, name);
    SSL_set_max_proto_version(r.engine[CLIENT]->ssl, version);
    rig_handshake(&r);
    if (r.result[SERVER] == TLS_OK) /* TLS 1.3: hears of a failure after its own end */
        (void)!rig_read(&r, SERVER, in, sizeof in, &len);
    tls_facts(r.engine[CLIENT], &out->client);
    tls_facts(r.engine[SERVER], &out->server);
    rig_deinit(&r);
    tls_context_unref(&server);
}

static const struct {
    enum certificate which;
    const char *name;
    enum tls_failure failure;
    int alert;
    const char *detail;
} faults[] = {
    { CERTIFICATE_GOOD, "mx.test", TLS_FAILURE_NONE, -1, "" },
    { CERTIFICATE_GOOD, "MX.Test.", TLS_FAILURE_NONE, -1, "" },
    { CERTIFICATE_RSA, "mx.test", TLS_FAILURE_NONE, -1, "" },
    { CERTIFICATE_WILDCARD, "a.wild.test", TLS_FAILURE_NONE, -1, "" },
    { CERTIFICATE_ADDRESS, "192.0.2.1", TLS_FAILURE_NONE, -1, "" },
    { CERTIFICATE_COMMON_NAME, "common.test", TLS_FAILURE_NONE, -1, "" },
    { CERTIFICATE_ADDRESS, "192.0.2.2", TLS_FAILURE_NAME, 42, "expected 192.0.2.2" },
    { CERTIFICATE_GOOD, "192.0.2.1", TLS_FAILURE_NAME, 42, "expected 192.0.2.1" },
    { CERTIFICATE_OTHER_NAME, "mx.test", TLS_FAILURE_NAME, 42,
      "expected mx.test, it is for other.test, third.test" },
    { CERTIFICATE_WILDCARD, "a.b.wild.test", TLS_FAILURE_NAME, 42, "*.wild.test" },
    { CERTIFICATE_GOOD, NULL, TLS_FAILURE_NAME, 42, "no name is known" },
    { CERTIFICATE_EXPIRED, "mx.test", TLS_FAILURE_EXPIRED, 45, "expired" },
    { CERTIFICATE_NOT_YET, "mx.test", TLS_FAILURE_NOT_YET, 42, "not yet valid" },
    { CERTIFICATE_SELF_SIGNED, "mx.test", TLS_FAILURE_SELF_SIGNED, 48, "self" },
    { CERTIFICATE_UNKNOWN_CA, "mx.test", TLS_FAILURE_UNKNOWN_CA, 48, "issuer" },
};

static void check_fault(unsigned i, int version)
{
    struct tls_context *client = rig_client(TLS_VERIFY_CA);
    struct run got;

    run(&got, client, faults[i].which, faults[i].name, version);
    tls_context_unref(&client);
    if (got.client.failure != faults[i].failure ||
        strstr(got.client.detail, faults[i].detail) == NULL)
        fail_msg("case %u: %s: \"%s\"", i, tls_failure_name(got.client.failure),
                 got.client.detail);
    assert_int_equal(got.client.alert_sent, faults[i].alert);
    assert_int_equal(strlen(got.client.sha256), 64);
    assert_int_equal(strlen(got.client.spki_sha256), 64);
    assert_int_equal(strlen(got.client.not_after), 20);
    assert_true(strncmp(got.client.subject, "CN=", 3) == 0);
    if (faults[i].failure == TLS_FAILURE_NONE) {
        assert_string_equal(got.client.verify, "ok");
        assert_int_equal(got.server.failure, TLS_FAILURE_NONE);
        return;
    }
    assert_true(strcmp(got.client.verify, "ok") != 0 && got.client.verify[0] != '\0');
    assert_int_equal(got.server.alert_received, faults[i].alert);
    assert_int_equal(got.server.failure, TLS_FAILURE_ALERT);
    assert_non_null(strstr(got.server.detail, "certificate"));
}

static void test_certificate_faults(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
        for (unsigned v = 0; v < ARRAY_LEN(versions); v++)
            check_fault(i, versions[v]);
    }
}

/* Nothing is refused, everything is told. */
static void test_no_check_tells_all_the_same(void **state)
{
    struct tls_context *client = rig_client(TLS_VERIFY_NO);

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
        struct run got;
        if (faults[i].name == NULL)
            continue;
        run(&got, client, faults[i].which, faults[i].name, versions[i % 2]);
        assert_int_equal(got.client.failure, TLS_FAILURE_NONE);
        assert_int_equal(got.server.failure, TLS_FAILURE_NONE);
        assert_true((faults[i].failure == TLS_FAILURE_NONE) ==
                    (strcmp(got.client.verify, "ok") == 0));
        assert_true(got.client.verify[0] != '\0' && got.client.subject[0] != '\0');
    }
    tls_context_unref(&client);
}

/* What is told of a certificate seen before, or forgotten again, is what was told at first. */
static void test_seen_certificates(void **state)
{
    static const enum certificate shown[] = {
        CERTIFICATE_GOOD,    CERTIFICATE_OTHER_KEY,   CERTIFICATE_GOOD, CERTIFICATE_RSA,
        CERTIFICATE_EXPIRED, CERTIFICATE_SELF_SIGNED, CERTIFICATE_GOOD, CERTIFICATE_WILDCARD,
        CERTIFICATE_EXPIRED, CERTIFICATE_OTHER_KEY,   CERTIFICATE_RSA,
    };
    struct tls_context *client = rig_client(TLS_VERIFY_NO);
    struct tls_seen *seen = tls_seen_new();

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(shown); i++) {
        struct tls_context *server = rig_server(&shown[i], 1);
        struct tls_pair_rig r;
        struct tls_facts want, got;
        rig_init(&r, client, server, "mx.test");
        rig_handshake(&r);
        assert_int_equal(r.result[CLIENT], TLS_OK);
        tls_facts(r.engine[CLIENT], &want);
        assert_int_equal(strlen(want.spki_sha256), 64);
        r.wire.seen = seen;
        for (unsigned times = 0; times < 2; times++) {
            tls_facts(r.engine[CLIENT], &got);
            assert_memory_equal(&got, &want, sizeof got);
        }
        rig_deinit(&r);
        tls_context_unref(&server);
    }
    tls_seen_free(&seen);
    tls_context_unref(&client);
}

/* With a pin neither name nor date nor issuer count; without the right key nothing helps. */
static void test_pins(void **state)
{
    static const struct {
        enum certificate pinned, shown;
        enum tls_failure failure;
    } cases[] = {
        { CERTIFICATE_GOOD, CERTIFICATE_GOOD, TLS_FAILURE_NONE },
        { CERTIFICATE_RSA, CERTIFICATE_RSA, TLS_FAILURE_NONE },
        { CERTIFICATE_EXPIRED, CERTIFICATE_EXPIRED, TLS_FAILURE_NONE },
        { CERTIFICATE_OTHER_NAME, CERTIFICATE_OTHER_NAME, TLS_FAILURE_NONE },
        { CERTIFICATE_SELF_SIGNED, CERTIFICATE_SELF_SIGNED, TLS_FAILURE_NONE },
        { CERTIFICATE_UNKNOWN_CA, CERTIFICATE_UNKNOWN_CA, TLS_FAILURE_NONE },
        { CERTIFICATE_GOOD, CERTIFICATE_OTHER_KEY, TLS_FAILURE_PIN },
        { CERTIFICATE_OTHER_KEY, CERTIFICATE_GOOD, TLS_FAILURE_PIN },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases) * 2; i++) {
        struct tls_context *client = pin_client(cases[i / 2].pinned);
        uint8_t pin[TLS_PIN_OCTETS];
        struct run got;
        run(&got, client, cases[i / 2].shown, i % 3 ? "mx.test" : NULL, versions[i % 2]);
        tls_context_unref(&client);
        assert_int_equal(got.client.failure, cases[i / 2].failure);
        assert_true(tls_pin_parse(pin, got.client.spki_sha256));
        uint8_t want[TLS_PIN_OCTETS];
        certificate_pin(cases[i / 2].shown, want);
        assert_memory_equal(pin, want, sizeof pin);
        if (cases[i / 2].failure == TLS_FAILURE_NONE)
            assert_string_equal(got.client.verify, "ok");
        else
            assert_non_null(strstr(got.client.verify, "key is not the one"));
    }
}

static void test_pin_texts(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        { "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F", true },
        { "sha256:000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F", true },
        { "3 1 1 000102030405060708090a0b0c0d0e0f 101112131415161718191A1B1C1D1E1F", true },
        { "sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", true },
        { "sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", true },
        { "", false },
        { "sha256:", false },
        { "sha256", false },
        { "3 1 1 ", false },
        { "3 0 1 000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F", false },
        { "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1", false },
        { "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F0", false },
        { "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1G", false },
        { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", false },
        { "sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh", false },
        { "sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH==", false },
        { "sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=A", false },
        { "sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd!h8=", false },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t pin[TLS_PIN_OCTETS];
        if (tls_pin_parse(pin, cases[i].text) != cases[i].good)
            fail_msg("case %u: %s", i, cases[i].text);
        for (unsigned k = 0; cases[i].good && k < sizeof pin; k++)
            assert_int_equal(pin[k], k);
    }
}

/* A client shows `which`, CERTIFICATES for none; any is let in, and told. */
static void run_asked(struct tls_facts *f, enum certificate which, int version)
{
    struct tls_server_config c = { .pairs = certificate_files(CERTIFICATE_GOOD),
                                   .pair_count = 1,
                                   .ask_client = true,
                                   .client_ca = certificate_ca() };
    struct tls_config_error error;
    struct tls_context *server = tls_context_server(&c, &error);
    struct tls_context *client = rig_client(TLS_VERIFY_CA);
    struct tls_pair_rig r;

    assert_non_null(server);
    rig_init(&r, client, server, "mx.test");
    SSL *ssl = r.engine[CLIENT]->ssl;
    SSL_set_max_proto_version(ssl, version);
    if (which < CERTIFICATES) {
        const struct tls_key_pair *files = certificate_files(which);
        assert_int_equal(SSL_use_certificate_file(ssl, files->certificate, SSL_FILETYPE_PEM),
                         1);
        assert_int_equal(SSL_use_PrivateKey_file(ssl, files->key, SSL_FILETYPE_PEM), 1);
    }
    rig_handshake(&r);
    assert_int_equal(r.result[SERVER], TLS_OK);
    tls_facts(r.engine[SERVER], f);
    rig_deinit(&r);
    tls_context_unref(&client);
    tls_context_unref(&server);
}

static void test_client_certificates(void **state)
{
    (void)state;
    for (unsigned v = 0; v < ARRAY_LEN(versions); v++) {
        struct tls_facts f;
        run_asked(&f, CERTIFICATE_CLIENT, versions[v]);
        assert_string_equal(f.subject, "CN=client");
        assert_string_equal(f.issuer, "CN=ca");
        assert_string_equal(f.verify, "ok");
        run_asked(&f, CERTIFICATE_EXPIRED, versions[v]);
        assert_string_equal(f.subject, "CN=expired");
        assert_non_null(strstr(f.verify, "expired"));
        assert_int_equal(strlen(f.sha256), 64);
        run_asked(&f, CERTIFICATE_UNKNOWN_CA, versions[v]);
        assert_non_null(strstr(f.verify, "issuer"));
        run_asked(&f, CERTIFICATES, versions[v]);
        assert_string_equal(f.subject, "");
        assert_string_equal(f.verify, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificate_faults),
        cmocka_unit_test(test_no_check_tells_all_the_same),
        cmocka_unit_test(test_seen_certificates),
        cmocka_unit_test(test_pins),
        cmocka_unit_test(test_pin_texts),
        cmocka_unit_test(test_client_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
