#include "unit/check.h"

#include "base/attributes.h"
#include "smtp/secret.h"
#include "smtp/secret_foreign.h"

#define S "s3cret"

/* "" in the column of calm: no attempt is seen. NULL: an attempt without a secret. */
struct secret_case {
    const char *line;
    const char *calm, *alert;
};

static const struct secret_case cases[] = {
    { "AUTH PLAIN " S "\r\n", S, S },
    { "auth plain " S "\n", S, S },
    { "AUTH  PLAIN \t " S, S, S },
    { "AUTH\tPLAIN\t" S "\r\n", S, S },
    { " AUTH PLAIN " S "\r\n", S, S },
    { "AUTH PLAIN " S " " S "\r\r\n", S " " S, S " " S },
    { "AUTH PLAIN " S "\rx\r\n", S "\rx", S "\rx" },
    { "AUTH PLAIN =\r\n", "=", "=" },
    { "AUTH SCRAM-SHA-256-PLUS x\r\n", "x", "x" },
    { "AUTH LOGIN\r\n", NULL, NULL },
    { "AUTH PLAIN  \r\n", NULL, NULL },
    { "AUTH\r\n", NULL, NULL },
    { "AUTH AGFsaWNl\r\n", "AGFsaWNl", "AGFsaWNl" }, /* no mechanism */
    { "AUTH hunter2\r\n", "hunter2", "hunter2" },
    { "AUTH dGVzdA== x\r\n", "dGVzdA== x", "dGVzdA== x" },
    { "AUTH PLAIN PLAIN\r\n", "PLAIN", "PLAIN" }, /* a mechanism's name, but not one */

    /* not AUTH, but meant so */
    { "AUHT PLAIN " S "\r\n", S, S },
    { "AUT H PLAIN " S "\r\n", "H PLAIN " S, "H PLAIN " S },
    { "XAUTH2 login " S "\r\n", S, S },
    { "AUTH=PLAIN " S "\r\n", S, S },
    { "AUTH: PLAIN " S "\r\n", S, S },
    { "\"AUTH\" PLAIN " S "\r\n", S, S },
    { "\xef\xbb\xbf"
      "AUTH PLAIN " S "\r\n",
      S, S },
    { "AUTHPLAIN " S "\r\n", S, S },
    { "AUTHc2VjcmV0\r\n", "AUTHc2VjcmV0", "AUTHc2VjcmV0" },
    { "AUTHINFO PASS " S "\r\n", "PASS " S, "PASS " S },
    { "Authorization: Basic " S "\r\n", S, S },
    { "AU\x01TH PLAIN " S "\r\n", "AU\x01TH PLAIN " S, "AU\x01TH PLAIN " S },
    { "\x01"
      "AUTH PLAIN " S "\r\n",
      S, S },
    { "C: AUTH PLAIN " S "\r\n", S, S },
    { "250-AUTH PLAIN " S "\r\n", "250-AUTH PLAIN " S, "250-AUTH PLAIN " S },
    { "250 AUTH PLAIN " S "\r\n", S, S },
    { "EHLO x\rAUTH PLAIN " S "\r\n", "x\rAUTH PLAIN " S, "x\rAUTH PLAIN " S },
    { "HELO AUTH LOGIN " S "\r\n", S, S },
    { "MAIL FROM:<a@b> AUTH PLAIN " S "\r\n", "FROM:<a@b> AUTH PLAIN " S,
      "FROM:<a@b> AUTH PLAIN " S },
    { "PLAIN " S "\r\n", S, S },
    { "\xd0\xbf\xd0\xb0\xd1\x80 LOGIN " S "\r\n", "\xd0\xbf\xd0\xb0\xd1\x80 LOGIN " S,
      "\xd0\xbf\xd0\xb0\xd1\x80 LOGIN " S },

    /* other protocols */
    { "PASS " S "\r\n", S, S },
    { "pass  " S "\r\n", S, S },
    { "USER alice\r\n", "alice", "alice" },
    { "APOP alice " S "\r\n", "alice " S, "alice " S },
    { "LOGIN alice " S "\r\n", "alice " S, "alice " S },
    { "a001 LOGIN alice " S "\r\n", "alice " S, "alice " S },
    { "a001 login alice " S "\r\n", "alice " S, "alice " S },
    { "a001 AUTHENTICATE PLAIN " S "\r\n", S, S },

    /* XCLIENT, BURL */
    { "XCLIENT NAME=a LOGIN=alice ADDR=::1\r\n", "alice", "NAME=a LOGIN=alice ADDR=::1" },
    { "XCLIENT LOGIN=a X=b LOGIN=c PROTO=SMTP\r\n", "a X=b LOGIN=c",
      "=a X=b LOGIN=c PROTO=SMTP" },
    { "XCLIENT NAME=auth.test\r\n", "", "NAME=auth.test" },
    { "XFORWARD NAME=auth.test\r\n", "", "NAME=auth.test" },
    { "BURL imap://alice;x@h/;urlauth=y:internal:z LAST\r\n",
      "imap://alice;x@h/;urlauth=y:internal:z LAST",
      "imap://alice;x@h/;urlauth=y:internal:z LAST" },

    /* harmless, always */
    { "", "", "" },
    { "\r\n", "", "" },
    { "EHLO auth.login.test\r\n", "", "" },
    { "EHLO [192.0.2.1]\r\n", "", "" },
    { "MAIL FROM:<auth@user.test> SIZE=5 BODY=8BITMIME AUTH=<>\r\n", "", "" },
    { "MAIL FROM:<>\r\n", "", "" },
    { "RCPT TO:<\"AUTH PLAIN\"@b>\r\n", "", "" },
    { "BDAT 5 LAST\r\n", "", "" },
    { "RSET\r\n", "", "" },
    { "quit \r\n", "", "" },
    { "NOOP\r\n", "", "" },
    { "STARTTLS\r\n", "", "" },

    /* harmless only as long as nobody has tried */
    { S "\r\n", "", S },
    { "FOOBAR baz\r\n", "", "FOOBAR baz" },
    { "NOOP " S "\r\n", "", S },
    { "RSET " S "\r\n", "", S },
    { "VRFY alice@x.test\r\n", "", "alice@x.test" },
    { "HELP " S "\r\n", "", S },
    { "EHLO x " S "\r\n", "", "x " S },
    { "MAIL FROM:<a@b> AUTH=" S "\r\n", "", "AUTH=" S },
    { "MAIL FROM:<a@b> SIZE=1 ENVID=" S " RET=HDRS\r\n", "", "ENVID=" S " RET=HDRS" },
    { "RCPT TO: " S "\r\n", "", "TO: " S },
    { "BDAT 5 " S "\r\n", "", "5 " S },
    { "QUIT QUIT QUIT\r\n", "", "QUIT" },
};

