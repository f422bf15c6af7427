/*
 * The same sessions live and read back: equal findings. What stands in a transcript already
 * is not found again.
 */
#include "unit/analysis/play.h"
#include "unit/transcript/scene.h"

#include "analysis/stored/stored.h"

enum { LINES_MAX = 400, TOLD_MAX = 200 };

/* ---- a session told to the detectors and written down ---------------------------------------
 */

struct told {
    char line[TOLD_MAX][900];
    unsigned count;
};

struct tape {
    struct scene scene;
    struct told live;
    bool findings; /* written down, too */
    char *text;
};

static void tell(struct told *t, const char *sid, const struct finding *f)
{
    char bytes[2 * FINDING_BYTES_MAX + 1] = "";

    assert_true(t->count < TOLD_MAX);
    for (size_t i = 0; i < f->bytes.len; i++)
        snprintf(bytes + 2 * i, 3, "%02x", f->bytes.ptr[i]);
    snprintf(t->line[t->count++], sizeof t->line[0],
             "%s %s %s %d %d %d %u %s %llu %s [%s] %s %s %s", sid, f->id, f->name,
             (int)f->severity, (int)f->confidence, (int)f->side, f->record,
             f->field != NULL ? f->field : "-", (unsigned long long)f->at, bytes, f->text,
             f->next_test, f->products[0] != NULL ? f->products[0] : "-",
             f->products[0] != NULL && f->products[1] != NULL ? f->products[1] : "-");
}

static void live_found(void *arg, const struct finding *f)
{
    struct play *p = arg;
    struct tape *t = p->arg;

    on_found(p, f);
    tell(&t->live, t->scene.recorder.sid, f);
    if (t->findings)
        record_finding(&t->scene.recorder, f, p->t_us);
}

static void write_down(struct play *p, struct seen *s)
{
    struct tape *t = p->arg;
    struct recorder *r = &t->scene.recorder;

    switch (s->kind) {
    case SEEN_OPEN:
        recorder_init(r, t->scene.stream, p->t_us);
        record_open(r, s->open);
        break;
    case SEEN_CONNECT:
        record_connect(r, s->connect);
        break;
    case SEEN_TLS:
        record_tls(
            r, &(struct record_tls){
                   .t_us = s->t_us, .us = s->tls_us, .side = s->tls_side, .facts = s->tls });
        break;
    case SEEN_CLOSE:
        p->n = s->n = r->n + 1;
        return; /* last: its findings stand before it */
    default:
        record_event(r, s->event);
    }
    p->n = s->n = r->n;
}

static void close_tape(struct play *p, struct play_end end)
{
    struct tape *t = p->arg;

    play_close(p, end);
    struct record_close c = { .t_us = p->t_us,
                              .reason = end.reason,
                              .first = end.first,
                              .how = end.how,
                              .octets_in = { p->client_at, p->server_octets + end.surplus },
                              .tcp = { [SERVER] = end.server } };
    record_close(&t->scene.recorder, &c);
}

/* ---- sessions
 * --------------------------------------------------------------------------------- */

static void play_masked(struct play *p)
{
    OPEN(p);
    play_greeting(p, "220 **20***************************2*0\r\n");
    play_command(p, "EHLO a\r\n",
                 "250-mx.example.com\r\n250-XXXXXXXA\r\n250-CHU*KING\r\n250 XXXB\r\n");
    play_command(p, "STARTTLS\r\n", "500 5.5.1 Command unrecognized: \"XXXXXXXX\"\r\n");
    play_command(p, "MAIL FROM:<a@example.com>\r\n", "250 2.1.0 Ok\r\n");
    play_unsolicited(p, "250 2.0.0 Ok\r\n");
    close_tape(p, (struct play_end){ CLOSE_CLIENT_EOF, CLIENT, HOW_FIN, 1000, 0, { 0 } });
}

