#include "unit/analysis/play.h"

#define MS(n) ((n)*UINT64_C(1000))
#define S(n)  ((n)*UINT64_C(1000000))

static const struct record_tcp acked = { .valid = true, .rtt_us = 20000 };

/* ---- SV-16, SV-21 ---- */

static void play_killed(struct play *p, const char *line, enum close_kind how, uint64_t after)
{
    play_begin(p);
    play_command(p, line, "");
    play_close(p, (struct play_end){ CLOSE_UPSTREAM_RESET, SERVER, how, after, 0, acked });
}

static void test_killed_three_times(void **state)
{
    struct play p;
    char longer[600];

    (void)state;
    memset(longer, 'a', sizeof longer);
    memcpy(longer, "NOOP ", 5);
    memcpy(longer + sizeof longer - 3, "\r\n", 3);
    play_start(&p);
    play_killed(&p, "XEXCH50 1064 2\r\n", END_RESET, MS(30));
    play_killed(&p, "XEXCH50 1064 2\r\n", END_RESET, MS(30));
    EXPECT(&p, "");
    play_killed(&p, longer, END_RESET, MS(30));
    play_killed(&p, "XEXCH50 1064 2\r\n", END_FIN, MS(30));
    EXPECT(&p, "SV-16");
    assert_non_null(strstr(last_found(&p)->text, "an unknown command"));
    play_killed(&p, longer, END_RESET, MS(30));
    play_killed(&p, longer, END_RESET, MS(30));
    EXPECT(&p, "SV-16");
    assert_non_null(strstr(last_found(&p)->text, "NOOP of more than 512 bytes"));
    play_stop(&p);
}

/* Nor where it was answered in the same session. */
static void test_answered_before(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (unsigned i = 0; i < 4; i++) {
        play_begin(&p);
        play_command(&p, "HELP\r\n", "214 2.0.0 no\r\n");
        play_command(&p, "HELP\r\n", "");
        play_close(&p,
                   (struct play_end){ CLOSE_UPSTREAM_RESET, SERVER, END_RESET, 0, 0, acked });
        EXPECT(&p, "");
    }
    play_stop(&p);
}

/* Answered once in between, it is not the verb. */
static void test_three_of_three(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (unsigned i = 0; i < 6; i++) {
        play_killed(&p, "HELP\r\n", END_RESET, MS(30));
        EXPECT(&p, "");
        if (i % 2 == 1) {
            play_begin(&p);
            play_command(&p, "HELP\r\n", "214 2.0.0 no\r\n");
            play_quit(&p);
        }
    }
    play_stop(&p);
}

static void test_kill_traps(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (unsigned i = 0; i < 4; i++) {
        play_killed(&p, "HELP\r\n", END_RESET, MS(90)); /* 1.5 round trips and 50 ms at most */
        EXPECT(&p, "");
        play_begin(&p);
        play_command(&p, "HELP\r\n", "");
        play_close(&p, (struct play_end){ CLOSE_CLIENT_RESET, CLIENT, END_RESET, 0, 0, acked });
        EXPECT(&p, "");
        play_begin(&p); /* policy is said */
        play_command(&p, "VRFY a\r\n", "421 4.7.0 too many errors\r\n");
        play_command(&p, "HELP\r\n", "");
        play_close(&p, (struct play_end){ CLOSE_UPSTREAM_EOF, SERVER, END_FIN, 0, 0, acked });
        EXPECT(&p, "");
        OPEN(&p);
        play_greeting(&p, "554 mx.example.com go away\r\n");
        play_close(&p, (struct play_end){ CLOSE_UPSTREAM_EOF, SERVER, END_FIN, 0, 0, acked });
        EXPECT(&p, "");
        play_begin(&p); /* many servers just leave */
        play_command(&p, "QUIT\r\n", "");
        play_close(&p, (struct play_end){ CLOSE_UPSTREAM_EOF, SERVER, END_FIN, 0, 0, acked });
        EXPECT(&p, "");
    }
    play_stop(&p);
}

/* A greeting that turns the client away, and a server that is tired of waiting. */
static void test_greeting_traps(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (unsigned i = 0; i < 8; i++) {
        OPEN(&p);
        play_greeting(&p, i < 4 ? "554 mx.example.com go away\r\n" : "220 mx.example.com\r\n");
        play_close(&p, (struct play_end){ CLOSE_UPSTREAM_EOF, SERVER, END_FIN, i < 4 ? 0 : S(5),
                                          0, acked });
        EXPECT(&p, "");
    }
    play_stop(&p);
}

