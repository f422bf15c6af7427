#include "unit/analysis/play.h"

#define S(n) ((n)*UINT64_C(1000000))

static const struct record_tcp acked = { .valid = true, .rtt_us = 20000 };

/* ---- SV-07 ------------------------------------------------------------------------------- */

static void test_dangling(void **state)
{
    static const struct {
        struct play_end end;
        const char *line, *ids;
    } cases[] = {
        { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(10), 40, { 0 } }, "EHLO a\r\n", "SV-07" },
        { { CLOSE_UPSTREAM_TIMEOUT, -1, END_TIMEOUT, S(1), 40, { 0 } }, "EHLO a\r\n", "SV-07" },
        { { CLOSE_UPSTREAM_TIMEOUT, -1, END_TIMEOUT, S(1) - 1, 40, { 0 } }, "EHLO a\r\n", "" },
        /* traps: a slow server, no octet at all, the server's own end, another command */
        { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(9), 40, { 0 } }, "EHLO a\r\n", "" },
        { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(60), 0, { 0 } }, "EHLO a\r\n", "" },
        { { CLOSE_UPSTREAM_EOF, SERVER, END_FIN, S(60), 40, { 0 } }, "EHLO a\r\n", "" },
        { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(60), 40, { 0 } }, "HELP\r\n", "" },
    };
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        OPEN(&p);
        play_greeting(&p, "220 mx.example.com ESMTP\r\n");
        play_command(&p, "NOOP\r\n", "250 2.0.0 Ok\r\n");
        play_command(&p, cases[i].line, "");
        play_close(&p, cases[i].end);
        EXPECT(&p, cases[i].ids);
    }
    play_stop(&p);
}

/* Octets cannot be counted where they are encrypted. */
static void test_dangling_behind_tls(void **state)
{
    struct tls_facts f = { .version = "TLSv1.3", .hello_client = true, .hello_server = true };
    struct play p;

    (void)state;
    play_start(&p);
    OPEN(&p);
    play_see(&p, (struct record_view){ .kind = VIEW_TLS, .tls = &f, .tls_side = SERVER });
    play_command(&p, "EHLO a\r\n", "");
    play_close(&p, (struct play_end){ CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(60), 40, { 0 } });
    EXPECT(&p, "");
    play_stop(&p);
}

/* ---- SV-15, SV-25 ---- */

enum { NO_READ = -99 };

struct eod_case {
    struct play_end end;
    int read_at; /* beside the end of the content; NO_READ: all came in one */
    const char *ids;
    enum severity severity;
    enum confidence confidence;
};

static const struct eod_case eods[] = {
    { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(60), 0, { 0 } },
      NO_READ,
      "SV-15",
      SEVERITY_MEDIUM,
      CONFIDENCE_MEDIUM },
    { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(600), 0, { 0 } },
      NO_READ,
      "SV-15",
      SEVERITY_HIGH,
      CONFIDENCE_MEDIUM },
    { { CLOSE_UPSTREAM_TIMEOUT, -1, END_TIMEOUT, S(2), 0, { 0 } },
      NO_READ,
      "SV-15",
      SEVERITY_MEDIUM,
      CONFIDENCE_MEDIUM },
    /* CR | LF . CR LF and the other three */
    { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(10), 0, { 0 } },
      -1,
      "SV-15",
      SEVERITY_HIGH,
      CONFIDENCE_HIGH },
    { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(10), 0, { 0 } },
      0,
      "SV-15",
      SEVERITY_HIGH,
      CONFIDENCE_HIGH },
    { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(10), 0, { 0 } },
      1,
      "SV-15",
      SEVERITY_HIGH,
      CONFIDENCE_HIGH },
    { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(10), 0, { 0 } },
      2,
      "SV-15",
      SEVERITY_HIGH,
      CONFIDENCE_HIGH },
    /* traps: a scanner takes its time, nothing was acknowledged, a read before the end */
    { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(59), 0, { 0 } }, NO_READ, "", 0, 0 },
    { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(9), 0, { 0 } }, 1, "", 0, 0 },
    { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(59), 0, { 0 } }, -2, "", 0, 0 },
    { { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(60), 0, { .valid = true, .unacked = 1 } },
      NO_READ,
      "",
      0,
      0 },
};

/* reads of them: the first, those without interest, and the last. */
static void play_torn_content(struct play *p, uint64_t octets, int read_at, uint64_t reads)
{
    uint64_t at[DATA_READS_MAX] = { 0 };
    struct event e = event_of(p, EVENT_CONTENT, "");

    for (uint64_t i = 1; i < DATA_READS_MAX; i++)
        at[i] = i;
    at[(reads < DATA_READS_MAX ? reads : DATA_READS_MAX) - 1] =
        reads > 1 ? octets + (uint64_t)(int64_t)read_at : 0;
    p->data.stats = (struct data_stats){ .octets = octets, .lines = 9 };
    e.data = &p->data;
    e.complete = true;
    e.content_reads = reads;
    e.content_read_at = at;
    play_see(p, (struct record_view){ .kind = VIEW_CONTENT, .event = &e });
    p->client_at += octets;
}

