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

/* The octets of one side's part of a handshake that works, to be cut anywhere. */
static size_t octets_to(int side, int version)
{
    struct tls_pair_rig r;

    start(&r, version, SIZE_MAX);
    assert_int_equal(r.result[SERVER], TLS_OK);
    size_t carried = r.to[side].carried;
    rig_deinit(&r);
    return carried;
}

/* Side `cut` hears no more than `limit` octets. */
static void run_cut(int cut, int version, size_t limit, enum tls_failure why)
{
    struct tls_pair_rig r;
    struct tls_facts f;

    rig_init(&r, client, server, "mx.test");
    SSL_set_max_proto_version(r.engine[CLIENT]->ssl, version);
    rig_limit(&r, cut, limit);
    rig_handshake(&r);
    assert_int_not_equal(r.result[CLIENT], TLS_FAILED);
    assert_int_not_equal(r.result[SERVER], TLS_FAILED);
    if (r.result[cut] == TLS_MORE) {
        tls_fail(r.engine[cut], why);
        assert_int_equal(tls_handshake(r.engine[cut]), TLS_FAILED);
        tls_facts(r.engine[cut], &f);
        assert_int_equal(f.failure, why);
        assert_true(f.detail[0] != '\0');
        if (cut == SERVER && limit == 0)
            assert_string_equal(f.detail, "before the ClientHello");
        assert_true(f.hello_client == (f.server_name[0] != '\0'));
    } else { /* only the tickets are missing */
        assert_true(cut == CLIENT && limit > octets_to(CLIENT, version) - 400);
    }
    rig_deinit(&r);
}

static void test_cut_at_every_octet(void **state)
{
    (void)state;
    for (unsigned v = 0; v < ARRAY_LEN(versions); v++) {
        for (int side = CLIENT; side <= SERVER; side++) {
            size_t whole = octets_to(side, versions[v]);
            assert_true(whole > 200);
            for (size_t limit = 0; limit < whole; limit++)
                run_cut(side, versions[v], limit,
                        limit % 2 ? TLS_FAILURE_EOF : TLS_FAILURE_RESET);
        }
    }
}

static void test_cut_tells_how_far_it_came(void **state)
{
    struct tls_pair_rig r;
    struct tls_facts f;

    (void)state;
    rig_init(&r, client, server, "mx.test");
    rig_limit(&r, CLIENT, 0);
    rig_handshake(&r);
    tls_fail(r.engine[CLIENT], TLS_FAILURE_RESET);
    tls_fail(r.engine[CLIENT], TLS_FAILURE_EOF); /* the first one stays */
    tls_facts(r.engine[CLIENT], &f);
    assert_int_equal(f.failure, TLS_FAILURE_RESET);
    assert_true(f.hello_client && !f.hello_server);
    assert_string_equal(f.detail, "after the ClientHello, before a ServerHello");
    tls_fail(r.engine[SERVER], TLS_FAILURE_TIMEOUT);
    tls_facts(r.engine[SERVER], &f);
    assert_int_equal(f.failure, TLS_FAILURE_TIMEOUT);
    assert_true(f.hello_client && f.hello_server);
    assert_string_equal(f.version, "TLSv1.3");
    rig_deinit(&r);
}

static void test_big_transfers(void **state)
{
    enum { BIG = 300000 };
    unsigned char *out = malloc(BIG), *in = malloc(BIG);

    (void)state;
    assert_true(out != NULL && in != NULL);
    for (size_t i = 0; i < BIG; i++)
        out[i] = (unsigned char)(i * 31 + i / 251);
    for (unsigned i = 0; i < ARRAY_LEN(chunks) * 2; i++) {
        struct tls_pair_rig r;
        int from = (int)(i % 2);
        size_t len = 0;
        start(&r, versions[i / 2 % 2], chunks[i / 2]);
        rig_write(&r, from, span_of(out, BIG));
        assert_int_equal(rig_read(&r, !from, in, BIG, &len), TLS_MORE);
        assert_int_equal(len, BIG);
        assert_memory_equal(in, out, BIG);
        rig_deinit(&r);
    }
    free(out);
    free(in);
}

