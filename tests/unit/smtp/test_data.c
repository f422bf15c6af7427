/* The mail data filter: what leaves and what is noted, however it is cut. */
#include "unit/smtp/data_helpers.h"

struct data_case {
    const char *policy;
    struct span in;
    struct span sent;
    const char *notes;   /* "name@offset*count", in order */
    const char *refused; /* by which note, or "" */
};

#define CASE(policy, in, sent, notes, refused)                                                 \
    {                                                                                          \
        policy, SPAN_INIT(in), SPAN_INIT(sent), notes, refused                                 \
    }

static const struct data_case cases[] = {
    /* nothing to repair */
    CASE("", ".\r\n", ".\r\n", "", ""),
    CASE("", "\r\n.\r\n", "\r\n.\r\n", "", ""),
    CASE("", "a: b\r\n\r\nc\r\n" END, "a: b\r\n\r\nc\r\n" END, "", ""),
    CASE("", "..\r\n...\r\n.a\r\n" END, "..\r\n...\r\na\r\n" END, "data-dot-unstuffed@9*1 ",
         ""),
    CASE("", "\xc3\xa4\r\n" END "RSET\r\n", "\xc3\xa4\r\n" END, "", ""),
    CASE("", "no end", "no end", "", ""),
    CASE("", "a\r\n..\r\n..b" END, "a\r\n..\r\n..b" END, "", ""),
    /* undecided: never let out */
    CASE("", "", "", "", ""),
    CASE("", ".", "", "", ""),
    CASE("", ".\r", "", "", ""),
    CASE("", "\r", "", "", ""),
    CASE("", "a\r", "a", "", ""),
    CASE("", "a\r\r\r", "a", "", ""),
    CASE("", "a\r\n.\r", "a\r\n", "", ""),
    /* bare LF; a dot behind it is content and gets stuffed */
    CASE("", "a\nb" END, "a\r\nb" END, "data-bare-lf@1*1 ", ""),
    CASE("", "\n" END, "\r\n" END, "data-bare-lf@0*1 ", ""),
    CASE("", "a\n\nb\n" END, "a\r\n\r\nb\r\n" END, "data-bare-lf@1*3 ", ""),
    CASE("", "a\n.b" END, "a\r\n..b" END, "data-bare-lf@1*1 ", ""),
    CASE("", "a\n..b" END, "a\r\n...b" END, "data-bare-lf@1*1 ", ""),
    CASE("bare_lf=space", "a\n.b" END, "a .b" END, "data-bare-lf@1*1 ", ""),
    CASE("bare_lf=pass", "a\n.b" END, "a\n.b" END, "data-bare-lf@1*1 ", ""),
    CASE("bare_lf=reject", "ab\ncd" END, "ab", "data-bare-lf@2*1 ", "data-bare-lf"),
    /* bare CR */
    CASE("", "a\rb" END, "a b" END, "data-bare-cr@1*1 ", ""),
    CASE("", "\ra" END, " a" END, "data-bare-cr@0*1 ", ""),
    CASE("", "a\r\r\rb\rc" END, "a   b c" END, "data-bare-cr@1*2 ", ""),
    CASE("", "a\r.b" END, "a .b" END, "data-bare-cr@1*1 ", ""),
    CASE("bare_cr=crlf", "a\r\r.b" END, "a\r\n\r\n..b" END, "data-bare-cr@1*1 ", ""),
    CASE("bare_cr=pass", "a\r\r.b" END, "a\r\r.b" END, "data-bare-cr@1*1 ", ""),
    CASE("bare_cr=reject", "a\rb" END, "a", "data-bare-cr@1*1 ", "data-bare-cr"),
    /* CRs LF: a line end for the sender, so dots behind it are stuffed already */
    CASE("", "a\r\r\n..b" END, "a\r\n..b" END, "data-crcrlf@1*1 ", ""),
    CASE("", "a\r\r\r\r\n.\r\n", "a" END, "data-crcrlf@1*1 ", ""),
    CASE("crcrlf=pass", "a\r\r\r\nb" END, "a\r\r\r\nb" END, "data-crcrlf@1*1 ", ""),
    CASE("crcrlf=reject", "a\r\r\nb" END, "a", "data-crcrlf@1*1 ", "data-crcrlf"),
    /* NUL */
    CASE("", "a\0b" END, "a", "data-nul@1*1 ", "data-nul"),
    CASE("nul=normalize", "a\0\0b" END, "ab" END, "data-nul@1*2 ", ""),
    CASE("nul=normalize", "a\n\0.b" END, "a\r\n..b" END, "data-bare-lf@1*1 data-nul@2*1 ", ""),
    CASE("nul=pass", "a\0b" END, "a\0b" END, "data-nul@1*1 ", ""),
    /* a dot that should have been two */
    CASE("", ".a" END, "a" END, "data-dot-unstuffed@0*1 ", ""),
    CASE("dot=pass", ".a\r\n.b" END, ".a\r\n.b" END, "data-dot-unstuffed@0*2 ", ""),
    CASE("dot=reject", "a\r\n.b" END, "a\r\n", "data-dot-unstuffed@3*1 ", "data-dot-unstuffed"),
    CASE("nul=normalize eod_lookalike=neutralize", ".\0a" END, "a" END,
         "data-dot-unstuffed@0*1 data-nul@1*1 data-eod-lookalike@1*1 ", ""),
    CASE("eod_lookalike=neutralize", ".\ra" END, " a" END,
         "data-dot-unstuffed@0*1 data-bare-cr@1*1 data-eod-lookalike@2*1 ", ""),
    CASE("eod_lookalike=neutralize", ".\r\r\n" END, "\r\n" END,
         "data-dot-unstuffed@0*1 data-eod-lookalike@2*1 data-crcrlf@1*1 ", ""),
    CASE("eod_lookalike=neutralize", ".\r." END, " ." END,
         "data-dot-unstuffed@0*1 data-bare-cr@1*1 data-eod-lookalike@2*2 ", ""),
    /* look-alikes: refused, and what completes them does not leave */
    CASE("", "a\n.\nb" END, "a\r\n..", "data-bare-lf@1*2 data-eod-lookalike@3*1 ",
         "data-eod-lookalike"),
    CASE("", "a\r\n.\nb" END, "a\r\n",
         "data-dot-unstuffed@3*1 data-bare-lf@4*1 data-eod-lookalike@4*1 ",
         "data-eod-lookalike"),
    CASE("", "a\n.\r\nb" END, "a\r\n..", "data-bare-lf@1*1 data-eod-lookalike@4*1 ",
         "data-eod-lookalike"),
    CASE("", "a\r.\rb" END, "a .", "data-bare-cr@1*2 data-eod-lookalike@4*1 ",
         "data-eod-lookalike"),
    CASE("", "a\r\n. \t\r\nb" END, "a\r\n \t", "data-dot-unstuffed@3*1 data-eod-lookalike@7*1 ",
         "data-eod-lookalike"),
    CASE("bare_lf=pass dot=pass", "a\r\n.\nb" END, "a\r\n",
         "data-dot-unstuffed@3*1 data-bare-lf@4*1 data-eod-lookalike@4*1 ",
         "data-eod-lookalike"),
    CASE("bare_lf=pass eod_lookalike=pass", "a\n.\nb" END, "a\n.\nb" END,
         "data-bare-lf@1*2 data-eod-lookalike@3*1 ", ""),
    CASE("eod_lookalike=neutralize", "a\n.\nb" END, "a\r\n..\r\nb" END,
         "data-bare-lf@1*2 data-eod-lookalike@3*1 ", ""),
    CASE("bare_lf=reject", "\n.\n" END, "", "data-bare-lf@0*2 data-eod-lookalike@2*1 ",
         "data-bare-lf"),
    /* with bit 7 cleared */
    CASE("", "a\x8a\xae\r\nb" END, "a\x8a\xae\r\nb" END, "data-eod-highbit@4*1 ", ""),
    CASE("", "a\r\n\xae\r\nb" END, "a\r\n\xae\r\nb" END, "data-eod-highbit@5*1 ", ""),
    CASE("eod_highbit=reject", "a\x8a\xae\r\nb" END, "a\x8a\xae", "data-eod-highbit@4*1 ",
         "data-eod-highbit"),
    CASE("eod_highbit=reject", "a\x8a.\x8d\rb" END, "a\x8a.\x8d",
         "data-eod-highbit@4*1 data-bare-cr@4*1 ", "data-eod-highbit"),
    CASE("", "a\x8a.\r\nb" END, "a\x8a.\r\nb" END, "data-eod-highbit@4*1 ", ""),
    CASE("", ".\x8d\x8a.\r\nb" END, "\x8d\x8a.\r\nb" END,
         "data-dot-unstuffed@0*1 data-eod-highbit@2*2 ", ""),
    CASE("nul=pass", "a\0.\r\nb" END, "a\0.\r\nb" END, "data-nul@1*1 ", ""),
    CASE("nul=pass", "\0\x8d.\r\nb" END, "\0\x8d.\r\nb" END, "data-nul@0*1 ", ""),
    /* signed, and not left alone */
    CASE("", "DKIM-Signature: a\r\nb\nc" END, "DKIM-Signature: a\r\nb\r\nc" END,
         "data-bare-lf@20*1 data-altered-signed@20*1 ", ""),
    CASE("bare_lf=pass", "DKIM-Signature: a\r\nb\nc" END, "DKIM-Signature: a\r\nb\nc" END,
         "data-bare-lf@20*1 ", ""),
    /* the presets */
    CASE("strict", "a\r\nb" END, "a\r\nb" END, "", ""),
    CASE("strict", "a\nb\r\n" END, "a", "data-bare-lf@1*1 ", "data-bare-lf"),
    CASE("observe", "a\nb\rc\0\r\r\n.d" END, "a\nb\rc\0\r\r\n.d" END,
         "data-bare-lf@1*1 data-bare-cr@3*1 data-nul@5*1 data-crcrlf@6*1 "
         "data-dot-unstuffed@9*1 ",
         ""),
};

