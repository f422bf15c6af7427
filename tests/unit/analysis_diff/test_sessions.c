/*
 * What only records can show: commands eaten and answered, recipients, times, TLS, the end,
 * whole sessions; written by hand, so that every time and figure is known.
 */
#include "unit/check.h"

#include "analysis/diff/diff.h"

enum { LINES_MAX = 16, SAID_MAX = 4096 };

#define NEAR_SID "01ARZ3NDEKTSV4RRFFQ69G5FAV"
#define FAR_SID  "01BRZ3NDEKTSV4RRFFQ69G5FAV"

struct row {
    const char *kind;
    unsigned ms; /* since the session began, on this machine's clock */
    const char *rest;
};

#define COMMAND(verb, line, reply, code)                                                       \
    ",\"verb\":\"" verb "\",\"at\":0,\"received\":\"" line "\",\"action\":\"relayed\","        \
    "\"origin\":\"upstream\",\"reply\":\"" reply "\",\"code\":" code ",\"reply_us\":10000"
#define SILENT(verb, line)                                                                     \
    ",\"verb\":\"" verb "\",\"at\":0,\"received\":\"" line                                     \
    "\",\"action\":\"relayed\",\"origin\":\"none\""
#define CLOSE(first, how)                                                                      \
    ",\"reason\":\"quit\",\"text\":\"\",\"error\":false,\"first\":\"" first                    \
    "\",\"how\":\"" how                                                                        \
    "\",\"octets\":{\"client_in\":0,\"client_out\":0,\"server_in\":0,\"server_out\":0},"       \
    "\"us\":5"
#define CONTENT(octets, us, hash)                                                              \
    ",\"at\":0,\"via\":\"data\",\"complete\":true,\"altered\":false,\"refused\":false,"        \
    "\"octets\":" octets ",\"lines\":1,\"longest_line\":9,\"endings\":{\"crlf\":1,"            \
    "\"bare_lf\":0,\"crcrlf\":0,\"bare_cr\":0},\"nul\":0,\"eight_bit\":0,"                     \
    "\"leading_dots\":0,\"header_octets\":0,\"signed_headers\":false,"                         \
    "\"reads\":{\"n\":1,\"at\":[0]},\"us\":" us ",\"digest\":{\"alg\":\"xxh3-128\","           \
    "\"whole\":\"" hash "\",\"blocks\":[[" octets ",\"" hash "\"]]}"
#define TLS(side, version, certificate)                                                        \
    ",\"side\":\"" side                                                                        \
    "\",\"how\":\"passthrough\",\"ok\":true,\"us\":5,\"version\":\"" version                   \
    "\",\"certificate\":{\"issuer\":\"CN=box\",\"sha256\":\"" certificate "\"}"
#define OPAQUE(client, server)                                                                 \
    ",\"why\":\"starttls\",\"octets\":{\"client\":" client ",\"server\":" server "}"

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B32 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define EHLO                                                                                   \
    {                                                                                          \
        "command", 10, COMMAND("EHLO", "EHLO c\\r\\n", "250 mx\\r\\n", "250")                  \
    }
#define HELP                                                                                   \
    {                                                                                          \
        "command", 500, COMMAND("HELP", "HELP\\r\\n", "214 no\\r\\n", "214")                   \
    }
#define LEFT                                                                                   \
    {                                                                                          \
        "close", 900, CLOSE("client", "fin")                                                   \
    }
#define RCPT(ms, to)                                                                           \
    {                                                                                          \
        "command", ms, COMMAND("RCPT", "RCPT TO:<" to ">\\r\\n", "250 ok\\r\\n", "250")        \
    }
#define DOT(ms)                                                                                \
    {                                                                                          \
        "command", ms, COMMAND(".", ".\\r\\n", "250 queued\\r\\n", "250")                      \
    }
#define START                                                                                  \
    {                                                                                          \
        "command", 20, COMMAND("STARTTLS", "STARTTLS\\r\\n", "220 go\\r\\n", "220")            \
    }