static void play_from_behind(struct play *p)
{
    OPEN(p);
    play_greeting(p, "220 *** 2\r\n");
    play_command(p, "NOOP                   \r\n", "250 2.0.0 Ok\r\n");
    play_command(p, "XXXX FROM:<secret@example.com>\r\n", "500 5.5.1 \"XXXX\" \200\377?\r\n");
    play_command(p, "AUTH PLAIN XXXXXXXX\r\n", "541 5.4.1 Content blocked by Palo Alto x\r\n");
    close_tape(p, (struct play_end){ CLOSE_QUIT, CLIENT, HOW_FIN, 1000, 0, { 0 } });
}

static void play_dangling(struct play *p)
{
    OPEN(p);
    play_greeting(p, "220 mx.example.com ESMTP\r\n");
    play_command(p, "EHLO a\r\n", "");
    close_tape(p,
               (struct play_end){ CLOSE_UPSTREAM_TIMEOUT, -1, HOW_TIMEOUT, SECOND, 40, { 0 } });
}

static void play_batch(struct play *p)
{
    play_begin(p);
    play_command(p, "MAIL FROM:<a@x>\r\n", "250 2.1.0 Ok\r\n");
    play_batched(p, "RCPT TO:<b@x>\r\n", "");
    close_tape(p,
               (struct play_end){ CLOSE_CLIENT_EOF, CLIENT, HOW_FIN, 12 * SECOND, 0, { 0 } });
}

static void play_killed(struct play *p)
{
    play_begin(p);
    play_command(p, "HELP\r\n", "");
    close_tape(p, (struct play_end){ CLOSE_UPSTREAM_RESET,
                                     SERVER,
                                     HOW_RESET,
                                     30000,
                                     0,
                                     { .valid = true, .rtt_us = 20000 } });
}

static void play_unanswered_mail(struct play *p)
{
    static const struct record_tcp acked = { .valid = true, .rtt_us = 9000, .acked = 99 };

    play_begin(p);
    play_command(p, "MAIL FROM:<a@x> SIZE=900\r\n", "250 2.1.0 Ok\r\n");
    play_command(p, "RCPT TO:<b@x>\r\n", "250 2.1.5 Ok\r\n");
    play_command(p, "DATA\r\n", "354 go\r\n");
    play_content(p, (struct data_stats){ .octets = 1000, .lines = 10, .crcrlf = 10 }, true);
    play_event(p, event_command(p, ".\r\n", "", 1));
    close_tape(p,
               (struct play_end){ CLOSE_CLIENT_EOF, CLIENT, HOW_FIN, 61 * SECOND, 0, acked });
}

static void play_stalled(struct play *p)
{
    struct record_tcp stuck = { .valid = true, .unacked = 4, .retransmits = 5, .rtt_us = 9 };

    play_begin(p);
    play_envelope(p);
    stuck.acked = p->client_at + 1400;
    play_content(p, (struct data_stats){ .octets = 90000 }, false);
    close_tape(
        p, (struct play_end){ CLOSE_UPSTREAM_STALLED, -1, HOW_TIMEOUT, 20 * SECOND, 0, stuck });
}

static void play_intercepted(struct play *p)
{
    struct tls_facts f = { .version = "TLSv1.2",
                           .failure = TLS_FAILURE_TIMEOUT,
                           .hello_client = true,
                           .alert_received = TLS_ALERT_UNKNOWN,
                           .alert_sent = 40,
                           .issuer = "CN=Avast Web/Mail Shield Root" };

    play_begin(p);
    play_command(p, "STARTTLS\r\n", "454 TLS not available due to temporary reason\r\n");
    play_see(p, (struct seen){
                    .kind = SEEN_TLS, .tls = &f, .tls_side = SERVER, .tls_us = 11 * SECOND });
    p->t_us += 30 * (uint64_t)SECOND;
    struct event e = event_command(p, "NOOP\r\n", "421 4.4.2 timed out\n", 0);
    notes_add(&e.notes, NOTE_REPLY_BARE_LF, 7);
    play_event(p, e);
    close_tape(p, (struct play_end){ CLOSE_UPSTREAM_421, SERVER, HOW_FIN, 1000, 0, { 0 } });
}

static void play_refused(struct play *p)
{
    play_begin(p);
    play_command(p, "BDAT 5 LAST\r\n", "502 5.5.1 no\r\n");
    play_command(p, "EHLO a\r\n", "250-Requested mail action okay, completed\r\n250 OK\r\n");
    close_tape(p, (struct play_end){ CLOSE_QUIT, CLIENT, HOW_FIN, 1000, 0, { 0 } });
}

