/* What must not be written down, at every level of redaction. */
#include "unit/transcript/scene.h"

static const struct {
    enum redact_level level;
    enum verb verb;
    enum secrecy secrecy;
    const char *line;
    size_t arg_at;
    const char *reply, *received, *rest; /* rest: what else must be there, or NULL */
} secrets[] = {
    { REDACT_SECRETS, VERB_AUTH, SECRET_NONE, "AUTH PLAIN c2VjcmV0\r\n", 5, "235 ok\r\n",
      "AUTH PLAIN ***\\r\\n", "\"redacted\":[{\"at\":11,\"octets\":8}]" },
    { REDACT_SECRETS, VERB_AUTH, SECRET_NONE, "AUTH PLAIN c2VjcmV0\r\n", 5, "235 ok\r\n",
      "AUTH PLAIN ***\\r\\n", "\"arg\":\"PLAIN ***\"" },
    { REDACT_SECRETS, VERB_UNKNOWN, SECRET_LINE, "c2VjcmV0\r\n", 0, "235 ok\r\n", "***\\r\\n",
      "\"redacted\":[{\"at\":0,\"octets\":8}]" },
    { REDACT_SECRETS, VERB_UNKNOWN, SECRET_LINE, "c2VjcmV0\r\n", 0,
      "500 what is c2VjcmV0? c2VjcmV0\r\n", "***\\r\\n",
      "\"reply\":\"500 what is ***? ***\\r\\n\"" },
    { REDACT_ALL, VERB_UNKNOWN, SECRET_LINE, "c2VjcmV0\r\n", 0, "235 ok\r\n", "***\\r\\n",
      NULL },
    { REDACT_ALL, VERB_UNKNOWN, SECRET_LINE, "bobsecret\r\n", 0,
      "535 a@x.test: bobsecret, abobsecretb@x.test bobsecret z@x.test\r\n", "***\\r\\n",
      "\"reply\":\"535 ***@x.test: ***, ***@x.test *** ***@x.test\\r\\n\"" },
    { REDACT_ALL, VERB_UNKNOWN, SECRET_LINE, "bob@x\r\n", 0, "535 abob@x.test?\r\n",
      "***\\r\\n", "\"reply\":\"535 ******.test?\\r\\n\"" },
    { REDACT_NONE, VERB_AUTH, SECRET_NONE, "AUTH PLAIN c2VjcmV0\r\n", 5, "235 ok\r\n",
      "AUTH PLAIN c2VjcmV0\\r\\n", "\"arg\":\"PLAIN c2VjcmV0\"" },
    { REDACT_SECRETS, VERB_MAIL, SECRET_NONE, "MAIL FROM:<bob@x.test>\r\n", 5, "250 ok\r\n",
      "MAIL FROM:<bob@x.test>\\r\\n", NULL },
    { REDACT_ALL, VERB_MAIL, SECRET_NONE, "MAIL FROM:<bob@x.test> SIZE=5\r\n", 5,
      "250 <bob@x.test> ok\r\n", "MAIL FROM:<***@x.test> SIZE=5\\r\\n",
      "\"reply\":\"250 <***@x.test> ok\\r\\n\"" },
    { REDACT_ALL, VERB_RCPT, SECRET_NONE,
      "RCPT TO:<\"b> o@b\"@x.test> ORCPT=rfc822;bob@y.test\r\n", 5, "250 ok\r\n",
      "RCPT TO:<***@x.test> ORCPT=rfc822;***@y.test\\r\\n",
      "\"redacted\":[{\"at\":9,\"octets\":8},{\"at\":39,\"octets\":3}]" },
    { REDACT_ALL, VERB_RCPT, SECRET_NONE, "RCPT TO:<@r.test,@s.test:bob@x.test>\r\n", 5,
      "250 ok\r\n", "RCPT TO:<@r.test,@s.test:***@x.test>\\r\\n", NULL },
    { REDACT_ALL, VERB_RCPT, SECRET_NONE, "RCPT TO:<bob>\r\n", 5, "250 ok\r\n",
      "RCPT TO:<***>\\r\\n", NULL },
    { REDACT_ALL, VERB_RCPT, SECRET_NONE, "RCPT TO: bob@x.test\r\n", 5, "250 ok\r\n",
      "RCPT TO: ***@x.test\\r\\n", NULL },
    { REDACT_ALL, VERB_MAIL, SECRET_NONE, "MAIL FROM:<>\r\n", 5, "250 ok\r\n",
      "MAIL FROM:<>\\r\\n", NULL },
    { REDACT_ALL, VERB_MAIL, SECRET_NONE, "MAIL\r\n", 0, "501 no\r\n", "MAIL\\r\\n", NULL },
    { REDACT_ALL, VERB_MAIL, SECRET_NONE, "MAIL FROM:<\r\n", 5, "501 no\r\n",
      "MAIL FROM:<\\r\\n", NULL },
    { REDACT_ALL, VERB_VRFY, SECRET_NONE, "VRFY bob\r\n", 5, "252 no\r\n", "VRFY ***\\r\\n",
      "\"arg\":\"***\"" },
    { REDACT_ALL, VERB_UNKNOWN, SECRET_NONE, "MIAL FROM:<bob@x.test>\r\n", 5, "500 no\r\n",
      "MIAL FROM:<***@x.test>\\r\\n", NULL },
    { REDACT_ALL, VERB_EHLO, SECRET_NONE, "EHLO bob@x.test\r\n", 5, "250 ok\r\n",
      "EHLO bob@x.test\\r\\n", NULL },
};

