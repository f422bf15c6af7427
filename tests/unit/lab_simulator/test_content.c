/* Mail data through a box: whole, octet by octet, and cut at every place. */
#include "box_play.h"

#include "base/buf.h"

struct content_case {
    const char *preset;
    struct span data, want;
};

#define NOTICE  "The attachment was removed by your mail gateway.\r\n"
#define ESET    "X-EsetResult: clean, is OK\r\nX-EsetId: 37303A2980D94855627C65\r\n"
#define LINE50  "01234567890123456789012345678901234567890123456789"
#define LINE250 LINE50 LINE50 LINE50 LINE50 LINE50
#define LINE990                                                                                \
    LINE250 LINE250 LINE250 LINE50 LINE50 LINE50 LINE50                                        \
        "0123456789012345678901234567890123456789"

#define CASE(preset, data, want)                                                               \
    {                                                                                          \
        preset, SPAN_INIT(data), SPAN_INIT(want)                                               \
    }

static const struct content_case cases[] = {
    CASE("clean", "a\r\n..\r\n.b\n.\r\nc\r\n.\r\n", "a\r\n..\r\n.b\n.\r\nc\r\n.\r\n"),
    CASE("combo", "\r\n\r\n.\r\n",
         "\r\n\r\n-- \r\nThis email has been checked for viruses by Avast antivirus "
         "software.\r\n.\r\n"),

    CASE("nl-lf2crlf", "\na\n\nb\r\n\r\n\n.\r\n.\r\n", "\r\na\r\n\r\nb\r\n\r\n\r\n.\r\n.\r\n"),
    CASE("nl-cr2crlf", "a\rb\r\rc\r\r\n.\r\n", "a\r\nb\r\n\r\nc\r\n\r\n.\r\n"),
    CASE("nl-crlf2lf", "a\r\n\r\nb\r\n.\r\n", "a\n\nb\r\n.\r\n"),
    CASE("nl-crcrlf", "a\r\n\r\nb\r\n.\r\n", "a\r\r\n\r\r\nb\r\n.\r\n"),
    CASE("nl-crcrlf", ".\r\n", ".\r\n"),
    CASE("nl-stray2space", "a\rb\nc\r\r\n\r\n.\r\n", "a b c \r\n\r\n.\r\n"),

    CASE("dot-unstuff-only", "..a\r\n...\r\nb..\r\n..\r\n.\r\n",
         ".a\r\n..\r\nb..\r\n.\r\n.\r\n"),
    CASE("dot-stuff-twice", "..a\r\nb.\r\n..\r\n.\r\n", "...a\r\nb.\r\n...\r\n.\r\n"),
    CASE("dot-drop-dot-line", "a\r\n..\r\n..b\r\n...\r\n..\n\r\n.x\r\n.\r\n",
         "a\r\n..b\r\n...\r\n..\n\r\n.x\r\n.\r\n"),

    CASE("bytes-7bit", "\xc3\xa9\x8d\x8a\r\n.\r\n", "C)\r\n\r\n.\r\n"),
    CASE("bytes-nul-del", "\0a\0\0\r\n\0\r\n.\r\n", "a\r\n\r\n.\r\n"),
    CASE("bytes-nul-cut", "a\0b\rc\nd\r\ne\r\n.\r\n", "a\r\ne\r\n.\r\n"),
    CASE("bytes-ctrl-del", "a\t\x01\x7f\x1f\0\rb\r\n.\r\n", "a\t\0\rb\r\n.\r\n"),
    CASE("bytes-1a-cut", "a\r\nb\x1a\r\nc\r\n.\r\n", "a\r\nb\r\n.\r\n"),
    CASE("bytes-1a-cut", "a\r\n\x1a\r\nc\r\n.\r\n", "a\r\n.\r\n"),
    CASE("bytes-high-question", "\x7f\x80\xff\r\n.\r\n", "\x7f??\r\n.\r\n"),
    CASE("bytes-latin1-utf8", "\xe9\x80\x7f\xff\r\n.\r\n",
         "\xc3\xa9\xc2\x80\x7f\xc3\xbf\r\n.\r\n"),
    CASE("bytes-tab-space", "\ta\t\t\r\n.\r\n", " a  \r\n.\r\n"),

    CASE("line-fold990", LINE990 "\r\n" LINE990 "a\r\n.\r\n",
         LINE990 "\r\n" LINE990 "!\r\na\r\n.\r\n"),
    CASE("line-fold998", LINE990 "01234567\r\n" LINE990 "01234567a" LINE990 "01234567\r\n.\r\n",
         LINE990 "01234567\r\n" LINE990 "01234567\r\n a" LINE990 "012345\r\n 67\r\n.\r\n"),
    CASE("line-cut1024", LINE990 LINE50 "\r\nb\r\n.\r\n",
         LINE990 "0123456789012345678901234567890123\r\nb\r\n.\r\n"),

    CASE("ws-strip", " a \t\r\n\t\r\nb \rc \n d\r\n.\r\n", " a\r\n\r\nb \rc \n d\r\n.\r\n"),
    CASE("ws-collapse", " a \t b\t\tc \r\n  \r\n.\r\n", " a b c \r\n \r\n.\r\n"),
    CASE("ws-tail", "A: b\r\n\r\nc\r\n\r\nd\r\n\r\n\r\n.\r\n",
         "A: b\r\n\r\nc\r\n\r\nd\r\n.\r\n"),
    CASE("ws-tail", "A: b\r\n\r\n.\r\n", "A: b\r\n\r\n.\r\n"),

    CASE("hdr-insert-top", ".\r\n", "Received: from x by y\r\n.\r\n"),
    CASE("hdr-insert-end", "A: b\r\n\r\nc\r\n\r\nd\r\n.\r\n",
         "A: b\r\n" ESET "\r\nc\r\n\r\nd\r\n.\r\n"),
    CASE("hdr-insert-end", "A: b\r\n\rx\r\n.\r\n", "A: b\r\n\rx\r\n" ESET ".\r\n"),
    CASE("hdr-insert-end", "A: b\r\n.\r\n", "A: b\r\n" ESET ".\r\n"),
    CASE("hdr-insert-end", "\r\na\r\n.\r\n", ESET "\r\na\r\n.\r\n"),
    CASE("hdr-delete",
         "A: b\r\nx-mailer: c\r\n d\r\n\te\r\nX-Mail: f\r\n\r\nX-Mailer: g\r\n.\r\n",
         "A: b\r\nX-Mail: f\r\n\r\nX-Mailer: g\r\n.\r\n"),
    CASE("hdr-delete", "X-Mailer: a\r\n\r\nb\r\n.\r\n", "\r\nb\r\n.\r\n"),
    CASE("hdr-delete", "X-Mailer: a\r\nX-Mailer: b\r\n.\r\n", ".\r\n"),
    CASE("hdr-delete", "X-M\r\n.\r\n", "X-M\r\n.\r\n"),
    CASE("hdr-rewrite-id", "message-id: <1>\r\n (c)\r\nA: b\r\n\r\n.\r\n",
         "message-id: <9@relay>\r\nA: b\r\n\r\n.\r\n"),
    CASE("hdr-rewrite-id", "Message-ID: <1>\r\n.\r\n", "Message-ID: <9@relay>\r\n.\r\n"),
    CASE("hdr-rewrite-id", "Message-ID: <1>\r\n\r\nMessage-ID: <1>\r\n.\r\n",
         "Message-ID: <9@relay>\r\n\r\nMessage-ID: <1>\r\n.\r\n"),
    CASE("subj-tag", "Subject: a\r\n b\r\nSubject:c\r\n\r\nSubject: d\r\n.\r\n",
         "Subject: [SPAM] a\r\n b\r\nSubject:c\r\n\r\nSubject: d\r\n.\r\n"),
    CASE("foot-text(x)", "\r\na\n.\r\nb\r\n.\r\n", "\r\na\n.\r\nb\r\nx\r\n.\r\n"),
    CASE("part-replace",
         "A: b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\nX: y\r\ncontent-disposition: attachment;\r\n"
         "\r\nQUJD\r\n\r\n-a\r\n--b\r\n\r\nho\r\n--b--\r\n.\r\n",
         "A: b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\nX: y\r\ncontent-disposition: attachment;\r\n"
         "\r\n" NOTICE "--b\r\n\r\nho\r\n--b--\r\n.\r\n"),
    CASE("part-replace", "Content-Disposition: attachment\r\n\r\nall of it\r\n.\r\n",
         "Content-Disposition: attachment\r\n\r\nall of it\r\n.\r\n"),
    CASE("size(9)", "\r\n3456789\r\n.\r\n", "\r\n3456789"),
    CASE("pix-dkim",
         "DKIM-Signature: h=from\r\nA: content-type\r\n\r\nDKIM-Signature: "
         "content-type\r\n.\r\n",
         "DKIM-Signature: h=from\r\nA: content-type\r\n\r\nDKIM-Signature: "
         "content-type\r\n.\r\n"),
};

