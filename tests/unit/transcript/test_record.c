/* Records as text: every kind, contents, sizes; nothing kept or leaked. */
#include "unit/transcript/scene.h"

static void heads(void **state)
{
    struct record_open o = { .t_us = (uint64_t)T * 1000000 + 17,
                             .listener = SPAN_LIT("mx"),
                             .mode = SPAN_LIT("observe"),
                             .client = SPAN_LIT("192.0.2.1:1") };
    struct record_connect c = { .t_us = (uint64_t)T * 1000000,
                                .upstream = SPAN_LIT("[::1]:25"),
                                .us = 7,
                                .error = "connection refused" };
    struct scene s;
    char want[600], sid[27];

    (void)state;
    begin(&s, (struct writer_config){ 0 });
    recorder_sid(&s.recorder, sid);
    record_open(&s.recorder, &o);
    record_connect(&s.recorder, &c);
    char *text = end(&s);
    snprintf(
        want, sizeof want,
        "{\"v\":1,\"kind\":\"open\",\"t\":\"2026-11-23T09:04:01.000017Z\",\"sid\":\"%s\","
        "\"n\":1,\"vantage\":\"here \\\"1\\\"\",\"listener\":\"mx\",\"mode\":\"observe\","
        "\"client\":\"192.0.2.1:1\"}\n"
        "{\"v\":1,\"kind\":\"connect\",\"t\":\"2026-11-23T09:04:01.000000Z\",\"sid\":\"%s\","
        "\"n\":2,\"vantage\":\"here \\\"1\\\"\",\"upstream\":\"[::1]:25\",\"us\":7,"
        "\"error\":\"connection refused\"}\n",
        sid, sid);
    assert_string_equal(text, want);
    free(text);
    end_folder();
}

static void whole_command(void **state)
{
    struct event e = command(VERB_MAIL, "MAIL FROM:<a\"b@c.test> \n", 5);
    struct scene s;

    (void)state;
    begin(&s, (struct writer_config){ 0 });
    e.received_octets = 1000;
    e.disposition = DISPOSITION_REWRITTEN;
    e.forwarded = SPAN_LIT("MAIL FROM:<a\"b@c.test>\r\n");
    e.forwarded_us = 2;
    e.replied = SPAN_LIT("250 \xe9\x80\x01\r\n");
    e.enhanced = SPAN_LIT("2.1.0");
    e.auth_line = true;
    e.reads[0] = 0;
    e.reads[1] = 4;
    e.reads_len = 2;
    e.reads_more = true;
    notes_add(&e.notes, NOTE_CMD_BARE_LF, 29);
    notes_add(&e.notes, NOTE_CMD_TRAILING_WS, 28);
    notes_add(&e.notes, NOTE_CMD_BARE_LF, 30);
    record_event(&s.recorder, &e);
    check_tail(end(&s),
               ",\"verb\":\"MAIL\",\"arg\":\"FROM:<a\\\"b@c.test> \",\"at\":5,"
               "\"received\":\"MAIL FROM:<a\\\"b@c.test> \\n\",\"received_octets\":1000,"
               "\"forwarded\":\"MAIL FROM:<a\\\"b@c.test>\\r\\n\",\"reads\":[0,4],"
               "\"reads_more\":true,\"action\":\"rewritten\",\"forward_us\":2,"
               "\"origin\":\"upstream\",\"reply\":\"250 ok\\r\\n\","
               "\"replied\":\"250 \xc3\xa9\\u0080\\u0001\\r\\n\",\"code\":250,"
               "\"enhanced\":\"2.1.0\",\"reply_us\":3,\"auth_line\":true,"
               "\"notes\":[{\"id\":\"cmd-bare-lf\",\"at\":29,\"count\":2},"
               "{\"id\":\"cmd-trailing-ws\",\"at\":28,\"count\":1}]}\n");
    end_folder();
}

