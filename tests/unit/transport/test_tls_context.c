/* What contexts say about files that are wrong: which part, which file, what to do. */
#include <pthread.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "transport/tls_private.h"
#include "unit/transport/tls_pair.h"

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void append_file(const char *to, const char *from)
{
    char text[8192];
    FILE *in = fopen(from, "re"), *out = fopen(to, "ae");

    assert_true(in != NULL && out != NULL);
    size_t n = fread(text, 1, sizeof text, in);
    assert_int_equal(fwrite(text, 1, n, out), n);
    fclose(in);
    fclose(out);
}

static const char *encrypted_key(void)
{
    const char *path = certificate_path("encrypted.key");
    FILE *in = fopen(certificate_files(CERTIFICATE_GOOD)->key, "re"), *out = fopen(path, "we");

    assert_true(in != NULL && out != NULL);
    EVP_PKEY *key = PEM_read_PrivateKey(in, NULL, NULL, NULL);
    assert_int_equal(
        PEM_write_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL), 1);
    EVP_PKEY_free(key);
    fclose(in);
    fclose(out);
    return path;
}

/* The context of one pair; it must not come to be. */
static void check_refused(const char *certificate, const char *key, enum tls_config_part part,
                          const char *text)
{
    struct tls_key_pair pairs[2] = { *certificate_files(CERTIFICATE_GOOD),
                                     { certificate, key } };
    struct tls_server_config c = { .pairs = pairs, .pair_count = 2 };
    struct tls_config_error error;

    assert_null(tls_context_server(&c, &error));
    if (error.part != part || error.index != 1 || strstr(error.text, text) == NULL)
        fail_msg("part %d, pair %u: %s", (int)error.part, error.index, error.text);
    const char *named = part == TLS_PART_KEY ? key : certificate;
    assert_non_null(strstr(error.text, named));
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_certificate_files(void **state)
{
    const struct tls_key_pair *good = certificate_files(CERTIFICATE_GOOD);
    const char *path = certificate_path("bad.pem");

    (void)state;
    check_refused("/nowhere/x.pem", good->key, TLS_PART_CERTIFICATE, "No such file");
    check_refused("/", good->key, TLS_PART_CERTIFICATE, "directory");
    check_refused(good->key, good->key, TLS_PART_CERTIFICATE,
                  "holds a private key, not a certificate");
    write_file(path, "");
    check_refused(path, good->key, TLS_PART_CERTIFICATE, "is empty");
    write_file(path, "hello\n");
    check_refused(path, good->key, TLS_PART_CERTIFICATE, "not a PEM file");
    write_file(path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    check_refused(path, good->key, TLS_PART_CERTIFICATE, "damaged");
    write_file(path, "");
    append_file(path, good->certificate);
    append_file(path, good->certificate);
    FILE *f = fopen(path, "ae");
    fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", f);
    fclose(f);
    check_refused(path, good->key, TLS_PART_CERTIFICATE, "certificate number 3 is damaged");
}

static void test_key_files(void **state)
{
    const struct tls_key_pair *good = certificate_files(CERTIFICATE_GOOD);
    const char *path = certificate_path("bad.key");

    (void)state;
    check_refused(good->certificate, "/nowhere/x.key", TLS_PART_KEY, "No such file");
    check_refused(good->certificate, "/", TLS_PART_KEY, "directory");
    check_refused(good->certificate, good->certificate, TLS_PART_KEY,
                  "holds a certificate, not a private key");
    check_refused(good->certificate, encrypted_key(), TLS_PART_KEY, "needs a passphrase");
    write_file(path, "");
    check_refused(good->certificate, path, TLS_PART_KEY, "is empty");
    write_file(path, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    check_refused(good->certificate, path, TLS_PART_KEY, "damaged");
    check_refused(good->certificate, certificate_files(CERTIFICATE_OTHER_KEY)->key,
                  TLS_PART_KEY, "does not belong to the certificate in");
    check_refused(good->certificate, certificate_files(CERTIFICATE_RSA)->key, TLS_PART_KEY,
                  "does not belong to the certificate in");
}

static void test_key_after_the_certificate_in_one_file(void **state)
{
    const struct tls_key_pair *good = certificate_files(CERTIFICATE_GOOD);
    const char *path = certificate_path("both.pem");
    struct tls_key_pair both = { path, path };
    struct tls_server_config c = { .pairs = &both, .pair_count = 1 };
    struct tls_config_error error;

    (void)state;
    write_file(path, "subject=somebody\n");
    append_file(path, good->key);
    append_file(path, good->certificate);
    append_file(path, certificate_ca());
    struct tls_context *ctx = tls_context_server(&c, &error);
    assert_non_null(ctx);
    assert_int_equal(error.part, TLS_PART_NONE);
    STACK_OF(X509) *chain = NULL;
    assert_int_equal(SSL_CTX_get0_chain_certs(ctx->identities[0].ssl, &chain), 1);
    assert_int_equal(sk_X509_num(chain), 1);
    tls_context_unref(&ctx);
}

static void test_out_of_date_is_told_and_served(void **state)
{
    static const struct {
        enum certificate which;
        const char *text;
    } cases[] = {
        { CERTIFICATE_EXPIRED, "(12 days ago)" },
        { CERTIFICATE_EXPIRED, " expired on 20" },
        { CERTIFICATE_NOT_YET, "is not valid before 20" },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct tls_key_pair pairs[] = { *certificate_files(CERTIFICATE_GOOD),
                                        *certificate_files(cases[i].which),
                                        *certificate_files(CERTIFICATE_RSA) };
        struct tls_server_config c = { .pairs = pairs, .pair_count = ARRAY_LEN(pairs) };
        struct tls_config_error error;
        struct tls_context *ctx = tls_context_server(&c, &error);
        assert_non_null(ctx);
        assert_int_equal(error.part, TLS_PART_EXPIRED);
        assert_int_equal(error.index, 1);
        assert_non_null(strstr(error.text, pairs[1].certificate));
        assert_non_null(strstr(error.text, cases[i].text));
        tls_context_unref(&ctx);
    }
}

static void test_ca_files(void **state)
{
    const char *empty = certificate_path("empty.pem");
    const char *key = certificate_files(CERTIFICATE_GOOD)->key;
    const char *const files[] = { "/nowhere/ca.pem", "/", empty, key };
    struct tls_config_error error;

    (void)state;
    write_file(empty, "");
    for (unsigned i = 0; i < ARRAY_LEN(files); i++) {
        struct tls_client_config c = { .verify = TLS_VERIFY_CA, .ca = files[i] };
        struct tls_server_config s = { .pairs = certificate_files(CERTIFICATE_GOOD),
                                       .pair_count = 1,
                                       .ask_client = true,
                                       .client_ca = files[i] };
        assert_null(tls_context_client(&c, &error));
        assert_int_equal(error.part, TLS_PART_CA);
        assert_non_null(strstr(error.text, files[i]));
        assert_null(tls_context_server(&s, &error));
        assert_int_equal(error.part, TLS_PART_CA);
    }
}

static void test_the_systems_authorities(void **state)
{
    struct tls_client_config c = { .verify = TLS_VERIFY_CA };
    struct tls_config_error error;
    struct tls_context *ctx = tls_context_client(&c, &error);

    (void)state;
    assert_non_null(ctx);
    tls_context_unref(&ctx);
    assert_null(ctx);
}

/* An engine keeps its context; a reload drops the last reference but the engines'. */
static void test_context_outlives_its_owner(void **state)
{
    enum certificate good = CERTIFICATE_GOOD;
    struct tls_context *server = rig_server(&good, 1), *client = rig_client(TLS_VERIFY_CA);
    struct tls_pair_rig r;

    (void)state;
    rig_init(&r, client, server, "mx.test");
    tls_context_unref(&server);
    tls_context_unref(&client);
    rig_handshake(&r);
    assert_int_equal(r.result[SERVER], TLS_OK);
    rig_deinit(&r);
}

static void test_keylog(void **state)
{
    enum certificate good = CERTIFICATE_GOOD;
    struct tls_context *server = rig_server(&good, 1), *client = rig_client(TLS_VERIFY_CA);
    const char *path = certificate_path("keys.log");
    struct tls_pair_rig r;
    struct stat st;
    char text[8192];

    (void)state;
    assert_false(tls_context_keylog(client, "/nowhere/keys.log"));
    assert_true(tls_context_keylog(server, path));
    rig_init(&r, client, server, "mx.test");
    rig_handshake(&r);
    assert_int_equal(r.result[SERVER], TLS_OK);
    rig_deinit(&r);
    tls_context_unref(&server);
    tls_context_unref(&client);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    FILE *f = fopen(path, "re");
    size_t len = fread(text, 1, sizeof text - 1, f);
    text[len] = '\0';
    fclose(f);
    assert_non_null(strstr(text, "CLIENT_TRAFFIC_SECRET_0 "));
    assert_non_null(strstr(text, "\nSERVER_TRAFFIC_SECRET_0 "));
    assert_int_equal(text[len - 1], '\n');
}

static struct tls_context *shared_server, *shared_client;

static void *shake_hands(void *failed)
{
    for (int i = 0; i < 20; i++) {
        struct tls_wire wire = { .bytes = malloc(TLS_WIRE_MIN), .size = TLS_WIRE_MIN };
        struct tls *c = tls_new(shared_client, &wire, "mx.test");
        struct tls *s = tls_new(shared_server, &wire, NULL);
        char *copy = malloc(TLS_WIRE_MIN);
        struct tls *to[] = { s, c, s };
        bool ok = tls_handshake(c) == TLS_MORE;
        for (unsigned k = 0; k < ARRAY_LEN(to); k++) {
            size_t len = wire.len;
            memcpy(copy, wire.bytes, len);
            wire.len = 0;
            tls_put_wire(to[k], span_of(copy, len));
            ok = tls_handshake(to[k]) == (k == 0 ? TLS_MORE : TLS_OK) && ok;
        }
        if (!ok)
            *(bool *)failed = true;
        tls_free(&c);
        tls_free(&s);
        free(copy);
        free(wire.bytes);
    }
    return NULL;
}

static void test_contexts_are_shared_by_threads(void **state)
{
    enum certificate good = CERTIFICATE_GOOD;
    pthread_t threads[4];
    bool failed[4] = { false };

    (void)state;
    shared_server = rig_server(&good, 1);
    shared_client = rig_client(TLS_VERIFY_CA);
    for (unsigned i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, shake_hands, &failed[i]), 0);
    for (unsigned i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_false(failed[i]);
    }
    tls_context_unref(&shared_server);
    tls_context_unref(&shared_client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificate_files),
        cmocka_unit_test(test_key_files),
        cmocka_unit_test(test_key_after_the_certificate_in_one_file),
        cmocka_unit_test(test_out_of_date_is_told_and_served),
        cmocka_unit_test(test_ca_files),
        cmocka_unit_test(test_the_systems_authorities),
        cmocka_unit_test(test_context_outlives_its_owner),
        cmocka_unit_test(test_keylog),
        cmocka_unit_test(test_contexts_are_shared_by_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
