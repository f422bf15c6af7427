#include "unit/check.h"

#include "base/attributes.h"
#include "smtp/reply.h"

enum { AT = 1000 };

struct reply_case {
    struct span in;
    enum reply_result result;
    unsigned code;
    size_t received;       /* octets */
    struct span canonical; /* no octets: as received */
    const char *notes;     /* "name@position ..." in the order of the list */
};

static const struct reply_case cases[] = {
    { SPAN_INIT("250 2.1.0 Ok\r\n"), REPLY_OK, 250, 14, SPAN_INIT(""), "" },
    { SPAN_INIT("250-a\r\n250-b\r\n250 c\r\n"), REPLY_OK, 250, 21, SPAN_INIT(""), "" },
    { SPAN_INIT("250 a\r\n250 b\r\n"), REPLY_OK, 250, 7, SPAN_INIT(""), "" },
    { SPAN_INIT("334 \r\n"), REPLY_OK, 334, 6, SPAN_INIT(""), "" },
    { SPAN_INIT("250\r\n"), REPLY_OK, 250, 5, SPAN_INIT(""), "reply-no-text@1000 " },
    { SPAN_INIT("250-a\r\n250\r\n"), REPLY_OK, 250, 12, SPAN_INIT(""), "reply-no-text@1007 " },
    { SPAN_INIT("299 x\r\n"), REPLY_OK, 299, 7, SPAN_INIT(""), "" },
    { SPAN_INIT("250-a\n250 b\n"), REPLY_OK, 250, 12, SPAN_INIT("250-a\r\n250 b\r\n"),
      "reply-bare-lf@1005 " },
    { SPAN_INIT("250 a\rb\r\n"), REPLY_OK, 250, 9, SPAN_INIT("250 a b\r\n"),
      "reply-bare-cr@1005 " },
    { SPAN_INIT("250 a\r\r\n"), REPLY_OK, 250, 8, SPAN_INIT("250 a\r\n"),
      "reply-bare-cr@1005 " },
    { SPAN_INIT("250 a\0b\r\n"), REPLY_OK, 250, 9, SPAN_INIT("250 ab\r\n"), "reply-nul@1005 " },
    { SPAN_INIT("2\0\0005\0000 x\r\n"), REPLY_OK, 250, 10, SPAN_INIT("250 x\r\n"),
      "reply-nul@1001 " },
    { SPAN_INIT("250\rx\r\n"), REPLY_OK, 250, 7, SPAN_INIT("250 x\r\n"),
      "reply-bare-cr@1003 " },
    { SPAN_INIT("250 \xc3\xa9\r\n"), REPLY_OK, 250, 8, SPAN_INIT(""), "reply-8bit@1004 " },
    { SPAN_INIT("250 ok\n354 go\r\n"), REPLY_OK, 250, 7, SPAN_INIT("250 ok\r\n"),
      "reply-bare-lf@1006 " },
    { SPAN_INIT("250-a\r\n251 b\r\n"), REPLY_OK, 251, 14, SPAN_INIT(""),
      "reply-code-mismatch@1007 " },

    { SPAN_INIT("354-go\r\n550 no\r\n250 x\r\n"), REPLY_MISMATCH, 550, 16, SPAN_INIT(""),
      "reply-code-mismatch@1008 " },
    { SPAN_INIT("25 Ok\r\n"), REPLY_BAD_CODE, 0, 7, SPAN_INIT(""), "reply-bad-code@1000 " },
    { SPAN_INIT("250Ok\r\n"), REPLY_BAD_CODE, 0, 7, SPAN_INIT(""), "reply-bad-code@1000 " },
    { SPAN_INIT("650 Ok\r\n"), REPLY_BAD_CODE, 0, 8, SPAN_INIT(""), "reply-bad-code@1000 " },
    { SPAN_INIT("150 wait\r\n"), REPLY_BAD_CODE, 0, 10, SPAN_INIT(""), "reply-bad-code@1000 " },
    { SPAN_INIT("hello\r\n250 ok\r\n"), REPLY_BAD_CODE, 0, 7, SPAN_INIT(""),
      "reply-bad-code@1000 " },
    { SPAN_INIT("\r\n"), REPLY_BAD_CODE, 0, 2, SPAN_INIT(""), "reply-bad-code@1000 " },
    { SPAN_INIT("25\r\n"), REPLY_BAD_CODE, 0, 4, SPAN_INIT(""), "reply-bad-code@1000 " },
    { SPAN_INIT("2a0 x\r\n"), REPLY_BAD_CODE, 0, 7, SPAN_INIT(""), "reply-bad-code@1000 " },
    { SPAN_INIT("250\tx\r\n"), REPLY_BAD_CODE, 0, 7, SPAN_INIT(""), "reply-bad-code@1000 " },
    { SPAN_INIT("250-a\r\nb\r\n"), REPLY_BAD_CODE, 250, 10, SPAN_INIT(""),
      "reply-bad-code@1007 " },

    { SPAN_INIT(""), REPLY_MORE, 0, 0, SPAN_INIT(""), "" },
    { SPAN_INIT("250 a\r"), REPLY_MORE, 0, 0, SPAN_INIT(""), "" },
    { SPAN_INIT("250-a\n250-b\r\n"), REPLY_MORE, 0, 0, SPAN_INIT(""), "" },
};