static void play_clean(struct play *p)
{
    play_begin(p);
    play_envelope(p);
    play_content(p, (struct data_stats){ .octets = 1000, .lines = 10, .crlf = 10 }, true);
    play_command(p, ".\r\n", "250 2.0.0 Ok\r\n");
    play_command(p, "QUIT\r\n", "221 2.0.0 Bye\r\n");
    close_tape(p, (struct play_end){ CLOSE_QUIT, CLIENT, HOW_FIN, 1000, 0, { 0 } });
}

static void (*const sessions[])(struct play *p) = {
    play_clean,  play_masked,  play_from_behind,     play_dangling, play_batch,
    play_killed, play_stalled, play_unanswered_mail, play_refused,  play_intercepted,
};

/* ---- recorded and read
 * ---------------------------------------------------------------------------- */

static void record_all(struct tape *t, bool findings)
{
    struct play p;

    memset(t, 0, sizeof *t);
    t->findings = findings;
    begin(&t->scene, (struct writer_config){ .redact = REDACT_SECRETS });
    play_start(&p);
    p.before = write_down;
    p.arg = t;
    p.env.found = live_found;
    for (unsigned round = 0; round < 3; round++) /* some need a past */
        for (size_t i = 0; i < ARRAY_LEN(sessions); i++)
            sessions[i](&p);
    play_stop(&p);
    t->text = end(&t->scene);
    end_folder();
}

struct back {
    struct told told;
    unsigned recorded;
};

static void back_found(void *arg, const struct stored_finding *f)
{
    struct back *b = arg;

    assert_int_equal(strlen(f->sid), 26);
    assert_int_equal(strlen(f->t), 27);
    assert_string_equal(f->vantage, "here \"1\"");
    tell(&b->told, f->sid, f->finding);
    b->recorded += f->recorded;
}

static struct catalogue *load(void)
{
    char error[512];
    struct catalogue *c = catalogue_load(CATALOGUE, error, sizeof error);

    if (c == NULL)
        fail_msg("%s", error);
    return c;
}

static void see_line(struct stored_detect *d, const char *line, size_t len)
{
    char error[READER_ERROR_MAX];
    struct record r;

    if (!record_parse(span_of(line, len), &r, error))
        fail_msg("%s: %.*s", error, (int)len, line);
    stored_detect_see(d, &r);
    record_free(&r);
}

static void read_back(const char *text, struct back *b)
{
    struct catalogue *c = load();
    struct stored_detect *d = stored_detect_new(c, back_found, b);

    assert_non_null(d);
    for (const char *lf; (lf = strchr(text, '\n')) != NULL; text = lf + 1)
        see_line(d, text, (size_t)(lf - text));
    stored_detect_free(&d);
    catalogue_free(&c);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void check_told(struct told *got, struct told *want)
{
    qsort(got->line, got->count, sizeof got->line[0], by_text);
    qsort(want->line, want->count, sizeof want->line[0], by_text);
    for (unsigned i = 0; i < got->count || i < want->count; i++)
        if (strcmp(got->line[i], want->line[i]) != 0)
            fail_msg("got  %s\nwant %s", i < got->count ? got->line[i] : "-",
                     i < want->count ? want->line[i] : "-");
}

static void test_equal_findings(void **state)
{
    static struct tape t;
    static struct back b;

    (void)state;
    record_all(&t, false);
    memset(&b, 0, sizeof b);
    read_back(t.text, &b);
    assert_int_equal(b.recorded, 0);
    assert_true(b.told.count >= 40);
    check_told(&b.told, &t.live);
    free(t.text);
}

/* Every kind of detector that looks at records is among these. */
static void test_which_detectors(void **state)
{
    static const char *const ids[] = { "SV-01", "SV-02", "SV-03", "SV-04", "SV-05", "SV-06",
                                       "SV-07", "SV-08", "SV-09", "SV-10", "SV-11", "SV-13",
                                       "SV-14", "SV-15", "SV-16", "SV-17", "SV-20", "SV-21",
                                       "SV-22", "SV-25", "SV-29" };
    static struct tape t;

    (void)state;
    record_all(&t, false);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        bool there = false;
        for (unsigned k = 0; k < t.live.count; k++)
            there = there || strstr(t.live.line[k], ids[i]) != NULL;
        if (!there)
            fail_msg("no %s", ids[i]);
    }
    free(t.text);
}

