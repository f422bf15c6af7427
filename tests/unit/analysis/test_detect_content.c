#include "unit/analysis/play.h"

/* ---- line endings --------------------------------------------------------------------- */

static void test_endings(void **state)
{
    static const struct {
        uint64_t lines, crcrlf;
        const char *ids;
    } cases[] = { { 100, 0, "" },        { 100, 90, "" },   { 100, 91, "SV-29" },
                  { 100, 100, "SV-29" }, { 5, 5, "SV-29" }, { 4, 4, "" },
                  { 0, 0, "" } };
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        play_begin(&p);
        play_content(&p,
                     (struct data_stats){
                         .octets = 1000, .lines = cases[i].lines, .crcrlf = cases[i].crcrlf },
                     true);
        EXPECT(&p, cases[i].ids);
    }
    play_stop(&p);
}

/* ---- SIZE -------------------------------------------------------------------------------- */

static void play_mail(struct play *p, const char *mail, uint64_t octets, uint64_t dots)
{
    play_command(p, mail, "250 2.1.0 Ok\r\n");
    play_command(p, "RCPT TO:<b@x>\r\n", "250 2.1.5 Ok\r\n");
    play_command(p, "DATA\r\n", "354 go\r\n");
    play_content(p, (struct data_stats){ .octets = octets, .lines = 3, .leading_dots = dots },
                 true);
    play_command(p, ".\r\n", "250 2.0.0 Ok\r\n");
}

static void test_constant_surplus(void **state)
{
    struct play p;
    char mail[64];

    (void)state;
    play_start(&p);
    for (uint64_t i = 1; i <= 7; i++) {
        snprintf(mail, sizeof mail, "MAIL FROM:<a@x> BODY=8BITMIME SIZE=%u\r\n",
                 (unsigned)(1000 * i));
        play_begin(&p);
        play_mail(&p, mail, 1000 * i + 45 + i, i); /* dots are stuffed: not counted */
        play_quit(&p);
        EXPECT(&p, i >= 5 ? "SV-26" : "");
    }
    assert_non_null(strstr(last_found(&p)->text, " 45 bytes"));
    assert_int_equal(last_found(&p)->severity, SEVERITY_LOW);
    assert_true(names_product(last_found(&p), "av-header-insert-avast"));
    play_stop(&p);
}

/* An estimate is not always wrong by the same amount. */
static void test_estimates(void **state)
{
    static const int64_t surplus[] = { 45, 45, 45, 45, 44, 45, 45, 45,
                                       0,  45, 45, -3, -3, -3, -3, -3 };
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(surplus); i++) {
        play_begin(&p);
        play_mail(&p, "MAIL FROM:<a@x> SIZE=1000\r\n", (uint64_t)(1000 + surplus[i]), 0);
        play_quit(&p);
        EXPECT(&p, "");
    }
    for (size_t i = 0; i < 7; i++) { /* another client's mails are counted by themselves */
        char client[32];
        snprintf(client, sizeof client, "192.0.2.%u:1", (unsigned)(i % 2));
        play_open(&p, client, "198.51.100.1:25");
        play_mail(&p, "MAIL FROM:<a@x> SIZE=1000\r\n", 1045, 0);
        play_mail(&p, "MAIL FROM:<SIZE=7@x>\r\n", 1045, 0); /* nothing declared */
        EXPECT(&p, "");
    }
    play_stop(&p);
}

/* ---- signatures ---- */

struct signature_case {
    enum dkim_result results[3];
    unsigned count;
    const char *ids;
    enum severity severity;
};

static const struct signature_case signatures[] = {
    { { DKIM_OK }, 1, "", 0 },
    { { 0 }, 0, "", 0 },
    { { DKIM_CHANGED }, 1, "SV-27", SEVERITY_HIGH },
    { { DKIM_CHANGED, DKIM_CHANGED }, 2, "SV-27", SEVERITY_HIGH },
    { { DKIM_CHANGED, DKIM_OK }, 2, "SV-27", SEVERITY_HIGH },
    { { DKIM_OK, DKIM_CHANGED }, 2, "SV-27", SEVERITY_INFO }, /* a list on the way */
    { { DKIM_UNKNOWN, DKIM_MALFORMED, DKIM_CUT }, 3, "", 0 },
    { { DKIM_MALFORMED, DKIM_CHANGED }, 2, "SV-27", SEVERITY_HIGH },
};