static void play_unanswered_mail(struct play *p, uint64_t octets, int read_at,
                                 struct play_end end)
{
    play_begin(p);
    play_envelope(p);
    play_torn_content(p, octets, read_at, read_at == NO_READ ? 1 : 2);
    play_batched(p, ".\r\n", "");
    play_close(p, end);
}

static void test_end_of_data(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(eods); i++) {
        const struct eod_case *c = &eods[i];
        play_unanswered_mail(&p, 1000 + i, c->read_at, c->end);
        EXPECT(&p, c->ids);
        if (c->ids[0] == '\0')
            continue;
        assert_int_equal(last_found(&p)->severity, c->severity);
        assert_int_equal(last_found(&p)->confidence, c->confidence);
        assert_int_equal(last_found(&p)->record, p.n - 1);
    }
    play_stop(&p);
}

/* Of many reads the last is known, too; and nothing is torn in front of an empty content. */
static void test_torn_after_many_reads(void **state)
{
    static const struct {
        uint64_t octets, reads;
        int read_at;
        const char *ids;
    } cases[] = {
        { 90000, DATA_READS_MAX, 1, "SV-15" },
        { 90000, DATA_READS_MAX + 9, 1, "SV-15" },
        { 90000, DATA_READS_MAX + 9, -400, "" },
        { 0, 1, NO_READ, "" },
        { 0, 2, 1, "SV-15" },
    };
    struct play_end end = { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(12), 0, { 0 } };
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        play_begin(&p);
        play_envelope(&p);
        play_torn_content(&p, cases[i].octets, cases[i].read_at, cases[i].reads);
        play_batched(&p, ".\r\n", "");
        play_close(&p, end);
        EXPECT(&p, cases[i].ids);
    }
    play_stop(&p);
}

static void test_the_same_mail_again(void **state)
{
    struct play_end end = { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(60), 0, { 0 } };
    struct play p;

    (void)state;
    play_start(&p);
    play_unanswered_mail(&p, 1000, NO_READ, end);
    play_unanswered_mail(&p, 1000, NO_READ, end);
    play_unanswered_mail(&p, 1001, NO_READ, end); /* another one: counted anew */
    play_unanswered_mail(&p, 1000, NO_READ, end);
    play_unanswered_mail(&p, 1000, NO_READ, end);
    EXPECT(&p, "SV-15");
    play_unanswered_mail(&p, 1000, NO_READ, end);
    EXPECT(&p, "SV-15 SV-25");
    play_unanswered_mail(&p, 1000, NO_READ, end);
    EXPECT(&p, "SV-15 SV-25");
    play_stop(&p);
}

/* ---- SV-14 ------------------------------------------------------------------------------- */

static void play_stall(struct play *p, uint64_t within, struct record_tcp tcp, uint64_t after)
{
    play_begin(p);
    play_envelope(p);
    uint64_t at = p->client_at;
    play_content(p, (struct data_stats){ .octets = 90000 }, false);
    tcp.acked = at + within;
    play_close(p, (struct play_end){ CLOSE_UPSTREAM_STALLED, -1, END_TIMEOUT, after, 0, tcp });
}

static void test_stall(void **state)
{
    struct record_tcp stuck = { .valid = true, .unacked = 4, .retransmits = 5, .rtt_us = 9 };
    struct record_tcp moving = { .valid = true, .unacked = 4, .retransmits = 2 };
    struct record_tcp done = { .valid = true, .retransmits = 9 };
    struct play p;

    (void)state;
    play_start(&p);
    play_stall(&p, 1400, stuck, S(15));
    EXPECT(&p, ""); /* lost packets, perhaps */
    play_stall(&p, 2800, stuck, S(15));
    EXPECT(&p, "");
    play_stall(&p, 2800, moving, S(15));
    EXPECT(&p, "");
    play_stall(&p, 2800, done, S(15));
    EXPECT(&p, "");
    play_stall(&p, 2800, stuck, S(14));
    EXPECT(&p, "");
    play_stall(&p, 2800, stuck, S(15));
    EXPECT(&p, "SV-14");
    assert_true(names_product(last_found(&p), "pmtu-blackhole"));
    play_stop(&p);
}

/* ---- SV-17, SV-20 ---- */

static void play_batch(struct play *p, const char *ehlo, struct play_end end)
{
    char upstream[32];

    snprintf(upstream, sizeof upstream, "198.51.100.%u:25", (unsigned)strlen(ehlo));
    play_open(p, "192.0.2.1:4711", upstream);
    play_command(p, "EHLO a\r\n", ehlo);
    play_command(p, "MAIL FROM:<a@x>\r\n", "250 2.1.0 Ok\r\n");
    play_batched(p, "RCPT TO:<b@x>\r\n", "");
    play_batched(p, "DATA\r\n", "");
    play_close(p, end);
}