static void test_recorded_findings(void **state)
{
    static struct tape t;
    static struct back b;

    (void)state;
    record_all(&t, true);
    memset(&b, 0, sizeof b);
    read_back(t.text, &b);
    check_told(&b.told, &t.live);
    assert_int_equal(b.recorded, b.told.count); /* each once, none anew */
    free(t.text);
}

/* Twice the same, and from the file without its findings: nothing is kept anywhere else. */
static void test_the_same_again(void **state)
{
    static struct tape t;
    static struct back a, b;

    (void)state;
    record_all(&t, false);
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    read_back(t.text, &a);
    read_back(t.text, &b);
    assert_int_equal(memcmp(&a, &b, sizeof a), 0);
    free(t.text);
}

/* ---- sessions side by side
 * --------------------------------------------------------------------------- */

/* One line of each session in turn; those that need no past are found all the same. */
static void interleave(char *text, char *out)
{
    char *at[64];
    unsigned count = 0, left = 1;
    char last[27] = "";

    for (char *p = text; *p != '\0'; p = strchr(p, '\n') + 1) {
        char *sid = strstr(p, "\"sid\":\"") + 7;
        if (strncmp(sid, last, 26) != 0) {
            assert_true(count < 64);
            at[count++] = p;
            memcpy(last, sid, 26);
        }
    }
    char *ends[64];
    for (unsigned i = 0; i < count; i++)
        ends[i] = i + 1 < count ? at[i + 1] : text + strlen(text);
    while (left > 0) {
        left = 0;
        for (unsigned i = 0; i < count; i++) {
            if (at[i] >= ends[i])
                continue;
            size_t len = (size_t)(strchr(at[i], '\n') + 1 - at[i]);
            memcpy(out, at[i], len);
            out += len;
            at[i] += len;
            left++;
        }
    }
    *out = '\0';
}

static void test_interleaved(void **state)
{
    static struct tape t;
    static struct back b;
    unsigned same = 0;

    (void)state;
    record_all(&t, false);
    char *mixed = malloc(strlen(t.text) + 1);
    interleave(t.text, mixed);
    assert_int_equal(strlen(mixed), strlen(t.text));
    memset(&b, 0, sizeof b);
    read_back(mixed, &b);
    for (unsigned i = 0; i < t.live.count; i++)
        for (unsigned k = 0; k < b.told.count; k++)
            same += strcmp(t.live.line[i], b.told.line[k]) == 0;
    assert_true(same >= 40);
    free(mixed);
    free(t.text);
}

/* A session cut off anywhere gives no finding that the whole one does not give. */
static void test_cut_short(void **state)
{
    static struct tape t;
    static struct back b;

    (void)state;
    record_all(&t, false);
    for (char *p = t.text; (p = strchr(p, '\n')) != NULL; p++) {
        char next = p[1];
        p[1] = '\0';
        memset(&b, 0, sizeof b);
        read_back(t.text, &b);
        p[1] = next;
        for (unsigned i = 0; i < b.told.count; i++) {
            bool there = false;
            for (unsigned k = 0; k < t.live.count; k++)
                there = there || strcmp(b.told.line[i], t.live.line[k]) == 0;
            if (!there)
                fail_msg("only when cut: %s", b.told.line[i]);
        }
        p += strlen(p) / 20; /* some twenty places */
    }
    free(t.text);
}

/* ---- what no writer of these tests makes
 * ---------------------------------------------------------------- */

#define HEAD(kind, n)                                                                          \
    "{\"v\":1,\"kind\":\"" kind "\",\"t\":\"2026-11-23T09:00:00.000001Z\","                    \
    "\"sid\":\"01KAS3W6M00000000000000000\",\"n\":" n ",\"vantage\":\"here \\\"1\\\"\""

