/* What must not be written down, at every level of redaction. */
#include "unit/transcript/scene.h"

#include "smtp/secrecy.h"
#include "transcript/redact.h"

static const struct {
    enum redact_level level;
    enum verb verb;
    const char *secret; /* of the line */
    const char *line;
    size_t arg_at;
    const char *reply, *received, *rest; /* rest: what else must be there, or NULL */
} secrets[] = {
    { REDACT_SECRETS, VERB_AUTH, "c2VjcmV0", "AUTH PLAIN c2VjcmV0\r\n", 5, "235 ok\r\n",
      "AUTH PLAIN ***\\r\\n", "\"redacted\":[{\"at\":11,\"octets\":8}]" },
    { REDACT_SECRETS, VERB_AUTH, "c2VjcmV0", "AUTH PLAIN c2VjcmV0\r\n", 5, "235 ok\r\n",
      "AUTH PLAIN ***\\r\\n", "\"arg\":\"PLAIN ***\"" },
    { REDACT_SECRETS, VERB_UNKNOWN, "c2VjcmV0", "c2VjcmV0\r\n", 0, "235 ok\r\n", "***\\r\\n",
      "\"redacted\":[{\"at\":0,\"octets\":8}]" },
    { REDACT_SECRETS, VERB_UNKNOWN, "c2VjcmV0", "c2VjcmV0\r\n", 0,
      "500 what is c2VjcmV0? c2VjcmV0\r\n", "***\\r\\n",
      "\"reply\":\"500 what is ***? ***\\r\\n\"" },
    { REDACT_ALL, VERB_UNKNOWN, "c2VjcmV0", "c2VjcmV0\r\n", 0, "235 ok\r\n", "***\\r\\n",
      NULL },
    { REDACT_ALL, VERB_UNKNOWN, "bobsecret", "bobsecret\r\n", 0,
      "535 a@x.test: bobsecret, abobsecretb@x.test bobsecret z@x.test\r\n", "***\\r\\n",
      "\"reply\":\"535 ***@x.test: ***, ***@x.test *** ***@x.test\\r\\n\"" },
    { REDACT_ALL, VERB_UNKNOWN, "bob@x", "bob@x\r\n", 0, "535 (bob@x.test)?\r\n", "***\\r\\n",
      "\"reply\":\"535 (***.test)?\\r\\n\"" },
    { REDACT_NONE, VERB_AUTH, "c2VjcmV0", "AUTH PLAIN c2VjcmV0\r\n", 5, "235 ok\r\n",
      "AUTH PLAIN c2VjcmV0\\r\\n", "\"arg\":\"PLAIN c2VjcmV0\"" },
    { REDACT_SECRETS, VERB_MAIL, "", "MAIL FROM:<bob@x.test>\r\n", 5, "250 ok\r\n",
      "MAIL FROM:<bob@x.test>\\r\\n", NULL },
    { REDACT_ALL, VERB_MAIL, "", "MAIL FROM:<bob@x.test> SIZE=5\r\n", 5,
      "250 <bob@x.test> ok\r\n", "MAIL FROM:<***@x.test> SIZE=5\\r\\n",
      "\"reply\":\"250 <***@x.test> ok\\r\\n\"" },
    { REDACT_ALL, VERB_RCPT, "", "RCPT TO:<\"b> o@b\"@x.test> ORCPT=rfc822;bob@y.test\r\n", 5,
      "250 ok\r\n", "RCPT TO:<***@x.test> ORCPT=rfc822;***@y.test\\r\\n",
      "\"redacted\":[{\"at\":9,\"octets\":8},{\"at\":39,\"octets\":3}]" },
    { REDACT_ALL, VERB_RCPT, "", "RCPT TO:<@r.test,@s.test:bob@x.test>\r\n", 5, "250 ok\r\n",
      "RCPT TO:<@r.test,@s.test:***@x.test>\\r\\n", NULL },
    { REDACT_ALL, VERB_RCPT, "", "RCPT TO:<bob>\r\n", 5, "250 ok\r\n", "RCPT TO:<***>\\r\\n",
      NULL },
    { REDACT_ALL, VERB_RCPT, "", "RCPT TO: bob@x.test\r\n", 5, "250 ok\r\n",
      "RCPT TO: ***@x.test\\r\\n", NULL },
    { REDACT_ALL, VERB_MAIL, "", "MAIL FROM:<>\r\n", 5, "250 ok\r\n", "MAIL FROM:<>\\r\\n",
      NULL },
    { REDACT_ALL, VERB_MAIL, "", "MAIL\r\n", 0, "501 no\r\n", "MAIL\\r\\n", NULL },
    { REDACT_ALL, VERB_MAIL, "", "MAIL FROM:<\r\n", 5, "501 no\r\n", "MAIL FROM:<\\r\\n",
      NULL },
    { REDACT_ALL, VERB_VRFY, "", "VRFY bob\r\n", 5, "252 no\r\n", "VRFY ***\\r\\n",
      "\"arg\":\"***\"" },
    { REDACT_ALL, VERB_UNKNOWN, "", "MIAL FROM:<bob@x.test>\r\n", 5, "500 no\r\n",
      "MIAL FROM:<***@x.test>\\r\\n", NULL },
    { REDACT_ALL, VERB_EHLO, "", "EHLO bob@x.test\r\n", 5, "250 ok\r\n",
      "EHLO bob@x.test\\r\\n", NULL },
};

