#include "unit/analysis/play.h"

#define WITHOUT_TLS                                                                            \
    "250-mx.example.com\r\n250-PIPELINING\r\n250-SIZE 10485760\r\n250-8BITMIME\r\n"            \
    "250-CHUNKING\r\n250 HELP\r\n"

static void play_ehlo(struct play *p, const char *upstream, const char *ehlo)
{
    play_open(p, "192.0.2.1:4711", upstream);
    play_greeting(p, "220 mx.example.com ESMTP\r\n");
    play_command(p, "EHLO a\r\n", ehlo);
    play_quit(p);
}

/* ---- SV-08 ------------------------------------------------------------------------------ */

static void test_tls_gone(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    play_ehlo(&p, "198.51.100.1:25", WITHOUT_TLS); /* never offered: nothing is missing */
    EXPECT(&p, "");
    play_ehlo(&p, "198.51.100.1:25", EHLO_CLEAN);
    play_ehlo(&p, "198.51.100.1:25", WITHOUT_TLS);
    EXPECT(&p, "SV-08");
    assert_int_equal(last_found(&p)->severity, SEVERITY_MEDIUM);
    assert_int_equal(last_found(&p)->confidence, CONFIDENCE_LOW);
    play_ehlo(&p, "198.51.100.2:25", WITHOUT_TLS); /* another server */
    EXPECT(&p, "");
    play_ehlo(&p, "198.51.100.1:587", WITHOUT_TLS); /* another port has another policy */
    EXPECT(&p, "");
    play_ehlo(&p, "198.51.100.1:25", EHLO_CLEAN);
    play_ehlo(&p, "198.51.100.1:25", EHLO_CLEAN);
    play_ehlo(&p, "198.51.100.1:25", WITHOUT_TLS);
    EXPECT(&p, "SV-08");
    assert_int_equal(last_found(&p)->severity, SEVERITY_CRITICAL);
    assert_int_equal(last_found(&p)->confidence, CONFIDENCE_MEDIUM);
    play_stop(&p);
}

/* A mask of eight letters alone says nothing of STARTTLS; with a past it does. */
static void test_mask_and_past(void **state)
{
    const char *masked = "250-mx.example.com\r\n250-XXXXXXXA\r\n250 HELP\r\n";
    struct play p;

    (void)state;
    play_start(&p);
    play_ehlo(&p, "198.51.100.1:25", masked);
    EXPECT(&p, "SV-02");
    play_ehlo(&p, "198.51.100.2:25", EHLO_CLEAN);
    play_ehlo(&p, "198.51.100.2:25", masked);
    EXPECT(&p, "SV-02 SV-08");
    play_stop(&p);
}

/* Some servers offer no TLS any more to a client that failed with it. */
static void test_tls_had_failed(void **state)
{
    struct tls_facts f = { .failure = TLS_FAILURE_ALERT };
    struct play p;

    (void)state;
    play_start(&p);
    for (int i = 0; i < 4; i++)
        play_ehlo(&p, "198.51.100.1:25", EHLO_CLEAN);
    play_begin(&p);
    play_see(&p, (struct record_view){ .kind = VIEW_TLS, .tls = &f, .tls_through = true });
    play_ehlo(&p, "198.51.100.1:25", WITHOUT_TLS);
    EXPECT(&p, "SV-08");
    assert_int_equal(last_found(&p)->severity, SEVERITY_MEDIUM);
    assert_int_equal(last_found(&p)->confidence, CONFIDENCE_LOW);
    play_stop(&p);
}

/* Behind TLS nobody offers it. */
static void test_behind_tls(void **state)
{
    struct tls_facts f = { .hello_client = true, .hello_server = true };
    struct play p;

    (void)state;
    play_start(&p);
    for (int i = 0; i < 5; i++) {
        play_begin(&p);
        play_command(&p, "STARTTLS\r\n", "220 2.0.0 Ready\r\n");
        play_see(&p, (struct record_view){ .kind = VIEW_TLS, .tls = &f, .tls_side = SERVER });
        play_command(&p, "EHLO a\r\n", "250-mx.example.com\r\n250-AUTH PLAIN\r\n250 HELP\r\n");
        EXPECT(&p, "");
    }
    play_stop(&p);
}

/* What is offered behind TLS is compared with what was offered there. */
static void test_two_legs(void **state)
{
    struct tls_facts f = { .hello_client = true, .hello_server = true };
    struct play p;

    (void)state;
    play_start(&p);
    for (int i = 0; i < 4; i++)
        play_ehlo(&p, "198.51.100.1:25", EHLO_CLEAN);
    play_begin(&p);
    play_see(&p, (struct record_view){ .kind = VIEW_TLS, .tls = &f, .tls_side = SERVER });
    play_command(&p, "EHLO a\r\n", "250-mx.example.com\r\n250-DSN\r\n250 HELP\r\n");
    EXPECT(&p, "");
    play_stop(&p);
}

