#include "unit/check.h"

#include "base/attributes.h"
#include "smtp/foreign.h"

struct foreign_case {
    struct span in;
    enum foreign_result result;
    enum note_id which; /* with FOREIGN_YES */
};

#define YES(text, id)                                                                          \
    {                                                                                          \
        SPAN_INIT(text), FOREIGN_YES, NOTE_NOT_SMTP_##id                                       \
    }
#define NO(text)                                                                               \
    {                                                                                          \
        SPAN_INIT(text), FOREIGN_NO, NOTE_COUNT                                                \
    }
#define STILL(text)                                                                            \
    {                                                                                          \
        SPAN_INIT(text), FOREIGN_MORE, NOTE_COUNT                                              \
    }

/* clang-format off */
static const struct foreign_case cases[] = {
    YES("GET / HTTP/1.1\r\nHost: mx.example.org\r\n\r\n", HTTP),
    YES("POST /x HTTP/1.1\r\nHost: a\r\n\r\nHELO x\r\n", HTTP),
    YES("CONNECT 192.0.2.1:25 HTTP/1.0\r\n\r\n", HTTP),
    YES("OPTIONS * HTTP/1.1\r\n", HTTP),
    YES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HTTP),
    YES("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", SSH),
    YES("SSH-1.99-x\r\n", SSH),
    YES("\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03", TLS),
    YES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\nMAIL FROM:<a@example.com>\n", TLS),
    YES("\x03\x00\x00+&\xe0\x00\x00\x00\x00\x00" "Cookie: mstshash=hello\r\n", RDP),
    YES("\x03\x00\x00\x13\x0e\xe0\x00\x00", RDP),
    YES("\x03\x00\x00\x2f" "abcdCookie: mstshash=x", RDP),
    YES("PROXY TCP4 192.0.2.7 198.51.100.9 56324 25\r\nEHLO x\r\n", PROXY),
    YES("PROXY TCP6 2001:db8::1 2001:db8::2 1 25\r\n", PROXY),
    YES("PROXY UNKNOWN\r\n", PROXY),
    YES("*1\r\n$4\r\nPING\r\n", REDIS),
    YES("*12\n", REDIS),
    YES("*123\r\n", REDIS),
    YES("OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm;branch=foo\r\n\r\n", SIP),
    YES("REGISTER sips:example.com SIP/2.0\r\n", SIP),
    YES("OPTIONS rtsp://192.0.2.9/ RTSP/1.0\r\n\r\n", RTSP),
    YES("SETUP rtsp://a/b RTSP/1.0\r\n", RTSP),
    YES("\0\0\0T\xfeSMB@\0\0\0", SMB),
    YES("\0\0\0T\xffSMBr", SMB),
    YES("\0\0\0T\xff\xfeSMB", SMB),
    YES("\xff\xfb\x1f\xff\xfb EHLO x\r\n", TELNET),
    YES("\x04\x01\x00\x19\xc0\x00\x02\x01\0", SOCKS),
    YES("\x05\x01\x00", SOCKS),
    YES("\x05\x02\x00\x02", SOCKS),

    NO("EHLO client.example.com\r\n"), NO("HELO x\r\n"), NO("MAIL FROM:<a@b>\r\n"),
    NO("RCPT TO:<a@b>\r\n"), NO("DATA\r\n"), NO("RSET\r\n"), NO("NOOP\r\n"), NO("QUIT\r\n"),
    NO("VRFY a\r\n"), NO("EXPN a\r\n"), NO("HELP\r\n"), NO("ETRN a\r\n"), NO("TURN\r\n"),
    NO("SEND FROM:<a@b>\r\n"), NO("AUTH PLAIN AAA=\r\n"), NO("STARTTLS\r\n"),
    NO("BDAT 5 LAST\r\nhello"), NO("XCLIENT NAME=a\r\n"), NO("LHLO x\r\n"),
    NO("USER alice\r\n"), NO("a001 LOGIN alice secret\r\n"), NO("Subject: hello\r\n"),
    NO("GET\r\n"), NO("GET /\r\n"), NO("GET / HTTP\r\n"), NO("GET /\nHTTP/1.1\r\n"), NO("GET / XTTP/1.1\r\n"),
    NO("GET  HTTP/1.1\r\n"), NO("get / HTTP/1.1\r\n"), NO("OPTIONS sip: SIP/2.0\r\n"),
    NO("REGISTER tel:1 SIP/2.0\r\n"), NO("CONNECT a HTTP/1.0\r\n"),
    NO("CONNECT :25 HTTP/1.0\r\n"), NO("CONNECT a: HTTP/1.0\r\n"), NO("BYE\n"), NO("ACK x\r\n"),
    NO("*\r\n"), NO("*1234\r\n"), NO("*1\r\r\n"), NO("SSH-3\r\n"), NO("PROXY\r\n"),
    NO("\x16\x03\x05"), NO("\x03\x01"), NO("\xff\xfa"), NO("\x05\x00"), NO("\x05\x0a\n"),
    NO("\r\nEHLO x\r\n"), NO("\r\n"), NO("\r\n\r\n"), NO("\r\n\r\n\0\r\nQUIT\n"), NO("\0\r\nQUIT\n"), NO("\n"), NO("\0\0\0T\xffSMC"),

    STILL(""), STILL("G"), STILL("GET"), STILL("GET "), STILL("GET /index"),
    STILL("GET / HTTP/"), STILL("OPTIONS s"), STILL("S"), STILL("PRO"), STILL("*99"), STILL("\x03\x00\x00\x13"), STILL("\x05\x01"),
};
/* clang-format on */