/* Gives the data in pieces: the first of `first` octets, the others of `piece`. */
static void play_data(const struct content_case *c, size_t first, size_t piece, struct buf *out)
{
    struct play *p = play_new(c->preset);
    struct span rest = c->data;
    struct box_action w;

    play_bytes(p, SERVER, SPAN_LIT("220 mx\r\n"));
    play_bytes(p, CLIENT, SPAN_LIT("DATA\r\n"));
    play_bytes(p, SERVER, SPAN_LIT("354 go\r\n"));
    for (size_t n = first; rest.len > 0; n = piece) {
        box_bytes(p->box, CLIENT, guarded(span_first(rest, n)));
        while (box_next(p->box, &w))
            if (w.kind == BOX_SEND && w.side == SERVER)
                assert_true(buf_append(out, w.bytes));
        rest = span_drop(rest, n);
    }
}

static void check_data(const struct content_case *c, size_t first, size_t piece)
{
    struct buf out;
    char what[128];

    buf_init(&out, 1 << 16);
    play_data(c, first, piece, &out);
    snprintf(what, sizeof what, "%s, first %zu, then %zu", c->preset, first, piece);
    check_span(buf_span(&out), c->want, what);
    buf_release(&out);
}

static void test_content(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct content_case *c = &cases[i];
        check_data(c, c->data.len, 1);
        check_data(c, 1, 1);
        for (size_t cut = 1; cut < c->data.len; cut++)
            check_data(c, cut, SIZE_MAX);
    }
}

