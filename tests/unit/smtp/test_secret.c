#include "unit/check.h"

#include "base/attributes.h"
#include "smtp/command.h"
#include "smtp/secret.h"

#define S "s3cret"

struct secret_case {
    const char *line;
    enum secrecy secrecy;
    const char *secret;
};

static const struct secret_case cases[] = {
    { "AUTH PLAIN " S "\r\n", SECRET_NONE, S },
    { "auth plain " S "\n", SECRET_NONE, S },
    { "AUTH  PLAIN \t " S, SECRET_NONE, S },
    { "AUTH\tPLAIN\t" S "\r\n", SECRET_NONE, S },
    { " AUTH PLAIN " S "\r\n", SECRET_NONE, S },
    { "AUTH PLAIN " S " " S "\r\r\n", SECRET_NONE, S " " S },
    { "AUTH PLAIN " S "\rx\r\n", SECRET_NONE, S "\rx" },
    { "AUTH PLAIN =\r\n", SECRET_NONE, "=" },
    { "AUTH SCRAM-SHA-256-PLUS x\r\n", SECRET_NONE, "x" },
    { "AUTH LOGIN\r\n", SECRET_NONE, "" },
    { "AUTH PLAIN  \r\n", SECRET_NONE, "" },
    { "AUTH\r\n", SECRET_NONE, "" },
    { "AUTH AGFsaWNl\r\n", SECRET_NONE, "AGFsaWNl" }, /* no mechanism */
    { "AUTH dGVzdA== x\r\n", SECRET_NONE, "dGVzdA== x" },
    { "AUTH 12345678 x\r\n", SECRET_NONE, "12345678 x" },
    { "AUTH ABCDEFGHIJKLMNOPQRSTU\r\n", SECRET_NONE, "ABCDEFGHIJKLMNOPQRSTU" },

    /* not AUTH, but meant so */
    { "AUHT PLAIN " S "\r\n", SECRET_NONE, "PLAIN " S },
    { "XAUTH2 login " S "\r\n", SECRET_NONE, "login " S },
    { "AUTH=PLAIN " S "\r\n", SECRET_NONE, "PLAIN " S },
    { "AUTH: PLAIN " S "\r\n", SECRET_NONE, "PLAIN " S },
    { "AUTHPLAIN " S "\r\n", SECRET_NONE, S },
    { "AUTHINFO PASS " S "\r\n", SECRET_NONE, "PASS " S },
    { "Authorization: Basic " S "\r\n", SECRET_NONE, "Basic " S },
    { "AU\x01TH PLAIN " S "\r\n", SECRET_NONE, "PLAIN " S },
    { "\x01"
      "AUTH PLAIN " S "\r\n",
      SECRET_NONE, "PLAIN " S },

    /* other protocols */
    { "PASS " S "\r\n", SECRET_NONE, S },
    { "pass  " S "\r\n", SECRET_NONE, S },
    { "APOP alice " S "\r\n", SECRET_NONE, "alice " S },
    { "LOGIN alice " S "\r\n", SECRET_NONE, "alice " S },
    { "a001 LOGIN alice " S "\r\n", SECRET_NONE, "alice " S },
    { "a001 login alice " S "\r\n", SECRET_NONE, "alice " S },
    { "a001 AUTHENTICATE PLAIN " S "\r\n", SECRET_NONE, S },
    { "USER alice\r\n", SECRET_NONE, "" },

    /* XCLIENT, BURL */
    { "XCLIENT NAME=a LOGIN=alice ADDR=::1\r\n", SECRET_NONE, "alice" },
    { "XCLIENT login=alice\r\n", SECRET_NONE, "alice" },
    { "XCLIENT LOGIN=a X=b LOGIN=c PROTO=SMTP\r\n", SECRET_NONE, "a X=b LOGIN=c" },
    { "XCLIENT NAME=a\r\n", SECRET_NONE, "" },
    { "XCLIENT LOGIN=\r\n", SECRET_NONE, "" },
    { "BURL imap://alice;x@h/;urlauth=y:internal:z LAST\r\n", SECRET_NONE,
      "imap://alice;x@h/;urlauth=y:internal:z" },

    /* told by the session */
    { "AHTU PLAIN " S "\r\n", SECRET_ARG, "PLAIN " S },
    { "QUIT\r\n", SECRET_ARG, "" },
    { "  x  \t" S " \r\n", SECRET_ARG, S " " },
    { S "\r\n", SECRET_LINE, S },
    { "QUIT\r\n", SECRET_LINE, "QUIT" },
    { "\r\n", SECRET_LINE, "" },
    { "", SECRET_LINE, "" },

    /* nothing to hide */
    { "MAIL FROM:<a@b> AUTH=c\r\n", SECRET_NONE, "" },
    { "EHLO x\r\n", SECRET_NONE, "" },
    { "FOOBAR baz\r\n", SECRET_NONE, "" },
    { "", SECRET_NONE, "" },
};

static enum verb verb_of(struct span line)
{
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    return command_parse(line).verb;
}

static void secrets_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct span line = guarded_str(cases[i].line);
        struct span got = secret_find(verb_of(line), cases[i].secrecy, line);

        check_span(got, span_str(cases[i].secret), cases[i].line);
        assert_true(got.ptr >= line.ptr && got.ptr + got.len <= line.ptr + line.len);
    }
}

static void the_empty_span_is_at_the_end(void **state)
{
    (void)state;
    struct span line = guarded_str("EHLO x\r\n");
    struct span got = secret_find(VERB_EHLO, SECRET_NONE, line);

    assert_int_equal(got.len, 0);
    assert_ptr_equal(got.ptr, line.ptr + 6);
}

static void a_nul_does_not_uncover_it(void **state)
{
    (void)state;
    check_span(secret_find(VERB_UNKNOWN, SECRET_NONE, guarded(SPAN_LIT("AUTH\0PLAIN\0x\r\n"))),
               SPAN_LIT("\0PLAIN\0x"), "NUL in the verb");
    check_span(secret_find(VERB_AUTH, SECRET_NONE, guarded(SPAN_LIT("AUTH PLAIN\0x\r\n"))),
               SPAN_LIT("\0x"), "NUL behind the mechanism");
    check_span(secret_find(VERB_UNKNOWN, SECRET_NONE, guarded(SPAN_LIT("PASS\0x\r\n"))),
               SPAN_LIT("\0x"), "NUL behind PASS");
    check_span(secret_find(VERB_UNKNOWN, SECRET_ARG, guarded(SPAN_LIT("A\0x y\r\n"))),
               SPAN_LIT("\0x y"), "NUL behind the word");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_found),
        cmocka_unit_test(the_empty_span_is_at_the_end),
        cmocka_unit_test(a_nul_does_not_uncover_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