/* Plaintext taken out in pieces smaller than a record. */
static void test_read_in_small_pieces(void **state)
{
    struct tls_pair_rig r;
    unsigned char in[3];
    size_t got, sum = 0;
    enum tls_result result;

    (void)state;
    start(&r, TLS1_3_VERSION, SIZE_MAX);
    rig_write(&r, CLIENT, SPAN_LIT("NOOP\r\nRSET\r\n"));
    assert_true(rig_deliver(&r, SERVER));
    while ((result = tls_read(r.engine[SERVER], in, sizeof in, &got)) == TLS_OK) {
        assert_true(got > 0 && got <= sizeof in);
        sum += got;
    }
    assert_int_equal(result, TLS_MORE);
    assert_int_equal(sum, 12);
    rig_deinit(&r);
}

/* The wire is filled up to the room of a record, and never beyond. */
static void test_full_wire(void **state)
{
    static unsigned char big[5 * TLS_RECORD_MAX];
    struct tls_pair_rig r;
    size_t took;

    (void)state;
    start(&r, TLS1_3_VERSION, SIZE_MAX);
    assert_int_equal(tls_write(r.engine[CLIENT], span_of(big, sizeof big), &took), TLS_OK);
    assert_int_equal(took, 4 * TLS_RECORD_MAX);
    assert_true(r.wire.len <= r.wire.size);
    size_t before = r.wire.len;
    assert_int_equal(tls_write(r.engine[CLIENT], span_of(big, 1), &took), TLS_OK);
    assert_int_equal(took, 0);
    assert_int_equal(r.wire.len, before);
    r.wire.len = r.wire.size - TLS_RECORD_ROOM;
    assert_int_equal(tls_write(r.engine[CLIENT], span_of(big, TLS_RECORD_MAX), &took), TLS_OK);
    assert_int_equal(took, TLS_RECORD_MAX);
    r.wire.len = 0;
    rig_deinit(&r);
}

/* Our own bug, a wire that was not emptied, must cost the session and nothing else. */
static void test_wire_overflow_fails(void **state)
{
    struct tls_pair_rig r;
    struct tls_facts f;

    (void)state;
    rig_init(&r, client, server, "mx.test");
    r.wire.len = r.wire.size - 10;
    assert_int_equal(tls_handshake(r.engine[CLIENT]), TLS_FAILED);
    assert_int_equal(r.wire.len, r.wire.size - 10);
    tls_facts(r.engine[CLIENT], &f);
    assert_int_equal(f.failure, TLS_FAILURE_MEMORY);
    r.wire.len = 0;
    rig_deinit(&r);
}

/* RFC 6066 4: a client with little memory asks for records of 512 octets. */
static void test_small_records(void **state)
{
    static unsigned char out[TLS_RECORD_MAX * 3], in[sizeof out];
    struct tls_pair_rig r;
    size_t len = 0;

    (void)state;
    memset(out, 'x', sizeof out);
    for (unsigned v = 0; v < ARRAY_LEN(versions); v++) {
        rig_init(&r, client, server, "mx.test");
        SSL_set_max_proto_version(r.engine[CLIENT]->ssl, versions[v]);
        SSL_set_cipher_list(r.engine[CLIENT]->ssl, "ECDHE-ECDSA-AES128-SHA256");
        SSL_set_tlsext_max_fragment_length(r.engine[CLIENT]->ssl,
                                           TLSEXT_max_fragment_length_512);
        rig_handshake(&r);
        assert_int_equal(r.result[SERVER], TLS_OK);
        rig_write(&r, SERVER, span_of(out, sizeof out));
        len = 0;
        assert_int_equal(rig_read(&r, CLIENT, in, sizeof in, &len), TLS_MORE);
        assert_int_equal(len, sizeof out);
        r.wire.len = r.wire.size - TLS_RECORD_ROOM; /* as in a wire that is nearly full */
        assert_int_equal(tls_write(r.engine[SERVER], span_of(out, TLS_RECORD_MAX), &len),
                         TLS_OK);
        assert_true(len > 0 && r.wire.len <= r.wire.size);
        r.wire.len = 0;
        rig_deinit(&r);
    }
}

