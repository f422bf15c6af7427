/* What the mail data filter counts, and how it bears with extremes. */
#include "unit/smtp/data_helpers.h"

static void figures_are_right(void **state)
{
    static const struct span in = SPAN_INIT("Subject: x\r\n\r\n..a\r\n\xe4\xe4\nb\r\r\n"
                                            ".c\rd\0e\r\n.\xffgh\r\n.\r\n");
    struct policy p = make_policy("nul=normalize");
    const struct data_stats *s = &run.d.stats;

    (void)state;
    run_whole(&run, &p, in);
    check_cuts(&p, in, "figures");
    assert_int_equal(s->octets, in.len - 3);
    assert_int_equal(s->lines, 7);
    assert_int_equal(s->crlf, 5);
    assert_int_equal(s->bare_lf, 1);
    assert_int_equal(s->crcrlf, 1);
    assert_int_equal(s->bare_cr, 1);
    assert_int_equal(s->nul, 1);
    assert_int_equal(s->eight_bit, 3);
    assert_int_equal(s->eight_bit_at, 19);
    assert_int_equal(s->leading_dots, 3);
    assert_int_equal(s->longest_line, 12);
    assert_int_equal(s->header_octets, 14);
    assert_true(s->altered);
    assert_int_equal(s->altered_at, 21);
}

/* 998 CRs are repaired like one, 999 are refused; no run takes memory. */
static void long_runs_of_cr_are_refused(void **state)
{
    static const char *const policies[] = { "", "bare_cr=crlf", "bare_cr=pass crcrlf=pass" };
    static unsigned char text[6 * DATA_CR_RUN_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        struct policy p = make_policy(policies[i]);
        for (size_t run_len = DATA_CR_RUN_MAX - 1; run_len <= DATA_CR_RUN_MAX + 1; run_len++) {
            size_t len = 1 + 2 * run_len + 7;
            memset(text, '\r', sizeof text);
            text[0] = 'a';
            text[1 + run_len] = 'b';
            memcpy(text + len - 6, "\nc\r\n.\r", 6);
            memcpy(text + len, "\n", 1);
            run_whole(&run, &p, span_of(text, len + 1));
            assert_true(run.ended);
            assert_int_equal(run.d.refused, run_len > DATA_CR_RUN_MAX);
            if (run.d.refused)
                assert_int_equal(run.d.refused_by, NOTE_DATA_BARE_CR);
            assert_int_equal(run.d.stats.bare_cr, run_len);
            assert_int_equal(run.d.notes.list[0].id, NOTE_DATA_BARE_CR);
            assert_int_equal(run.d.notes.list[0].count, 1 + run.d.refused);
            assert_int_equal(run.d.stats.crcrlf, 1);
            check_cuts(&p, span_of(text, len + 1), policies[i]);
        }
    }
}

static void long_lines_are_noted_once_each(void **state)
{
    struct policy p = make_policy("");
    static unsigned char text[8192];
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < 3; i++) { /* 998 octets and CRLF fit, then 999, then 2000 */
        size_t n = i == 0 ? 998 : i == 1 ? 999 : 2000;
        memset(text + len, 'x', n);
        memcpy(text + len + n, "\r\n", 2);
        len += n + 2;
    }
    memcpy(text + len, "..", 2); /* a stuffed dot does not count */
    memset(text + len + 2, 'x', 997);
    memcpy(text + len + 999, "\r\n.\r\n", 5);
    len += 1004;
    run_whole(&run, &p, span_of(text, len));
    assert_string_equal(notes_text(&run.d.notes), "data-long-line@2000*2 ");
    assert_int_equal(run.d.stats.longest_line, 2002);
    assert_int_equal(run.d.stats.lines, 4);
    check_cuts(&p, span_of(text, len), "long lines");
}