/* As the session does: the secret of the line, and what replies may repeat. */
static void hide(struct event *e, const char *secret, struct secrecy *secrecy)
{
    const char *at = strstr((const char *)e->received.ptr, secret);

    secrecy_init(secrecy);
    if (secret[0] == '\0')
        return;
    assert_non_null(at);
    e->secret = span_of(at, strlen(secret));
    assert_true(secret_memory_add(&secrecy->memory, e->secret));
    e->secrecy = secrecy;
}

static void redaction(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        struct scene s;
        struct event e = command(secrets[i].verb, secrets[i].line, secrets[i].arg_at);
        struct secrecy secrecy;
        char want[256];
        begin(&s, (struct writer_config){ .redact = secrets[i].level });
        hide(&e, secrets[i].secret, &secrecy);
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
        secrecy_free(&secrecy);
    }
}

/* The line as it was sent on holds the secret, too, at another place. */
static void forwarded_lines(void **state)
{
    struct event e = command(VERB_AUTH, "AUTH  PLAIN c2VjcmV0 \n", 6);
    struct secrecy secrecy;
    struct scene s;

    (void)state;
    begin(&s, (struct writer_config){ .redact = REDACT_SECRETS });
    hide(&e, "c2VjcmV0 ", &secrecy);
    e.disposition = DISPOSITION_REWRITTEN;
    e.forwarded = SPAN_LIT("AUTH PLAIN c2VjcmV0\r\n");
    record_event(&s.recorder, &e);
    char *text = end(&s);
    assert_null(strstr(text, "c2VjcmV0"));
    assert_non_null(strstr(text, "\"forwarded\":\"AUTH PLAIN ***\\r\\n\""));
    free(text);
    end_folder();
    secrecy_free(&secrecy);
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

static const struct {
    const char *reply, *want;
} echoes[] = {
    { "500 5.5.1 no \"AUTH PLAIN AGJvYgBodW50ZXIyc2VjcmV0\"\r\n",
      "500 5.5.1 no \"AUTH PLAIN ***\"\r\n" },
    { "500 no AGJvYgBodW50ZX...\r\n", "500 no ***...\r\n" },
    { "500 NO AGJVYGBODW50ZXIYC2VJCMV0\r\n", "500 NO ***\r\n" },
    { "500-5.5.1 AGJvYgBodW5\r\n500 5.5.1 0ZXIyc2VjcmV0\r\n",
      "500-5.5.1 ***\r\n500 5.5.1 ***\r\n" },
    { "500 AGJv YgBo dW50\r\n", "500 ***\r\n" },
    { "535 bob, hunter2secret?\r\n", "535 bob, ***?\r\n" },
    { "535 HUNTER2SECRET\r\n", "535 ***\r\n" },
    { "535 nter2secr\r\n", "535 ***\r\n" },
    { "535 68756e7465723273\r\n", "535 ***\r\n" },
    { "535 %68%75%6E%74%65%72%32%73\r\n", "535 ***\r\n" },
    { "535 aHVudGVyMnNlY3JldA==\r\n", "535 ***==\r\n" },
    { "535 5.7.8 Authentication failed for bob\r\n",
      "535 5.7.8 Authentication failed for bob\r\n" },
    { "334 VXNlcm5hbWU6\r\n", "334 VXNlcm5hbWU6\r\n" },
};

/* However a server repeats what it was told: base64 of NUL, bob, NUL, hunter2secret. */
static void echoes_are_cut(void **state)
{
    struct secrecy secrecy;
    struct event e = command(VERB_NOOP, "NOOP\r\n", 0);

    (void)state;
    secrecy_init(&secrecy);
    assert_true(secret_memory_add(&secrecy.memory, SPAN_LIT("AGJvYgBodW50ZXIyc2VjcmV0")));
    e.secrecy = &secrecy;
    for (size_t i = 0; i < sizeof echoes / sizeof *echoes; i++) {
        struct buf copy;
        e.reply = span_str(echoes[i].reply);
        bool cut = redact_reply_copy(&e, REDACT_SECRETS, &copy);
        struct span got = cut ? buf_span(&copy) : e.reply;
        if (!span_equal(got, span_str(echoes[i].want)))
            fail_msg("%s: %.*s", echoes[i].reply, (int)got.len, (const char *)got.ptr);
        buf_release(&copy);
        assert_false(redact_reply_copy(&e, REDACT_NONE, &copy));
    }
    secrecy_free(&secrecy);
}

/* More was secret than could be remembered: only codes are left. */
static void lost_secrets(void **state)
{
    struct event e = command(VERB_NOOP, "NOOP\r\n", 0);
    struct secrecy secrecy;
    struct buf copy;
    char much[SECRET_MEMORY_MAX];

    (void)state;
    memset(much, 'x', sizeof much);
    secrecy_init(&secrecy);
    assert_false(secret_memory_add(&secrecy.memory, span_of(much, sizeof much)));
    assert_true(secret_memory_is_empty(&secrecy.memory));
    assert_true(secret_memory_add(&secrecy.memory, span_of(much, sizeof much - 2)));
    assert_true(secret_memory_add(&secrecy.memory, span_of(much, sizeof much - 2))); /* known */
    assert_false(secret_memory_add(&secrecy.memory, SPAN_LIT("abc")));
    secrecy.lost = true;
    e.secrecy = &secrecy;
    e.reply = SPAN_LIT("500-5.5.1 what is that\r\n500 and that\r\n");
    assert_true(redact_reply_copy(&e, REDACT_SECRETS, &copy));
    assert_true(span_equal(buf_span(&copy), SPAN_LIT("500-5.5.1 ***\r\n500 ***\r\n")));
    buf_release(&copy);
    secrecy_free(&secrecy);
}

/* The front of another protocol: what the server repeats of the client's secret goes, too. */
static void samples(void **state)
{
    static const struct {
        enum redact_level level;
        const char *client, *server;
    } cases[] = {
        { REDACT_NONE, "a@b GET /?password=c2VjcmV0\\r\\n", "500 no c2VjcmV0 a@b" },
        { REDACT_SECRETS, "a@b GET /?pass***\\r\\n", "500 no *** a@b" },
        { REDACT_ALL, "***@b GET /?pass***\\r\\n", "500 no *** ***@b" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct opaque_sample sample = { .len = { 0 } };
        struct event e = { .kind = EVENT_OPAQUE, .opaque_why = "not-smtp" };
        struct secrecy secrecy;
        struct scene s;
        char want[256];

        sample.len[CLIENT] =
            (size_t)sprintf((char *)sample.octets[CLIENT], "a@b GET /?password=c2VjcmV0\r\n");
        sample.len[SERVER] =
            (size_t)sprintf((char *)sample.octets[SERVER], "500 no c2VjcmV0 a@b");
        secrecy_init(&secrecy);
        e.opaque_octets[CLIENT] = sample.len[CLIENT];
        secrecy_sample(&secrecy, &e, &sample);
        secrecy_tell(&secrecy, &e);
        begin(&s, (struct writer_config){ .redact = cases[i].level });
        record_event(&s.recorder, &e);
        char *text = end(&s);
        snprintf(want, sizeof want, "\"sample\":{\"client\":\"%s\",\"server\":\"%s\"}}\n",
                 cases[i].client, cases[i].server);
        if (strstr(text, want) == NULL)
            fail_msg("no %s in %s", want, text);
        free(text);
        end_folder();
        secrecy_free(&secrecy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redaction),          cmocka_unit_test(forwarded_lines),
        cmocka_unit_test(too_many_addresses), cmocka_unit_test(echoes_are_cut),
        cmocka_unit_test(lost_secrets),       cmocka_unit_test(samples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
