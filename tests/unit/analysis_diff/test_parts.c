/* The parts of a comparison, each alone: raw JSON, texts with unknown octets, alignment,
 * changes of a text, places of records. */
#include "unit/check.h"

#include "analysis/diff/align.h"
#include "analysis/diff/change.h"
#include "analysis/diff/index.h"
#include "analysis/diff/raw.h"
#include "analysis/diff/text.h"
#include "base/attributes.h"

/* ---- raw ---- */

static void raw_members(void **state)
{
    static const struct {
        const char *json, *members; /* "name=value;"; NULL: bad */
    } cases[] = {
        { "{}", "" },
        { " { } ", "" },
        { "{\"a\":1}", "a=1;" },
        { "{ \"a\" : 1 , \"b\":\"x,}\\\"\" }", "a=1;b=\"x,}\\\"\";" },
        { "{\"a\":{\"b\":[1,{\"c\":\"]\"}]},\"d\":null}",
          "a={\"b\":[1,{\"c\":\"]\"}]};d=null;" },
        { "{\"a\":\"\\\\\",\"b\":2}", "a=\"\\\\\";b=2;" },
        { "", NULL },
        { "[]", NULL },
        { "{", NULL },
        { "{\"a\"}", NULL },
        { "{\"a\":}", NULL },
        { "{\"a\":1", NULL },
        { "{\"a\":1 \"b\":2}", NULL },
        { "{\"a\":\"x}", NULL },
        { "{\"a\":[1,2}", NULL },
        { "{a:1}", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char got[256] = "";
        struct span name, value;
        struct raw r;
        bool ok = raw_open(&r, guarded_str(cases[i].json), RAW_OBJECT);
        while (ok && raw_member(&r, &name, &value)) {
            size_t used = strlen(got);
            snprintf(got + used, sizeof got - used, "%.*s=%.*s;", (int)name.len,
                     (const char *)name.ptr, (int)value.len, (const char *)value.ptr);
        }
        check_number(ok && !r.bad, cases[i].members != NULL, cases[i].json);
        if (cases[i].members != NULL)
            assert_string_equal(got, cases[i].members);
    }
}

static void raw_values(void **state)
{
    static const struct {
        const char *json, *octets;
        size_t len;
    } texts[] = {
        { "\"\"", "", 0 },
        { "\"a\\r\\n\\t\\\"\\\\\\/\"", "a\r\n\t\"\\/", 7 },
        { "\"\\u0000\\u001b\\u00ff\"", "\0\x1b\xff", 3 },
        { "\"\xc3\xa9\xc2\xa0\"", "\xe9\xa0", 2 },
        { "\"\xe2\x82\xac\"", "?", 1 },
        { "\"\\u20ac\\u12\"", "??", 2 },
        { "7", "", 0 },
    };
    unsigned char out[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct span text = raw_text(guarded_str(texts[i].json));
        check_span(span_of(out, raw_octets(text, out)), span_of(texts[i].octets, texts[i].len),
                   texts[i].json);
    }
    assert_int_equal(raw_count(SPAN_LIT("18446744073709551615")), UINT64_MAX);
    assert_int_equal(raw_count(SPAN_LIT("99999999999999999999")), UINT64_MAX);
    assert_int_equal(raw_count(SPAN_LIT("-1")), 0);
    assert_int_equal(raw_time(SPAN_LIT("\"1970-01-01T00:00:00.000001Z\"")), 1);
    assert_int_equal(raw_time(SPAN_LIT("\"2024-02-29T12:34:56.789012Z\"")), 1709210096789012u);
    assert_int_equal(raw_time(SPAN_LIT("\"2026-11-23T09:04:01.000000Z\"")), 1795424641000000u);
    assert_int_equal(raw_time(SPAN_LIT("\"2024-13-29T12:34:56.789012Z\"")), 0);
    assert_int_equal(raw_time(SPAN_LIT("\"yesterday\"")), 0);
}

/* ---- texts ---- */

static struct scratch memory;

static struct text read_text(const char *json, enum text_redaction r, const char *cuts)
{
    struct text t;

    assert_true(text_read(&t, &memory, guarded_str(json), r, span_str(cuts)));
    return t;
}

static void unknown_octets(void **state)
{
    static const struct {
        const char *what, *a, *cuts_a, *b, *cuts_b;
        enum text_redaction ra, rb;
        bool equal;
    } cases[] = {
        { "plain", "\"ab\"", "", "\"ab\"", "", REDACTION_NONE, REDACTION_NONE, true },
        { "stars are stars", "\"220 ***\"", "", "\"220 abc\"", "", REDACTION_NONE,
          REDACTION_NONE, false },
        { "of known length", "\"AUTH PLAIN ***\\r\\n\"", "[{\"at\":11,\"octets\":5}]",
          "\"AUTH PLAIN abcde\\r\\n\"", "", REDACTION_SECRET, REDACTION_NONE, true },
        { "of another length", "\"AUTH PLAIN ***\\r\\n\"", "[{\"at\":11,\"octets\":5}]",
          "\"AUTH PLAIN abcdef\\r\\n\"", "", REDACTION_SECRET, REDACTION_NONE, false },
        { "both, as long", "\"A ***\"", "[{\"at\":2,\"octets\":9}]", "\"A ***\"",
          "[{\"at\":2,\"octets\":9}]", REDACTION_SECRET, REDACTION_SECRET, true },
        { "both, shortened", "\"A ***\"", "[{\"at\":2,\"octets\":9}]", "\"A ***\"",
          "[{\"at\":2,\"octets\":8}]", REDACTION_SECRET, REDACTION_SECRET, false },
        { "a name", "\"RCPT TO:<***@x>\"", "", "\"RCPT TO:<joe@x>\"", "", REDACTION_MAILBOX,
          REDACTION_NONE, true },
        { "a name at another host", "\"RCPT TO:<***@x>\"", "", "\"RCPT TO:<joe@y>\"", "",
          REDACTION_MAILBOX, REDACTION_NONE, false },
        { "two names", "\"<***@x> <***@y>\"", "", "\"<joe@x> <jim@y>\"", "", REDACTION_MAILBOX,
          REDACTION_NONE, true },
        { "no name", "\"220 *** x\"", "", "\"220 abc x\"", "", REDACTION_MAILBOX,
          REDACTION_NONE, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct text a = read_text(cases[i].a, cases[i].ra, cases[i].cuts_a);
        struct text b = read_text(cases[i].b, cases[i].rb, cases[i].cuts_b);
        check_number(text_equal(a, b), cases[i].equal, cases[i].what);
        check_number(text_equal(b, a), cases[i].equal, cases[i].what);
    }
    scratch_reset(&memory);
}

static void deltas(void **state)
{
    static const struct {
        const char *a, *b;
        struct delta want;
    } cases[] = {
        { "abc", "abc", { 3, 0, 0 } },   { "abc", "aXc", { 1, 1, 1 } },
        { "abc", "ac", { 1, 1, 0 } },    { "ac", "abc", { 1, 0, 1 } },
        { "aaa", "aa", { 2, 1, 0 } },    { "", "x", { 0, 0, 1 } },
        { "abcd", "axyd", { 1, 2, 2 } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct delta d = text_delta((struct text){ .s = span_str(cases[i].a) },
                                    (struct text){ .s = span_str(cases[i].b) });
        check_number(d.at, cases[i].want.at, cases[i].b);
        check_number(d.sent, cases[i].want.sent, cases[i].b);
        check_number(d.received, cases[i].want.received, cases[i].b);
    }
}

/* ---- alignment ---- */

struct letters {
    const char *a, *b;
};

static unsigned letter_cost(void *arg, size_t a, size_t b)
{
    const struct letters *l = arg;

    if (l->a[a] == l->b[b])
        return 0;
    return (l->a[a] | 0x20) == (l->b[b] | 0x20) ? 4 : ALIGN_NEVER;
}

/* What became of each letter: the letter, or "-". */
static void aligned(const char *a, const char *b, char *out)
{
    struct letters l = { a, b };
    struct align g = { letter_cost, &l, strlen(a), strlen(b) };
    size_t *partner = calloc(g.a_len + 1, sizeof *partner), last = 0;

    assert_true(align_run(&g, &memory, partner));
    for (size_t i = 0; i < g.a_len; i++) {
        out[i] = partner[i] == ALIGN_NONE ? '-' : b[partner[i]];
        assert_true(partner[i] == ALIGN_NONE || partner[i] >= last);
        last = partner[i] == ALIGN_NONE ? last : partner[i] + 1;
    }
    out[g.a_len] = '\0';
    free(partner);
    scratch_reset(&memory);
}

static void alignments(void **state)
{
    static const struct {
        const char *a, *b, *want;
    } cases[] = {
        { "", "", "" },           { "abc", "abc", "abc" },
        { "abc", "ac", "a-c" },   { "ac", "abc", "ac" },
        { "abc", "aBc", "aBc" },  { "abc", "axc", "a-c" },
        { "abc", "", "---" },     { "", "abc", "" },
        { "abab", "ab", "ab--" }, { "ehmrd", "ehrd", "eh-rd" },
    };
    enum { LONG = 3000 };
    char out[LONG + 1], a[LONG + 1], b[LONG + 2];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        aligned(cases[i].a, cases[i].b, out);
        assert_string_equal(out, cases[i].want);
    }
    /* Longer than one window, damaged at both ends and in the middle. */
    for (unsigned i = 0; i < LONG; i++)
        a[i] = b[i] = (char)('a' + i * i % 23 + i % 3);
    a[LONG] = b[LONG] = '\0';
    b[0] = b[LONG - 1] = b[1500] = '#';
    aligned(a, b, out);
    unsigned lost = 0;
    for (unsigned i = 0; i < LONG; i++)
        lost += out[i] == '-';
    assert_int_equal(lost, 3);
}

/* ---- changes ---- */

static void check_spot(const struct spot *s, uint64_t count, uint64_t sent_at,
                       uint64_t received_at, const char *what)
{
    check_number(s->count, count, what);
    check_number(s->sent_at, sent_at, what);
    check_number(s->received_at, received_at, what);
}

static void changes(void **state)
{
    static struct change c;

    (void)state;
    change_find(&c, SPAN_LIT("a\r\nb\r\n"), SPAN_LIT("a\r\nb\r\n"));
    assert_int_equal(c.altered.count, 0);
    change_find(&c, SPAN_LIT("a\nb\r\nc\n"), SPAN_LIT("a\r\nb\r\nc\r\n"));
    assert_int_equal(c.ends[LINE_END_LF][LINE_END_CRLF].count, 2);
    assert_int_equal(c.ends_sent[LINE_END_LF], 2);
    change_find(&c, SPAN_LIT("H: x\r\n\r\n..a\r\n..\r\n"), SPAN_LIT("H: x\r\n\r\n.a\r\n.\r\n"));
    assert_int_equal(c.dots[2][1].count, 2);
    assert_int_equal(c.dots[2][1].sent_at, 8);
    change_find(&c, SPAN_LIT("a\0b\0\r\n"), SPAN_LIT("ab\r\n"));
    assert_int_equal(c.octets[0].deleted.count, 2);
    change_find(&c, SPAN_LIT("caf\xe9\r\n"), SPAN_LIT("caf\xc3\xa9\r\n"));
    assert_int_equal(c.octets[0xe9].expanded.count, 1);
    change_find(&c, SPAN_LIT("0123456789abcdef\r\n"), SPAN_LIT("01234567!\r\n 89abcdef\r\n"));
    assert_int_equal(c.folded.count, 1);
    assert_int_equal(c.fold_column, 8);
    change_find(&c, SPAN_LIT("0123456789\r\nx\r\n"), SPAN_LIT("0123\r\nx\r\n"));
    assert_int_equal(c.cut.count, 1);
    assert_int_equal(c.cut_column, 4);
    change_find(&c, SPAN_LIT("a  \r\n"), SPAN_LIT("a\r\n"));
    assert_int_equal(c.trimmed.count, 1);
    change_find(&c, SPAN_LIT("A: 1\r\n\r\nx\r\n"),
                SPAN_LIT("Received: y\r\nA: 1\r\n\r\nx\r\nfoot\r\n"));
    assert_int_equal(c.new_header.count, 1);
    assert_true(c.new_received);
    assert_int_equal(c.new_end.count, 1);
    change_find(&c, SPAN_LIT("A: 1\r\nB: 2\r\n\r\nx\r\ny\r\n"), SPAN_LIT("A: 1\r\n\r\ny\r\n"));
    assert_int_equal(c.gone_header.count, 1);
    check_span(c.new_name, SPAN_LIT("B"), "name");
    assert_int_equal(c.gone_middle.count, 1);
}

/* A CR alone ends a line for whoever makes it an end. */
static void changes_of_ends(void **state)
{
    static struct change c;

    (void)state;
    change_find(&c, SPAN_LIT("one\r\ntwo\r\nthree\r\n"), SPAN_LIT("one\rtwo\r\nthree\r\n"));
    check_spot(&c.ends[LINE_END_CRLF][LINE_END_CR], 1, 3, 3, "an LF is lost");
    assert_int_equal(c.altered.count, 0);
    change_find(&c, SPAN_LIT("four\rfive\r\n\rsix\r\n"),
                SPAN_LIT("four\r\nfive\r\n\r\nsix\r\n"));
    check_spot(&c.ends[LINE_END_CR][LINE_END_CRLF], 2, 4, 4, "CR to CRLF");
    assert_int_equal(c.ends_sent[LINE_END_CR], 2);
    change_find(&c, SPAN_LIT("x\r\none\ntwo\nthree\r\nfour\r\n"),
                SPAN_LIT("x\r\none two three\r\nfour\r\n"));
    check_spot(&c.ends[LINE_END_LF][LINE_END_SPACE], 2, 6, 6, "LF to space");
    assert_int_equal(c.ends[LINE_END_CRLF][LINE_END_CRLF].count, 0);
    change_find(&c, SPAN_LIT("one\rtwo\n"), SPAN_LIT("onetwo\r\n"));
    check_spot(&c.ends[LINE_END_CR][LINE_END_NOTHING], 1, 3, 3, "a CR is lost");
    check_spot(&c.ends[LINE_END_LF][LINE_END_CRLF], 1, 7, 6, "the end of both");
    change_find(&c, SPAN_LIT("a\r\r\r\nb\r\n"), SPAN_LIT("a\r\r\nb\r\n"));
    check_spot(&c.ends[LINE_END_CR][LINE_END_CRCRLF], 1, 1, 1, "one CR of three is lost");
    change_find(&c, SPAN_LIT("a\r\nb\r\n"), SPAN_LIT("a\xfc\nb\r\n"));
    check_spot(&c.octets['\r'].replaced, 1, 1, 1, "a CR became another octet");
    assert_int_equal(c.octets['\r'].by, 0xfc);
    assert_int_equal(c.altered.count + c.ends[LINE_END_CRLF][LINE_END_LF].count, 0);
    change_find(&c, SPAN_LIT("H: x\r\n\r\ntext\r\n\r\n\r\n"), SPAN_LIT("H: x\r\n\r\ntext\r\n"));
    check_spot(&c.blank_end_gone, 2, 14, 14, "empty lines at the end");
    assert_int_equal(c.gone_end.count, 0);
    change_find(&c, SPAN_LIT("H: x\r\n\r\ntext\r\n"), SPAN_LIT("H: x\r\n\r\ntext\r\n\r\n"));
    check_spot(&c.blank_end_new, 1, 14, 14, "one more");
}

static void changes_of_dots(void **state)
{
    static struct change c;

    (void)state;
    change_find(&c, SPAN_LIT("H: x\r\n\r\n...two\r\n"), SPAN_LIT("H: x\r\n\r\n......two\r\n"));
    check_spot(&c.dots[3][6], 1, 8, 8, "six dots");
    change_find(&c, SPAN_LIT("H: x\r\n\r\na\r\n..\r\nb\r\n"),
                SPAN_LIT("H: x\r\n\r\na\r\nb\r\n"));
    check_spot(&c.dots_gone, 1, 11, 11, "a line of dots");
    assert_int_equal(c.gone_middle.count, 0);
    change_find(&c, SPAN_LIT("H: x\r\n\r\na\r\nb\r\n"),
                SPAN_LIT("H: x\r\n\r\na\r\n..\r\nb\r\n"));
    check_spot(&c.dots_new, 1, 11, 11, "nobody sent it");
    change_find(&c, SPAN_LIT("H: x\r\n\r\na\r\n..\r\nb\r\nc\r\n"),
                SPAN_LIT("H: x\r\n\r\na\r\n"));
    check_spot(&c.ended_at_dots, 1, 11, 11, "an end was made");
    assert_int_equal(c.ended_at_dots.sent_len, 10);
    assert_int_equal(c.gone_end.count, 0);
    change_find(&c, SPAN_LIT("H: x\r\n\r\na\r\n..\r\n"), SPAN_LIT("H: x\r\n\r\na\r\n"));
    assert_int_equal(c.ended_at_dots.count, 0);
    assert_int_equal(c.dots_gone.count, 1);
}

static void changes_of_octets(void **state)
{
    static struct change c;

    (void)state;
    change_find(&c,
                SPAN_LIT("Gr\xc3\xbc\xc3\x9f"
                         "e, \xe6\x97\xa5\r\n"),
                SPAN_LIT("Gr\xc3\x83\xc2\xbc\xc3\x83\xc2\x9f"
                         "e, \xc3\xa6\xc2\x97\xc2\xa5\r\n"));
    assert_int_equal(c.octets[0xc3].expanded.count, 2);
    assert_int_equal(c.octets[0xa5].expanded.count, 1);
    assert_int_equal(c.altered.count, 0);
    change_find(&c, SPAN_LIT("a NUL \0 here\r\nmore\r\n"), SPAN_LIT("a NUL \r\nmore\r\n"));
    check_spot(&c.octets[0].cut, 1, 6, 6, "cut at a NUL");
    assert_int_equal(c.cut.count, 0);
    change_find(&c, SPAN_LIT("x\r\nold \x1a end\r\nmore\r\n"), SPAN_LIT("x\r\nold \r\n"));
    check_spot(&c.ended, 1, 7, 7, "ended at 1A");
    assert_int_equal(c.ended_by, 0x1a);
    assert_int_equal(c.gone_end.count + c.octets[0x1a].cut.count, 0);
    change_find(&c, SPAN_LIT("a   b \t c\r\nd  \r\n"), SPAN_LIT("a b c\r\nd\r\n"));
    check_spot(&c.collapsed, 1, 2, 2, "blanks became one");
    assert_int_equal(c.trimmed.count, 1);
    change_find(&c, SPAN_LIT("abcdefgh\r\n"), SPAN_LIT("abXYefgh\r\n"));
    check_spot(&c.altered, 1, 2, 2, "letters are no rule");
    change_find(&c, SPAN_LIT("abcdefgh\r\n"), SPAN_LIT("abXdefgh\r\n"));
    check_spot(&c.octets['c'].replaced, 1, 2, 2, "one octet");
}

static void changes_of_lines(void **state)
{
    static struct change c;

    (void)state;
    change_find(&c, SPAN_LIT("Subject: hi\r\nTo: x\r\n\r\nb\r\n"),
                SPAN_LIT("Subject: [SPAM] hi\r\nTo: x\r\n\r\nb\r\n"));
    check_spot(&c.other_header, 1, 9, 9, "a subject with a tag");
    check_span(c.new_name, SPAN_LIT("Subject"), "its name");
    change_find(&c, SPAN_LIT("Subject: hi\r\n\r\nb\r\n"), SPAN_LIT("Subject: hj\r\n\r\nb\r\n"));
    assert_int_equal(c.other_header.count, 0);
    assert_int_equal(c.octets['i'].replaced.count, 1);
    change_find(&c, SPAN_LIT("H: x\r\n\r\nSubject: hi\r\n"),
                SPAN_LIT("H: x\r\n\r\nSubject: [SPAM] hi\r\n"));
    check_spot(&c.altered, 1, 17, 17, "in the body it is text");
    change_find(&c,
                SPAN_LIT("H: x\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nType: x\r\n\r\nTVqQ\r\nAAAA\r\n"
                         "--b--\r\nend\r\n"),
                SPAN_LIT("H: x\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nType: y/z q\r\n\r\n"
                         "removed by us\r\n--b--\r\nend\r\n"));
    assert_int_equal(c.other_part.count, 1);
    assert_int_equal(c.other_part.sent_len, 12);
    assert_int_equal(c.other_part.received_len, 15);
    assert_int_equal(c.gone_middle.count, 0);
    change_find(&c, SPAN_LIT("H: x\r\n\r\n--b\r\n\r\none\r\n}\r\ntwo\r\n--b--\r\n"),
                SPAN_LIT("H: x\r\n\r\n--b\r\n\r\none\r\n]]]]\r\ntwo\r\n--b--\r\n"));
    check_spot(&c.altered, 1, 20, 20, "one line of a part is not the part");
    assert_int_equal(c.other_part.count, 0);
    change_find(&c, SPAN_LIT("H: x\r\n\r\nTVqQ\r\nAAAA\r\nend\r\n"),
                SPAN_LIT("H: x\r\n\r\nremoved by us\r\nend\r\n"));
    assert_int_equal(c.other_part.count, 0);
}

/* Both go on with a delimiter, and the two are others: it comes to an end. */
static void another_delimiter(void **state)
{
    static struct change c;

    (void)state;
    change_find(&c, SPAN_LIT("H: x\r\n\r\n--b\r\none\r\n--b\r\nend\r\n--b--\r\n"),
                SPAN_LIT("H: x\r\n\r\n--b\r\none\r\n--b and much else\r\nend\r\n--b--\r\n"));
    check_spot(&c.altered, 1, 21, 21, "the delimiter");
    assert_int_equal(c.other_part.count, 0);
}

/* An attachment is longer than what is looked ahead. */
static void a_long_part(void **state)
{
    static char sent[200000], received[200000];
    static struct change c;
    const char *const head = "H: x\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n";
    const char *const tail = "--b--\r\nend\r\n";
    size_t len = strlen(head);

    (void)state;
    memcpy(sent, head, len);
    for (unsigned n = 0; n < 2000; n++)
        len += (size_t)snprintf(sent + len, sizeof sent - len, "%uqVT%ux\r\n", n * 7919, n * n);
    snprintf(sent + len, sizeof sent - len, "%s", tail);
    snprintf(received, sizeof received, "%sremoved\r\nby us\r\n%s", head, tail);
    change_find(&c, span_str(sent), span_str(received));
    check_spot(&c.other_part, 1, strlen(head), strlen(head), "a part of 2000 lines");
    assert_int_equal(c.other_part.sent_len, len - strlen(head));
    assert_int_equal(c.other_part.received_len, 16);
    assert_int_equal(c.altered.count + c.gone_middle.count + c.gone_end.count, 0);
}

/* ---- places ---- */

/* Records of two sessions in turn, with gaps of every size between them. */
static void places(void **state)
{
    enum { RECORDS = 200 };
    static uint64_t offsets[2][RECORDS];
    char name[64], error[DIFF_ERROR_MAX];
    struct index x;

    (void)state;
    snprintf(name, sizeof name, "/tmp/test-places-%d", (int)getpid());
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    for (unsigned i = 0; i < 2 * RECORDS; i++) {
        offsets[i % 2][i / 2] = (uint64_t)ftell(f);
        fprintf(f,
                "{\"v\":1,\"kind\":\"command\",\"t\":\"2026-11-23T09:00:00.000000Z\","
                "\"sid\":\"0%cARZ3NDEKTSV4RRFFQ69G5FAV\",\"n\":%u%*s}\n",
                i % 2 == 0 ? '1' : '2', i / 2 + 1, (int)(i * i % 20000), "");
    }
    fclose(f);
    const char *files[] = { name, name };
    struct source *s = source_open(files, 1, NULL, error);
    assert_non_null(s);
    struct index_watch w = { .progress = NULL };
    index_init(&x, NEAR);
    assert_true(index_build(&x, s, &w, error));
    assert_int_equal(index_count(&x), 2);
    for (unsigned v = 0; v < 2; v++) {
        struct places p;
        struct span line;
        uint64_t at;
        places_begin(&p, &x, index_entry(&x, v + 1));
        for (unsigned i = 0; i < RECORDS; i++) {
            assert_true(places_next(&p, &at));
            assert_int_equal(at, offsets[v][i]);
            assert_true(source_at(s, at, &line));
            assert_true(span_starts_with(line, SPAN_LIT("{\"v\":1")));
        }
        assert_false(places_next(&p, &at));
    }
    index_deinit(&x);
    source_close(&s);
    remove(name);
}

static int setup(void **state)
{
    (void)state;
    scratch_init(&memory, 64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_deinit(&memory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_members),
        cmocka_unit_test(raw_values),
        cmocka_unit_test(unknown_octets),
        cmocka_unit_test(deltas),
        cmocka_unit_test(alignments),
        cmocka_unit_test(changes),
        cmocka_unit_test(changes_of_ends),
        cmocka_unit_test(changes_of_dots),
        cmocka_unit_test(changes_of_octets),
        cmocka_unit_test(changes_of_lines),
        cmocka_unit_test(another_delimiter),
        cmocka_unit_test(a_long_part),
        cmocka_unit_test(places),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