static const struct {
    const char *what, *said;
    struct row near[LINES_MAX], far[LINES_MAX];
} cases[] = {
    { "clean", "", { EHLO, HELP, LEFT }, { EHLO, HELP, LEFT } },
    { "answered by the box", "high TV-09 answered HELP", { EHLO, HELP, LEFT }, { EHLO, LEFT } },
    { "dropped",
      "high TV-09 dropped HELP",
      { EHLO,
        { "command", 50, SILENT("HELP", "HELP\\r\\n") },
        { "close", 60000, CLOSE("client", "fin") } },
      { EHLO, { "close", 60000, CLOSE("client", "fin") } } },
    { "under way at the end",
      "info TV-09 last QUIT",
      { EHLO,
        { "command", 50, SILENT("QUIT", "QUIT\\r\\n") },
        { "close", 60, CLOSE("client", "reset") } },
      { EHLO, { "close", 60, CLOSE("client", "reset") } } },
    { "the end of the mail swallowed",
      "critical TV-09 dropped .",
      { EHLO,
        { "command", 50, SILENT(".", ".\\r\\n") },
        { "close", 600000, CLOSE("client", "fin") } },
      { EHLO, { "close", 600000, CLOSE("client", "fin") } } },
    { "mail accepted by the box",
      "critical TV-09 answered .",
      { EHLO, DOT(100), LEFT },
      { EHLO, LEFT } },
    { "injected",
      "critical TV-06 inserted HELP",
      { EHLO, HELP, LEFT },
      { EHLO, { "command", 500, SILENT("HELP", "HELP\\r\\n") }, LEFT } },
    { "swallowed",
      "high TV-07 dropped HELP",
      { EHLO, { "command", 500, SILENT("HELP", "HELP\\r\\n") }, LEFT },
      { EHLO, HELP, LEFT } },
    { "recipients lost",
      "critical TV-11 dropped RCPT",
      { EHLO, RCPT(100, "a"), RCPT(110, "b"), RCPT(120, "c"), RCPT(130, "d"), LEFT },
      { EHLO, RCPT(100, "a"), RCPT(110, "b"), LEFT } },
    { "closed in between",
      "high TV-18 closed-both close",
      { EHLO, { "close", 900, CLOSE("server", "fin") } },
      { EHLO, LEFT } },
    { "reset in between",
      "high TV-18 reset-both close",
      { EHLO, { "close", 900, CLOSE("server", "reset") } },
      { EHLO, { "close", 900, CLOSE("client", "reset") } } },
    { "one end left open",
      "high TV-18 server-left-open close",
      { EHLO, LEFT },
      { EHLO, { "close", 300000, CLOSE("server", "fin") } } },
    { "both end at once",
      "",
      { EHLO, LEFT },
      { EHLO, { "close", 901, CLOSE("server", "fin") } } },
    { "accepted early",
      "critical TV-20 accepted content",
      { EHLO, DOT(100), LEFT },
      { EHLO, DOT(400), LEFT } },
    { "a moment early is the clock's", "", { EHLO, DOT(100), LEFT }, { EHLO, DOT(108), LEFT } },
    { "held back",
      "medium TV-19 held content",
      { EHLO, { "content", 100, CONTENT("9", "400000", A32) }, LEFT },
      { EHLO, { "content", 510, CONTENT("9", "1000", A32) }, LEFT } },
    { "altered and unkept",
      "high TV-00 replaced content",
      { EHLO, { "content", 100, CONTENT("9", "10", A32) }, LEFT },
      { EHLO, { "content", 100, CONTENT("9", "10", B32) }, LEFT } },
    { "chunk size",
      "high TV-24 size BDAT",
      { EHLO,
        { "command", 50, COMMAND("BDAT", "BDAT 86 LAST\\r\\n", "250 ok\\r\\n", "250") },
        LEFT },
      { EHLO,
        { "command", 50, COMMAND("BDAT", "BDAT 86\\r\\n", "250 ok\\r\\n", "250") },
        LEFT } },
    { "the same TLS",
      "",
      { EHLO,
        START,
        { "tls", 30, TLS("through", "TLSv1.2", A32 A32) },
        { "opaque", 40, OPAQUE("9", "9") },
        LEFT },
      { EHLO,
        START,
        { "tls", 30, TLS("through", "TLSv1.2", A32 A32) },
        { "opaque", 40, OPAQUE("9", "9") },
        LEFT } },
    { "another certificate",
      "critical TV-21 certificate TLS",
      { EHLO,
        START,
        { "tls", 30, TLS("through", "TLSv1.2", A32 A32) },
        { "opaque", 40, OPAQUE("9", "9") },
        LEFT },
      { EHLO,
        START,
        { "tls", 30, TLS("through", "TLSv1.2", B32 B32) },
        { "opaque", 40, OPAQUE("9", "9") },
        LEFT } },
    { "another version",
      "critical TV-21 version TLS",
      { EHLO, START, { "tls", 30, TLS("server", "TLSv1.2", A32 A32) }, HELP, LEFT },
      { EHLO, START, { "tls", 30, TLS("client", "TLSv1.3", B32 B32) }, HELP, LEFT } },
    { "sealed octets lost",
      "high TV-21 octets TLS",
      { EHLO, START, { "opaque", 40, OPAQUE("9", "9") }, LEFT },
      { EHLO, START, { "opaque", 40, OPAQUE("9", "8") }, LEFT } },
    { "TLS ended in between",
      "high TV-09 answered STARTTLS; critical TV-21 ended TLS",
      { EHLO,
        START,
        { "tls", 30, TLS("through", "TLSv1.2", A32 A32) },
        { "opaque", 40, OPAQUE("9", "9") },
        LEFT },
      { EHLO, HELP, LEFT } },
    { "one reads what the other one sees sealed",
      "",
      { EHLO, START, { "tls", 30, TLS("server", "TLSv1.3", A32 A32) }, HELP, LEFT },
      { EHLO,
        START,
        { "tls", 30, TLS("through", "TLSv1.3", A32 A32) },
        { "opaque", 40, OPAQUE("9", "9") },
        LEFT } },
};

