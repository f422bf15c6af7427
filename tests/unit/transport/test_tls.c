/* The engine between handshake and close_notify: two of them, wire chunks of every size. */
#include <openssl/ssl.h>

#include "transport/tls_private.h"
#include "unit/transport/tls_pair.h"

static struct tls_context *server, *client;

static int make_contexts(void **state)
{
    enum certificate good = CERTIFICATE_GOOD;

    (void)state;
    server = rig_server(&good, 1);
    client = rig_client(TLS_VERIFY_CA);
    return 0;
}

static int drop_contexts(void **state)
{
    (void)state;
    tls_context_unref(&server);
    tls_context_unref(&client);
    return 0;
}

static void start(struct tls_pair_rig *r, int version, size_t chunk)
{
    rig_init(r, client, server, "mx.test");
    r->chunk = chunk;
    SSL_set_max_proto_version(r->engine[CLIENT]->ssl, version);
    rig_handshake(r);
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
static const size_t chunks[] = { 1, 7, 1460, 16384, SIZE_MAX };

static void test_dialogue_in_chunks(void **state)
{
    unsigned char in[64];

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(chunks) * ARRAY_LEN(versions); i++) {
        struct tls_pair_rig r;
        struct tls_facts f;
        size_t len = 0;
        start(&r, versions[i % 2], chunks[i / 2]);
        assert_int_equal(r.result[CLIENT], TLS_OK);
        assert_int_equal(r.result[SERVER], TLS_OK);
        rig_write(&r, SERVER, SPAN_LIT("220 mx.test ready\r\n"));
        assert_int_equal(rig_read(&r, CLIENT, in, sizeof in, &len), TLS_MORE);
        check_span(span_of(in, len), SPAN_LIT("220 mx.test ready\r\n"), "greeting");
        len = 0;
        rig_write(&r, CLIENT, SPAN_LIT("EHLO a\r\n"));
        tls_finish(r.engine[CLIENT]);
        rig_send(&r, CLIENT);
        assert_int_equal(rig_read(&r, SERVER, in, sizeof in, &len), TLS_CLOSED);
        check_span(span_of(in, len), SPAN_LIT("EHLO a\r\n"), "command");
        tls_facts(r.engine[CLIENT], &f);
        assert_int_equal(f.failure, TLS_FAILURE_NONE);
        assert_string_equal(f.version, i % 2 ? "TLSv1.3" : "TLSv1.2");
        assert_string_equal(f.verify, "ok");
        assert_string_equal(f.subject, "CN=good");
        rig_deinit(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialogue_in_chunks),
    };

    return cmocka_run_group_tests(tests, make_contexts, drop_contexts);
}