static void signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum note_id which = NOTE_COUNT;
        const char *what = (const char *)cases[i].in.ptr;

        check_number(foreign_sniff(guarded(cases[i].in), false, &which), cases[i].result, what);
        check_number(which, cases[i].which, what);
    }
}

/* MORE until the answer, then the same answer for ever. */
static void the_answer_does_not_depend_on_the_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool decided = false;

        for (size_t n = 0; n <= cases[i].in.len; n++) {
            enum note_id which = NOTE_COUNT;
            enum foreign_result r =
                foreign_sniff(guarded(span_first(cases[i].in, n)), false, &which);

            if (r == FOREIGN_MORE && !decided)
                continue;
            decided = true;
            check_number(r, cases[i].result, (const char *)cases[i].in.ptr);
            check_number(which, cases[i].which, (const char *)cases[i].in.ptr);
        }
        check_number(decided, cases[i].result != FOREIGN_MORE, "decided");
    }
}

static void long_request_lines_are_given_up(void **state)
{
    char in[600] = "GET /";
    enum note_id which;

    (void)state;
    memset(in + 5, 'x', sizeof in - 5);
    assert_int_equal(foreign_sniff(guarded(span_of(in, 511)), false, &which), FOREIGN_MORE);
    assert_int_equal(foreign_sniff(guarded(span_of(in, 512)), false, &which), FOREIGN_NO);
    memcpy(in + 505, " HTTP/1", 7);
    assert_int_equal(foreign_sniff(guarded(span_of(in, sizeof in)), false, &which),
                     FOREIGN_YES);
    memmove(in + 506, in + 505, 7);
    in[505] = 'x';
    assert_int_equal(foreign_sniff(guarded(span_of(in, sizeof in)), false, &which), FOREIGN_NO);
}

/* Enter at a terminal: a client that waits for the answer must get one. */
static void a_line_is_not_waited_with(void **state)
{
    enum note_id which;

    (void)state;
    assert_int_equal(foreign_sniff(guarded_str("\r\n"), false, &which), FOREIGN_NO);
    for (int c = ' '; c < 0x7f; c++) {
        const char line[] = { (char)c, '\r', '\n' };

        assert_int_not_equal(foreign_sniff(guarded(span_of(line, sizeof line)), false, &which),
                             FOREIGN_MORE);
    }
    assert_int_equal(foreign_sniff(guarded_str("\r\n"), true, &which), FOREIGN_NO);
}

static void proxy_v2_behind_its_empty_lines(void **state)
{
    enum note_id which = NOTE_COUNT;
    const struct span header = SPAN_LIT("\0\r\nQUIT\n!\x11");

    (void)state;
    for (size_t n = 0; n < 3; n++)
        assert_int_equal(foreign_sniff(guarded(span_first(header, n)), true, &which),
                         FOREIGN_MORE);
    assert_int_equal(foreign_sniff(guarded(span_first(header, 3)), true, &which), FOREIGN_YES);
    assert_int_equal(which, NOTE_NOT_SMTP_PROXY);
    assert_int_equal(foreign_sniff(guarded(header), true, &which), FOREIGN_YES);
    assert_int_equal(foreign_sniff(guarded_str("EHLO x\r\n"), true, &which), FOREIGN_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures),
        cmocka_unit_test(the_answer_does_not_depend_on_the_cut),
        cmocka_unit_test(a_line_is_not_waited_with),
        cmocka_unit_test(proxy_v2_behind_its_empty_lines),
        cmocka_unit_test(long_request_lines_are_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