/* An upstream that did not take the connection is not the one that answers. */
static void test_connect_failed(void **state)
{
    struct record_connect failed = { .upstream = SPAN_LIT("198.51.100.9:25"),
                                     .error = "connection refused" };
    struct play p;

    (void)state;
    play_start(&p);
    play_ehlo(&p, "198.51.100.9:25", EHLO_CLEAN);
    OPEN(&p);
    play_see(&p, (struct record_view){ .kind = VIEW_CONNECT, .connect = &failed });
    play_command(&p, "EHLO a\r\n", WITHOUT_TLS);
    EXPECT(&p, "");
    play_stop(&p);
}

/* ---- SV-19 ---- */

static void test_drift(void **state)
{
    const char *other = "250-mx.example.com\r\n250-STARTTLS\r\n250-SIZE\r\n250 DSN\r\n";
    const char *personal =
        "250-mx.example.com\r\n250-PIPELINING\r\n250-SIZE 10485760\r\n"
        "250-STARTTLS\r\n250-8BITMIME\r\n250-CHUNKING\r\n250-XCLIENT NAME\r\n"
        "250-AUTH PLAIN\r\n250 HELP\r\n";
    struct play p;

    (void)state;
    play_start(&p);
    play_ehlo(&p, "198.51.100.1:25", EHLO_CLEAN);
    play_ehlo(&p, "198.51.100.1:25", EHLO_CLEAN);
    play_ehlo(&p, "198.51.100.1:25", other); /* two are no rule */
    EXPECT(&p, "");
    for (int i = 0; i < 3; i++)
        play_ehlo(&p, "198.51.100.1:25", EHLO_CLEAN);
    play_ehlo(&p, "198.51.100.1:25", personal); /* who asks decides */
    EXPECT(&p, "");
    play_ehlo(&p, "198.51.100.1:25", other);
    EXPECT(&p, "SV-19");
    assert_non_null(
        strstr(last_found(&p)->text, "PIPELINING 8BITMIME HELP CHUNKING went, DSN came"));
    assert_int_equal(last_found(&p)->confidence, CONFIDENCE_LOW);
    /* What changes again and again is a pool of servers. */
    unsigned told = 0;
    for (int i = 0; i < 24; i++) {
        play_ehlo(&p, "198.51.100.1:25", i / 3 % 2 == 0 ? EHLO_CLEAN : other);
        told += p.count;
    }
    assert_int_equal(told, 2);
    play_stop(&p);
}

/* ---- the memory itself ---- */

static void play_upstream(struct play *p, unsigned i, const char *ehlo)
{
    char upstream[32];

    snprintf(upstream, sizeof upstream, "10.%u.%u.1:25", i / 256, i % 256);
    play_ehlo(p, upstream, ehlo);
}

/* The one not used for the longest time is forgotten. */
static void test_oldest_is_forgotten(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (unsigned i = 0; i < DETECT_UPSTREAMS_MAX; i++)
        play_upstream(&p, i, EHLO_CLEAN);
    play_upstream(&p, 0, EHLO_CLEAN);                    /* the newest now */
    play_upstream(&p, DETECT_UPSTREAMS_MAX, EHLO_CLEAN); /* in place of number 1 */
    play_upstream(&p, 0, WITHOUT_TLS);
    EXPECT(&p, "SV-08");
    play_upstream(&p, DETECT_UPSTREAMS_MAX, WITHOUT_TLS);
    EXPECT(&p, "SV-08");
    play_upstream(&p, 2, WITHOUT_TLS);
    EXPECT(&p, "SV-08");
    play_upstream(&p, 1, WITHOUT_TLS);
    EXPECT(&p, "");
    for (unsigned i = 4; i < DETECT_UPSTREAMS_MAX; i++) { /* number 3 made room for number 1 */
        play_upstream(&p, i, WITHOUT_TLS);
        EXPECT(&p, "SV-08");
    }
    play_stop(&p);
}

/* Many come and go: the last ones are known, whatever place they took. */
static void test_many_upstreams(void **state)
{
    enum { MANY = 4000 };
    struct play p;

    (void)state;
    play_start(&p);
    for (unsigned i = 0; i < MANY; i++)
        play_upstream(&p, i, EHLO_CLEAN);
    for (unsigned i = MANY - DETECT_UPSTREAMS_MAX; i < MANY; i++) {
        play_upstream(&p, i, WITHOUT_TLS);
        EXPECT(&p, "SV-08");
    }
    for (unsigned i = 0; i < 100; i++) {
        play_upstream(&p, i, WITHOUT_TLS);
        EXPECT(&p, "");
    }
    play_stop(&p);
}

/* Without addresses nothing is remembered. */
static void test_no_address(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (int i = 0; i < 4; i++)
        play_ehlo(&p, "", EHLO_CLEAN);
    play_ehlo(&p, "", WITHOUT_TLS);
    EXPECT(&p, "");
    play_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls_gone),       cmocka_unit_test(test_mask_and_past),
        cmocka_unit_test(test_tls_had_failed), cmocka_unit_test(test_behind_tls),
        cmocka_unit_test(test_drift),          cmocka_unit_test(test_oldest_is_forgotten),
        cmocka_unit_test(test_no_address),     cmocka_unit_test(test_two_legs),
        cmocka_unit_test(test_connect_failed), cmocka_unit_test(test_many_upstreams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