/* The border of a read is what this one is about. */
static void test_buffer_boundary(void **state)
{
    static const struct {
        size_t cut;
        struct content_case c;
    } cuts[] = {
        { 3, CASE("dot-buffer-boundary", "a\r\n..b\r\n.\r\n", "a\r\n.b\r\n.\r\n") },
        { 4, CASE("dot-buffer-boundary", "a\r\n..b\r\n.\r\n", "a\r\n.b\r\n.\r\n") },
        { 5, CASE("dot-buffer-boundary", "a\r\n..b\r\n.\r\n", "a\r\n..b\r\n.\r\n") },
        { 1, CASE("dot-buffer-boundary", "a.b\r\n.\r\n", "ab\r\n.\r\n") },
        { 3, CASE("dot-buffer-boundary", "a\r\n.\r\n", "a\r\n.\r\n") },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++)
        check_data(&cuts[i].c, cuts[i].cut, SIZE_MAX);
}

/* One octet more than the limit ends the connection. */
static void test_limits(void **state)
{
    static const struct {
        const char *preset, *head;
        size_t most;
        const char *end;
    } limits[] = {
        { "asa-default", "X-Long: ", 990, "<~RST\n>~RST\n" },
        { "asa-default", "A: b\r\n name=\"", 255, "<~RST\n>~RST\n" },
        { "line-reject1000", "\r\n", 1000,
          "<554 5.6.0 Message contains a line that is too long\\r\\n\n<~FIN\n>~FIN\n" },
        { "size(1k)", "\r\n", 1022, "<~RST\n>~RST\n" },
    };
    char fill[1024];

    (void)state;
    memset(fill, 'a', sizeof fill);
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        struct play *p = play_new(limits[i].preset);
        play_bytes(p, SERVER, SPAN_LIT("220 mx\r\n"));
        play_bytes(p, CLIENT, SPAN_LIT("DATA\r\n"));
        play_bytes(p, SERVER, SPAN_LIT("354 go\r\n"));
        play_bytes(p, CLIENT, span_str(limits[i].head));
        play_bytes(p, CLIENT, span_of(fill, limits[i].most));
        assert_null(strstr(p->log, "~"));
        play_forget(p);
        play_bytes(p, CLIENT, SPAN_LIT("a"));
        assert_string_equal(p->log, limits[i].end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_buffer_boundary),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
