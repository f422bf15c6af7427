/* Bodies damaged in every known way, and what is found of it. */
#include "unit/dkim/dkim_mail.h"

#include "dkim/repair.h"

#include <stdio.h>

/* Signed; damaged; what is told. relaxed: that canonicalization, else simple. */
struct repair_case {
    struct span body, damaged;
    bool relaxed;
    const char *damage; /* NULL: nothing is found */
    const char *text;
    uint64_t at;
};

#define TEXT(s)  SPAN_INIT(s)
#define TEN      "0123456789"
#define HUNDRED  TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define COLUMN98 TEN TEN TEN TEN TEN TEN TEN TEN TEN "01234567"
#define MIXED    "--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n"
#define HTML     "--b\r\nContent-Type: text/html\r\n\r\n<html><body class=\"x\"><p>hi</p>"
#define HTML_END "</body></html>\r\n--b--\r\n"

static const struct repair_case cases[] = {
    { TEXT("a\r\nb\r\n"), TEXT("a\nb\n"), false, "crlf-to-lf",
      "CRs before LF were removed (2 times)", 1 },
    { TEXT("a \r\nb\r\n"), TEXT("a\t\nb\r\n"), true, "crlf-to-lf",
      "CRs before LF were removed (1 time)", 2 },
    { TEXT("a\r\n.b\r\n"), TEXT("a\n..b\n"), false, "crlf-to-lf",
      "CRs before LF were removed (2 times)", 1 },
    { TEXT("a\r\nb\r\n"), TEXT("a\r\r\nb\r\r\n"), false, "crcrlf-double",
      "CRs were added before CR LF (2 times)", 2 },
    { TEXT("a\r\n\r\nb\r\n"), TEXT("a\r\rb\r"), false, "crlf-to-cr",
      "LFs after CR were removed (3 times)", 2 },
    { TEXT("a\r\nb\r\nc\r\nd\r\n"), TEXT("a\nb\r\r\nc\rd\r\n"), false, "newlines-changed",
      "line ends were changed in several ways (3 times)", 1 },
    { TEXT("a\nb\n"), TEXT("a\r\nb\r\n"), false, "bare-lf-to-crlf",
      "LFs became CR LF (2 times)", 1 },
    { TEXT("a\r\nb\r\nc\r\n"), TEXT("a\r\n\r\nb\r\n\r\nc\r\n\r\n"), false, "lines-doubled",
      "an empty line was put after each line (3 times)", 3 },

    { TEXT(".a\r\nb\r\n..c\r\n"), TEXT("..a\r\nb\r\n...c\r\n"), false, "dot-restuffed-twice",
      "lines that begin with a dot got one more (2 times)", 1 },
    { TEXT("..a\r\nb\r\n...\r\n"), TEXT(".a\r\nb\r\n..\r\n"), false, "dot-unstuffed-once-more",
      "lines that begin with dots lost one (2 times)", 1 },
    { TEXT("a\r\nb\r\n.hidden\r\n.x\r\n"), TEXT("a\r\nb\r\nhidden\r\n.x\r\n"), false,
      "dot-unstuffed-once-more", "a dot at the start of a line was removed, in line 3", 6 },

    { TEXT("x\r\nFrom a\r\n>From b\r\n"), TEXT("x\r\n>From a\r\n>>From b\r\n"), false,
      "from-escaped", "\">\" was put before lines that begin with \"From \" (2 times)", 3 },
    { TEXT("a\r\nb\r\n"), TEXT("a \r\nb\t\r\n"), false, "trailing-ws-added",
      "blanks were added at the end of lines (2 times)", 1 },
    { TEXT("a\r\n-- \r\nb\r\n"), TEXT("a\r\n--\r\nb\r\n"), false, "trailing-ws-stripped",
      "blanks at the end of lines were removed (1 time)", 5 },
    { TEXT("\ta\tb\r\n"), TEXT("        a        b\r\n"), false, "tab-to-space",
      "tabs became spaces, each 8 (2 times)", 0 },
    { TEXT("\t\ta b\r\n"), TEXT("        a b\r\n"), false, "tab-to-space",
      "tabs became spaces, each 4 (2 times)", 0 },
    { TEXT("a\r\n\tb c\r\n"), TEXT("a\r\n b c\r\n"), false, "tab-to-space",
      "tabs at the start of lines became spaces, each 1 (1 time)", 3 },
    { TEXT("\r\na\r\n"), TEXT("a\r\n"), false, "leading-line-removed",
      "an empty line at the start was removed (1 time)", 0 },
    { TEXT("a = \xc3\xa9 " HUNDRED "\r\n"),
      TEXT("a =3D =C3=A9 0123=\r\n456789" TEN TEN TEN TEN TEN TEN TEN TEN TEN "\r\n"), true,
      "mime-recoded", "the body was coded as quoted-printable (4 times)", 3 },

    { TEXT(HUNDRED HUNDRED TEN "\r\nx\r\n"),
      TEXT(HUNDRED "!\r\n" HUNDRED "!\r\n" TEN "\r\nx\r\n"), false, "long-line-folded",
      "lines were folded by \"!\" CR LF after byte 100 (2 times)", 100 },
    { TEXT(HUNDRED HUNDRED TEN "\r\nx\r\n"),
      TEXT(HUNDRED "!\r\n " HUNDRED "!\r\n " TEN "\r\nx\r\n"), false, "long-line-folded",
      "lines were folded by \"!\" CR LF SP after byte 100 (2 times)", 100 },
    { TEXT(COLUMN98 COLUMN98 TEN "\r\nx\r\n"),
      TEXT(COLUMN98 "\r\n " COLUMN98 "\r\n " TEN "\r\nx\r\n"), false, "long-line-folded",
      "lines were folded by CR LF SP after byte 98 (2 times)", 98 },
    { TEXT(HUNDRED HUNDRED "\r\nx\r\n"), TEXT(HUNDRED "\r\n\t" HUNDRED "\r\nx\r\n"), true,
      "long-line-folded", "lines were folded by CR LF TAB after byte 100 (1 time)", 100 },
    { TEXT(HUNDRED HUNDRED TEN "\r\nx\r\n"),
      TEXT(HUNDRED "\r\n" HUNDRED "\r\n" TEN "\r\nx\r\n"), false, "long-line-folded",
      "lines were folded by CR LF after byte 100 (2 times)", 100 },

    { TEXT("hi\r\n"), TEXT("hi\r\n-- \r\nThis email has been checked\r\n"), false,
      "footer-appended", "the last 2 lines were appended", 4 },
    { TEXT("hi\r\n"), TEXT("hi\r\nx"), true, "footer-appended", "the last line was appended",
      4 },
    { TEXT(""), TEXT("x\r\n"), true, "footer-appended", "the last line was appended", 0 },
    { TEXT("hi\r\n"), TEXT("[EXTERNAL]\r\n\r\nhi\r\n"), true, "banner-inserted",
      "14 bytes were put into the body at byte 0", 0 },
    { TEXT(MIXED "--b--\r\n"), TEXT(MIXED "____\r\nfooter\r\n--b--\r\n"), false,
      "footer-appended", "14 bytes were put into the body at byte 40", 40 },
    { TEXT(MIXED HTML HTML_END), TEXT(MIXED HTML "<hr>footer<br>" HTML_END), false,
      "footer-appended", "14 bytes were put into the body at byte 103", 103 },
    { TEXT("--b\r\n\r\nplain\r\n--b--\r\n"), TEXT("--b\r\n\r\nCAUTION\r\nplain\r\n--b--\r\n"),
      false, "banner-inserted", "9 bytes were put into the body at byte 7", 7 },
    { TEXT("<BODY>\r\n<p>hi</p></BODY>\r\n"),
      TEXT("<BODY><div>careful</div>\r\n<p>hi</p></BODY>\r\n"), true, "banner-inserted",
      "18 bytes were put into the body at byte 6", 6 },
    { TEXT(MIXED HTML HTML_END), TEXT(MIXED "-- \r\nads\r\n" HTML "<p>ads</p>" HTML_END), false,
      "footer-appended",
      "a text was put into a part, and 10 bytes were put into the body at byte 103", 103 },

    /* pairs */
    { TEXT("a\r\nb\r\n"), TEXT("a\nb\nfooter\n"), false, "crlf-to-lf",
      "CRs before LF were removed (3 times), and the last line was appended", 6 },
    { TEXT(".a\r\n" HUNDRED HUNDRED "\r\n"), TEXT("..a\r\n" HUNDRED "\r\n " HUNDRED "\r\n"),
      false, "dot-restuffed-twice",
      "lines that begin with a dot got one more (1 time), and lines were folded by CR LF SP "
      "after byte 100 (1 time)",
      104 },

    /* one of many */
    { TEXT("a\r\nb\nc\r\nd\r\n"), TEXT("a\r\nb\r\nc\r\nd\r\n"), false, "bare-lf-to-crlf",
      "an LF became CR LF, at the end of line 2", 3 },
    { TEXT("a\r\nb\rc\r\nd\r\n"), TEXT("a\r\nb\r\nc\r\nd\r\n"), true, "bare-cr-to-crlf",
      "a CR became CR LF, at the end of line 2", 3 },

    /* lost for ever */
    { TEXT("abc\r\n"), TEXT("abd\r\n"), false, NULL,
      "none of the known damages, undone, restores it", 0 },
    { TEXT(HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "0x\r\nb\r\n"),
      TEXT(HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "0\r\nb\r\n"), false, NULL,
      "none of the known damages, undone, restores it; no line is longer than 501 bytes: "
      "lines "
      "may have been cut there",
      0 },
};

