#include "unit/check.h"

#include "base/attributes.h"
#include "tlswatch/hello.h"

#define RANDOM     "0123456789abcdef0123456789abcdef"
#define CLIENT_TOP "\3\3" RANDOM "\0\0\2\x13\1\1\0"
#define SERVER_TOP "\3\3" RANDOM "\0\xc0\x2f\0"
#define RETRY                                                                                  \
    "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"                         \
    "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

static const struct {
    struct span body;
    bool ok;
    unsigned version;
    const char *server_name, *alpn;
} clients[] = {
    { SPAN_INIT(CLIENT_TOP), true, 0x0303, "", "" },
    { SPAN_INIT(CLIENT_TOP "\0\0"), true, 0x0303, "", "" },
    { SPAN_INIT("\3\1" RANDOM "\0\0\2\x13\1\1\0"), true, 0x0301, "", "" },
    { SPAN_INIT("\3\4" RANDOM "\0\0\2\x13\1\1\0"), true, 0x0303, "", "" },
    { SPAN_INIT("\3\3" RANDOM "\0\0\0\1\0"), false, 0, "", "" },         /* no suites */
    { SPAN_INIT("\3\3" RANDOM "\0\0\3\x13\1\2\1\0"), false, 0, "", "" }, /* half a suite */
    { SPAN_INIT("\3\3" RANDOM "\0\0\2\x13\1\0"), false, 0, "", "" },     /* no compression */
    { SPAN_INIT("\3\3" RANDOM "\x21" RANDOM "x\0\2\x13\1\1\0"), false, 0, "", "" },
    { SPAN_INIT("\3\3" RANDOM "\x20" RANDOM "\0\2\x13\1\1\0"), true, 0x0303, "", "" },
    { SPAN_INIT(CLIENT_TOP "\0\1"), false, 0, "", "" },
    { SPAN_INIT(CLIENT_TOP "\0\0x"), false, 0, "", "" },
    { SPAN_INIT(CLIENT_TOP "\0\3\0\x17\0"), false, 0, "", "" },
    { SPAN_INIT(CLIENT_TOP "\0\4\0\x17\0\1"), false, 0, "", "" },
    { SPAN_INIT(CLIENT_TOP "\0\4\0\x17\0\0"), true, 0x0303, "", "" },
    /* supported_versions: GREASE and what is to come are passed over */
    { SPAN_INIT(CLIENT_TOP "\0\x0d\0\x2b\0\x09\x08\x7a\x7a\3\4\3\3\3\5"), true, 0x0304, "",
      "" },
    { SPAN_INIT(CLIENT_TOP "\0\5\0\x2b\0\1\0"), false, 0, "", "" },
    { SPAN_INIT(CLIENT_TOP "\0\6\0\x2b\0\2\1\3"), false, 0, "", "" },
    { SPAN_INIT(CLIENT_TOP "\0\7\0\x2b\0\3\1\3\4"), false, 0, "", "" },
    /* server_name */
    { SPAN_INIT(CLIENT_TOP "\0\x0e\0\0\0\x0a\0\x08\0\0\5mx.de"), true, 0x0303, "mx.de", "" },
    { SPAN_INIT(CLIENT_TOP "\0\x0e\0\0\0\x0a\0\x08\1\0\5mx.de"), true, 0x0303, "", "" },
    { SPAN_INIT(CLIENT_TOP "\0\x0e\0\0\0\x0a\0\x08\0\0\5m\x1b\n\xff"
                           "e"),
      true, 0x0303, "m???e", "" },
    { SPAN_INIT(CLIENT_TOP "\0\x0e\0\0\0\x0a\0\x08\0\0\6mx.de"), false, 0, "", "" },
    { SPAN_INIT(CLIENT_TOP "\0\x0e\0\0\0\x0a\0\x07\0\0\5mx.de"), false, 0, "", "" },
    { SPAN_INIT(CLIENT_TOP "\0\x0e\0\0\0\x0a\0\x08\0\0\1a\0\0\1b"), true, 0x0303, "a", "" },
    { SPAN_INIT(CLIENT_TOP "\0\4\0\0\0\0"), false, 0, "", "" },
    /* ALPN: a name may hold anything, but it is one word here */
    { SPAN_INIT(CLIENT_TOP "\0\x0e\0\x10\0\x0a\0\x08\4smtp\2h2"), true, 0x0303, "", "smtp h2" },
    { SPAN_INIT(CLIENT_TOP "\0\x0e\0\x10\0\x0a\0\x08\4s tp\2\x0a\x0a"), true, 0x0303, "",
      "s?tp ??" },
    { SPAN_INIT(CLIENT_TOP "\0\x0e\0\x10\0\x0a\0\x08\4smtp\3h2"), false, 0, "", "" },
    { SPAN_INIT(CLIENT_TOP "\0\x0e\0\x10\0\x0a\0\x08\7smtp\2h2"), true, 0x0303, "", "smtp?h2" },
    { SPAN_INIT(CLIENT_TOP "\0\x07\0\x10\0\3\0\1\0"), false, 0, "", "" },
    { SPAN_INIT(CLIENT_TOP "\0\6\0\x10\0\2\0\0"), false, 0, "", "" },
};

