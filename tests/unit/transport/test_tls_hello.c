/* How a handshake begins: names, protocols, versions, and what is no TLS at all. */
#include <openssl/ssl.h>

#include "transport/tls_private.h"
#include "unit/transport/tls_pair.h"

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static const enum certificate shown[] = { CERTIFICATE_GOOD, CERTIFICATE_OTHER_NAME,
                                          CERTIFICATE_RSA, CERTIFICATE_WILDCARD,
                                          CERTIFICATE_COMMON_NAME };

static void test_certificate_by_name(void **state)
{
    static const struct {
        const char *name, *subject;
    } cases[] = {
        { "mx.test", "CN=good" },
        { "third.test", "CN=other.test" },
        { "OTHER.Test", "CN=other.test" },
        { "a.wild.test", "CN=wildcard" },
        { "common.test", "CN=common.test" },
        { "a.b.wild.test", "CN=good" },
        { ".wild.test", "CN=good" },
        { "wild.test", "CN=good" },
        { "nobody.test", "CN=good" },
        { "192.0.2.1", "CN=good" },
        { NULL, "CN=good" },
    };
    struct tls_context *server = rig_server(shown, ARRAY_LEN(shown));
    struct tls_context *client = rig_client(TLS_VERIFY_NO);

    (void)state;
    assert_int_equal(server->identity_count, 4); /* EC and RSA for mx.test are one */
    for (unsigned i = 0; i < ARRAY_LEN(cases) * 2; i++) {
        struct tls_pair_rig r;
        struct tls_facts f;
        const char *name = cases[i / 2].name;
        rig_init(&r, client, server, name);
        SSL_set_max_proto_version(r.engine[CLIENT]->ssl, versions[i % 2]);
        rig_handshake(&r);
        assert_int_equal(r.result[SERVER], TLS_OK);
        tls_facts(r.engine[CLIENT], &f);
        assert_string_equal(f.subject, cases[i / 2].subject);
        bool sent = name != NULL && strcmp(name, "192.0.2.1") != 0;
        assert_string_equal(tls_server_name(r.engine[SERVER]), sent ? name : "");
        assert_string_equal(tls_server_name(r.engine[CLIENT]), sent ? name : "");
        tls_facts(r.engine[SERVER], &f);
        assert_string_equal(f.server_name, sent ? name : "");
        rig_deinit(&r);
    }
    tls_context_unref(&client);
    tls_context_unref(&server);
}

/* A client that can do RSA only gets the RSA certificate of the same names. */
static void test_certificate_by_key_type(void **state)
{
    static const struct {
        const char *ciphers, *subject;
    } cases[] = {
        { "ECDHE-RSA-AES128-GCM-SHA256", "CN=rsa" },
        { "ECDHE-ECDSA-AES128-GCM-SHA256", "CN=good" },
    };
    struct tls_context *server = rig_server(shown, ARRAY_LEN(shown));
    struct tls_context *client = rig_client(TLS_VERIFY_CA);

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct tls_pair_rig r;
        struct tls_facts f;
        rig_init(&r, client, server, "mx.test");
        SSL_set_max_proto_version(r.engine[CLIENT]->ssl, TLS1_2_VERSION);
        SSL_set_cipher_list(r.engine[CLIENT]->ssl, cases[i].ciphers);
        rig_handshake(&r);
        assert_int_equal(r.result[CLIENT], TLS_OK);
        tls_facts(r.engine[CLIENT], &f);
        assert_string_equal(f.subject, cases[i].subject);
        assert_true(strncmp(f.cipher, "TLS_ECDHE_", 10) == 0);
        rig_deinit(&r);
    }
    tls_context_unref(&client);
    tls_context_unref(&server);
}

struct ends {
    struct tls_facts client, server;
};

/* One handshake; `tune` may change the client's SSL first. */
static void handshake(struct ends *out, void (*tune)(SSL *ssl), int version)
{
    struct tls_context *server = rig_server(shown, 1);
    struct tls_context *client = rig_client(TLS_VERIFY_CA);
    struct tls_pair_rig r;
    unsigned char in[8];
    size_t len = 0;

    rig_init(&r, client, server, "mx.test");
    SSL_set_max_proto_version(r.engine[CLIENT]->ssl, version);
    tune(r.engine[CLIENT]->ssl);
    rig_handshake(&r);
    if (r.result[CLIENT] == TLS_OK)
        (void)!rig_read(&r, CLIENT, in, sizeof in, &len);
    tls_facts(r.engine[CLIENT], &out->client);
    tls_facts(r.engine[SERVER], &out->server);
    rig_deinit(&r);
    tls_context_unref(&client);
    tls_context_unref(&server);
}