static void sign(struct dkim_signature *s, struct span body, bool relaxed, bool sha1)
{
    struct oath_form f = { .relaxed = relaxed, .sha1 = sha1 };
    unsigned char hash[EVP_MAX_MD_SIZE];

    *s = (struct dkim_signature){ .result = DKIM_CHANGED, .relaxed = relaxed, .sha1 = sha1 };
    s->hash_len = (uint8_t)plain_hash(body, &f, hash);
    memcpy(s->expected, hash, s->hash_len);
}

static void check_case(const struct repair_case *c, bool sha1)
{
    struct dkim_signature s;
    struct dkim_repair r;

    sign(&s, c->body, c->relaxed, sha1);
    dkim_repair(guarded(c->damaged), &s, DKIM_REPAIR_TOOL, &r);
    if (r.found != (c->damage != NULL) || r.gave_up || strcmp(r.text, c->text) != 0 ||
        (r.found && (strcmp(r.damage, c->damage) != 0 || r.at != c->at)))
        fail_msg("\"%.*s\": got %s \"%s\" at %llu%s", (int)c->damaged.len,
                 (const char *)c->damaged.ptr, r.found ? r.damage : "nothing", r.text,
                 (unsigned long long)r.at, r.gave_up ? ", gave up" : "");
}

static void every_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_case(&cases[i], false);
        check_case(&cases[i], true);
    }
}

