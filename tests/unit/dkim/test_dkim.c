/* Mails and what their signatures say: header, dots, several signatures, every cut. */
#include "unit/dkim/dkim_mail.h"

#include "dkim/dkim.h"

enum { MAIL_MAX = 1 << 16 };

/* One word per signature: first letters of the results, "+" when there were more. */
static const char *words(const struct dkim_verdict *v)
{
    static char text[DKIM_SIGNATURES_MAX + 2];
    unsigned n = 0;

    if (v == NULL)
        return "-";
    for (; n < v->count; n++)
        text[n] = dkim_result_name(v->signatures[n].result)[0];
    if (v->more)
        text[n++] = '+';
    text[n] = '\0';
    return text;
}

static void check_words(struct dkim *d, const char *want, const char *how, struct span mail)
{
    const char *got = words(dkim_finish(d, true));

    if (strcmp(got, want) != 0)
        fail_msg("%s: %s, not %s: \"%.*s\"", how, got, want, (int)mail.len,
                 (const char *)mail.ptr);
    dkim_free(&d);
}

static void every_way(struct span mail, bool stuffed, const char *want)
{
    struct dkim *d = dkim_new(true);

    assert_non_null(d);
    dkim_add(d, guarded(mail), stuffed);
    check_words(d, want, "whole", mail);
    d = dkim_new(true);
    for (size_t i = 0; i < mail.len; i++)
        dkim_add(d, guarded(span_first(span_drop(mail, i), 1)), stuffed);
    check_words(d, want, "byte by byte", mail);
    for (size_t cut = 1; cut < mail.len; cut++) {
        d = dkim_new(false);
        dkim_add(d, guarded(span_first(mail, cut)), stuffed);
        dkim_add(d, guarded(span_drop(mail, cut)), stuffed);
        check_words(d, want, "cut", mail);
    }
}

/* A.2 of RFC 6376, and of RFC 8463 A.3 the two signatures; bh= of the RFCs. */
#define RFC_HEADER                                                                             \
    "From: Joe SixPack <joe@football.example.com>\r\n"                                         \
    "To: Suzie Q <suzie@shopping.example.net>\r\n"                                             \
    "Subject: Is dinner ready?\r\n"                                                            \
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"                                          \
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n"

#define RFC_BODY "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n"

#define RFC_6376                                                                               \
    "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n"                        \
    "      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n"                        \
    "      h=Received : From : To : Subject : Date : Message-ID;\r\n"                          \
    "      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"                               \
    "      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB\r\n"                         \
    "      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut\r\n"                           \
    "      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV\r\n"                           \
    "      4bmp/YzhwvcubU4=;\r\n"

#define RFC_8463                                                                               \
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"                            \
    " d=football.example.com; i=@football.example.com;\r\n"                                    \
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"                                  \
    " subject : date : message-id : from : subject : date;\r\n"                                \
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"                                    \
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"                          \
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"                                                    \
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"                                \
    " d=football.example.com; i=@football.example.com;\r\n"                                    \
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"                            \
    " date : message-id : from : subject : date;\r\n"                                          \
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"                                    \
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"                          \
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"                          \
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"

#define OATH                                                                                   \
    "v=1; a=rsa-sha256; d=a.test; s=s1; h=from; b=A; "                                         \
    "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="

