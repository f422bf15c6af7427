/* The handshakes are those of fuzz/corpus/fuzz_tls_watch.tar; record_handshakes made them. */
#include "unit/check.h"
#include "unit/tlswatch/handshakes.h"

#include "base/attributes.h"

enum { MIB = 1 << 20 };

#define VALIDITY "2026-11-23T12:31:08Z..2036-11-20T12:31:08Z"
#define EC_NAME  "CN=mx.example.org, O=Example\\, Inc., C=DE"
#define RSA_NAME "OU=Mail + CN=mx.example.org, O=Caf??, DC=example, DC=org"
#define EC_CERTIFICATE                                                                         \
    EC_NAME "|" EC_NAME "|" VALIDITY                                                           \
            "|e7198c5285c7e430de16a97ee7814e818ce210672412b46fa94114b3b8f112f9"                \
            "|a2c3bfa01c125de4075282fcf3a8802154b9788a5243bb927dfc999fbfb909bb|"
#define RSA_CERTIFICATE                                                                        \
    RSA_NAME "|" RSA_NAME "|" VALIDITY                                                         \
             "|b247801180ff557493d1a67a742c32d56149931c91ca822905c3a37177e10571"               \
             "|93c935ef2cd8f855c036861377d6ac479660a79ef2666843ab9de1e9eca9d080|"
#define NO_CERTIFICATE "||..|||"
#define COMPLETE       "||received=-1 sent=-1|done "
#define HELLOS         "client server|"
#define UNKNOWN_CA                                                                             \
    "unknown-ca|the client sent alert unknown_ca: it does not trust the issuer of the "        \
    "certificate|received=-1 sent=48|done client server|"

static const struct {
    const char *name, *want;
} recorded[] = {
    { "tls12-ecdsa", COMPLETE HELLOS "TLSv1.2|TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384|"
                                     "sni=mx.example.org|alpn= of smtp h2|" EC_CERTIFICATE },
    { "tls12-rsa", COMPLETE HELLOS "TLSv1.2|TLS_RSA_WITH_AES_128_CBC_SHA|"
                                   "sni=|alpn=smtp of h2 smtp|" RSA_CERTIFICATE },
    { "tls12-resumed", COMPLETE
      "resumed " HELLOS
      "TLSv1.2|TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384|sni=|alpn= of |" NO_CERTIFICATE },
    { "tls12-client-certificate", COMPLETE HELLOS
      "TLSv1.2|TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384|sni=|alpn= of |" RSA_CERTIFICATE },
    { "tls12-unknown-ca", UNKNOWN_CA
      "TLSv1.2|TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384|sni=|alpn= of |" EC_CERTIFICATE },
    { "tls13", COMPLETE HELLOS "TLSv1.3|TLS_AES_256_GCM_SHA384|sni=mx.example.org|"
                               "alpn= of smtp|" NO_CERTIFICATE },
    { "tls13-retry",
      COMPLETE HELLOS "TLSv1.3|TLS_AES_256_GCM_SHA384|sni=|alpn= of |" NO_CERTIFICATE },
    { "tls13-resumed", COMPLETE
      "resumed " HELLOS "TLSv1.3|TLS_AES_256_GCM_SHA384|sni=|alpn= of |" NO_CERTIFICATE },
    { "tls13-unknown-ca",
      UNKNOWN_CA "TLSv1.3|TLS_AES_256_GCM_SHA384|sni=|alpn= of |" NO_CERTIFICATE },
    { "alert-version", "version|the server sent alert protocol_version: the client offered at "
                       "most TLSv1.2|received=70 sent=-1|done client |||sni=|alpn= of "
                       "|" NO_CERTIFICATE },
    { "alert-version-old",
      "version|the server sent alert protocol_version: the client offered at most TLSv1.1|"
      "received=70 sent=-1|done client |||sni=|alpn= of |" NO_CERTIFICATE },
    { "alert-cipher",
      "alert|the server sent alert handshake_failure: no cipher, curve or signature in "
      "common, or no certificate|received=40 sent=-1|done client |||sni=|alpn= of "
      "|" NO_CERTIFICATE },
    { "tls10", COMPLETE HELLOS
      "TLSv1.0|TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA|sni=|alpn= of |" RSA_CERTIFICATE },
    { "gnutls13",
      COMPLETE HELLOS "TLSv1.3|TLS_AES_256_GCM_SHA384|sni=|alpn= of |" NO_CERTIFICATE },
    { "gnutls12", COMPLETE HELLOS
      "TLSv1.2|TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384|sni=|alpn= of |" RSA_CERTIFICATE },
};