/* The signed part of l= is what counts. */
static void limited(void **state)
{
    struct oath_form f = { .limited = true, .length = 5 };
    struct dkim_signature s = { .limited = true, .length = 5 };
    unsigned char hash[EVP_MAX_MD_SIZE];
    struct dkim_repair r;

    (void)state;
    s.hash_len = (uint8_t)plain_hash(SPAN_LIT("a\r\nb\r\nc\r\n"), &f, hash);
    memcpy(s.expected, hash, s.hash_len);
    dkim_repair(SPAN_LIT("a\nb\nX\n"), &s, DKIM_REPAIR_TOOL, &r);
    assert_true(r.found);
    assert_string_equal(r.damage, "crlf-to-lf");
}

/* However little may be hashed: it ends, and says what it did not do. */
static void bounds(void **state)
{
    const struct repair_case *c = &cases[8];
    struct dkim_signature s;
    struct dkim_repair r;
    bool found = false;

    (void)state;
    sign(&s, c->body, false, false);
    for (uint64_t most = 0; !found; most += 16) {
        dkim_repair(guarded(c->damaged), &s, most, &r);
        assert_true(r.found || r.gave_up);
        if (!r.found)
            assert_string_equal(r.text, "what was tried within the limit does not restore it");
        found = r.found;
        assert_true(most < 100000);
    }
    assert_true(found && !r.gave_up);
}