static const struct {
    struct span mail;
    const char *want;
} mails[] = {
    { SPAN_INIT(RFC_6376 RFC_HEADER RFC_BODY), "o" },
    { SPAN_INIT(RFC_8463 RFC_HEADER RFC_BODY), "oo" },
    { SPAN_INIT(RFC_8463 RFC_6376 RFC_HEADER RFC_BODY "\r\n\r\n"), "ooo" },
    { SPAN_INIT(RFC_8463 RFC_6376 RFC_HEADER "Hi. \r\n\r\nWe lost the game. Are you hungry "
                                             "yet?\r\n\r\nJoe.\r\n"),
      "ooc" },
    { SPAN_INIT(RFC_6376 RFC_HEADER "Hi!\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\n"
                                    "Joe.\r\n"),
      "c" },
    /* names: any case, blanks before the colon, nothing of the kind */
    { SPAN_INIT("From: a\r\ndkim-SIGNATURE \t: " OATH "\r\n\r\n" RFC_BODY), "o" },
    { SPAN_INIT("DKIM-Signature:" OATH "\r\n\r\n" RFC_BODY), "o" },
    { SPAN_INIT("X: y\r\n DKIM-Signature: " OATH "\r\n\r\n" RFC_BODY), "-" },
    { SPAN_INIT("DKIM-Signature-2: " OATH "\r\n\r\n" RFC_BODY), "-" },
    { SPAN_INIT("DKIM-Signatur: " OATH "\r\n\r\n" RFC_BODY), "-" },
    { SPAN_INIT("XDKIM-Signature: " OATH "\r\n\r\n" RFC_BODY), "-" },
    { SPAN_INIT("Subject: a\r\n\r\nDKIM-Signature: " OATH "\r\n\r\n" RFC_BODY), "-" },
    { SPAN_INIT("DKIM-Signature\r\n: " OATH "\r\n\r\n" RFC_BODY), "-" },
    { SPAN_INIT("D\r\n\r\n"), "-" },
    { SPAN_INIT(""), "-" },
    { SPAN_INIT("."), "-" },
    /* the header's end: LF, CR CR LF, never; a line of blanks is none */
    { SPAN_INIT("DKIM-Signature: " OATH "\nFrom: a\n\n" RFC_BODY), "o" },
    { SPAN_INIT("DKIM-Signature: " OATH "\r\r\nFrom: a\r\r\n\r\r\n" RFC_BODY), "o" },
    { SPAN_INIT("DKIM-Signature: v=1;\r\n \t\r\n a=rsa-sha256; d=a; s=b; h=c; b=;"
                "bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=\r\n"),
      "o" },
    { SPAN_INIT("DKIM-Signature: " OATH), "c" },
    { SPAN_INIT("DKIM-Signature: " OATH "\r\n\r"), "c" },
    { SPAN_INIT("DKIM-Signature: " OATH "; l=5\n 3\n\n" RFC_BODY), "m" },
    { SPAN_INIT("DKIM-Signature: " OATH "\r\n\rx\r\n\r\n" RFC_BODY), "o" },
    /* ARC; what cannot be read; more than eight */
    { SPAN_INIT("ARC-Message-Signature: i=1; a=rsa-sha256; d=a.test; s=s1; h=from; b=A; "
                "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=\r\n"
                "ARC-Seal: i=1; a=rsa-sha256; d=a; s=b; cv=none; b=AAAA\r\n\r\n" RFC_BODY),
      "o" },
    { SPAN_INIT("DKIM-Signature: v=1; bh\r\nDKIM-Signature: " OATH "; v=1\r\n"
                "DKIM-Signature: " OATH "; c=a/b\r\nDKIM-Signature:\r\n\r\n" RFC_BODY),
      "mmum" },
    { SPAN_INIT("DKIM-Signature:x\r\nDKIM-Signature:x\r\nDKIM-Signature:x\r\nDKIM-Signature:x\r"
                "\nDKIM-Signature:x\r\nDKIM-Signature:x\r\nDKIM-Signature:x\r\n"
                "DKIM-Signature: " OATH "\r\n"
                "DKIM-Signature:x\r\n\r\n" RFC_BODY),
      "mmmmmmmo+" },
};

static void mails_whole_and_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
        every_way(mails[i].mail, true, mails[i].want);
        every_way(mails[i].mail, false, mails[i].want);
    }
}

/* Signed over `body`, sent as `wire`. */
static size_t signed_mail(char *out, struct span body, struct span wire)
{
    size_t n = 0;

    for (unsigned bits = 0; bits < 8; bits++) {
        struct oath_form f = { bits & 1, bits & 2, bits & 4, body.len / 2 };
        n += put_oath(out + n, MAIL_MAX - n, body, &f);
    }
    n += (size_t)snprintf(out + n, MAIL_MAX - n, "From: a@example.org\r\n\r\n");
    memcpy(out + n, wire.ptr, wire.len);
    return n + wire.len;
}