static void test_key_updates(void **state)
{
    struct tls_pair_rig r;
    unsigned char in[64];
    size_t len = 0;

    (void)state;
    start(&r, TLS1_3_VERSION, SIZE_MAX);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(SSL_key_update(r.engine[CLIENT]->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        rig_write(&r, CLIENT, SPAN_LIT("a"));
    }
    assert_int_equal(rig_read(&r, SERVER, in, sizeof in, &len), TLS_MORE);
    assert_int_equal(len, 20);
    rig_write(&r, SERVER, SPAN_LIT("b"));
    assert_int_equal(rig_read(&r, CLIENT, in, sizeof in, &len), TLS_MORE);
    assert_int_equal(len, 21);
    rig_deinit(&r);
}

static void test_renegotiation_is_refused(void **state)
{
    struct tls_pair_rig r;
    struct tls_facts f;
    unsigned char in[64];
    size_t len = 0;

    (void)state;
    rig_init(&r, client, server, "mx.test");
    SSL_set_max_proto_version(r.engine[CLIENT]->ssl, TLS1_2_VERSION);
    SSL_clear_options(r.engine[CLIENT]->ssl, SSL_OP_NO_RENEGOTIATION);
    rig_handshake(&r);
    assert_int_equal(SSL_renegotiate(r.engine[CLIENT]->ssl), 1);
    SSL_do_handshake(r.engine[CLIENT]->ssl);
    rig_send(&r, CLIENT);
    assert_true(r.to[SERVER].len > 0);
    assert_int_equal(rig_read(&r, SERVER, in, sizeof in, &len), TLS_MORE);
    tls_facts(r.engine[SERVER], &f);
    assert_int_equal(f.alert_sent, SSL_AD_NO_RENEGOTIATION);
    assert_int_equal(f.failure, TLS_FAILURE_NONE);
    assert_int_equal(len, 0);
    rig_deinit(&r);
}

/* A server may ask for it, too: HelloRequest. */
static void test_renegotiation_is_refused_to_servers(void **state)
{
    struct tls_pair_rig r;
    struct tls_facts f;
    unsigned char in[64];
    size_t len = 0;

    (void)state;
    rig_init(&r, client, server, "mx.test");
    SSL_set_max_proto_version(r.engine[CLIENT]->ssl, TLS1_2_VERSION);
    SSL_clear_options(r.engine[SERVER]->ssl, SSL_OP_NO_RENEGOTIATION);
    rig_handshake(&r);
    assert_int_equal(SSL_renegotiate(r.engine[SERVER]->ssl), 1);
    SSL_do_handshake(r.engine[SERVER]->ssl);
    rig_send(&r, SERVER);
    assert_true(r.to[CLIENT].len > 0);
    assert_int_equal(rig_read(&r, CLIENT, in, sizeof in, &len), TLS_MORE);
    tls_facts(r.engine[CLIENT], &f);
    assert_int_equal(f.alert_sent, SSL_AD_NO_RENEGOTIATION);
    assert_int_equal(f.failure, TLS_FAILURE_NONE);
    rig_deinit(&r);
}

static void test_garbage_after_the_handshake(void **state)
{
    (void)state;
    for (int side = CLIENT; side <= SERVER; side++) {
        for (int how = 0; how < 2; how++) {
            struct tls_pair_rig r;
            struct tls_facts f;
            unsigned char in[64];
            size_t len = 0;
            start(&r, versions[how], SIZE_MAX);
            assert_int_equal(rig_read(&r, side, in, sizeof in, &len), TLS_MORE);
            struct span bad = how ? SPAN_LIT("QUIT\r\nQUIT\r\nQUIT\r\n")
                                  : SPAN_LIT("\x17\x03\x03\x00\x18"
                                             "abcdefghijklmnopqrstuvwx");
            tls_put_wire(r.engine[side], bad);
            assert_int_equal(tls_read(r.engine[side], in, sizeof in, &len), TLS_FAILED);
            assert_int_equal(tls_read(r.engine[side], in, sizeof in, &len), TLS_FAILED);
            assert_int_equal(tls_write(r.engine[side], SPAN_LIT("x"), &len), TLS_FAILED);
            tls_finish(r.engine[side]);
            tls_facts(r.engine[side], &f);
            assert_int_equal(f.failure, TLS_FAILURE_PROTOCOL);
            assert_true(f.detail[0] != '\0' && f.alert_sent > 0);
            rig_deinit(&r);
        }
    }
}

static void test_close_notify(void **state)
{
    struct tls_pair_rig r;
    unsigned char in[64];
    size_t len = 0;

    (void)state;
    for (unsigned v = 0; v < ARRAY_LEN(versions); v++) {
        start(&r, versions[v], 1);
        rig_write(&r, CLIENT, SPAN_LIT("QUIT\r\n"));
        tls_finish(r.engine[CLIENT]);
        rig_send(&r, CLIENT);
        tls_finish(r.engine[CLIENT]); /* once */
        assert_int_equal(r.wire.len, 0);
        len = 0;
        assert_int_equal(rig_read(&r, SERVER, in, sizeof in, &len), TLS_CLOSED);
        assert_int_equal(len, 6);
        assert_int_equal(rig_read(&r, SERVER, in, sizeof in, &len), TLS_CLOSED);
        rig_write(&r, SERVER, SPAN_LIT("221 2.0.0 bye\r\n")); /* the other half is open */
        tls_finish(r.engine[SERVER]);
        rig_send(&r, SERVER);
        len = 0;
        assert_int_equal(rig_read(&r, CLIENT, in, sizeof in, &len), TLS_CLOSED);
        assert_int_equal(len, 15);
        rig_deinit(&r);
    }
}

/* What a peer sends when nothing more is to come is nobody's, and harmless. */
static void test_octets_behind_the_end(void **state)
{
    struct tls_pair_rig r;
    unsigned char in[64];
    size_t len = 0;

    (void)state;
    for (int failing = 0; failing < 2; failing++) {
        start(&r, versions[failing], SIZE_MAX);
        if (failing)
            rig_write(&r, CLIENT, SPAN_LIT("x")), r.to[SERVER].bytes[8] ^= 1;
        tls_finish(r.engine[CLIENT]);
        rig_send(&r, CLIENT);
        memcpy(r.to[SERVER].bytes + r.to[SERVER].len, "QUIT\r\n", 6);
        r.to[SERVER].len += 6;
        enum tls_result want = failing ? TLS_FAILED : TLS_CLOSED;
        len = 0;
        assert_int_equal(rig_read(&r, SERVER, in, sizeof in, &len), want);
        tls_put_wire(r.engine[SERVER], SPAN_LIT("QUIT\r\n"));
        assert_int_equal(tls_read(r.engine[SERVER], in, sizeof in, &len), want);
        tls_put_wire(r.engine[SERVER], SPAN_LIT("QUIT\r\n"));
        assert_int_equal(len, 0);
        rig_deinit(&r);
    }
}

static void test_finish_in_the_handshake_is_silent(void **state)
{
    struct tls_pair_rig r;

    (void)state;
    rig_init(&r, client, server, "mx.test");
    tls_finish(r.engine[SERVER]);
    tls_finish(r.engine[CLIENT]);
    assert_int_equal(r.wire.len, 0);
    rig_deinit(&r);
}

/* The last record of the client's flight may have its first command right behind it. */
static void test_octets_behind_the_handshake(void **state)
{
    struct tls_pair_rig r;
    unsigned char in[64];
    size_t got;

    (void)state;
    rig_init(&r, client, server, "mx.test");
    rig_step(&r, CLIENT);
    rig_deliver(&r, SERVER);
    rig_step(&r, SERVER);
    rig_deliver(&r, CLIENT);
    rig_step(&r, CLIENT);
    assert_int_equal(r.result[CLIENT], TLS_OK);
    rig_write(&r, CLIENT, SPAN_LIT("EHLO a\r\n"));
    rig_deliver(&r, SERVER);
    assert_int_equal(tls_handshake(r.engine[SERVER]), TLS_OK);
    rig_send(&r, SERVER);
    assert_int_equal(tls_read(r.engine[SERVER], in, sizeof in, &got), TLS_OK);
    check_span(span_of(in, got), SPAN_LIT("EHLO a\r\n"), "command");
    assert_int_equal(tls_read(r.engine[SERVER], in, sizeof in, &got), TLS_MORE);
    rig_deinit(&r);
}

static size_t heap;
static void *count_malloc(size_t size, const char *file, int line)
{
    size_t *p = malloc(size + 16);

    (void)file;
    (void)line;
    if (p == NULL)
        return NULL;
    *p = size;
    heap += size;
    return (char *)p + 16;
}

static void count_free(void *ptr, const char *file, int line)
{
    size_t *p = ptr != NULL ? (size_t *)(void *)((char *)ptr - 16) : NULL;

    (void)file;
    (void)line;
    if (p != NULL)
        heap -= *p;
    free(p);
}

static void *count_realloc(void *ptr, size_t size, const char *file, int line)
{
    void *more = count_malloc(size, file, line);

    if (more != NULL && ptr != NULL) {
        size_t old = *(size_t *)(void *)((char *)ptr - 16);
        memcpy(more, ptr, old < size ? old : size);
        count_free(ptr, file, line);
    }
    return more;
}

/* An engine that waits holds no record buffers: they alone are 16 KiB each. */
static void test_idle_memory(void **state)
{
    unsigned char in[64];

    (void)state;
    for (unsigned v = 0; v < ARRAY_LEN(versions); v++) {
        struct tls_pair_rig r;
        size_t before = heap, len = 0;
        start(&r, versions[v], SIZE_MAX);
        size_t shaken = heap - before;
        assert_int_equal(rig_read(&r, CLIENT, in, sizeof in, &len), TLS_MORE);
        assert_int_equal(rig_read(&r, SERVER, in, sizeof in, &len), TLS_MORE);
        size_t fresh = heap - before;
        rig_write(&r, CLIENT, SPAN_LIT("EHLO a\r\n"));
        assert_int_equal(rig_read(&r, SERVER, in, sizeof in, &len), TLS_MORE);
        rig_write(&r, SERVER, SPAN_LIT("250 b\r\n"));
        assert_int_equal(rig_read(&r, CLIENT, in, sizeof in, &len), TLS_MORE);
        assert_int_equal(len, 15);
        if (shaken > 2 * 20000 || fresh > 2 * 20000 || heap - before > fresh + 256)
            fail_msg("two engines hold %zu octets, %zu after a dialogue", fresh, heap - before);
        rig_deinit(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialogue_in_chunks),
        cmocka_unit_test(test_cut_at_every_octet),
        cmocka_unit_test(test_cut_tells_how_far_it_came),
        cmocka_unit_test(test_big_transfers),
        cmocka_unit_test(test_read_in_small_pieces),
        cmocka_unit_test(test_full_wire),
        cmocka_unit_test(test_wire_overflow_fails),
        cmocka_unit_test(test_small_records),
        cmocka_unit_test(test_key_updates),
        cmocka_unit_test(test_renegotiation_is_refused),
        cmocka_unit_test(test_renegotiation_is_refused_to_servers),
        cmocka_unit_test(test_garbage_after_the_handshake),
        cmocka_unit_test(test_close_notify),
        cmocka_unit_test(test_octets_behind_the_end),
        cmocka_unit_test(test_finish_in_the_handshake_is_silent),
        cmocka_unit_test(test_octets_behind_the_handshake),
        cmocka_unit_test(test_idle_memory),
    };

    assert_int_equal(CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free), 1);
    return cmocka_run_group_tests(tests, make_contexts, drop_contexts);
}