static void test_signatures(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
        const struct signature_case *c = &signatures[i];
        struct dkim_verdict v = { .count = c->count };
        struct event e;
        for (unsigned k = 0; k < c->count; k++) {
            v.signatures[k].result = c->results[k];
            snprintf(v.signatures[k].domain, sizeof v.signatures[k].domain, "d%u.example", k);
        }
        play_begin(&p);
        e = event_of(&p, EVENT_CONTENT, "");
        e.data = &p.data;
        e.complete = true;
        play_see(&p, (struct record_view){ .kind = VIEW_CONTENT, .event = &e, .dkim = &v });
        EXPECT(&p, c->ids);
        if (c->ids[0] == '\0')
            continue;
        assert_int_equal(last_found(&p)->severity, c->severity);
        assert_int_equal(last_found(&p)->side, BLAME_CLIENT);
        play_see(&p, (struct record_view){ .kind = VIEW_CONTENT, .event = &e, .dkim = &v });
        EXPECT(&p, "SV-27 SV-27"); /* each message */
    }
    play_stop(&p);
}

/* With l= part of the body is not signed at all. */
static void test_limited_signature(void **state)
{
    struct dkim_verdict v = { .count = 1 };
    struct play p;
    struct event e;

    (void)state;
    v.signatures[0].result = DKIM_CHANGED;
    v.signatures[0].limited = true;
    play_start(&p);
    play_begin(&p);
    e = event_of(&p, EVENT_CONTENT, "");
    e.data = &p.data;
    play_see(&p, (struct record_view){ .kind = VIEW_CONTENT, .event = &e, .dkim = &v });
    EXPECT(&p, "SV-27");
    assert_int_equal(last_found(&p)->confidence, CONFIDENCE_LOW);
    v.signatures[0].damage = "footer-appended"; /* the hash names it */
    snprintf(v.signatures[0].damage_text, sizeof v.signatures[0].damage_text, "3 lines more");
    play_see(&p, (struct record_view){ .kind = VIEW_CONTENT, .event = &e, .dkim = &v });
    assert_int_equal(last_found(&p)->confidence, CONFIDENCE_CERTAIN);
    assert_non_null(strstr(last_found(&p)->text, "; 3 lines more."));
    play_stop(&p);
}

/* ---- headers ---- */

static void test_headers(void **state)
{
    static const struct {
        const char *headers, *product;
    } cases[] = {
        { "Subject: t\r\n\r\n", NULL },
        { "", NULL },
        { "Subject: X-P3Scan: no\r\n", NULL },
        { "Subject: t\r\nX-Antivirus: Norton (VPS 260408-0, 4/7/2026), Outbound message\r\n"
          "X-Antivirus-Status: Clean\r\n\r\n",
          "av-header-insert-avast" },
        { "X-EsetResult: clean, is OK\r\nX-EsetId: 37303A2980D94855627C65\r\n",
          "av-header-eset" },
        { "X-NAT-Received: 10.0.0.2\r\n", "smtp-gated" },
        { "X-P3Scan: v2.3.2 by Jack S. Lai. No outbound virus detected.\r\n",
          "p3scan-header-pipelining" },
    };
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        play_begin(&p);
        struct event e = event_of(&p, EVENT_CONTENT, "");
        e.data = &p.data;
        play_see(&p, (struct record_view){ .kind = VIEW_CONTENT,
                                           .event = &e,
                                           .headers = span_str(cases[i].headers) });
        EXPECT(&p, cases[i].product != NULL ? "SV-28" : "");
        if (cases[i].product != NULL)
            assert_string_equal(last_found(&p)->products[0], cases[i].product);
    }
    play_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endings),           cmocka_unit_test(test_constant_surplus),
        cmocka_unit_test(test_estimates),         cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_limited_signature), cmocka_unit_test(test_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