static struct secret find(const char *text, size_t len, enum secret_mode mode)
{
    struct span line = secret_without_ending(guarded(span_of(text, len)));
    struct command c = command_parse(line);
    struct secret s = secret_find(&c, line, mode);

    assert_true(s.octets.ptr >= line.ptr);
    assert_true(s.octets.ptr + s.octets.len <= line.ptr + line.len);
    return s;
}

static void secrets_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct secret_case *c = &cases[i];
        struct secret s = find(c->line, strlen(c->line), SECRET_CALM);

        check_span(s.octets, span_str(c->calm != NULL ? c->calm : ""), c->line);
        if (s.attempt != (c->calm == NULL || c->calm[0] != '\0'))
            fail_msg("%s: attempt %d", c->line, s.attempt);
        s = find(c->line, strlen(c->line), SECRET_ALERT);
        check_span(s.octets, span_str(c->alert != NULL ? c->alert : ""), c->line);
    }
}

static void the_empty_span_is_at_the_end(void **state)
{
    struct span line = guarded_str("EHLO x\r\n");
    struct span text = secret_without_ending(line);
    struct command c = command_parse(text);

    (void)state;
    assert_ptr_equal(secret_find(&c, text, SECRET_CALM).octets.ptr, line.ptr + 6);
}

