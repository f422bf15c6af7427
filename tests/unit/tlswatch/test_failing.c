/* How a handshake that was watched fails, in words. */
#include "unit/check.h"
#include "unit/tlswatch/handshakes.h"

#include "base/attributes.h"

static void check_end(struct tls_watch *w, const char *failure, const char *detail)
{
    const struct tls_facts *f = tls_watch_facts(w);

    assert_string_equal(f->detail, detail);
    assert_string_equal(tls_failure_name(f->failure), failure);
    assert_true(tls_watch_done(w));
    tls_watch_free(&w);
}

static void ends_say_how_far_it_came(void **state)
{
    enum { NOWHERE, HELLO, HALF, SERVER_HELLO };
    static const struct {
        int far;
        unsigned what; /* as in a file of facts */
        const char *failure, *detail;
    } cases[] = {
        { NOWHERE, 2, "eof", "the client closed the connection before anything came" },
        { HELLO, 3, "eof", "the server closed the connection right after the ClientHello" },
        { HELLO, 5, "reset", "the server reset the connection right after the ClientHello" },
        { HELLO, 4, "reset", "the client reset the connection right after the ClientHello" },
        { HELLO, 6, "timeout", "time ran out right after the ClientHello" },
        { HELLO, 7, "eof", "the session ended right after the ClientHello" },
        { NOWHERE, 6, "timeout", "time ran out before anything came" },
        { HALF, 2, "eof",
          "the client closed the connection in the middle of its first message" },
        { SERVER_HELLO, 2, "eof",
          "the client closed the connection right after the server's encrypted answer" },
        { SERVER_HELLO, 5, "reset",
          "the server reset the connection right after the server's encrypted answer" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct span facts = load("tls13");
        struct span hello = first_octets(facts, CLIENT), answer = first_octets(facts, SERVER);
        const unsigned char end[] = { (unsigned char)cases[i].what, 0, 0 };
        struct tls_watch *w = tls_watch_new();

        if (cases[i].far == HALF)
            give(w, CLIENT, span_first(hello, 100), 0);
        if (cases[i].far == HELLO || cases[i].far == SERVER_HELLO)
            give(w, CLIENT, hello, 0);
        if (cases[i].far == SERVER_HELLO)
            give(w, SERVER, answer, 0);
        if (cases[i].what < 6)
            tls_watch_end(w, end[0] % 2 == 0 ? CLIENT : SERVER, end[0] > 3);
        else
            tls_watch_stop(w, end[0] == 6 ? TLS_FAILURE_TIMEOUT : TLS_FAILURE_EOF);
        check_end(w, cases[i].failure, cases[i].detail);
    }
}

/* After a whole ClientHello, unless it is the first thing said. */
static void strangers_and_nonsense_are_told(void **state)
{
    static const struct {
        enum side side;
        bool hello;
        struct span octets;
        const char *failure, *detail;
    } cases[] = {
        { SERVER, true, SPAN_INIT("454 4.7.0 TLS not available\r\n250 more"), "plaintext",
          "the server said in the clear: 454 4.7.0 TLS not available" },
        { SERVER, false, SPAN_INIT("HTTP/1.1 400 Bad \x1b[2J\n"), "plaintext",
          "the server said in the clear: HTTP/1.1 400 Bad ?[2J" },
        { SERVER, false,
          SPAN_INIT("421 a very long line that goes on and on until nobody reads it"),
          "plaintext",
          "the server said in the clear: 421 a very long line that goes on and on until n" },
        { CLIENT, false, SPAN_INIT("EHLO c.example\r\n"), "plaintext",
          "the client said in the clear: EHLO ..." },
        { CLIENT, false, SPAN_INIT("AUTH PLAIN AGEAYg==\r\n"), "plaintext",
          "the client said in the clear: AUTH ..." },
        { CLIENT, true, SPAN_INIT("c2VjcmV0IHNlY3JldA==\r\n"), "plaintext",
          "the client said in the clear: c2Vj ..." },
        { CLIENT, false, SPAN_INIT("\x80\x2e\x01\x03\x01"), "protocol",
          "the client sent a hello in the form of SSL 2" },
        { CLIENT, false, SPAN_INIT("\x80\x2e\x02"), "protocol",
          "the client sent 0x80 where a record begins" },
        { CLIENT, false, SPAN_INIT("\0\x2e\x01"), "protocol",
          "the client sent 0x00 where a record begins" },
        { CLIENT, true, SPAN_INIT("\x80\x2e\x01"), "protocol",
          "the client sent 0x80 where a record begins" },
        { SERVER, true, SPAN_INIT("\0"), "protocol",
          "the server sent 0x00 where a record begins" },
        { SERVER, true, SPAN_INIT("\x18\x03\x03\0\1\0"), "protocol",
          "the server sent 0x18 where a record begins" },
        { CLIENT, false, SPAN_INIT("\x16\x02\x01\0\1"), "protocol",
          "the client sent a record of version 0x0201" },
        { CLIENT, false, SPAN_INIT("\x16\x03\x01\0\0"), "protocol",
          "the client sent a record of 0 octets" },
        { CLIENT, false, SPAN_INIT("\x16\x03\x01\x40\x01"), "protocol",
          "the client sent a record of 16385 octets" },
        { CLIENT, true, SPAN_INIT("\x17\x03\x03\x48\x01"), "protocol",
          "the client sent a record of 18433 octets" },
        { CLIENT, false, SPAN_INIT("\x16\x03\x01\0\4\2\0\0\0"), "protocol",
          "the client sent handshake message 2 out of order" },
        { CLIENT, true, SPAN_INIT("\x16\x03\x01\0\4\1\0\0\0"), "protocol",
          "the client sent handshake message 1 out of order" },
        { SERVER, false, SPAN_INIT("\x16\x03\x03\0\4\2\0\0\0"), "protocol",
          "the server sent handshake message 2 out of order" },
        { SERVER, true, SPAN_INIT("\x16\x03\x03\0\4\1\0\0\0"), "protocol",
          "the server sent handshake message 1 out of order" },
        { SERVER, true, SPAN_INIT("\x16\x03\x03\0\4\2\0\0\0"), "protocol",
          "the server sent a malformed ServerHello" },
        { CLIENT, false, SPAN_INIT("\x16\x03\x01\0\4\1\0\0\0"), "protocol",
          "the client sent a malformed ClientHello" },
        { CLIENT, false, SPAN_INIT("\x16\x03\x01\0\4\1\0\x40\1"), "protocol",
          "the client sent a hello that is too long" },
        { CLIENT, false, SPAN_INIT("\x16\x03\x01\0\4\1\0\1\0\x14\x03\x03\0\1"), "protocol",
          "the client sent another record inside a handshake message" },
        { SERVER, true, SPAN_INIT("\x14\x03\x03\0\2"), "protocol",
          "the server sent a malformed ChangeCipherSpec" },
        { SERVER, true, SPAN_INIT("\x17\x03\x03\0\1x"), "protocol",
          "the server sent application data before the end of the handshake" },
        { CLIENT, false, SPAN_INIT("\x17\x03\x03\0\1x"), "protocol",
          "the client sent application data before the end of the handshake" },
        { SERVER, true, SPAN_INIT("\x15\x03\x03\0\1\3\x15\x03\x03\0\1\1"), "protocol",
          "the server sent a malformed alert" },
        { SERVER, true, SPAN_INIT("\x15\x03\x03\0\2\0\0"), "protocol",
          "the server sent a malformed alert" },
        { SERVER, true, SPAN_INIT("\x15\x03\x03\0\2\2\x64"), "alert",
          "the server sent alert no_renegotiation" },
        { SERVER, false, SPAN_INIT("\x15\x03\x03\0\2\2\x46"), "version",
          "the server sent alert protocol_version" },
        { SERVER, true, SPAN_INIT("\x15\x03\x03\0\2\2\xfa"), "alert",
          "the server sent alert 250" },
        { CLIENT, true, SPAN_INIT("\x15\x03\x03\0\2\1\0"), "alert",
          "the client sent alert close_notify" },
        /* A warning ends nothing; it is told when the connection ends. */
        { SERVER, true, SPAN_INIT("\x15\x03\x03\0\2\1\x70\x15\x03\x03\0\2\1\0"), "alert",
          "the server sent alert unrecognized_name: it has no certificate for the name asked "
          "for" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t cut = 0; cut < 4; cut++) {
            struct tls_watch *w = tls_watch_new();

            if (cases[i].hello)
                give(w, CLIENT, first_octets(load("tls12-rsa"), CLIENT), 0);
            give(w, cases[i].side, cases[i].octets, cut);
            check_end(w, cases[i].failure, cases[i].detail);
        }
    }
}

/* After a ClientHello and the server's first record. */
static void server_cannot_go_on_with_anything(void **state)
{
    static const struct {
        const char *name;
        struct span octets; /* none: its first record once more */
        const char *detail;
    } cases[] = {
        { "tls12-rsa", SPAN_INIT("\x16\3\3\0\7\x0b\0\0\3\0\0\1"),
          "the server sent a malformed Certificate" },
        { "tls12-rsa", SPAN_INIT("\x16\3\3\0\6\x0b\0\0\2\0\0"),
          "the server sent a malformed Certificate" },
        { "tls12-rsa", SPAN_INIT(""), "the server sent handshake message 2 out of order" },
        { "tls13", SPAN_INIT("\x16\3\3\0\4\x0b\0\0\3"),
          "the server sent handshake message 11 out of order" },
        { "tls13-retry", SPAN_INIT(""), "the server sent handshake message 2 out of order" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tls_watch *w = tls_watch_new();
        struct span record;

        give(w, CLIENT, first_octets(load(cases[i].name), CLIENT), 0);
        record = first_octets(load(cases[i].name), SERVER);
        record = span_first(record, 5 + ((size_t)record.ptr[3] << 8 | record.ptr[4]));
        give(w, SERVER, record, 0);
        assert_false(tls_watch_done(w));
        give(w, SERVER, cases[i].octets.len > 0 ? cases[i].octets : record, 0);
        check_end(w, "protocol", cases[i].detail);
    }
}

static void there_is_one_retry(void **state)
{
    struct tls_watch *w = tls_watch_new();
    struct span retry;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_false(tls_watch_done(w));
        give(w, CLIENT, first_octets(load("tls13-retry"), CLIENT), 0);
        retry = first_octets(load("tls13-retry"), SERVER);
        give(w, SERVER, retry, 0);
    }
    check_end(w, "protocol", "the server sent a malformed ServerHello");
}

/* Between two records, but not between two messages. */
static void half_a_message_is_the_middle_of_it(void **state)
{
    struct tls_watch *w = tls_watch_new();

    (void)state;
    give(w, CLIENT, SPAN_LIT("\x16\3\1\0\5\1\0\0\x50\3"), 0);
    tls_watch_stop(w, TLS_FAILURE_TIMEOUT);
    check_end(w, "timeout", "time ran out in the middle of its first message");
}

static void a_warning_is_why_the_connection_ends(void **state)
{
    struct tls_watch *w = tls_watch_new();

    (void)state;
    give(w, CLIENT, first_octets(load("tls12-rsa"), CLIENT), 0);
    give(w, SERVER, SPAN_LIT("\x15\x03\x03\0\2\1\x70"), 0);
    assert_false(tls_watch_done(w));
    assert_int_equal(tls_watch_facts(w)->failure, TLS_FAILURE_NONE);
    tls_watch_end(w, CLIENT, false);
    assert_int_equal(tls_watch_facts(w)->alert_received, 112);
    check_end(w, "alert",
              "the server sent alert unrecognized_name: it has no certificate for the name "
              "asked for");
}

/* What has begun is told even if the line does not end. */
static void half_a_line_is_told_at_the_end(void **state)
{
    struct tls_watch *w = tls_watch_new();

    (void)state;
    give(w, SERVER, SPAN_LIT("454 4"), 1);
    assert_false(tls_watch_done(w));
    give(w, CLIENT, SPAN_LIT("\x16\x03"), 0);
    assert_false(tls_watch_done(w));
    tls_watch_end(w, CLIENT, true);
    check_end(w, "plaintext", "the server said in the clear: 454 4");
}

/* In the place of the Finished, a record of the size of an alert is one. */
static void alerts_in_tls13_are_known_by_their_size(void **state)
{
    unsigned char record[5 + 24] = { 23, 3, 3, 0, 0 };

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        enum side side = i < 3 ? CLIENT : SERVER;
        unsigned len = 18 + i % 3;
        struct tls_watch *w = tls_watch_new();
        struct span answer;

        give(w, CLIENT, first_octets(load("tls13"), CLIENT), 0);
        answer = first_octets(load("tls13"), SERVER);
        if (side == SERVER) /* its hello alone */
            answer = span_first(answer, 5u + answer.ptr[4]);
        give(w, SERVER, answer, 0);
        assert_false(tls_watch_done(w));
        assert_true(tls_watch_facts(w)->hello_server);
        record[4] = (unsigned char)len;
        give(w, side, span_of(record, 5 + len), 0);
        assert_int_equal(tls_watch_facts(w)->alert_sent, TLS_ALERT_UNKNOWN);
        assert_int_equal(tls_watch_facts(w)->alert_received, TLS_ALERT_UNKNOWN);
        if (side == SERVER && len != 19) {
            assert_false(tls_watch_done(w));
            tls_watch_free(&w);
            continue;
        }
        check_end(w, len == 19 ? "alert" : "",
                  len != 19        ? ""
                  : side == SERVER ? "the server sent an encrypted alert"
                                   : "the client sent an encrypted alert: no Finished, so most "
                                     "often it does not trust the certificate");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_say_how_far_it_came),
        cmocka_unit_test(strangers_and_nonsense_are_told),
        cmocka_unit_test(server_cannot_go_on_with_anything),
        cmocka_unit_test(there_is_one_retry),
        cmocka_unit_test(half_a_message_is_the_middle_of_it),
        cmocka_unit_test(a_warning_is_why_the_connection_ends),
        cmocka_unit_test(half_a_line_is_told_at_the_end),
        cmocka_unit_test(alerts_in_tls13_are_known_by_their_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
