#include "unit/analysis/play.h"

struct reply_case {
    const char *line, *reply, *ids, *product;
};

static const struct reply_case replies[] = {
    /* echoes of X */
    { "EHLO a\r\n", "500 5.5.1 Command unrecognized: \"XXXX a\"\r\n", "SV-04", "pix-verb-x" },
    { "STARTTLS\r\n", "500 5.5.1 Command unrecognized: \"XXXXXXXX\"\r\n", "SV-04",
      "asa-starttls-roundtrip" },
    { "BDAT 5 LAST\r\n", "500-no\r\n500 XXXXXXXXXXX\r\n", "SV-04", NULL },
    { "RSET\r\n", "500 XXX\r\n", "", NULL },
    { "RSET\r\n", "400 XXXX\r\n", "", NULL },
    { "RSET\r\n", "500 xxxx\r\n", "", NULL },
    { "VRFY XXXX\r\n", "550 5.1.1 XXXX is unknown\r\n", "", NULL },
    /* texts of boxes */
    { ".\r\n", "541 5.4.1 Content blocked by Palo Alto Networks Firewall\r\n", "SV-13",
      "paloalto-541" },
    { "DATA\r\n", "354 P3Scan 2.3.2 accepting data.\r\n", "SV-13", "p3scan-354" },
    { "DATA\r\n", "354 Start mail input; end with <CRLF>.<CRLF>\r\n", "", NULL },
    { "DATA\r\n", "354 End data with <CR><LF>.<CR><LF>\r\n", "", NULL },
    { "BDAT 10 LAST\r\n", "500 #5.5.1 command not recognized\r\n", "SV-12",
      "ironport-cmd-echo" },
    { "RCPT TO:<b@x>\r\n", "503 5.5.0 Improper use of SMTP command pipelining\r\n", "SV-12",
      "nginx-mail-proxy" },
    { ".\r\n", "550 Mail content denied\r\n", "SV-12", "provider-content-550" },
    { "NOOP\r\n", "220 OK\r\n", "SV-12", "checkpoint-sec-server" },
    { "HELP\r\n", "214 Help not supported by this implementation\r\n", "SV-12",
      "raptor-generic-handler" },
    /* what servers say of themselves */
    { "RCPT TO:<b@x>\r\n", "450 4.2.0 <b@x>: Greylisted, try again in 300 s\r\n", "", NULL },
    { ".\r\n", "552 #5.3.4 message header size exceeds limit\r\n", "SV-12",
      "esa-header-desync" },
    { "MAIL FROM:<a@x>\r\n", "421 4.7.0 Too many connections\r\n", "", NULL },
    { "RCPT TO:<b@x>\r\n", "550 5.7.1 Service unavailable; client host blocked\r\n", "", NULL },
    { "EHLO a\r\n", "502 5.5.2 Error: command not recognized\r\n", "", NULL },
    { "RCPT TO:<b@x>\r\n", "550 Requested action not taken: mailbox unavailable\r\n", "",
      NULL },
};

static void test_replies(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (unsigned i = 0; i < 2 * ARRAY_LEN(replies); i++) {
        const struct reply_case *c = &replies[i / 2]; /* the second time from memory */
        OPEN(&p);
        play_command(&p, c->line, c->reply);
        if (strcmp(p.ids, c->ids) != 0)
            fail_msg("%s: found \"%s\", want \"%s\"", c->reply, p.ids, c->ids);
        if (c->product != NULL && !names_product(last_found(&p), c->product))
            fail_msg("%s: %s is not named", c->reply, c->product);
    }
    play_stop(&p);
}

/* Evidence ends in front of an address; a product whose text it is not is not named. */
static void test_evidence(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    OPEN(&p);
    play_command(&p, ".\r\n", "550 Mail content denied <user@example.com> x\r\n");
    EXPECT(&p, "SV-12");
    check_span(last_found(&p)->bytes, SPAN_LIT("550 Mail content denied "), "evidence");
    assert_null(strstr(last_found(&p)->text, "user"));
    OPEN(&p);
    play_command(&p, "EHLO a\r\n", "500 what is XXXX?\r\n");
    EXPECT(&p, "SV-04");
    assert_false(names_product(last_found(&p), "pix-verb-x"));
    assert_true(names_product(last_found(&p), "asa-charmode-x"));
    play_stop(&p);
}