static void write_rows(const char *file, const char *sid, const char *open,
                       const struct row *rows)
{
    FILE *f = fopen(file, "a");
    unsigned n = 1;

    assert_non_null(f);
    fprintf(f,
            "{\"v\":1,\"kind\":\"open\",\"t\":\"2026-11-23T09:00:00.000000Z\",\"sid\":\"%s\","
            "\"n\":1,\"vantage\":\"x\"%s}\n",
            sid, open);
    for (; rows->kind != NULL; rows++)
        fprintf(f,
                "{\"v\":1,\"kind\":\"%s\",\"t\":\"2026-11-23T09:%02u:%02u.%03u000Z\",\"sid\":"
                "\"%s\",\"n\":%u,\"vantage\":\"x\"%s}\n",
                rows->kind, rows->ms / 60000, rows->ms / 1000 % 60, rows->ms % 1000, sid, ++n,
                rows->rest);
    fclose(f);
}

/* The session begins when its first record says. */
static void write_late(const char *file, const char *sid, const struct row *rows)
{
    FILE *f = fopen(file, "a");
    unsigned n = 0;

    assert_non_null(f);
    for (; rows->kind != NULL; rows++)
        fprintf(f,
                "{\"v\":1,\"kind\":\"%s\",\"t\":\"2026-11-23T%02u:%02u:%02u.%03u000Z\","
                "\"sid\":\"%s\",\"n\":%u,\"vantage\":\"x\"%s}\n",
                rows->kind, 9 + rows->ms / 3600000, rows->ms / 60000 % 60, rows->ms / 1000 % 60,
                rows->ms % 1000, sid, ++n, rows->rest);
    fclose(f);
}

static char near_file[64], far_file[64];

static void on_compared(void *arg, const struct diff_pair *pair,
                        const struct diff_finding *list, size_t len)
{
    char *said = arg;

    (void)pair;
    for (size_t i = 0; i < len; i++) {
        size_t used = strlen(said);
        snprintf(said + used, SAID_MAX - used, "%s%s %s %s %s", used > 0 ? "; " : "",
                 severity_name(list[i].f.severity), list[i].f.id, list[i].sub, list[i].subject);
    }
}