static void test_content_as_read(void **state)
{
    static const char line[] = HEAD(
        "content",
        "7") ",\"at\":5,\"via\":\"data\",\"complete\":true,\"altered\":false,\"refused\":false,"
             "\"octets\":20,\"lines\":2,\"longest_line\":9,\"endings\":{\"crlf\":2,\"bare_lf\":"
             "0,"
             "\"crcrlf\":0,\"bare_cr\":0},\"nul\":0,\"eight_bit\":3,\"leading_dots\":1,"
             "\"header_octets\":9,\"signed_headers\":true,\"reads\":{\"n\":2,\"at\":[0,7]},"
             "\"us\":4,"
             "\"headers\":\"X-NAT-Received: 10.0.0.2\\r\\n\","
             "\"dkim\":[{\"header\":\"dkim\",\"result\":\"changed\",\"canonicalization\":"
             "\"relaxed\","
             "\"algorithm\":\"rsa-sha1\",\"domain\":\"d.example\",\"selector\":\"s\","
             "\"length\":9,"
             "\"expected\":\"0aff\",\"computed\":\"0b\"}]}";
    char error[READER_ERROR_MAX];
    struct stored *s = stored_new();
    struct record r;

    (void)state;
    if (!record_parse(span_str(line), &r, error))
        fail_msg("%s", error);
    const struct seen *seen = stored_see(s, &r);
    assert_non_null(seen);
    assert_int_equal(seen->kind, SEEN_CONTENT);
    assert_int_equal(seen->n, 7);
    assert_int_equal(seen->t_us, UINT64_C(1795424400000001));
    assert_false(seen->event->bdat);
    assert_int_equal(seen->event->data->stats.octets, 20);
    assert_int_equal(seen->event->data->stats.eight_bit, 3);
    assert_int_equal(seen->event->content_read_at[1], 7);
    check_span(seen->headers, SPAN_LIT("X-NAT-Received: 10.0.0.2\r\n"), "headers");
    const struct dkim_signature *d = &seen->dkim->signatures[0];
    assert_int_equal(seen->dkim->count, 1);
    assert_int_equal(d->result, DKIM_CHANGED);
    assert_true(d->relaxed && d->sha1 && d->limited && !d->arc);
    assert_int_equal(d->length, 9);
    assert_string_equal(d->domain, "d.example");
    assert_int_equal(d->hash_len, 2);
    assert_memory_equal(d->expected, "\x0a\xff", 2);
    assert_null(d->damage);
    record_free(&r);
    stored_free(&s);
}

/* A finding of another program, of two vantage points: passed on as it is. */
static void test_foreign_finding(void **state)
{
    static struct back b;
    static const char text[] =
        HEAD("finding", "3") ",\"id\":\"TV-02\",\"name\":\"masked\",\"severity\":\"high\","
                             "\"confidence\":\"certain\",\"side\":\"between\",\"record\":2,"
                             "\"field\":\"received\",\"at\":4,\"bytes\":\"X\\u00ff\","
                             "\"text\":\"It is.\",\"next_test\":\"None.\","
                             "\"products\":[\"a\",\"b\"]}\n";

    (void)state;
    memset(&b, 0, sizeof b);
    read_back(text, &b);
    assert_int_equal(b.recorded, 1);
    assert_string_equal(b.told.line[0],
                        "01KAS3W6M00000000000000000 TV-02 masked 3 3 3 2 received "
                        "4 58ff [It is.] None. a b");
}

static void test_no_detector_looks_at(void **state)
{
    static const char line[] = HEAD("lost", "9") ",\"records\":4}";
    char error[READER_ERROR_MAX];
    struct stored *s = stored_new();
    struct record r;

    (void)state;
    if (!record_parse(span_str(line), &r, error))
        fail_msg("%s", error);
    assert_null(stored_see(s, &r));
    record_free(&r);
    stored_free(&s);
    stored_free(&s);
}

/* ---- many
 * ----------------------------------------------------------------------------------------------------
 */

static unsigned many_found;

static void count_found(void *arg, const struct stored_finding *f)
{
    (void)arg;
    (void)f;
    many_found++;
}