static void test_killed_greeting_and_content(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (unsigned i = 1; i <= 3; i++) {
        OPEN(&p);
        play_greeting(&p, "220 mx.example.com ESMTP\r\n");
        play_close(
            &p, (struct play_end){ CLOSE_UPSTREAM_RESET, SERVER, END_RESET, MS(1), 0, acked });
        EXPECT(&p, i == 3 ? "SV-16" : "");
    }
    assert_true(names_product(last_found(&p), "banner-then-rst") ||
                last_found(&p)->products[3] != NULL);
    OPEN(&p);
    play_greeting(&p, "220 mx.example.com ESMTP\r\n");
    play_command(&p, "EHLO a\r\n", EHLO_CLEAN); /* a greeting that was not the end */
    play_quit(&p);
    OPEN(&p);
    play_greeting(&p, "220 mx.example.com ESMTP\r\n");
    play_close(&p,
               (struct play_end){ CLOSE_UPSTREAM_RESET, SERVER, END_RESET, MS(1), 0, acked });
    EXPECT(&p, "");
    for (unsigned i = 1; i <= 5; i++) {
        play_begin(&p);
        play_envelope(&p);
        if (i == 2) { /* one passed: counted anew */
            play_content(&p, (struct data_stats){ .octets = 500 }, true);
            play_command(&p, ".\r\n", "250 2.0.0 Ok\r\n");
            play_quit(&p);
            continue;
        }
        play_content(&p, (struct data_stats){ .octets = 500 }, false);
        play_close(
            &p, (struct play_end){ CLOSE_UPSTREAM_RESET, SERVER, END_RESET, S(3), 0, acked });
        EXPECT(&p, i == 5 ? "SV-16" : "");
    }
    assert_non_null(strstr(last_found(&p)->text, "mail data"));
    play_stop(&p);
}

static void test_idle_death(void **state)
{
    static const struct {
        uint64_t idle, after;
        const char *ids;
    } cases[] = { { S(4), MS(20), "" },
                  { S(31), MS(20), "SV-21" },
                  { S(20), MS(20), "SV-21" },
                  { S(301), MS(20), "" },
                  { S(31), S(11), "" } };
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char upstream[32];
        snprintf(upstream, sizeof upstream, "198.51.100.%zu:25", i == 2 ? 1 : i);
        play_open(&p, "192.0.2.1:4711", upstream);
        play_greeting(&p, "220 mx.example.com ESMTP\r\n");
        play_command(&p, "EHLO client.example\r\n", EHLO_CLEAN);
        p.t_us += cases[i].idle;
        play_command(&p, "NOOP\r\n", "");
        play_close(&p, (struct play_end){ CLOSE_UPSTREAM_RESET, SERVER, END_RESET,
                                          cases[i].after, 0, acked });
        EXPECT(&p, cases[i].ids);
        if (i == 2)
            assert_non_null(strstr(last_found(&p)->text, "did that: 20 s"));
    }
    play_stop(&p);
}

/* Dropped without a word: the client waits, and goes. */
static void test_idle_and_ignored(void **state)
{
    static const struct {
        const char *line;
        uint64_t idle, after;
        const char *ids;
    } cases[] = { { "NOOP\r\n", S(31), S(10), "SV-21" },
                  { "RSET\r\n", S(31), S(10), "SV-21" },
                  /* traps: no silence before, a slow reply, a command that takes its time */
                  { "NOOP\r\n", S(4), S(60), "" },
                  { "NOOP\r\n", S(301), S(60), "" },
                  { "NOOP\r\n", S(31), S(9), "" },
                  { "RCPT TO:<b@x>\r\n", S(31), S(60), "" } };
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        play_begin(&p);
        p.t_us += cases[i].idle;
        play_command(&p, cases[i].line, "");
        play_close(&p, (struct play_end){ CLOSE_CLIENT_EOF, CLIENT, END_FIN, cases[i].after, 0,
                                          acked });
        EXPECT(&p, cases[i].ids);
        if (i == 0)
            assert_non_null(strstr(last_found(&p)->text, "NOOP had no answer any more"));
    }
    play_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_three_times),
        cmocka_unit_test(test_answered_before),
        cmocka_unit_test(test_three_of_three),
        cmocka_unit_test(test_kill_traps),
        cmocka_unit_test(test_greeting_traps),
        cmocka_unit_test(test_killed_greeting_and_content),
        cmocka_unit_test(test_idle_death),
        cmocka_unit_test(test_idle_and_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