static void opaque_and_close(void **state)
{
    struct event e = { .kind = EVENT_OPAQUE,
                       .t_us = (uint64_t)T * 1000000,
                       .opaque_octets = { 10, 20 },
                       .opaque_why = "starttls" };
    uint32_t good[TALLY_COUNT] = { 1 }, all[TALLY_COUNT] = { 1 };
    struct record_close c = { .t_us = (uint64_t)T * 1000000,
                              .us = 99,
                              .reason = CLOSE_QUIT,
                              .first = -1,
                              .how = END_RESET,
                              .octets_in = { 1, 2 },
                              .octets_out = { 3, 4 },
                              .good = good,
                              .all = all };
    struct scene s;

    (void)state;
    begin(&s, (struct writer_config){ 0 });
    record_event(&s.recorder, &e);
    check_tail(end(&s), ",\"why\":\"starttls\",\"octets\":{\"client\":10,\"server\":20}}\n");
    end_folder();
    good[TALLY_RCPT] = 1;
    all[TALLY_RCPT] = 3;
    all[TALLY_UNKNOWN] = 2;
    c.tcp[SERVER] = (struct record_tcp){ true, 1, 2, 3, 4, 5, 6 };
    begin(&s, (struct writer_config){ 0 });
    record_close(&s.recorder, &c);
    check_tail(end(&s),
               ",\"reason\":\"quit\",\"text\":\"QUIT was answered\",\"error\":false,"
               "\"first\":\"proxy\",\"how\":\"reset\",\"octets\":{\"client_in\":1,"
               "\"client_out\":3,\"server_in\":2,\"server_out\":4},\"us\":99,"
               "\"commands\":{\"ehlo\":\"1\",\"rcpt\":\"1/3\",\"unknown\":\"0/2\"},"
               "\"tcp\":{\"server\":{\"rtt_us\":1,\"retransmits\":2,\"unacked\":3,\"pmtu\":4,"
               "\"acked\":5,\"received\":6}}}\n");
    end_folder();
}

static void content(struct scene *s, enum content_mark mark, const char *text)
{
    uint64_t at[] = { 0, 6 };
    struct data d = { .stats = { .octets = 12,
                                 .octets_sent = 13,
                                 .altered = mark != CONTENT_SAME,
                                 .lines = 2,
                                 .header_octets = 12 } };
    struct event e = { .kind = EVENT_CONTENT,
                       .t_us = (uint64_t)T * 1000000,
                       .data = &d,
                       .complete = true,
                       .content_reads = 2,
                       .content_read_at = at };

    record_content(&s->recorder, mark, span_str(text));
    notes_add(&d.notes, NOTE_DATA_BARE_LF, 3);
    record_event(&s->recorder, &e);
}

#define CONTENT_FIGURES                                                                        \
    "\"lines\":2,\"longest_line\":0,\"endings\":{\"crlf\":0,\"bare_lf\":0,\"crcrlf\":0,"       \
    "\"bare_cr\":0},\"nul\":0,\"eight_bit\":0,\"leading_dots\":0,\"header_octets\":12,"        \
    "\"signed_headers\":false,\"reads\":{\"n\":2,\"at\":[0,6]},\"us\":0,"                      \
    "\"notes\":[{\"id\":\"data-bare-lf\",\"at\":3,\"count\":1}]"

static void contents(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, (struct writer_config){ .content = CONTENT_LEVEL_NONE });
    content(&s, CONTENT_RECEIVED, "Hello: world");
    check_tail(end(&s),
               ",\"at\":0,\"via\":\"data\",\"complete\":true,\"altered\":true,"
               "\"refused\":false,\"octets\":12,\"octets_sent\":13," CONTENT_FIGURES "}\n");
    end_folder();
    begin(&s, (struct writer_config){ .content = CONTENT_LEVEL_HEADERS, .sha256 = true });
    content(&s, CONTENT_SAME, "Hello: world");
    check_tail(
        end(&s),
        ",\"at\":0,\"via\":\"data\",\"complete\":true,\"altered\":false,"
        "\"refused\":false,\"octets\":12," CONTENT_FIGURES ",\"digest\":{\"alg\":\"xxh3-128\","
        "\"whole\":\"a85b415ab903b1fb165772873d5bbc49\","
        "\"blocks\":[[12,\"a85b415ab903b1fb165772873d5bbc49\"]]},"
        "\"sha256\":\"9804fcbdf50e3915ca9eeb9fb0e7bb18e1a0f4ade85d5e44b796376b1d6f6a4c\","
        "\"headers\":\"Hello: world\"}\n");
    end_folder();
}