static void a_nul_does_not_uncover_it(void **state)
{
    static const char verb[] = "AUTH\0PLAIN\0x", mechanism[] = "AUTH PLAIN\0x",
                      pass[] = "PASS\0x", wide[] = "A\0U\0T\0H\0 \0P\0W\0";

    (void)state;
    check_span(find(verb, sizeof verb - 1, SECRET_CALM).octets, SPAN_LIT("\0x"), "verb");
    check_span(find(mechanism, sizeof mechanism - 1, SECRET_CALM).octets, SPAN_LIT("\0x"),
               "behind the mechanism");
    check_span(find(pass, sizeof pass - 1, SECRET_CALM).octets, SPAN_LIT("\0x"), "PASS");
    check_span(find(wide, sizeof wide - 1, SECRET_CALM).octets, span_of(wide, sizeof wide - 1),
               "UTF-16");
}

static const struct {
    const char *text;
    enum secret_mode mode;
    const char *secret;
} lines[] = {
    { "EHLO x\r\nRSET\r\n", SECRET_CALM, "" },
    { "EHLO x\r\nAUTH PLAIN " S "\r\n", SECRET_CALM, S },
    { "EHLO x\nAUTH LOGIN\nRSET\n" S "\r\n" S, SECRET_CALM, S "\r\n" S },
    { "AUTH PLAIN " S, SECRET_CALM, S },
    { "FOO " S "\r\nEHLO", SECRET_CALM, "" },
    { "RSET\r\nRSET", SECRET_ALERT, "" },
    { "RSET\r\nRSE", SECRET_ALERT, "RSE" },
    { "MAIL FROM:<a@b>\r\nEHLO x", SECRET_ALERT, "x" }, /* who knows how it goes on */
    { "DATA\r\nSubject: hi\r\n\r\nhi\r\n.\r\n", SECRET_CALM, "Subject: hi\r\n\r\nhi\r\n." },
    { "BDAT 2\r\nhiRSET\r\n", SECRET_CALM, "hiRSET" },
    { "DATA\r\n", SECRET_CALM, "" },
};

static void lines_that_nobody_looks_at(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        check_span(secret_find_in_lines(guarded_str(lines[i].text), lines[i].mode).octets,
                   span_str(lines[i].secret), lines[i].text);
}

static const struct {
    const char *text, *secret;
} foreign[] = {
    { "GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: y (z; +https://y.test/)\r\n"
      "Accept: text/plain, */*\r\n\r\n",
      "" },
    { "GET / HTTP/1.1\r\nAuthorization: Basic " S "\r\nHost: x\r\n", S "\r\nHost: x" },
    { "GET / HTTP/1.1\r\nproxy-authorization: " S "\r\n", "proxy-authorization: " S },
    { "GET / HTTP/1.1\r\nCookie: " S "\r\n", ": " S },
    { "HTTP/1.1 200 OK\r\nSet-Cookie: " S, ": " S },
    { "X-Api-Key: " S "\r\n", ": " S },
    { "GET /?user=a&PASSWORD=" S " HTTP/1.1\r\n", "WORD=" S " HTTP/1.1" },
    { "DESCRIBE rtsp://bob:" S "@x/ RTSP/1.0\r\n", "bob:" S "@x/ RTSP/1.0" },
    { "DESCRIBE rtsp://bob:" S, "bob:" S }, /* cut off: it may go on so */
    { "GET http://x/ HTTP/1.1\r\nReferer: http://bob@x/\r\n", "bob@x/" },
    { "GET http://x/a@b HTTP/1.1\r\n", "" },
    { "*2\r\n$4\r\nAUTH\r\n$6\r\n" S "\r\n", "$6\r\n" S },
    { "*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$11\r\nrequirepass\r\n$6\r\n" S "\r\n",
      "\r\n$6\r\n" S },
    { "\x03\x01 Cookie: mstshash=bob\r\n", ": mstshash=bob" },
    { "POST / HTTP/1.1\r\n\r\nDATA\r\nSubject: x\r\n", "Subject: x" },
};

static void other_protocols(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
        check_span(secret_find_foreign(guarded_str(foreign[i].text), SECRET_CALM),
                   span_str(foreign[i].secret), foreign[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_found),
        cmocka_unit_test(the_empty_span_is_at_the_end),
        cmocka_unit_test(a_nul_does_not_uncover_it),
        cmocka_unit_test(lines_that_nobody_looks_at),
        cmocka_unit_test(other_protocols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
