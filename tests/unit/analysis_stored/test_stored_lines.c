/* Records as no writer of these tests makes them, and more sessions than are kept. */
#include "unit/analysis_stored/back.h"

/* ---- what no writer of these tests makes ---- */

#define HEAD_AT(time, kind, n)                                                                 \
    "{\"v\":1,\"kind\":\"" kind "\",\"t\":\"2026-11-23T" time ".000001Z\","                    \
    "\"sid\":\"01KAS3W6M00000000000000000\",\"n\":" n ",\"vantage\":\"here \\\"1\\\"\""
#define HEAD(kind, n) HEAD_AT("09:00:00", kind, n)

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
    const struct record_view *seen = stored_see(s, &r);
    assert_non_null(seen);
    assert_int_equal(seen->kind, VIEW_CONTENT);
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

/* ---- many ---- */

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
        HEAD_AT("09:01:00", "close",
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
        cmocka_unit_test(test_content_as_read),         cmocka_unit_test(test_foreign_finding),
        cmocka_unit_test(test_no_detector_looks_at),    cmocka_unit_test(test_told_soon),
        cmocka_unit_test(test_findings_behind_the_end), cmocka_unit_test(test_too_many_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