static void too_large(void **state)
{
    unsigned char *much = calloc(1, DKIM_REPAIR_BODY_MAX + 1);
    struct dkim_signature s;
    struct dkim_repair r;

    (void)state;
    sign(&s, SPAN_LIT("x"), false, false);
    dkim_repair(span_of(much, DKIM_REPAIR_BODY_MAX + 1), &s, DKIM_REPAIR_TOOL, &r);
    assert_true(!r.found && r.gave_up);
    assert_string_equal(r.text, "not searched: the body is larger than 4 MiB");
    s.hash_len = 0; /* nothing to compare with */
    dkim_repair(SPAN_LIT("x"), &s, DKIM_REPAIR_TOOL, &r);
    assert_true(!r.found && !r.gave_up);
    free(much);
}

/* Bodies that make each step as dear as can be: all within the live bound. */
static void hostile(void **state)
{
    static const char *const fill[] = { "\r",    "\n",        "\r\n",    ".\r\n",  "<",
                                        "<body", "--bbb\r\n", ">",       ">From ", " ",
                                        "=\r\n", "=",         "</body>", "a " };
    unsigned char *body = malloc(DKIM_REPAIR_BODY_MAX);
    struct dkim_signature s;
    struct dkim_repair r;

    (void)state;
    assert_non_null(body);
    sign(&s, SPAN_LIT("x"), true, false);
    for (size_t i = 0; i < sizeof fill / sizeof *fill; i++) {
        for (size_t at = 0; at < DKIM_REPAIR_BODY_MAX; at++)
            body[at] = (unsigned char)fill[i][at % strlen(fill[i])];
        dkim_repair(span_of(body, DKIM_REPAIR_BODY_MAX), &s, DKIM_REPAIR_LIVE, &r);
        assert_true(!r.found && r.gave_up);
    }
    free(body);
}

static void files(void **state)
{
    char path[] = "/tmp/smtpscope-dkim-XXXXXX", mail[2000], error[256];
    struct dkim_repair_file r;
    size_t n = 0;

    (void)state;
    for (int relaxed = 0; relaxed < 2; relaxed++)
        n += put_oath(mail + n, sizeof mail - n, SPAN_LIT(".a \r\n"),
                      &(struct oath_form){ .relaxed = relaxed });
    n += (size_t)snprintf(mail + n, sizeof mail - n, "\r\n..a\r\n");
    int fd = mkstemp(path);
    assert_int_equal(write(fd, mail, n), n);
    close(fd);
    assert_true(dkim_repair_file(path, true, DKIM_REPAIR_TOOL, &r, error));
    assert_int_equal(r.verdict.count, 2);
    assert_int_equal(r.verdict.signatures[0].result, DKIM_CHANGED);
    assert_int_equal(r.verdict.signatures[1].result, DKIM_OK);
    assert_false(r.repairs[0].found);
    assert_string_equal(r.verdict.signatures[0].damage_text, r.repairs[0].text);
    assert_true(dkim_repair_file(path, false, DKIM_REPAIR_TOOL, &r, error));
    assert_string_equal(r.verdict.signatures[1].damage, "dot-restuffed-twice");
    assert_true(r.repairs[1].found);
    unlink(path);
    assert_false(dkim_repair_file(path, true, DKIM_REPAIR_TOOL, &r, error));
    assert_non_null(strstr(error, path));
    assert_false(dkim_repair_file("/tmp", true, DKIM_REPAIR_TOOL, &r, error));
    assert_non_null(strstr(error, "/tmp: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_damage), cmocka_unit_test(limited), cmocka_unit_test(bounds),
        cmocka_unit_test(too_large),    cmocka_unit_test(hostile), cmocka_unit_test(files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