static void redaction(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        struct scene s;
        struct event e = command(secrets[i].verb, secrets[i].line, secrets[i].arg_at);
        char want[256];
        begin(&s, (struct writer_config){ .redact = secrets[i].level });
        e.secrecy = secrets[i].secrecy;
        e.reply = span_str(secrets[i].reply);
        record_event(&s.recorder, &e);
        char *text = end(&s);
        snprintf(want, sizeof want, "\"received\":\"%s\"", secrets[i].received);
        if (strstr(text, want) == NULL)
            fail_msg("%s: no %s in %s", secrets[i].line, want, text);
        if (secrets[i].rest != NULL && strstr(text, secrets[i].rest) == NULL)
            fail_msg("%s: no %s in %s", secrets[i].line, secrets[i].rest, text);
        if (secrets[i].level != REDACT_NONE)
            assert_null(strstr(text, "c2VjcmV0"));
        free(text);
        end_folder();
    }
}

/* The line as it was sent on holds the secret, too, at another place. */
static void forwarded_lines(void **state)
{
    struct event e = command(VERB_AUTH, "AUTH  PLAIN c2VjcmV0 \n", 6);
    struct scene s;

    (void)state;
    begin(&s, (struct writer_config){ .redact = REDACT_SECRETS });
    e.action = ACTION_REWRITTEN;
    e.forwarded = SPAN_LIT("AUTH PLAIN c2VjcmV0\r\n");
    record_event(&s.recorder, &e);
    char *text = end(&s);
    assert_null(strstr(text, "c2VjcmV0"));
    assert_non_null(strstr(text, "\"forwarded\":\"AUTH PLAIN ***\\r\\n\""));
    free(text);
    end_folder();
}

/* More addresses than there are cuts: the rest goes altogether. */
static void too_many_addresses(void **state)
{
    char reply[1000] = "250";
    struct scene s;
    struct event e = command(VERB_RCPT, "RCPT TO:<x@y>\r\n", 5);

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        strcat(reply, " bob@x.test");
    begin(&s, (struct writer_config){ .redact = REDACT_ALL });
    e.reply = span_str(reply);
    record_event(&s.recorder, &e);
    char *text = end(&s);
    assert_null(strstr(text, "bob"));
    assert_non_null(strstr(text, " ***@x.test ***\""));
    free(text);
    end_folder();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redaction),
        cmocka_unit_test(forwarded_lines),
        cmocka_unit_test(too_many_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