static void check_and_free(struct tls_watch *w, const char *want)
{
    assert_string_equal(facts_text(w), want);
    tls_watch_free(&w);
    assert_null(w);
}

/* ---- what real programs say ---------------------------------------------------------- */

static void facts_are_those_of_openssl(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(recorded); i++) {
        struct span in = load(recorded[i].name);

        for (size_t cut = 0; cut <= 7; cut++)
            check_and_free(play(in, cut, SIZE_MAX), recorded[i].want);
        for (size_t at = 0; at <= in.len; at++)
            check_and_free(play(in, 0, at), recorded[i].want);
    }
}

/* Cut off anywhere, it is an end or what was known already; and nothing is overread. */
static void handshake_may_break_off_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(recorded); i++) {
        struct span all = load(recorded[i].name);
        bool fails = recorded[i].want[0] != '|';

        for (size_t n = FACT_HEAD; n < all.len; n++) {
            struct span in = span_first(all, n);
            struct tls_watch *w = play(in, 0, SIZE_MAX);
            const struct tls_facts *f = tls_watch_facts(w);
            bool was_done = tls_watch_done(w);

            tls_watch_end(w, SERVER, true);
            assert_true(tls_watch_done(w));
            assert_true(was_done || f->failure == TLS_FAILURE_RESET);
            assert_true(!was_done || (f->failure != TLS_FAILURE_NONE) == fails ||
                        f->failure == TLS_FAILURE_EOF);
            tls_watch_free(&w);
        }
    }
}

/* Handshake messages in records of `size` octets: several in one, or one in several. */
static size_t reframe(struct span records, size_t size, unsigned char *out)
{
    static unsigned char joined[HANDSHAKE_MAX];
    size_t len = 0, at = 0;

    while (records.len > 0) {
        size_t n = (size_t)records.ptr[3] << 8 | records.ptr[4];
        assert_int_equal(records.ptr[0], 22);
        memcpy(joined + len, records.ptr + 5, n);
        len += n;
        records = span_drop(records, 5 + n);
    }
    for (size_t from = 0; from < len; from += size) {
        size_t n = len - from < size ? len - from : size;
        const unsigned char head[] = { 22, 3, 3, (unsigned char)(n >> 8), (unsigned char)n };
        memcpy(out + at, head, sizeof head);
        memcpy(out + at + sizeof head, joined + from, n);
        at += sizeof head + n;
    }
    return at;
}

static void messages_need_not_end_with_records(void **state)
{
    static unsigned char records[8 * HANDSHAKE_MAX];

    (void)state;
    for (size_t size = 1; size < 1200; size += 1 + size / 4) {
        struct span in = load("tls12-ecdsa"), octets;
        struct tls_watch *w = tls_watch_new();

        for (unsigned facts = 0; in.len > 0; facts++) {
            enum side side = next_fact(&in, &octets) % 2 == 0 ? CLIENT : SERVER;
            if (facts < 2)
                octets = span_of(records, reframe(octets, size, records));
            give(w, side, octets, 0);
        }
        check_and_free(w, recorded[0].want);
    }
}

/* ---- limits --------------------------------------------------------------------------- */