static void test_lost_in_a_batch(void **state)
{
    struct play_end silent = { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(10), 0, { 0 } };
    struct play_end soon = { CLOSE_CLIENT_EOF, CLIENT, END_FIN, S(9), 0, { 0 } };
    struct play_end late = { CLOSE_UPSTREAM_TIMEOUT, -1, END_TIMEOUT, S(1), 0, { 0 } };
    struct play_end reset = { CLOSE_UPSTREAM_RESET, SERVER, END_RESET, S(12), 0, { 0 } };
    const char *other = "250-mx.example.com\r\n250 DSN\r\n";
    struct play p;

    (void)state;
    play_start(&p);
    play_batch(&p, EHLO_CLEAN, silent);
    EXPECT(&p, "SV-17 SV-20");
    assert_non_null(strstr(p.found[0].text, "RCPT"));
    play_batch(&p, EHLO_CLEAN, late);
    EXPECT(&p, "SV-17 SV-20");
    play_batch(&p, EHLO_CLEAN, soon);
    EXPECT(&p, "");
    play_batch(&p, EHLO_CLEAN, reset);
    EXPECT(&p, "SV-20");
    play_batch(&p, other, silent);
    EXPECT(&p, "SV-17");
    play_batch(&p, other, reset);
    EXPECT(&p, "");
    play_begin(&p); /* one at a time: a slow server */
    play_command(&p, "MAIL FROM:<a@x>\r\n", "250 2.1.0 Ok\r\n");
    play_command(&p, "RCPT TO:<b@x>\r\n", "");
    play_close(&p, silent);
    EXPECT(&p, "");
    play_stop(&p);
}

static void test_bdat_without_a_reply(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (unsigned i = 0; i < 2; i++) {
        play_begin(&p);
        play_command(&p, "BDAT 5 LAST\r\n", "");
        play_close(&p,
                   (struct play_end){
                       CLOSE_CLIENT_EOF, CLIENT, END_FIN, i == 0 ? S(60) : S(59), 0, { 0 } });
        EXPECT(&p, i == 0 ? "SV-20" : "");
    }
    play_stop(&p);
}

/* One message in chunks is answered; the next command is the one that is not. */
static void test_behind_bdat_without_a_reply(void **state)
{
    static const struct {
        const char *first, *between, *line;
        uint64_t after;
        const char *ids;
    } cases[] = {
        { "BDAT 5 LAST\r\n", NULL, "MAIL FROM:<a@x>\r\n", S(60), "SV-20" },
        /* traps: a slow server, another command, something passed in between, no chunks */
        { "BDAT 5 LAST\r\n", NULL, "MAIL FROM:<a@x>\r\n", S(59), "" },
        { "BDAT 5 LAST\r\n", NULL, "QUIT\r\n", S(60), "" },
        { "BDAT 5 LAST\r\n", "NOOP\r\n", "MAIL FROM:<a@x>\r\n", S(60), "" },
        { "NOOP\r\n", NULL, "MAIL FROM:<a@x>\r\n", S(60), "" },
    };
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        play_begin(&p);
        play_command(&p, cases[i].first, "250 2.0.0 Ok\r\n");
        if (cases[i].between != NULL)
            play_command(&p, cases[i].between, "250 2.0.0 Ok\r\n");
        play_command(&p, cases[i].line, "");
        play_close(&p, (struct play_end){
                           CLOSE_CLIENT_EOF, CLIENT, END_FIN, cases[i].after, 0, { 0 } });
        EXPECT(&p, cases[i].ids);
    }
    play_stop(&p);
}

/* Nothing is said of a session of which only the end is known, or nothing at all. */
static void test_bare_ends(void **state)
{
    struct record_close c = { .reason = CLOSE_CLIENT_LEFT };
    struct record_view s = { .kind = VIEW_CLOSE, .close = &c, .n = 1 };
    struct play p;

    (void)state;
    play_start(&p);
    p.n = 1;
    detect_see(&p.d, &p.env, &s);
    assert_null(p.d);
    OPEN(&p);
    play_close(&p, (struct play_end){ CLOSE_UPSTREAM_RESET, SERVER, END_RESET, 0, 99, acked });
    EXPECT(&p, "");
    play_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dangling),
        cmocka_unit_test(test_dangling_behind_tls),
        cmocka_unit_test(test_end_of_data),
        cmocka_unit_test(test_torn_after_many_reads),
        cmocka_unit_test(test_the_same_mail_again),
        cmocka_unit_test(test_stall),
        cmocka_unit_test(test_lost_in_a_batch),
        cmocka_unit_test(test_bdat_without_a_reply),
        cmocka_unit_test(test_behind_bdat_without_a_reply),
        cmocka_unit_test(test_bare_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