static void client_hellos_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        struct tls_client_hello h;
        struct tls_facts f = { .detail = "" };

        check_number(tls_client_hello_parse(guarded(clients[i].body), &h), clients[i].ok,
                     "accepted");
        if (!clients[i].ok)
            continue;
        tls_client_hello_facts(&h, &f);
        check_number(h.version, clients[i].version, "version");
        assert_string_equal(f.server_name, clients[i].server_name);
        assert_string_equal(f.alpn_offered, clients[i].alpn);
    }
}

static const struct {
    struct span body;
    bool ok, retry, resumed;
    const char *version, *cipher, *alpn;
} servers[] = {
    { SPAN_INIT(SERVER_TOP), true, false, false, "TLSv1.2",
      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "" },
    { SPAN_INIT("\3\0" RANDOM "\0\0\x0a\0"), true, false, false, "SSLv3",
      "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "" },
    { SPAN_INIT("\3\1" RANDOM "\0\0\0\0"), true, false, false, "TLSv1.0", "0x0000", "" },
    { SPAN_INIT("\3\2" RANDOM "\0\xfe\xed\0"), true, false, false, "TLSv1.1", "0xfeed", "" },
    { SPAN_INIT("\3\5" RANDOM "\0\x13\3\0"), true, false, false, "0x0305",
      "TLS_CHACHA20_POLY1305_SHA256", "" },
    { SPAN_INIT(SERVER_TOP "\0\6\0\x2b\0\2\3\4"), true, false, false, "TLSv1.3",
      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "" },
    { SPAN_INIT(SERVER_TOP "\0\x0c\0\x2b\0\2\3\4\0\x29\0\2\0\0"), true, false, true, "TLSv1.3",
      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "" },
    { SPAN_INIT(SERVER_TOP "\0\7\0\x2b\0\3\3\4\0"), false, false, false, "", "", "" },
    { SPAN_INIT(SERVER_TOP "\0\5\0\x2b\0\1\3"), false, false, false, "", "", "" },
    { SPAN_INIT(SERVER_TOP "\0\x0b\0\x10\0\7\0\5\4smtp"), true, false, false, "TLSv1.2",
      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "smtp" },
    { SPAN_INIT("\3\3" RETRY "\0\x13\2\0\0\6\0\x2b\0\2\3\4"), true, true, false, "TLSv1.3",
      "TLS_AES_256_GCM_SHA384", "" },
    { SPAN_INIT("\3\3" RETRY "\0\x13\2\0"), false, false, false, "", "", "" },
    { SPAN_INIT("\3\3" RANDOM "\x21" RANDOM "x\0\0\0"), false, false, false, "", "", "" },
    { SPAN_INIT("\3\3" RANDOM "\0\xc0\x2f"), false, false, false, "", "", "" },
    { SPAN_INIT(SERVER_TOP "\0"), false, false, false, "", "", "" },
};

static void server_hellos_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        struct tls_server_hello h;
        struct tls_facts f = { .detail = "" };

        check_number(tls_server_hello_parse(guarded(servers[i].body), &h), servers[i].ok,
                     "accepted");
        if (!servers[i].ok)
            continue;
        tls_server_hello_facts(&h, &f);
        check_number(h.retry, servers[i].retry, "retry");
        check_number(f.resumed, servers[i].resumed, "resumed");
        assert_string_equal(f.version, servers[i].version);
        assert_string_equal(f.cipher, servers[i].cipher);
        assert_string_equal(f.alpn, servers[i].alpn);
    }
}

/* Too long a name is cut, too many protocols are left out whole. */
static void what_is_offered_is_cut_to_its_room(void **state)
{
    static unsigned char names[50 * 5];
    char host[300];
    struct tls_client_hello h = { 0 };
    struct tls_facts f;

    (void)state;
    memset(host, 'h', sizeof host);
    for (size_t i = 0; i < sizeof names; i += 5)
        memcpy(names + i, "\4smtp", 5);
    h.server_name = span_of(host, sizeof host);
    h.alpn = span_of(names, sizeof names);
    tls_client_hello_facts(&h, &f);
    assert_int_equal(strlen(f.server_name), sizeof f.server_name - 1);
    assert_int_equal(strlen(f.alpn_offered), 25 * 5 - 1);
    assert_string_equal(f.alpn_offered + 24 * 5, "smtp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_hellos_are_read),
        cmocka_unit_test(server_hellos_are_read),
        cmocka_unit_test(what_is_offered_is_cut_to_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