static struct diff_result *compare(char said[SAID_MAX])
{
    const char *near = near_file, *far = far_file;
    struct diff_options o = { .files = { &near, &far },
                              .file_count = { 1, 1 },
                              .examples = 1,
                              .compared = on_compared,
                              .arg = said };
    char error[DIFF_ERROR_MAX];

    said[0] = '\0';
    struct diff_result *r = diff_run(&o, error);
    remove(near_file);
    remove(far_file);
    assert_non_null(r);
    return r;
}

static const char near_open[] = ",\"mode\":\"observe\",\"client\":\"192.0.2.1:4711\"";
static const char far_open[] = ",\"mode\":\"observe\",\"client\":\"192.0.2.1:4711\"";

static void each_case(void **state)
{
    char said[SAID_MAX];
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_rows(near_file, NEAR_SID, near_open, cases[i].near);
        write_rows(far_file, FAR_SID, far_open, cases[i].far);
        struct diff_result *r = compare(said);
        check_number(r->totals.pairs, 1, cases[i].what);
        diff_free(&r);
        if (strcmp(said, cases[i].said) == 0)
            continue;
        print_error("%s: got \"%s\", want \"%s\"\n", cases[i].what, said, cases[i].said);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static const struct row connected[] = {
    { "connect", 1, ",\"upstream\":\"192.0.2.3:25\",\"local\":\"192.0.2.2:999\",\"us\":5" },
    EHLO,
    LEFT,
    { NULL, 0, NULL },
};

static const struct row elsewhere[] = {
    { "connect", 1, ",\"upstream\":\"192.0.2.3:25\",\"local\":\"192.0.2.2:888\",\"us\":5" },
    EHLO,
    LEFT,
    { NULL, 0, NULL },
};

static const struct row refused[] = {
    { "connect", 1, ",\"upstream\":\"192.0.2.3:25\",\"us\":5,\"error\":\"timed out\"" },
    { "close", 900, CLOSE("proxy", "fin") },
    { NULL, 0, NULL },
};

static const struct row health_check[] = { LEFT, { NULL, 0, NULL } };

/* Whole sessions: one pair, and others that lost their partner. */
static void lost_sessions(void **state)
{
    char said[SAID_MAX];

    (void)state;
    write_rows(near_file, NEAR_SID, near_open, connected);
    write_rows(near_file, "01CRZ3NDEKTSV4RRFFQ69G5FAV", near_open, elsewhere);
    write_rows(near_file, "01DRZ3NDEKTSV4RRFFQ69G5FAV", near_open, refused);
    write_rows(near_file, "01ERZ3NDEKTSV4RRFFQ69G5FAV", near_open, health_check);
    write_rows(far_file, FAR_SID, ",\"client\":\"192.0.2.2:999\"", connected);
    struct diff_result *r = compare(said);
    assert_string_equal(said, "high TV-23 answered session; high TV-23 not-connected session");
    assert_int_equal(r->totals.pairs_by[CONFIDENCE_CERTAIN], 1);
    assert_int_equal(r->totals.unpaired[NEAR], 2);
    struct diff_session s;
    assert_true(diff_unpaired_at(r, NEAR, 1, &s));
    assert_string_equal(s.sid, "01DRZ3NDEKTSV4RRFFQ69G5FAV");
    assert_false(diff_unpaired_at(r, NEAR, 2, &s));
    diff_free(&r);
}

/* FAR's clock is an hour ahead: each has a session of a time when the other one saw nothing. */
static void outside_the_time(void **state)
{
    static const struct row late[] = {
        { "command", 1800000, COMMAND("EHLO", "EHLO late\\r\\n", "250 mx\\r\\n", "250") },
        { "close", 1800001, CLOSE("client", "fin") },
        { NULL, 0, NULL },
    };
    static const struct row early[] = {
        { "open", 600000, ",\"client\":\"192.0.2.2:1\"" },
        { "close", 600001, CLOSE("client", "fin") },
        { NULL, 0, NULL },
    };
    static const struct row ahead[] = {
        { "open", 3600000, ",\"client\":\"192.0.2.2:999\"" },
        { "command", 3600010, COMMAND("EHLO", "EHLO c\\r\\n", "250 mx\\r\\n", "250") },
        { "close", 3600900, CLOSE("client", "fin") },
        { NULL, 0, NULL },
    };
    char said[SAID_MAX];

    (void)state;
    write_rows(near_file, NEAR_SID, near_open, connected);
    write_late(near_file, "01CRZ3NDEKTSV4RRFFQ69G5FAV", late);
    write_late(far_file, "01DRZ3NDEKTSV4RRFFQ69G5FAV", early);
    write_late(far_file, FAR_SID, ahead);
    struct diff_result *r = compare(said);
    assert_string_equal(said, "");
    assert_int_equal(r->totals.pairs, 1);
    assert_int_equal(r->totals.apart[NEAR], 1);
    assert_int_equal(r->totals.apart[FAR], 1);
    assert_int_equal(r->totals.unpaired[NEAR], 0);
    diff_free(&r);
}

/* The same port, and nothing in common that was said. */
static void address_against_dialogue(void **state)
{
    static const struct row one[] = { { "connect", 1, ",\"local\":\"192.0.2.2:999\",\"us\":5" },
                                      EHLO,
                                      RCPT(20, "a@example.org"),
                                      LEFT,
                                      { NULL, 0, NULL } };
    static const struct row other[] = {
        { "command", 10, COMMAND("EHLO", "EHLO somebody.else\\r\\n", "250 mx\\r\\n", "250") },
        RCPT(20, "z@example.net"),
        LEFT,
        { NULL, 0, NULL }
    };
    char said[SAID_MAX];

    (void)state;
    write_rows(near_file, NEAR_SID, ",\"client\":\"192.0.2.1:1\"", one);
    write_rows(far_file, FAR_SID, ",\"client\":\"192.0.2.2:999\"", other);
    struct diff_result *r = compare(said);
    assert_int_equal(r->totals.pairs, 0);
    diff_free(&r);
}

#define MAIL_OF(t, hash)                                                                       \
    { "command", t + 10, COMMAND("EHLO", "EHLO c\\r\\n", "250 mx\\r\\n", "250") },             \
        { "content", t + 30, CONTENT("9", "5", hash) }, DOT(t + 40),                           \
        { "close", t + 50, CLOSE("client", "fin") },                                           \
    {                                                                                          \
        NULL, 0, NULL                                                                          \
    }
#define CONNECT(local)                                                                         \
    {                                                                                          \
        "connect", 1, ",\"local\":\"" local "\",\"upstream\":\"127.0.0.1:25\",\"us\":5"        \
    }

/*
 * All on one machine, with a box in between: its port towards FAR is the one that another
 * session of NEAR's has towards the box. Both ends have to be the same.
 */
static void a_port_by_chance(void **state)
{
    static const struct row near[][6] = { { CONNECT("127.0.0.1:1001"), MAIL_OF(0, A32) },
                                          { CONNECT("127.0.0.1:1002"), MAIL_OF(400, B32) },
                                          { CONNECT("127.0.0.1:1003"), MAIL_OF(800, A32) } };
    static const struct row far[][5] = { { MAIL_OF(1, A32) },
                                         { MAIL_OF(401, B32) },
                                         { MAIL_OF(801, A32) } };
    static const char *const ports[] = { "1002", "2001", "2002" };
    char sid[] = NEAR_SID, open[128], said[SAID_MAX];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        sid[1] = (char)('1' + i);
        sid[20] = 'N';
        write_rows(near_file, sid, ",\"client\":\"127.0.0.1:7\"", near[i]);
        snprintf(open, sizeof open, ",\"client\":\"127.0.0.1:%s\",\"server\":\"127.0.0.1:26\"",
                 ports[i]);
        sid[20] = 'F';
        write_rows(far_file, sid, open, far[i]);
    }
    struct diff_result *r = compare(said);
    assert_int_equal(r->totals.pairs, 3);
    assert_string_equal(said, "");
    diff_free(&r);
}