/* What is found is told with the next record of its session, not at the end of the file. */
static void test_told_soon(void **state)
{
    static const char masked[] = HEAD("greeting", "1") ",\"at\":0,\"origin\":\"upstream\","
                                                       "\"reply\":\"220 ************\\r\\n\"}";
    static const char next[] = HEAD("opaque", "2") ",\"octets\":{\"client\":0,\"server\":0}}";
    struct catalogue *c = load();
    struct stored_detect *d = stored_detect_new(c, count_found, NULL);

    (void)state;
    many_found = 0;
    see_line(d, masked, strlen(masked));
    assert_int_equal(many_found, 0);
    see_line(d, next, strlen(next));
    assert_int_equal(many_found, 1);
    stored_detect_free(&d);
    catalogue_free(&c);
    assert_int_equal(many_found, 1);
}

/* Findings of the end may stand behind the close record. */
static void test_findings_behind_the_end(void **state)
{
    static const char *const lines[] = {
        HEAD("command", "1") ",\"verb\":\"EHLO\",\"at\":0,\"received\":\"EHLO a\\r\\n\","
                             "\"action\":\"relayed\",\"origin\":\"none\"}\n",
        HEAD("close",
             "2") ",\"reason\":\"upstream-timeout\",\"text\":\"t\",\"error\":true,"
                  "\"first\":\"proxy\",\"how\":\"timeout\",\"octets\":{\"client_in\":8,"
                  "\"client_out\":0,\"server_in\":40,\"server_out\":8},\"us\":9}\n",
        HEAD("finding",
             "3") ",\"id\":\"SV-07\",\"name\":\"ehlo-dangling\",\"severity\":\"high\","
                  "\"confidence\":\"medium\",\"side\":\"server\",\"text\":\"It is.\"}\n",
    };
    static struct back b;
    char text[2000];

    (void)state;
    for (int recorded = 0; recorded < 2; recorded++) {
        snprintf(text, sizeof text, "%s%s%s", lines[0], lines[1], recorded ? lines[2] : "");
        memset(&b, 0, sizeof b);
        read_back(text, &b);
        assert_int_equal(b.told.count, 1);
        assert_int_equal(b.recorded, recorded);
    }
}

/* More sessions open than are kept: the oldest is forgotten, the newest is not. */
static void test_too_many_open(void **state)
{
    struct catalogue *c = load();
    struct stored_detect *d = stored_detect_new(c, count_found, NULL);
    char line[400];

    (void)state;
    many_found = 0;
    for (unsigned i = 0; i < 65540; i++) {
        snprintf(line, sizeof line,
                 "{\"v\":1,\"kind\":\"open\",\"t\":\"2026-11-23T09:00:00.000000Z\","
                 "\"sid\":\"01KAS3W6M000000000%08u\",\"n\":1,\"vantage\":\"v\"}",
                 i);
        see_line(d, line, strlen(line));
    }
    for (unsigned i = 0; i < 65540; i += 65539) {
        snprintf(line, sizeof line,
                 "{\"v\":1,\"kind\":\"command\",\"t\":\"2026-11-23T09:00:00.000000Z\","
                 "\"sid\":\"01KAS3W6M000000000%08u\",\"n\":2,\"vantage\":\"v\",\"verb\":\"\","
                 "\"at\":0,\"received\":\"XXXX a\\r\\n\",\"action\":\"relayed\","
                 "\"origin\":\"none\"}",
                 i);
        see_line(d, line, strlen(line));
    }
    stored_detect_free(&d);
    catalogue_free(&c);
    assert_int_equal(many_found, 2); /* also of the one that began anew */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_findings),
        cmocka_unit_test(test_which_detectors),
        cmocka_unit_test(test_recorded_findings),
        cmocka_unit_test(test_the_same_again),
        cmocka_unit_test(test_interleaved),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_content_as_read),
        cmocka_unit_test(test_foreign_finding),
        cmocka_unit_test(test_no_detector_looks_at),
        cmocka_unit_test(test_too_many_open),
        cmocka_unit_test(test_told_soon),
        cmocka_unit_test(test_findings_behind_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