static const struct {
    struct span body, wire;
    bool stuffed;
    const char *want;
} wires[] = {
    { SPAN_INIT(""), SPAN_INIT(""), true, "oooooooo" },
    { SPAN_INIT(".\r\n..\r\n"), SPAN_INIT("..\r\n...\r\n"), true, "oooooooo" },
    { SPAN_INIT("a\r\n.b.\r\n..c\r\nd.e\r\n"), SPAN_INIT("a\r\n..b.\r\n...c\r\nd.e\r\n"), true,
      "oooooooo" },
    { SPAN_INIT("a\r\n.b\r\n"), SPAN_INIT("a\r\n.b\r\n"), false, "oooooooo" },
    { SPAN_INIT("a\r\n.b\r\n"), SPAN_INIT("a\r\n.b\r\n"), true, "ccccoooo" },
    { SPAN_INIT("a\r\nb\r\n"), SPAN_INIT("a\r\n.b\r\n"), true,
      "oooooooo" }, /* RFC 5321 4.5.2 */
    /* A dot behind a bare LF, a bare CR or CR CR LF: only the last one is a line's start. */
    { SPAN_INIT("a\n.b\r\n"), SPAN_INIT("a\n.b\r\n"), true, "oooooooo" },
    { SPAN_INIT("a\r.b\r\n"), SPAN_INIT("a\r.b\r\n"), true, "oooooooo" },
    { SPAN_INIT("a\r\r\n.b\r\n"), SPAN_INIT("a\r\r\n..b\r\n"), true, "oooooooo" },
    { SPAN_INIT("a\r\nb"), SPAN_INIT("a\r\nb"), false, "oooooooo" },
    /* changes behind l= and within */
    { SPAN_INIT("0123456789\r\n"), SPAN_INIT("012345678X\r\n"), false, "ccccoooo" },
    { SPAN_INIT("0123456789\r\n"), SPAN_INIT("0123456789\r\nfooter\r\n"), false, "ccccoooo" },
    { SPAN_INIT("0123456789\r\n"), SPAN_INIT("X123456789\r\n"), false, "cccccccc" },
    { SPAN_INIT("a b\r\n\r\nc d\r\n"), SPAN_INIT("a \tb \r\n\r\nc d \t\r\n \r\n"), false,
      "cocococo" },
    { SPAN_INIT("a\r\nb\r\n"), SPAN_INIT("a\nb\n"), true, "cccccccc" },
};

static void bodies_on_the_wire(void **state)
{
    static char mail[MAIL_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof wires / sizeof *wires; i++) {
        size_t n = signed_mail(mail, wires[i].body, wires[i].wire);
        every_way(span_of(mail, n), wires[i].stuffed, wires[i].want);
    }
}

/* The first octet of a mail is a line's first, too. */
static void dot_in_front(void **state)
{
    struct span mail = SPAN_LIT(".DKIM-Signature: " OATH "\r\n\r\n" RFC_BODY);

    (void)state;
    every_way(mail, true, "o");
    every_way(mail, false, "-");
}

/* The longest value that is looked at, and one octet more. */
static void long_headers(void **state)
{
    static char mail[MAIL_MAX];

    (void)state;
    for (int more = 0; more < 2; more++) {
        int n = snprintf(mail, sizeof mail, "DKIM-Signature:" OATH "; x=");
        int fill = DKIM_HEADER_MAX + more - (n - 15) - 1; /* the CR counts */
        memset(mail + n, 'x', (size_t)fill);
        n += fill;
        n += snprintf(mail + n, sizeof mail - (size_t)n, "\r\n\r\n" RFC_BODY);
        struct dkim *d = dkim_new(false);
        dkim_add(d, guarded(span_of(mail, (size_t)n)), true);
        check_words(d, more ? "+" : "o", "long", span_of(mail, 40));
    }
}

/* A mail that does not come to its end proves nothing, unless there was nothing to read. */
static void cut_mails(void **state)
{
    struct dkim *d = dkim_new(true);
    struct span body;

    (void)state;
    dkim_add(d, SPAN_LIT("DKIM-Signature: x\r\n" RFC_6376 "\r\nHi.\r\n"), true);
    const struct dkim_verdict *v = dkim_finish(d, false);
    assert_string_equal(words(v), "mc");
    assert_int_equal(v->signatures[1].result, DKIM_CUT);
    assert_false(dkim_body(d, &body));
    assert_ptr_equal(dkim_finish(d, false), v);
    dkim_free(&d);
    assert_null(d);
}