static void check_notes(const struct notes *n, const char *want)
{
    char got[512] = "";
    size_t len = 0;

    for (unsigned i = 0; i < n->len; i++)
        len +=
            (size_t)snprintf(got + len, sizeof got - len, "%s@%ju ",
                             note_name((enum note_id)n->list[i].id), (uintmax_t)n->list[i].at);
    assert_string_equal(got, want);
}

static void check_canonical(const struct reply *r, const struct reply_case *c)
{
    struct buf out;

    buf_init(&out, 4096);
    assert_true(reply_canonical(r->received, &out));
    check_span(buf_span(&out), c->canonical.len > 0 ? c->canonical : r->received, "canonical");
    assert_int_equal(r->canonical, c->canonical.len == 0);
    buf_release(&out);
}

static void check_reply(const struct reply_case *c, struct span in)
{
    const char *what = (const char *)c->in.ptr;
    struct notes notes = { .len = 0 };
    struct reply r;

    check_number(reply_parse(in, &r, &notes, AT), c->result, what);
    check_notes(&notes, c->notes);
    if (c->result == REPLY_MORE)
        return;
    check_number(r.code, c->code, what);
    check_number(r.received.len, c->received, what);
    if (c->result == REPLY_OK)
        check_canonical(&r, c);
}

static void replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_reply(&cases[i], guarded(cases[i].in));
}

static void a_reply_is_the_same_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t n = 0; n <= cases[i].in.len; n++) {
            struct span in = guarded(span_first(cases[i].in, n));
            struct notes notes = { .len = 0 };
            struct reply r;

            if (cases[i].result != REPLY_MORE && n >= cases[i].received) {
                check_reply(&cases[i], in);
                continue;
            }
            assert_int_equal(reply_parse(in, &r, &notes, AT), REPLY_MORE);
            assert_int_equal(notes.len, 0);
        }
    }
}