static void offer_smtp(SSL *ssl)
{
    SSL_set_alpn_protos(ssl, (const unsigned char *)"\x02h2\x04smtp", 8);
}

static void offer_http(SSL *ssl)
{
    SSL_set_alpn_protos(ssl, (const unsigned char *)"\x02h2\x08http/1.1\x04smt\x01", 17);
}

static void offer_many(SSL *ssl)
{
    unsigned char list[40 * 8];

    for (unsigned i = 0; i < 40; i++)
        memcpy(list + 8 * i, "\x07protoco", 8);
    SSL_set_alpn_protos(ssl, list, sizeof list);
}

static void test_alpn(void **state)
{
    (void)state;
    for (unsigned v = 0; v < ARRAY_LEN(versions); v++) {
        struct ends e;
        handshake(&e, offer_smtp, versions[v]);
        assert_int_equal(e.server.failure, TLS_FAILURE_NONE);
        assert_string_equal(e.server.alpn, "smtp");
        assert_string_equal(e.client.alpn, "smtp");
        assert_string_equal(e.server.alpn_offered, "h2 smtp");
        handshake(&e, offer_http, versions[v]);
        assert_int_equal(e.server.failure, TLS_FAILURE_ALPN);
        assert_string_equal(e.server.alpn_offered, "h2 http/1.1 smt?");
        assert_string_equal(e.server.detail, "offered: h2 http/1.1 smt?");
        assert_int_equal(e.server.alert_sent, SSL_AD_NO_APPLICATION_PROTOCOL);
        assert_int_equal(e.client.alert_received, SSL_AD_NO_APPLICATION_PROTOCOL);
        assert_int_equal(e.client.failure, TLS_FAILURE_ALERT);
        handshake(&e, offer_many, versions[v]);
        assert_int_equal(e.server.failure, TLS_FAILURE_ALPN);
        assert_true(strlen(e.server.alpn_offered) > 100);
    }
}

static void old_version(SSL *ssl)
{
    SSL_set_security_level(ssl, 0);
    SSL_set_min_proto_version(ssl, TLS1_VERSION);
}

static void test_old_versions_are_refused(void **state)
{
    struct ends e;

    (void)state;
    handshake(&e, old_version, TLS1_1_VERSION);
    assert_int_equal(e.server.failure, TLS_FAILURE_VERSION);
    assert_string_equal(e.server.detail, "the client offers TLS 1.1 at most");
    assert_string_equal(e.server.server_name, "mx.test");
    assert_string_equal(e.server.version, "");
    assert_int_equal(e.server.alert_sent, SSL_AD_PROTOCOL_VERSION);
    assert_true(e.server.hello_client && !e.server.hello_server);
    assert_int_equal(e.client.failure, TLS_FAILURE_VERSION);
    assert_non_null(strstr(e.client.detail, "alert 70"));
    handshake(&e, old_version, TLS1_VERSION);
    assert_string_equal(e.server.detail, "the client offers TLS 1.0 at most");
}

/* supported_versions: a value that is none (GREASE, RFC 8701), and TLS 1.1. */
static void test_version_offered_in_the_extension(void **state)
{
    static const char hello[] = "\x16\x03\x01\x00\x38\x01\x00\x00\x34\x03\x03"
                                "0123456789abcdef0123456789abcdef"
                                "\x00\x00\x02\x13\x01\x01\x00"
                                "\x00\x09\x00\x2b\x00\x05\x04\x1a\x1a\x03\x02";
    struct tls_context *server = rig_server(shown, 1);
    struct tls_wire wire = rig_wire();
    struct tls *t = tls_new(server, &wire, NULL);
    struct tls_facts f;

    (void)state;
    assert_non_null(t);
    tls_put_wire(t, guarded(span_of(hello, sizeof hello - 1)));
    assert_int_equal(tls_handshake(t), TLS_FAILED);
    tls_facts(t, &f);
    assert_int_equal(f.failure, TLS_FAILURE_VERSION);
    assert_string_equal(f.detail, "the client offers TLS 1.1 at most");
    tls_free(&t);
    free(wire.bytes);
    tls_context_unref(&server);
}

static void no_common_cipher(SSL *ssl)
{
    SSL_set_cipher_list(ssl, "ECDHE-RSA-AES128-GCM-SHA256"); /* the server's key is EC */
}

static void test_no_shared_cipher(void **state)
{
    struct ends e;

    (void)state;
    handshake(&e, no_common_cipher, TLS1_2_VERSION);
    assert_int_equal(e.server.failure, TLS_FAILURE_CIPHER);
    assert_int_equal(e.server.alert_sent, SSL_AD_HANDSHAKE_FAILURE);
    assert_int_equal(e.client.failure, TLS_FAILURE_ALERT);
    assert_non_null(strstr(e.client.detail, "handshake_failure"));
}