/* A template counts only where all other replies have an enhanced code. */
static void test_template(void **state)
{
    const char *template = "550 Requested action not taken: mailbox unavailable\r\n";
    struct play p;

    (void)state;
    play_start(&p);
    for (unsigned enhanced = 0; enhanced < 6; enhanced++) {
        OPEN(&p);
        for (unsigned i = 0; i < enhanced; i++)
            play_command(&p, "NOOP\r\n", "250 2.0.0 Ok\r\n");
        play_command(&p, "RCPT TO:<b@x>\r\n", template);
        EXPECT(&p, enhanced >= 4 ? "SV-13" : "");
    }
    assert_int_equal(last_found(&p)->confidence, CONFIDENCE_LOW);
    OPEN(&p);
    for (unsigned i = 0; i < 6; i++)
        play_command(&p, "NOOP\r\n", "250 2.0.0 Ok\r\n");
    play_command(&p, "RCPT TO:<b@x>\r\n", "550 5.1.1 Requested action not taken\r\n");
    play_command(&p, "RCPT TO:<b@x>\r\n", "550 no such user\r\n");
    EXPECT(&p, "");
    play_stop(&p);
}

/* ---- count -------------------------------------------------------------------------- */

static void test_surplus(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    play_begin(&p);
    play_unsolicited(&p, "421 4.4.2 timeout\r\n"); /* legal: RFC 5321 3.8 */
    EXPECT(&p, "");
    play_begin(&p);
    play_unsolicited(&p, "250 2.0.0 Ok\r\n");
    play_unsolicited(&p, "250 2.0.0 Ok\r\n");
    EXPECT(&p, "SV-17");
    check_span(last_found(&p)->bytes, SPAN_LIT("250"), "evidence");
    play_stop(&p);
}

/* In the middle of mail data it is a scanner; 250 there is a wrong count. */
static void test_reply_inside_data(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    play_begin(&p);
    play_envelope(&p);
    play_unsolicited(&p, "552 virus found\r\n");
    EXPECT(&p, "SV-13");
    play_begin(&p);
    play_envelope(&p);
    play_unsolicited(&p, "250 2.0.0 Ok\r\n");
    EXPECT(&p, "SV-17");
    /* In enforce mode the content is told first, and cut. */
    play_begin(&p);
    play_envelope(&p);
    play_content(&p, (struct data_stats){ .octets = 100 }, false);
    play_unsolicited(&p, "552 virus found\r\n");
    EXPECT(&p, "SV-13");
    /* Behind a whole message it is one reply too many. */
    play_begin(&p);
    play_envelope(&p);
    play_content(&p, (struct data_stats){ .octets = 100 }, true);
    play_command(&p, ".\r\n", "250 2.0.0 Ok\r\n");
    play_unsolicited(&p, "552 virus found\r\n");
    EXPECT(&p, "SV-17");
    play_stop(&p);
}

/* ---- octets ---------------------------------------------------------------------------- */

static void test_octets(void **state)
{
    static const enum note_id odd[] = { NOTE_REPLY_BARE_LF, NOTE_REPLY_BARE_CR, NOTE_REPLY_NUL,
                                        NOTE_REPLY_8BIT };
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i <= ARRAY_LEN(odd); i++) {
        play_begin(&p);
        struct event e = event_command(&p, "NOOP\r\n", "250 2.0.0 Ok\r\n", 0);
        notes_add(&e.notes, i < ARRAY_LEN(odd) ? odd[i] : NOTE_REPLY_OVERLONG, 0);
        play_event(&p, e);
        EXPECT(&p, i < ARRAY_LEN(odd) ? "SV-22" : "");
    }
    /* UTF-8 is right where it is offered. */
    play_open(&p, "192.0.2.1:4711", "198.51.100.2:25");
    play_command(&p, "EHLO a\r\n", "250-mx.example.com\r\n250 SMTPUTF8\r\n");
    struct event e = event_command(&p, "NOOP\r\n", "250 \303\251\r\n", 0);
    notes_add(&e.notes, NOTE_REPLY_8BIT, 0);
    play_event(&p, e);
    EXPECT(&p, "");
    play_stop(&p);
}

/* ---- silence ---------------------------------------------------------------------------- */

static void test_idle_421(void **state)
{
    static const struct {
        unsigned seconds;
        const char *ids;
    } cases[] = { { 1, "" },       { 4, "" },        { 5, "SV-21" },
                  { 31, "SV-21" }, { 299, "SV-21" }, { 301, "" } };
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        play_begin(&p);
        p.t_us += cases[i].seconds * UINT64_C(1000000);
        play_command(&p, "NOOP\r\n", "421 4.4.2 service timed out\r\n");
        EXPECT(&p, cases[i].ids);
    }
    play_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),           cmocka_unit_test(test_template),
        cmocka_unit_test(test_evidence),          cmocka_unit_test(test_surplus),
        cmocka_unit_test(test_reply_inside_data), cmocka_unit_test(test_octets),
        cmocka_unit_test(test_idle_421),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