static void enhanced_codes(void **state)
{
    static const struct {
        const char *in;
        const char *enhanced;
    } codes[] = {
        { "250 2.1.5 Ok\r\n", "2.1.5" },
        { "250-2.1.5\r\n250 2.0.0 x\r\n", "2.1.5" },
        { "550 5.7.133 no\r\n", "5.7.133" },
        { "450 5.7.1 odd\r\n", "5.7.1" },
        { "250 Ok\r\n", "" },
        { "250\r\n", "" },
        { "250 2.1\r\n", "" },
        { "250 2.1.\r\n", "" },
        { "250 2.1.5x\r\n", "" },
        { "250 2.1.5.6 x\r\n", "" },
        { "250 2.1234.5 x\r\n", "" },
        { "250 3.1.5 x\r\n", "" },
        { "250 2..5 x\r\n", "" },
        { "250 \r\n", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct notes notes = { .len = 0 };
        struct reply r;

        check_number(reply_parse(guarded_str(codes[i].in), &r, &notes, 0), REPLY_OK,
                     codes[i].in);
        check_span(r.enhanced, span_str(codes[i].enhanced), codes[i].in);
    }
}

/* "250" separator x... CRLF of exactly so many octets. */
static size_t put_line(char *out, char separator, size_t octets)
{
    memset(out, 'x', octets);
    memcpy(out, "250", 3);
    out[3] = separator;
    memcpy(out + octets - 2, "\r\n", 2);
    return octets;
}

static void long_lines(void **state)
{
    static char in[REPLY_LINE_MAX + 16];
    struct notes notes = { .len = 0 };
    struct reply r;

    (void)state;
    put_line(in, ' ', REPLY_LINE_OCTETS);
    assert_int_equal(reply_parse(guarded(span_of(in, 512)), &r, &notes, 0), REPLY_OK);
    assert_int_equal(notes.len, 0);
    put_line(in, ' ', REPLY_LINE_OCTETS + 1);
    assert_int_equal(reply_parse(guarded(span_of(in, 513)), &r, &notes, 0), REPLY_OK);
    assert_true(notes_has(&notes, NOTE_REPLY_OVERLONG));
    notes.len = 0;
    put_line(in, ' ', REPLY_LINE_MAX);
    assert_int_equal(reply_parse(guarded(span_of(in, REPLY_LINE_MAX)), &r, &notes, 0),
                     REPLY_OK);
    assert_true(notes_has(&notes, NOTE_REPLY_OVERLONG));
    put_line(in, ' ', REPLY_LINE_MAX + 1);
    for (size_t n = REPLY_LINE_MAX - 1; n <= REPLY_LINE_MAX + 1; n++)
        assert_int_equal(reply_parse(guarded(span_of(in, n)), &r, &notes, 0),
                         n > REPLY_LINE_MAX ? REPLY_TOO_LONG : REPLY_MORE);
    assert_int_equal(r.received.len, REPLY_LINE_MAX);
}

static void long_replies(void **state)
{
    static char in[REPLY_MAX + 512];
    struct notes notes = { .len = 0 };
    struct reply r;
    size_t len = 0;

    (void)state;
    while (len < REPLY_MAX - 512)
        len += put_line(in + len, '-', 512);
    put_line(in + len, ' ', 512);
    assert_int_equal(reply_parse(guarded(span_of(in, REPLY_MAX)), &r, &notes, 0), REPLY_OK);
    assert_int_equal(r.received.len, REPLY_MAX);
    assert_true(r.more_than_one);
    put_line(in + len, ' ', 513);
    assert_int_equal(reply_parse(guarded(span_of(in, REPLY_MAX)), &r, &notes, 0), REPLY_MORE);
    assert_int_equal(reply_parse(guarded(span_of(in, REPLY_MAX + 1)), &r, &notes, 0),
                     REPLY_TOO_LONG);
    assert_int_equal(r.received.len, REPLY_MAX);
}

static void canonical_appends_all_or_nothing(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 8);
    assert_true(buf_append(&out, SPAN_LIT("ab")));
    assert_false(reply_canonical(guarded_str("250 a\n"), &out));
    assert_int_equal(out.len, 2);
    assert_true(reply_canonical(guarded_str("250\n"), &out) == true);
    check_span(buf_span(&out), SPAN_LIT("ab250\r\n"), "appended");
    buf_release(&out);
}

static void masked_replies(void **state)
{
    static const struct {
        const char *in;
        bool masked;
    } masks[] = {
        { "250-mx\r\n250-XXXXXXXA\r\n250 SIZE\r\n", true },
        { "250-mx\r\n250 XXXB\r\n", true },
        { "250-mx\r\n250-XXXXXXXXXX 100\r\n250 HELP\r\n", true },
        { "220 **************************0**\r\n", true },
        { "220 ****************************0****2*****\r\n", true },
        { "220-********************\r\n220 mx.example.org ESMTP\r\n", false },
        { "220 *** mx.example.org ***\r\n", false },
        { "220 mx ESMTP\r\n", false },
        { "220 ** 0\r\n", false },
        { "250-mx\r\n250-XXEXCH50\r\n250 XCLIENT\r\n", false },
        { "250-mx\r\n250-XX\r\n250 XXA\r\n", false },
        { "250 ok\r\n", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(masks); i++)
        check_number(reply_looks_masked(guarded_str(masks[i].in)), masks[i].masked,
                     masks[i].in);
}

static void blank_lines_before_a_reply(void **state)
{
    static const struct {
        const char *in;
        size_t octets;
    } rows[] = {
        { "", 0 },          { "\r", 0 },          { "\r\n", 2 },      { "\n", 1 },
        { "\r\r\n", 3 },    { "\n\r\n250 a", 3 }, { "\r\n\r", 2 },    { " \r\n", 0 },
        { "250 a\r\n", 0 }, { "\t\n", 0 },        { "\r\n \r\n", 2 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_number(reply_blank_lines(guarded_str(rows[i].in)), rows[i].octets, rows[i].in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),
        cmocka_unit_test(a_reply_is_the_same_however_it_is_cut),
        cmocka_unit_test(enhanced_codes),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(long_replies),
        cmocka_unit_test(canonical_appends_all_or_nothing),
        cmocka_unit_test(masked_replies),
        cmocka_unit_test(blank_lines_before_a_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