static void content_leaves_as_it_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct data_case *c = &cases[i];
        struct policy p = make_policy(c->policy);
        char what[64];

        snprintf(what, sizeof what, "case %zu (%s)", i, c->policy);
        run_whole(&run, &p, c->in);
        check_span(run_sent(&run), c->sent, what);
        assert_string_equal(notes_text(&run.d.notes), c->notes);
        assert_string_equal(run.d.refused ? note_name(run.d.refused_by) : "", c->refused);
        size_t held = c->in.len - run.received_len;
        check_span(run_received(&run), span_first(c->in, c->in.len - held), what);
        assert_true(run.ended ? held == c->in.len - run.used : held <= 2);
        check_cuts(&p, c->in, what);
    }
}

/* Altered exactly when something else left than what came. */
static void altered_says_the_truth(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct policy p = make_policy(cases[i].policy);

        run_whole(&run, &p, cases[i].in);
        if (!run.ended || run.d.refused)
            continue;
        assert_int_equal(run.d.stats.altered, !span_equal(run_sent(&run), run_received(&run)));
        assert_int_equal(run.d.stats.octets, run.received_len - 3);
        assert_int_equal(run.d.stats.octets_sent, run.sent_len - 3);
    }
}

/* Clean octets, stuffed dots included, are one piece and a view of the input. */
static void clean_input_is_one_piece(void **state)
{
    static unsigned char text[65536];
    static struct data d;
    struct policy p = make_policy("");
    struct data_piece piece;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : i % 64 < 2 ? '.' : 'x';
    data_init(&d, &p);
    struct span in = span_of(text, sizeof text - 1);
    assert_int_equal(data_next(&d, &in, &piece), DATA_PIECE);
    assert_true(piece.same);
    assert_ptr_equal(piece.sent.ptr, text);
    assert_int_equal(piece.sent.len, sizeof text - 2); /* the CR waits */
    assert_int_equal(data_next(&d, &in, &piece), DATA_MORE);
    in = SPAN_LIT("\nabc");
    assert_int_equal(data_next(&d, &in, &piece), DATA_PIECE);
    assert_true(piece.same);
    check_span(piece.received, SPAN_LIT("\r\n"), "with what decides it");
    assert_int_equal(data_next(&d, &in, &piece), DATA_PIECE);
    assert_true(piece.same);
    check_span(piece.sent, SPAN_LIT("abc"), "the rest");
    assert_int_equal(data_next(&d, &in, &piece), DATA_MORE);
}