static void keep(SSL *ssl)
{
    (void)ssl;
}

static void test_facts_of_a_good_handshake(void **state)
{
    struct ends e;

    (void)state;
    handshake(&e, keep, TLS1_3_VERSION);
    for (int i = 0; i < 2; i++) {
        const struct tls_facts *f = i ? &e.client : &e.server;
        assert_int_equal(f->failure, TLS_FAILURE_NONE);
        assert_string_equal(f->detail, "");
        assert_string_equal(f->version, "TLSv1.3");
        assert_true(strncmp(f->cipher, "TLS_", 4) == 0);
        assert_true(f->hello_client && f->hello_server && !f->resumed);
        assert_int_equal(f->alert_sent, TLS_ALERT_UNKNOWN);
        assert_int_equal(f->alert_received, TLS_ALERT_UNKNOWN);
    }
}

/* As it arrives: in any pieces, to either side. */
static void test_plaintext(void **state)
{
    static const struct {
        const char *text, *detail;
    } cases[] = {
        { "220 mx ready\r\n", "received \"220 mx ready\"" },
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "received \"GET / HTTP/1.1\"" },
        { "EHLO a\r\n", "received \"EHLO a\"" },
        { "\x80\xff\x02\x02\x03\x04\x05\x06\x07\x08\x09\x0a", "received \"???????????\"" },
    };
    struct tls_context *server = rig_server(shown, 1);
    struct tls_context *client = rig_client(TLS_VERIFY_CA);

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases) * 2; i++) {
        for (size_t cut = 0; cut <= 5; cut++) {
            struct tls_pair_rig r;
            struct tls_facts f;
            int side = (int)(i % 2);
            struct span in = span_str(cases[i / 2].text);
            rig_init(&r, client, server, "mx.test");
            rig_step(&r, CLIENT);
            tls_put_wire(r.engine[side], span_first(in, cut));
            enum tls_result result = tls_handshake(r.engine[side]);
            if (result == TLS_MORE) {
                tls_put_wire(r.engine[side], guarded(span_drop(in, cut)));
                result = tls_handshake(r.engine[side]);
            }
            assert_int_equal(result, TLS_FAILED);
            tls_facts(r.engine[side], &f);
            assert_int_equal(f.failure, TLS_FAILURE_PLAINTEXT);
            if (cut < 5)
                assert_string_equal(f.detail, cases[i / 2].detail);
            rig_deinit(&r);
        }
    }
    tls_context_unref(&client);
    tls_context_unref(&server);
}

/* RFC 6066 3 knows names of one type: another one is no host name. */
static void test_name_of_another_type(void **state)
{
    struct tls_context *server = rig_server(shown, 1);
    struct tls_context *client = rig_client(TLS_VERIFY_CA);

    (void)state;
    for (unsigned type = 0; type < 2; type++) {
        struct tls_pair_rig r;
        struct tls_facts f;
        rig_init(&r, client, server, "mx.test");
        rig_step(&r, CLIENT);
        unsigned char *name = memmem(r.to[SERVER].bytes, r.to[SERVER].len, "mx.test", 7);
        assert_non_null(name);
        assert_int_equal(name[-3], 0);
        name[-3] = (unsigned char)type;
        rig_handshake(&r);
        tls_facts(r.engine[SERVER], &f);
        assert_string_equal(f.server_name, type == 0 ? "mx.test" : "");
        rig_deinit(&r);
    }
    tls_context_unref(&client);
    tls_context_unref(&server);
}

/* A second handshake with the ticket of the first. */
static SSL_SESSION *ticket;

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(ticket);
    ticket = session;
    return 1;
}