#define OATH                                                                                   \
    "DKIM-Signature: v=1; a=rsa-sha256; d=\"; s=s; h=x; b=; "                                  \
    "bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=\r\n"
#define OATH_TOLD                                                                              \
    ",\"canonicalization\":\"simple\",\"algorithm\":\"rsa-sha256\",\"domain\":\"\\\"\","       \
    "\"selector\":\"s\","                                                                      \
    "\"expected\":\"7eb70257593da06f682a3ddda54a9d260d4fc514f645237f5ca74b08f8da61a6\""

static void begin_signed(struct scene *s, enum dkim_level level, bool bdat)
{
    struct span mail = SPAN_LIT(OATH "\r\n..\r\n");

    begin(s, (struct writer_config){ .content = CONTENT_LEVEL_DIGEST, .dkim = level });
    if (bdat)
        record_chunk(&s->recorder, CONTENT_SAME, mail);
    else
        record_content(&s->recorder, CONTENT_SAME, mail);
}

/* What signatures say: before the record, and in it. */
static void signatures(void **state)
{
    struct data d = { .stats = { .octets = 1 } };
    struct event e = { .kind = EVENT_CONTENT, .data = &d, .complete = true };
    struct span body;
    struct scene s;

    (void)state;
    begin_signed(&s, DKIM_LEVEL_NO, false);
    assert_null(record_content_dkim(&s.recorder, true));
    record_event(&s.recorder, &e);
    assert_null(record_content_dkim(&s.recorder, true));
    char *text = end(&s);
    assert_null(strstr(text, "dkim"));
    free(text);
    end_folder();
    for (int bdat = 0; bdat < 2; bdat++) {
        begin_signed(&s, bdat ? DKIM_LEVEL_REPAIR : DKIM_LEVEL_CHECK, bdat);
        const struct dkim_verdict *v = record_content_dkim(&s.recorder, true);
        assert_int_equal(v->count, 1);
        assert_int_equal(v->signatures[0].result, DKIM_CHANGED);
        assert_int_equal(record_content_body(&s.recorder, &body), bdat);
        if (bdat)
            check_span(body, SPAN_LIT("..\r\n"), "body");
        record_content_damage(&s.recorder, 0, bdat ? "x" : NULL, "it \"was\"");
        record_event(&s.recorder, &e);
        text = end(&s);
        const char *at = strstr(text, ",\"dkim\"");
        assert_non_null(at);
        assert_string_equal(
            at, bdat ? ",\"dkim\":[{\"header\":\"dkim\",\"result\":\"changed\"" OATH_TOLD
                       ",\"computed\":"
                       "\"272b660cc18bcd3289a0c88a76bfb45f2a12ab76a1571f0118d5a074a5e59751\","
                       "\"damage\":\"x\",\"damage_text\":\"it \\\"was\\\"\"}]}\n"
                     : ",\"dkim\":[{\"header\":\"dkim\",\"result\":\"changed\"" OATH_TOLD
                       ",\"computed\":"
                       "\"c0a317f60910eed08bbfc7b3ac6e6de1b2029bf4922d0b0d7d3759313a24b16c\","
                       "\"damage_text\":\"it \\\"was\\\"\"}]}\n");
        free(text);
        end_folder();
    }
}