/* Cut within a header: what was on its way of it is not known, so it is not the signer's
 * fault. `whole` signatures came before that one. */
static void check_cut_at(struct span mail, size_t cut, unsigned whole, bool open)
{
    struct dkim *d = dkim_new(false);

    dkim_add(d, guarded(span_first(mail, cut)), true);
    const struct dkim_verdict *v = dkim_finish(d, false);
    unsigned count = v != NULL ? v->count : 0;
    if (count != whole + open)
        fail_msg("cut at %zu: %u signatures", cut, count);
    for (unsigned i = 0; i < count; i++)
        if (v->signatures[i].result != DKIM_CUT)
            fail_msg("cut at %zu: %s", cut, words(v));
    if (open)
        assert_true(v->signatures[whole].domain[0] == '\0' &&
                    v->signatures[whole].arc == whole);
    dkim_free(&d);
}

static void cut_headers(void **state)
{
    static const char arc[] = "ARC-Message-Signature: i=1;" OATH "\r\n";
    static const char mail[] = RFC_6376 "ARC-Message-Signature: i=1;" OATH "\r\n"
                                        "Subject: x\r\n\r\nHi.\r\n";
    const size_t name = sizeof "DKIM-Signature:" - 1,
                 arc_name = sizeof "ARC-Message-Signature:";
    const size_t first = sizeof RFC_6376 - 1, second = first + sizeof arc - 1;

    (void)state;
    for (size_t cut = 1; cut < sizeof mail - 1; cut++) {
        if (cut <= first) /* the next line may go on with it */
            check_cut_at(span_str(mail), cut, 0, cut >= name);
        else if (cut <= second)
            check_cut_at(span_str(mail), cut, 1, cut >= first + arc_name - 1);
        else
            check_cut_at(span_str(mail), cut, 2, false);
    }
}

static void kept_bodies(void **state)
{
    struct span body, part = span_of(RFC_6376, sizeof RFC_6376 - 1);
    static unsigned char much[1 << 16];

    (void)state;
    struct dkim *d = dkim_new(true);
    dkim_add(d, part, true);
    dkim_add(d, SPAN_LIT("\r\na\r\n..b\r"), true);
    dkim_add(d, SPAN_LIT("\n."), true);
    dkim_add(d, SPAN_LIT(".\r\n"), true);
    const struct dkim_verdict *v = dkim_finish(d, true);
    assert_int_equal(v->signatures[0].result, DKIM_CHANGED);
    assert_true(dkim_body(d, &body));
    check_span(body, SPAN_LIT("a\r\n.b\r\n.\r\n"), "kept");
    dkim_set_damage(d, 0, "cause", "words");
    dkim_set_damage(d, 1, "nothing", "there");
    assert_string_equal(v->signatures[0].damage, "cause");
    assert_string_equal(v->signatures[0].damage_text, "words");
    dkim_free(&d);

    d = dkim_new(true); /* as signed: nothing to look for */
    dkim_add(d, part, true);
    dkim_add(d, SPAN_LIT("\r\n" RFC_BODY), true);
    dkim_finish(d, true);
    assert_false(dkim_body(d, &body));
    dkim_free(&d);

    for (int more = 0; more < 2; more++) { /* 4 MiB are kept, one octet more is not */
        d = dkim_new(true);
        dkim_add(d, part, false);
        dkim_add(d, SPAN_LIT("\r\n"), false);
        for (size_t i = 0; i < DKIM_BODY_MAX / sizeof much; i++)
            dkim_add(d, span_of(much, sizeof much), false);
        dkim_add(d, span_of(much, (size_t)more), false);
        v = dkim_finish(d, true);
        assert_int_equal(dkim_body(d, &body), !more);
        assert_int_equal(v->body_too_large, more);
        dkim_free(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mails_whole_and_cut), cmocka_unit_test(bodies_on_the_wire),
        cmocka_unit_test(dot_in_front),        cmocka_unit_test(long_headers),
        cmocka_unit_test(cut_mails),           cmocka_unit_test(cut_headers),
        cmocka_unit_test(kept_bodies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