/* Rewritten lines that are near to each other share a piece. */
static void rewritten_lines_share_pieces(void **state)
{
    static unsigned char text[20000];
    struct policy p = make_policy("");

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 50 == 49 ? '\n' : 'x';
    run_whole(&run, &p, span_of(text, sizeof text));
    assert_int_equal(run.d.stats.bare_lf, sizeof text / 50);
    assert_true(run.pieces <= 24);
}

/* Behind a refusal nothing leaves, and the end is still found. */
static void refused_data_is_read_to_its_end(void **state)
{
    struct policy p = make_policy("");
    struct span in = SPAN_LIT("ab\0c\nd\re\r\n..\r\n.f" END "RSET\r\n");

    (void)state;
    run_whole(&run, &p, in);
    assert_true(run.ended);
    check_span(run_sent(&run), SPAN_LIT("ab"), "sent");
    check_span(run_received(&run), span_first(in, in.len - 6), "received");
    assert_int_equal(run.used, in.len - 6);
    check_cuts(&p, in, "refused");
}

static void silence_after_a_lookalike(void **state)
{
    static const struct {
        struct span in;
        bool open;
    } silent[] = {
        { SPAN_INIT("a\n.\n"), true },       { SPAN_INIT("a\n.\r\n"), true },
        { SPAN_INIT("a\n.\r"), true },       { SPAN_INIT("a\n."), false },
        { SPAN_INIT("a\r\n.\n"), true },     { SPAN_INIT("a\r\n.\r"), false },
        { SPAN_INIT("a\r.\r"), true },       { SPAN_INIT("a\r\n.\r\r\n"), true },
        { SPAN_INIT("a\r\n.\0\r\n"), true }, { SPAN_INIT("a\n.\nb"), false },
        { SPAN_INIT("a\r\n.\rb"), false },   { SPAN_INIT("a\r\n\r\n"), false },
        { SPAN_INIT("a\n.\nb\r\n"), false }, { SPAN_INIT("a\r\n. \n"), true },
        { SPAN_INIT("a\r\nb\n"), false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
        static const char *const policies[] = { "",
                                                "bare_lf=pass eod_lookalike=pass nul=pass" };
        for (size_t k = 0; k < ARRAY_LEN(policies); k++) {
            struct policy p = make_policy(policies[k]);
            run_whole(&run, &p, silent[i].in);
            assert_int_equal(run.d.lookalike_open, silent[i].open);
            check_cuts(&p, silent[i].in, "silence");
        }
    }
}

/* The connection ends inside the data: what was undecided is received, never sent. */
static void cut_short(void **state)
{
    static const struct {
        struct span in;
        struct span left;
        unsigned bare_cr;
    } ends[] = {
        { SPAN_INIT("ab"), SPAN_INIT(""), 0 },
        { SPAN_INIT("a\r\n."), SPAN_INIT("."), 0 },
        { SPAN_INIT("a\r\n.\r"), SPAN_INIT(".\r"), 1 },
        { SPAN_INIT("a\r"), SPAN_INIT("\r"), 1 },
        { SPAN_INIT("a\r\r\r"), SPAN_INIT(""), 3 },
        { SPAN_INIT(""), SPAN_INIT(""), 0 },
    };
    struct policy p = make_policy("");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct data_piece piece;

        run_whole(&run, &p, ends[i].in);
        assert_int_equal(data_cut(&run.d, &piece), ends[i].left.len > 0);
        check_span(piece.received, ends[i].left, "left");
        assert_int_equal(piece.sent.len, 0);
        assert_int_equal(run.d.stats.octets, ends[i].in.len);
        assert_int_equal(run.d.stats.bare_cr, ends[i].bare_cr);
        assert_true(notes_has(&run.d.notes, NOTE_DATA_EOF));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_leaves_as_it_should),
        cmocka_unit_test(altered_says_the_truth),
        cmocka_unit_test(clean_input_is_one_piece),
        cmocka_unit_test(rewritten_lines_share_pieces),
        cmocka_unit_test(refused_data_is_read_to_its_end),
        cmocka_unit_test(silence_after_a_lookalike),
        cmocka_unit_test(cut_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