/* A ClientHello of so many octets, with one extension that fills it, in records of 16384. */
static size_t make_hello(unsigned char *out, size_t body)
{
    static unsigned char message[4 + TLS_WATCH_HELLO_MAX + 1];
    size_t fill = body - (2 + 32 + 1 + 4 + 2 + 2 + 4), at = 0;
    unsigned char *p = message;

    memset(message, 0, sizeof message);
    *p++ = 1;
    *p++ = 0;
    *p++ = (unsigned char)(body >> 8);
    *p++ = (unsigned char)body;
    *p = p[1] = 3;
    p += 2 + 32 + 1;
    memcpy(p, "\0\2\x13\1\1\0", 6);
    p += 6;
    *p++ = (unsigned char)((fill + 4) >> 8);
    *p++ = (unsigned char)(fill + 4);
    memcpy(p, "\0\x15", 2);
    p[2] = (unsigned char)(fill >> 8);
    p[3] = (unsigned char)fill;
    for (size_t from = 0; from < 4 + body; from += 16384) {
        size_t n = 4 + body - from < 16384 ? 4 + body - from : 16384;
        const unsigned char head[] = { 22, 3, 1, (unsigned char)(n >> 8), (unsigned char)n };
        memcpy(out + at, head, sizeof head);
        memcpy(out + at + sizeof head, message + from, n);
        at += sizeof head + n;
    }
    return at;
}

static void a_hello_has_a_limit(void **state)
{
    static unsigned char octets[2 * TLS_WATCH_HELLO_MAX];

    (void)state;
    for (size_t body = TLS_WATCH_HELLO_MAX - 1; body <= TLS_WATCH_HELLO_MAX + 1; body++) {
        struct tls_watch *w = tls_watch_new();
        bool fits = body <= TLS_WATCH_HELLO_MAX;

        give(w, CLIENT, span_of(octets, make_hello(octets, body)), 1000);
        assert_int_equal(tls_watch_facts(w)->hello_client, fits);
        assert_int_equal(tls_watch_facts(w)->failure,
                         fits ? TLS_FAILURE_NONE : TLS_FAILURE_PROTOCOL);
        tls_watch_free(&w);
    }
}

/* A million octets of anything, and it has long stopped looking. */
static void nothing_is_watched_for_ever(void **state)
{
    static const struct span patterns[] = {
        SPAN_INIT("\0"),
        SPAN_INIT("a"),
        SPAN_INIT("\x16\x03\x03\0\1\0"),
        SPAN_INIT("\x15\x03\x03\0\2\1\x70"),
        SPAN_INIT("\x14\x03\x03\0\1\1"),
        SPAN_INIT("\x17\x03\x03\0\1\0"),
        SPAN_INIT("\x16\x03\x03\0\4\x0c\0\0\0"),
        SPAN_INIT("\x16\x03\x03\x01\0\x0b\xff\xff\xff"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        for (int side = CLIENT; side <= SERVER; side++) {
            struct tls_watch *w = tls_watch_new();
            size_t given = 0;

            give(w, CLIENT, first_octets(load("tls12-rsa"), CLIENT), 0);
            give(w, SERVER, span_first(first_octets(load("tls12-rsa"), SERVER), 90), 0);
            for (; given < MIB && !tls_watch_done(w); given += patterns[i].len)
                tls_watch_bytes(w, (enum side)side, patterns[i]);
            assert_true(given <= TLS_WATCH_SIDE_MAX);
            assert_true(tls_watch_done(w));
            assert_int_not_equal(tls_watch_facts(w)->failure, TLS_FAILURE_NONE);
            tls_watch_free(&w);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_those_of_openssl),
        cmocka_unit_test(handshake_may_break_off_anywhere),
        cmocka_unit_test(messages_need_not_end_with_records),
        cmocka_unit_test(a_hello_has_a_limit),
        cmocka_unit_test(nothing_is_watched_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
