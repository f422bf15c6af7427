#include "unit/analysis/play.h"

struct ehlo_case {
    const char *reply, *ids, *product;
};

#define FIRST "250-mx.example.com\r\n"

static const struct ehlo_case replies[] = {
    { EHLO_CLEAN, "", NULL },
    { FIRST "250-XXXXXXXA\r\n250 XXXB\r\n", "SV-02", "asa-ehlo-kw-x" },
    { FIRST "250-PIPELINING\r\n250-XXXXXXXA\r\n250 XXXB\r\n", "SV-02", "asa-ehlo-kw-x" },
    { FIRST "250 XXXXXXXX\r\n", "SV-02", "asa-ehlo-kw-x" },
    { FIRST "250 XXA\r\n", "SV-02", "asa-ehlo-kw-x" },
    { FIRST "250 XXXXA 1000\r\n", "SV-02", NULL },
    /* traps: legal keywords that begin with X */
    { FIRST "250-XCLIENT NAME ADDR\r\n250-XFORWARD NAME\r\n250-XEXCH50\r\n250-XVERP\r\n"
            "250-X-EXPS GSSAPI\r\n250-XRDST\r\n250-X-ANONYMOUSTLS\r\n250-X_PIPE_CONNECT\r\n"
            "250 XX\r\n",
      "", NULL },
    { FIRST "250-XXXXab\r\n250-XXXXAB\r\n250 XX1\r\n", "", NULL },
    { FIRST "250-XXa\r\n250 AUTH=LOGIN PLAIN\r\n", "", NULL },
    { "250-XXXXXXXA\r\n250 HELP\r\n", "", NULL }, /* the first line is free text */
    /* illegal keywords */
    { FIRST "250-CHU*KING\r\n250-BIN*RYMIME\r\n250 XEX*H50\r\n", "SV-03",
      "smtpgated-star-mask" },
    { FIRST "250 -STARTTLS\r\n", "SV-03", NULL },
    { FIRST "250 ********\r\n", "SV-03", NULL },
    { FIRST "250 START\200TLS\r\n", "SV-03", NULL },
    { FIRST "250-\r\n250 HELP\r\n", "", NULL },
    { FIRST "250 AUTH=\r\n", "", NULL },
    /* one line */
    { "250 OK\r\n", "SV-05", "pix-cmd-noop" },
    { "250 2.0.0 Ok\r\n", "SV-05", "pix-cmd-noop" },
    { "250 Hello client.example, nice to meet you\r\n", "SV-05", NULL },
    { "250 mx.example.com\r\n", "", NULL },
    { "250 mx.example.com at your service\r\n", "", NULL },
    { "250 [192.0.2.1]\r\n", "", NULL },
    { "250 localhost\r\n", "", NULL }, /* a tiny server */
    { "250 mx\r\n", "", NULL },
    { "250 greeter hello\r\n", "", NULL }, /* the name of the greeting */
    { "250 \r\n", "", NULL },
    /* a template */
    { "250-Requested mail action okay, completed\r\n250-SIZE 20000000\r\n250 OK\r\n", "SV-06",
      "eset-smtp-proxy" },
    { "250-Requested mail action okay, completed.\r\n250 STARTTLS\r\n", "SV-06",
      "mcafee-email-gateway" },
    { "250-OK\r\n250 HELP\r\n", "SV-06", NULL },
    { "250-\r\n250 HELP\r\n", "SV-06", "stormshield-banner" },
    { "250-ok.example\r\n250 HELP\r\n", "", NULL },
    { "250-localhost Hello client\r\n250 HELP\r\n", "", NULL },
    { FIRST "250-supports the following ESMTP extensions:\r\n250 OK\r\n", "SV-12",
      "trend-imss" },
    /* not 250: nothing is offered */
    { "500 OK\r\n", "", NULL },
    { "550-XXXXXXXA\r\n550 XXXB\r\n", "SV-04", NULL },
};