/* Behind NAT, by the dialogue: of the second message nothing arrived. */
static void the_last_message_lost(void **state)
{
    static const struct row both[] = {
        EHLO,
        { "command", 20, COMMAND("MAIL", "MAIL FROM:<a@c>\\r\\n", "250 ok\\r\\n", "250") },
        RCPT(30, "b@mx"),
        { "content", 40, CONTENT("9", "5", A32) },
        DOT(45),
        { "command", 50, SILENT("MAIL", "MAIL FROM:<z@c>\\r\\n") },
        { "command", 51, SILENT("RCPT", "RCPT TO:<y@mx>\\r\\n") },
        { "content", 52, CONTENT("9", "5", B32) },
        { "command", 53, SILENT(".", ".\\r\\n") },
        { "close", 60000, CLOSE("client", "fin") },
        { NULL, 0, NULL },
    };
    static const struct row one[] = {
        EHLO,
        both[1],
        both[2],
        both[3],
        both[4],
        { "close", 60000, CLOSE("client", "fin") },
        { NULL, 0, NULL },
    };
    char said[SAID_MAX];

    (void)state;
    write_rows(near_file, NEAR_SID, near_open, both);
    write_rows(far_file, FAR_SID, ",\"client\":\"192.0.2.77:5\"", one);
    struct diff_result *r = compare(said);
    assert_int_equal(r->totals.pairs, 1);
    assert_non_null(strstr(said, "TV-09 dropped MAIL"));
    assert_null(strstr(said, "TV-23"));
    diff_free(&r);
}