static void header_and_signatures(void **state)
{
    static const struct {
        struct span in;
        bool is_signed;
        unsigned header; /* octets; 0: all of the content */
    } headers[] = {
        { SPAN_INIT("DKIM-Signature: v=1\r\n\r\n.\r\n"), true, 23 },
        { SPAN_INIT("dkim-SIGNATURE :x\r\n\r\nx\r\n.\r\n"), true, 21 },
        { SPAN_INIT("a: b\r\nARC-Seal:\r\n x\r\n.\r\n"), true, 0 },
        { SPAN_INIT("Content-Type: multipart/signed; a=b\r\n.\r\n"), true, 0 },
        { SPAN_INIT("Content-Type:\r\n\t Multipart/SIGNED\r\n.\r\n"), true, 0 },
        { SPAN_INIT("Content-Type:\r\nmultipart/signed\r\n.\r\n"), false, 0 },
        { SPAN_INIT("Content-Type: multipart/mixed\r\n.\r\n"), false, 0 },
        { SPAN_INIT("Content-Type: text/multipart/signed\r\n.\r\n"), false, 0 },
        { SPAN_INIT("X-DKIM-Signature: x\r\n.\r\n"), false, 0 },
        { SPAN_INIT("DKIM-Signatures: x\r\n.\r\n"), false, 0 },
        { SPAN_INIT("a: b\r\n DKIM-Signature: x\r\n.\r\n"), false, 0 },
        { SPAN_INIT("\r\nDKIM-Signature: x\r\n.\r\n"), false, 2 },
        { SPAN_INIT("a: b\n\nDKIM-Signature: x\r\n.\r\n"), false, 6 },
        { SPAN_INIT("a: b\r\r\n\r\r\nDKIM-Signature: x\r\n.\r\n"), false, 10 },
        { SPAN_INIT("a: b\r\n\rDKIM-Signature: x\r\n.\r\n"), false, 0 },
        { SPAN_INIT("a\r\nDKIM-Signature\r\n: x\r\n.\r\n"), false, 0 },
        { SPAN_INIT(".\r\n"), false, 0 },
    };
    struct policy p = make_policy("");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        run_whole(&run, &p, headers[i].in);
        assert_int_equal(run.d.stats.signed_headers, headers[i].is_signed);
        assert_int_equal(run.d.stats.header_octets,
                         headers[i].header ? headers[i].header : run.d.stats.octets);
        check_cuts(&p, headers[i].in, "header");
    }
}

static void opaque_chunks_are_counted(void **state)
{
    static const struct span in =
        SPAN_INIT("ARC-Seal: x\r\n\r\n.\r\n\0\xff\x80\n..\r\r\n\ra\r\nend\r\r");
    struct policy p = make_policy("");
    static struct data d;
    const struct data_stats *s = &d.stats;

    (void)state;
    for (size_t cut = 0; cut <= in.len; cut++) {
        data_init(&d, &p);
        data_opaque(&d, guarded(span_first(in, cut)));
        data_opaque(&d, guarded(span_drop(in, cut)));
        data_opaque_end(&d);
        assert_int_equal(s->octets, in.len);
        assert_int_equal(s->octets_sent, in.len);
        assert_int_equal(s->lines, 6);
        assert_int_equal(s->crlf, 4);
        assert_int_equal(s->bare_lf, 1);
        assert_int_equal(s->crcrlf, 1);
        assert_int_equal(s->bare_cr, 3);
        assert_int_equal(s->nul, 1);
        assert_int_equal(s->eight_bit, 2);
        assert_int_equal(s->eight_bit_at, 19);
        assert_int_equal(s->leading_dots, 2);
        assert_int_equal(s->longest_line, 13);
        assert_int_equal(s->header_octets, 15);
        assert_true(s->signed_headers);
        assert_string_equal(notes_text(&d.notes), "bdat-bare-lf@21*1 ");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_right),
        cmocka_unit_test(long_runs_of_cr_are_refused),
        cmocka_unit_test(long_lines_are_noted_once_each),
        cmocka_unit_test(header_and_signatures),
        cmocka_unit_test(opaque_chunks_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