static void test_replies(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        char upstream[32];
        snprintf(upstream, sizeof upstream, "198.51.100.%zu:25", i); /* no memory of it */
        play_open(&p, "192.0.2.1:4711", upstream);
        play_greeting(&p, "220 greeter ESMTP\r\n");
        play_command(&p, "EHLO client.example\r\n", replies[i].reply);
        play_quit(&p);
        if (strcmp(p.ids, replies[i].ids) != 0)
            fail_msg("%s: found \"%s\", want \"%s\"", replies[i].reply, p.ids, replies[i].ids);
        if (replies[i].product != NULL && !names_product(&p.found[0], replies[i].product))
            fail_msg("%s: %s is not named", replies[i].reply, replies[i].product);
    }
    play_stop(&p);
}

/* Eight letters may be four different keywords: never is one of them named as hidden. */
static void test_candidates_by_length(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    OPEN(&p);
    play_command(&p, "EHLO a\r\n", FIRST "250 XXXXXXXA\r\n");
    EXPECT(&p, "SV-02");
    assert_int_equal(last_found(&p)->confidence, CONFIDENCE_HIGH);
    const char *text = last_found(&p)->text;
    assert_non_null(strstr(text, "8BITMIME, SMTPUTF8, CHUNKING, STARTTLS"));
    assert_null(strstr(text, "stripped"));
    assert_int_equal(last_found(&p)->at, strlen(FIRST) + 4);
    check_span(last_found(&p)->bytes, SPAN_LIT("XXXXXXXA"), "the mask");
    OPEN(&p);
    play_command(&p, "EHLO a\r\n", FIRST "250-XXA\r\n250 XXXXB\r\n");
    assert_int_equal(last_found(&p)->confidence, CONFIDENCE_CERTAIN);
    assert_non_null(strstr(last_found(&p)->text, "3 letters, as DSN."));
    OPEN(&p);
    play_command(&p, "EHLO a\r\n", FIRST "250 XXXXXXXXXXXXXXXXXXXXXXXXA\r\n");
    assert_non_null(strstr(last_found(&p)->text, "no keyword we know"));
    play_stop(&p);
}

/* A product that is the mail server itself answers like that: no damage. */
static void test_template_of_the_mta(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    OPEN(&p);
    play_greeting(&p, "220 WebShielde1000/SMTP Ready.\r\n");
    play_command(&p, "EHLO a\r\n",
                 "250-Requested mail action okay, completed.\r\n250 STARTTLS\r\n");
    EXPECT(&p, "SV-12 SV-06");
    assert_int_equal(p.found[0].severity, SEVERITY_INFO);
    assert_int_equal(p.found[1].severity, SEVERITY_INFO);
    play_open(&p, "192.0.2.1:4711", "198.51.100.2:25");
    play_greeting(&p, "220 TrendMicro IMSS SMTP proxy\r\n");
    play_command(&p, "EHLO a\r\n", "250-OK\r\n250 HELP\r\n");
    EXPECT(&p, "SV-12 SV-06");
    assert_int_equal(p.found[1].severity, SEVERITY_INFO);
    play_open(&p, "192.0.2.1:4711", "198.51.100.3:25");
    play_command(&p, "EHLO a\r\n", "250-OK\r\n250 HELP\r\n");
    EXPECT(&p, "SV-06");
    assert_int_equal(p.found[0].severity, SEVERITY_MEDIUM);
    play_stop(&p);
}

/* EHLO that this proxy sent, and HELO. */
static void test_whose_command(void **state)
{
    struct play p;
    struct event e;

    (void)state;
    play_start(&p);
    OPEN(&p);
    e = event_command(&p, "EHLO here\r\n", FIRST "250 XXXXXXXA\r\n", 0);
    e.forwarded = e.received;
    e.received = span_of(NULL, 0);
    e.received_octets = 0;
    e.disposition = DISPOSITION_ADDED;
    play_event(&p, e);
    EXPECT(&p, "SV-02");
    OPEN(&p);
    play_command(&p, "HELO a\r\n", "250 OK\r\n");
    EXPECT(&p, "");
    play_stop(&p);
}

/* Each once, however often EHLO is said. */
static void test_once_in_a_session(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    OPEN(&p);
    for (int i = 0; i < 3; i++)
        play_command(&p, "EHLO a\r\n", FIRST "250 XXXXXXXA\r\n");
    EXPECT(&p, "SV-02");
    play_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_candidates_by_length),
        cmocka_unit_test(test_template_of_the_mta),
        cmocka_unit_test(test_whose_command),
        cmocka_unit_test(test_once_in_a_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