/* Of one connection it is a rewriting; with a proxy in between it may be its own TCP. */
static void tcp_options(void **state)
{
    static const struct {
        const char *near, *far, *said;
    } pairs[] = {
        { "\"client\":\"mss 1460, sack, scale 7\",\"server\":\"mss 1460\"",
          "\"client\":\"mss 1460, sack, scale 7\",\"server\":\"mss 1460\"", "" },
        { "\"client\":\"mss 1460, sack, scale 7\"", "\"client\":\"mss 1380, sack\"",
          "low TV-22 mss client; medium TV-22 scale client" },
        { "\"server\":\"mss 1460, sack\"", "\"server\":\"sack, timestamps, mss 1460\"",
          "medium TV-22 timestamps server" },
        { "\"client\":\"mss 1460\"", "\"server\":\"mss 1460\"", "" },
    };
    char open[256], said[SAID_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        snprintf(open, sizeof open, "%s,\"syn\":{%s}", near_open, pairs[i].near);
        write_rows(near_file, NEAR_SID, open, connected);
        snprintf(open, sizeof open, ",\"client\":\"192.0.2.2:999\",\"syn\":{%s}", pairs[i].far);
        write_rows(far_file, FAR_SID, open, connected);
        struct diff_result *r = compare(said);
        assert_string_equal(said, pairs[i].said);
        diff_free(&r);
    }
}

static void bad_lines_are_told(void **state)
{
    char said[SAID_MAX];
    FILE *f;

    (void)state;
    write_rows(near_file, NEAR_SID, near_open, connected);
    write_rows(far_file, FAR_SID, far_open, connected);
    f = fopen(near_file, "a");
    fputs("rubbish\n{\"v\":2}\n{\"v\":1,\"kind\":\"open\",\"sid\":\"x\"}\n{\"v\":1", f);
    fclose(f);
    struct diff_result *r = compare(said);
    assert_int_equal(r->totals.bad_lines[NEAR], 4);
    assert_int_equal(r->totals.pairs, 1);
    diff_free(&r);
}

static int name_files(void **state)
{
    (void)state;
    snprintf(near_file, sizeof near_file, "/tmp/test-diff-near-%d", (int)getpid());
    snprintf(far_file, sizeof far_file, "/tmp/test-diff-far-%d", (int)getpid());
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case),        cmocka_unit_test(lost_sessions),
        cmocka_unit_test(outside_the_time), cmocka_unit_test(address_against_dialogue),
        cmocka_unit_test(a_port_by_chance), cmocka_unit_test(the_last_message_lost),
        cmocka_unit_test(tcp_options),      cmocka_unit_test(bad_lines_are_told),
    };

    return cmocka_run_group_tests(tests, name_files, NULL);
}