/* The content itself goes to a file of its own, one for each message. */
static void spooled(void **state)
{
    struct scene s;
    char file[160], *text;

    (void)state;
    begin(&s, (struct writer_config){ .content = CONTENT_LEVEL_FULL });
    for (unsigned i = 0; i < 20000; i++)
        record_content(&s.recorder, CONTENT_SAME, SPAN_LIT("0123456789"));
    content(&s, CONTENT_SAME, "Hello: world");
    content(&s, CONTENT_SAME, "\xff\r\n");
    char *lines = end(&s);
    for (unsigned i = 1; i <= 2; i++) {
        snprintf(file, sizeof file, "\"spool\":{\"file\":\"%s-%u.eml\",\"octets\":%u}",
                 s.recorder.sid, i, i == 1 ? 200012 : 3);
        assert_non_null(strstr(lines, file));
        snprintf(file, sizeof file, "%s/%s-%u.eml", folder, s.recorder.sid, i);
        text = file_text(file);
        assert_int_equal(strlen(text), i == 1 ? 200012 : 3);
        assert_string_equal(text + (i == 1 ? 200000 : 0), i == 1 ? "Hello: world" : "\xff\r\n");
        free(text);
        unlink(file);
    }
    free(lines);
    end_folder();
}

static void contradictions_are_told(void **state)
{
    char error[256];
    static const struct {
        enum redact_level redact;
        const char *spool, *what;
    } cases[] = {
        { REDACT_ALL, "/tmp", "redact" },
        { REDACT_SECRETS, "/nonexistent", "\"/nonexistent\"" },
        { REDACT_SECRETS, NULL, "spool folder" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct writer_config c = { .file = "/dev/null",
                                   .fd = -1,
                                   .content = CONTENT_LEVEL_FULL,
                                   .redact = cases[i].redact,
                                   .spool = cases[i].spool };
        assert_null(writer_start(&c, error, sizeof error));
        assert_non_null(strstr(error, cases[i].what));
    }
}

/* One record of every octet in every text, far larger than a chunk. */
static void large_records(void **state)
{
    enum { SIZE = 65536 };
    unsigned char *x = malloc(SIZE);
    struct event e = command(VERB_NOOP, "NOOP\r\n", 0);
    struct scene s;

    (void)state;
    for (unsigned i = 0; i < SIZE; i++)
        x[i] = (unsigned char)i;
    begin(&s, (struct writer_config){ 0 });
    e.reply = e.replied = e.received = span_of(x, SIZE);
    for (unsigned i = 0; i < 3; i++) {
        record_event(&s.recorder, &e);
        struct event small = command(VERB_NOOP, "NOOP\r\n", 0);
        record_event(&s.recorder, &small);
    }
    char *text = end(&s);
    assert_int_equal(check_whole_lines(text), 6);
    free(text);
    free(x);
    end_folder();
}

/* A session that ends within its content gives all back; ASan looks. */
static void unfinished_content(void **state)
{
    struct record_close c = { .reason = CLOSE_CLIENT_RESET };
    struct scene s;

    (void)state;
    begin(&s, (struct writer_config){ .content = CONTENT_LEVEL_HEADERS, .sha256 = true });
    record_content(&s.recorder, CONTENT_SAME, SPAN_LIT("Hello: world"));
    record_close(&s.recorder, &c);
    assert_null(s.recorder.digest);
    free(end(&s));
    end_folder();
}

static void without_a_writer(void **state)
{
    struct stream *stream = stream_new(NULL, NULL, NULL);
    struct record_close c = { 0 };
    struct event e = command(VERB_NOOP, "NOOP\r\n", 0);
    struct recorder r;
    char sid[27];

    (void)state;
    recorder_init(&r, stream, 1);
    recorder_sid(&r, sid);
    assert_int_equal(strlen(sid), 26);
    record_event(&r, &e);
    record_content(&r, CONTENT_SAME, SPAN_LIT("x"));
    record_close(&r, &c);
    assert_null(r.digest);
    assert_false(stream_is_blocked(stream));
    stream_flush(stream);
    stream_free(&stream);
    stream_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads),
        cmocka_unit_test(whole_command),
        cmocka_unit_test(opaque_and_close),
        cmocka_unit_test(contents),
        cmocka_unit_test(signatures),
        cmocka_unit_test(spooled),
        cmocka_unit_test(contradictions_are_told),
        cmocka_unit_test(large_records),
        cmocka_unit_test(unfinished_content),
        cmocka_unit_test(without_a_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
