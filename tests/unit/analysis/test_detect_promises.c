#include "unit/analysis/play.h"

struct promise_case {
    const char *ehlo, *mail, *line, *reply;
    uint64_t octets;
    bool batched;
    const char *ids;
};

#define OFFER(text) "250-mx.example.com\r\n250-" text "\r\n250 HELP\r\n"
#define MAIL        "MAIL FROM:<a@x> SIZE=1000\r\n"

static const struct promise_case cases[] = {
    { OFFER("CHUNKING"), MAIL, "BDAT 5 LAST\r\n", "500 5.5.1 unknown\r\n", 0, false, "SV-20" },
    { OFFER("CHUNKING"), MAIL, "BDAT 5 LAST\r\n", "502 5.5.1 no\r\n", 0, false, "SV-20" },
    { OFFER("CHUNKING"), MAIL, "BDAT 5 LAST\r\n", "503 5.5.1 RCPT first\r\n", 0, false, "" },
    { OFFER("CHUNKING"), MAIL, "BDAT 5 LAST\r\n", "552 5.2.2 full\r\n", 5, false, "" },
    { OFFER("DSN"), MAIL, "BDAT 5 LAST\r\n", "500 5.5.1 unknown\r\n", 0, false, "" },
    /* SIZE */
    { OFFER("SIZE 2000"), MAIL, ".\r\n", "552 5.3.4 too big\r\n", 1000, false, "SV-20" },
    { OFFER("SIZE 2000"), MAIL, ".\r\n", "552 Message size exceeds limit\r\n", 1000, false,
      "SV-20" },
    { OFFER("SIZE 2000"), MAIL, ".\r\n", "552 5.2.2 mailbox full, size 0\r\n", 1000, false,
      "" },
    { OFFER("SIZE 2000"), MAIL, ".\r\n", "552 5.7.0 virus\r\n", 1000, false, "" },
    { OFFER("SIZE 2000"), MAIL, ".\r\n", "552 virus found\r\n", 1000, false, "" },
    { OFFER("SIZE 2000"), MAIL, ".\r\n", "552 5.3.4 too big\r\n", 2000, false, "" },
    { OFFER("SIZE 2000"), MAIL, ".\r\n", "552 5.3.4 too big\r\n", 3000, false, "" },
    { OFFER("SIZE 0"), MAIL, ".\r\n", "552 5.3.4 too big\r\n", 1000, false, "" },
    { OFFER("SIZE"), MAIL, ".\r\n", "552 5.3.4 too big\r\n", 1000, false, "" },
    { OFFER("SIZE 2000"), "NOOP\r\n", MAIL, "552 5.3.4 too big\r\n", 0, false, "SV-20" },
    { OFFER("SIZE 2000"), "NOOP\r\n", "MAIL FROM:<a@x>\r\n", "552 5.3.4 too big\r\n", 0, false,
      "" },
    { OFFER("SIZE 999"), "NOOP\r\n", MAIL, "552 5.3.4 too big\r\n", 0, false, "" },
    /* 8BITMIME */
    { OFFER("8BITMIME"), MAIL, ".\r\n", "554 5.6.1 Body type not supported by Remote Host\r\n",
      9, false, "SV-20" },
    { OFFER("8BITMIME"), MAIL, ".\r\n", "554 5.6.1 attachment not allowed\r\n", 9, false, "" },
    { OFFER("DSN"), MAIL, ".\r\n", "554 5.6.1 Body type not supported\r\n", 9, false, "" },
    /* PIPELINING */
    { OFFER("PIPELINING"), MAIL, "RCPT TO:<b@x>\r\n", "503 5.5.0 no pipelining please\r\n", 0,
      true, "SV-20" },
    { OFFER("PIPELINING"), MAIL, "RCPT TO:<b@x>\r\n", "503 5.5.0 no pipelining please\r\n", 0,
      false, "" },
    { OFFER("DSN"), MAIL, "RCPT TO:<b@x>\r\n", "503 5.5.0 no pipelining please\r\n", 0, true,
      "" },
};

static void test_promises(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct promise_case *c = &cases[i];
        char upstream[32]; /* offers change from case to case */
        snprintf(upstream, sizeof upstream, "198.51.100.%zu:25", i);
        play_open(&p, "192.0.2.1:4711", upstream);
        play_command(&p, "EHLO a\r\n", c->ehlo);
        play_command(&p, c->mail, "250 2.0.0 Ok\r\n");
        if (c->octets > 0)
            play_content(&p, (struct data_stats){ .octets = c->octets }, true);
        if (c->batched)
            play_batched(&p, c->line, c->reply);
        else
            play_command(&p, c->line, c->reply);
        if (strcmp(p.ids, c->ids) != 0)
            fail_msg("case %zu, %s: found \"%s\", want \"%s\"", i, c->reply, p.ids, c->ids);
    }
    play_stop(&p);
}

/* Another EHLO, or HELO, and what was offered before counts no more. */
static void test_the_last_offer_counts(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    OPEN(&p);
    play_command(&p, "EHLO a\r\n", OFFER("CHUNKING"));
    play_command(&p, "HELO a\r\n", "250 mx.example.com\r\n");
    play_command(&p, "BDAT 5 LAST\r\n", "500 5.5.1 unknown\r\n");
    EXPECT(&p, "");
    OPEN(&p);
    play_command(&p, "EHLO a\r\n", OFFER("SIZE 2000"));
    play_command(&p, "EHLO a\r\n", OFFER("DSN"));
    play_command(&p, MAIL, "552 5.3.4 too big\r\n");
    EXPECT(&p, "");
    play_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promises),
        cmocka_unit_test(test_the_last_offer_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