static void take_ticket(SSL *ssl)
{
    SSL_CTX_set_session_cache_mode(SSL_get_SSL_CTX(ssl),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(SSL_get_SSL_CTX(ssl), on_ticket);
    if (ticket != NULL)
        SSL_set_session(ssl, ticket);
}

static void run_resumption(struct tls_context *server, int version, const char *name,
                           bool resumed)
{
    struct tls_context *client = rig_client(TLS_VERIFY_NO);
    struct tls_pair_rig r;
    struct tls_facts f;
    unsigned char in[8];
    size_t len = 0;

    rig_init(&r, client, server, name);
    SSL_set_max_proto_version(r.engine[CLIENT]->ssl, version);
    take_ticket(r.engine[CLIENT]->ssl);
    rig_handshake(&r);
    assert_int_equal(r.result[SERVER], TLS_OK);
    assert_int_equal(rig_read(&r, CLIENT, in, sizeof in, &len), TLS_MORE);
    tls_facts(r.engine[SERVER], &f);
    assert_int_equal(f.resumed, resumed);
    assert_string_equal(f.server_name, name);
    tls_finish(r.engine[CLIENT]); /* OpenSSL forgets sessions that ended without it */
    rig_deinit(&r);
    tls_context_unref(&client);
}

static uint64_t seconds;

static uint64_t test_clock(void)
{
    return seconds;
}

/* The keys change with time: a ticket is good for as long as it is valid, no longer than
 * twice the time of a key. */
static void test_ticket_keys_change(void **state)
{
    enum { KEY = TLS_TICKET_KEY_SECONDS };
    static const struct {
        uint64_t sealed, used;
        bool resumed;
    } cases[] = {
        { 0, 0, true },
        { 0, KEY - 1, true },
        { 0, KEY, true },
        { 0, 2 * KEY - 1, true },
        { 0, 2 * KEY, false },
        { KEY - 1, 2 * KEY - 1, true },
        { KEY, 3 * KEY - 1, true },
        { KEY - 1, 2 * KEY, false },
        { KEY, 3 * KEY, false },
        { 0, 1000 * KEY, false },
    };

    (void)state;
    for (unsigned v = 0; v < ARRAY_LEN(versions); v++) {
        for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
            struct tls_context *server = rig_server(shown, ARRAY_LEN(shown));
            struct tls_ticket_key first;
            server->tickets.now = test_clock;
            seconds = 0;
            assert_true(tls_tickets_seal(&server->tickets, &first));
            seconds = cases[i].sealed;
            run_resumption(server, versions[v], "third.test", false);
            seconds = cases[i].used;
            run_resumption(server, versions[v], "third.test", cases[i].resumed);
            tls_context_unref(&server);
            SSL_SESSION_free(ticket);
            ticket = NULL;
        }
    }
}

static bool same_key(const struct tls_ticket_key *a, const struct tls_ticket_key *b)
{
    return memcmp(a->name, b->name, sizeof a->name) == 0 ||
           memcmp(a->cipher, b->cipher, sizeof a->cipher) == 0 ||
           memcmp(a->mac, b->mac, sizeof a->mac) == 0;
}

static void test_ticket_keys_are_forgotten(void **state)
{
    struct tls_ticket_key first, second, got;
    struct tls_tickets t;

    (void)state;
    tls_tickets_init(&t);
    t.now = test_clock;
    seconds = 5;
    assert_true(tls_tickets_seal(&t, &first));
    seconds = 5 + TLS_TICKET_KEY_SECONDS - 1;
    assert_true(tls_tickets_seal(&t, &got));
    assert_memory_equal(got.name, first.name, sizeof got.name);
    seconds++;
    assert_true(tls_tickets_seal(&t, &second));
    assert_false(same_key(&first, &second));
    assert_true(tls_tickets_open(&t, first.name, &got));
    assert_memory_equal(got.cipher, first.cipher, sizeof got.cipher);
    assert_true(tls_tickets_open(&t, second.name, &got));
    seconds = 5 + 2 * TLS_TICKET_KEY_SECONDS;
    assert_false(tls_tickets_open(&t, first.name, &got));
    assert_true(tls_tickets_open(&t, second.name, &got));
    assert_null(memmem(&t, sizeof t, first.cipher, sizeof first.cipher));
    tls_tickets_deinit(&t);
}

static void test_tickets(void **state)
{
    (void)state;
    for (unsigned v = 0; v < ARRAY_LEN(versions); v++) {
        struct tls_context *server = rig_server(shown, ARRAY_LEN(shown));
        run_resumption(server, versions[v], "third.test", false);
        assert_non_null(ticket);
        run_resumption(server, versions[v], "third.test", true);
        tls_context_unref(&server);
        server = rig_server(shown, ARRAY_LEN(shown)); /* other ticket keys */
        run_resumption(server, versions[v], "third.test", false);
        tls_context_unref(&server);
        SSL_SESSION_free(ticket);
        ticket = NULL;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificate_by_name),
        cmocka_unit_test(test_certificate_by_key_type),
        cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_old_versions_are_refused),
        cmocka_unit_test(test_version_offered_in_the_extension),
        cmocka_unit_test(test_no_shared_cipher),
        cmocka_unit_test(test_facts_of_a_good_handshake),
        cmocka_unit_test(test_plaintext),
        cmocka_unit_test(test_name_of_another_type),
        cmocka_unit_test(test_tickets),
        cmocka_unit_test(test_ticket_keys_change),
        cmocka_unit_test(test_ticket_keys_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
