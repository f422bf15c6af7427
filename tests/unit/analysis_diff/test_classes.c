/*
 * What a box between two vantage points does, and what diff calls it: two sessions in memory
 * with a wire between them that replaces texts; and the twins where it must stay silent.
 */
#include "unit/check.h"

#include "analysis/diff/diff.h"
#include "diff/duo.h"

#include <dirent.h>
#include <sys/stat.h>

enum { SAID_MAX = 4096 };

static char folder[64], near_file[128], far_file[128], spool[2][128];

/* ---- the wire ---- */

struct swap {
    enum side to;
    const char *from, *into;
    bool once;
    bool done;
};

static void replace_text(void *arg, enum side to, uint64_t at, struct span in,
                         struct duo_octets *out)
{
    struct swap *s = arg;
    size_t len = strlen(s->from), into = strlen(s->into);

    (void)at;
    for (size_t i = 0; i < in.len;) {
        bool here = to == s->to && !(s->once && s->done) && i + len <= in.len &&
                    memcmp(in.ptr + i, s->from, len) == 0;
        if (here) {
            memcpy(out->bytes + out->len, s->into, into);
            out->len += into;
            i += len;
            s->done = true;
        } else {
            out->bytes[out->len++] = in.ptr[i++];
        }
    }
}

static const char *const steps[] = {
    "EHLO client.example.org\r\n",
    "NOOP\r\n",
    "MAIL FROM:<ann@example.org> SIZE=100\r\n",
    "RCPT TO:<b@example.net>\r\n",
    "RCPT TO:<c|d@example.net>\r\n",
    "DATA\r\n",
    "From: ann@example.org\r\nSubject: one\r\n\r\nfirst\r\n..dot\r\n..more\r\nh\xe9t\xe9 "
    "bl\xe9\r\n"
    "a long line that goes on and on and on and on\r\nb long line that goes on and "
    "on\r\nend\r\n.\r\n",
    "HELP\r\n",
    "QUIT\r\n",
};

enum { STEPS = sizeof steps / sizeof *steps };

static struct duo_config config(void)
{
    return (struct duo_config){ .file = { near_file, far_file },
                                .observe = true,
                                .content = CONTENT_LEVEL_DIGEST };
}

static void clean_up(void)
{
    remove(near_file);
    remove(far_file);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-diff-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(near_file, sizeof near_file, "%s/near.jsonl", folder);
    snprintf(far_file, sizeof far_file, "%s/far.jsonl", folder);
    for (unsigned v = 0; v < 2; v++) {
        snprintf(spool[v], sizeof spool[v], "%s/spool%u", folder, v);
        mkdir(spool[v], 0700);
    }
    return 0;
}

static void empty_folder(const char *path)
{
    DIR *d = opendir(path);
    char name[512];

    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        snprintf(name, sizeof name, "%s/%.200s", path, e->d_name);
        if (e->d_name[0] != '.')
            remove(name);
    }
    if (d != NULL)
        closedir(d);
    rmdir(path);
}

static int remove_folder(void **state)
{
    (void)state;
    empty_folder(spool[0]);
    empty_folder(spool[1]);
    empty_folder(folder);
    return 0;
}

/* ---- what diff says ---- */

struct said {
    char text[SAID_MAX];
    uint64_t pairs;
    enum confidence least;
};

/* "TV-05 deleted STARTTLS; ...": what is more than information. */
static void on_compared(void *arg, const struct diff_pair *pair,
                        const struct diff_finding *list, size_t len)
{
    struct said *s = arg;

    s->pairs++;
    if (pair->how[0] != '\0' && pair->confidence < s->least)
        s->least = pair->confidence;
    for (size_t i = 0; i < len; i++) {
        size_t used = strlen(s->text);
        assert_int_equal(list[i].f.side, BLAME_BETWEEN);
        assert_true(list[i].f.text[0] != '\0' && list[i].f.next_test[0] != '\0');
        if (list[i].f.severity > SEVERITY_INFO)
            snprintf(s->text + used, sizeof s->text - used, "%s%s %s %s", used > 0 ? "; " : "",
                     list[i].f.id, list[i].sub, list[i].subject);
    }
}

static void on_trouble(void *arg, const char *what)
{
    (void)arg;
    fail_msg("%s", what);
}

static struct diff_result *compare(struct said *s, bool kept)
{
    const char *near[] = { near_file }, *far[] = { far_file };
    struct diff_options o = { .files = { near, far },
                              .file_count = { 1, 1 },
                              .examples = 2,
                              .spool = { kept ? spool[0] : NULL, kept ? spool[1] : NULL },
                              .trouble = on_trouble,
                              .compared = on_compared,
                              .arg = s };
    char error[DIFF_ERROR_MAX] = "";

    *s = (struct said){ .least = CONFIDENCE_CERTAIN };
    struct diff_result *r = diff_run(&o, error);
    assert_string_equal(error, r != NULL ? error : "");
    assert_non_null(r);
    return r;
}

static void one_session(const struct duo_config *c, struct swap *swap)
{
    struct duo *d = duo_new(c);

    duo_session(d, steps, STEPS, swap != NULL ? replace_text : NULL, swap);
    duo_free(&d);
}

static const struct {
    const char *what;
    struct swap swap;
    const char *digest, *kept; /* said with digests only, with the contents; NULL: the same */
} classes[] = {
    { "nothing", { CLIENT, "nowhere", "", false, false }, "", NULL },
    { "banner masked",
      { CLIENT, "mx.example.net ESMTP ready", "**************************", true, false },
      "TV-01 reply greeting",
      NULL },
    { "keyword masked",
      { CLIENT, "STARTTLS", "XXXXXXXA", false, false },
      "TV-02 keyword STARTTLS",
      NULL },
    { "verb masked", { SERVER, "HELP", "XXXX", true, false }, "TV-02 command HELP", NULL },
    { "line masked",
      { SERVER, "RCPT TO:<b@example.net>", "XXXXXXXXXXXXXXXXXXXXXXX", true, false },
      "TV-02 command RCPT",
      NULL },
    { "one star",
      { CLIENT, "CHUNKING", "CHU*KING", false, false },
      "TV-03 keyword CHUNKING",
      NULL },
    { "noop", { SERVER, "HELP\r\n", "NOOP\r\n", true, false }, "TV-04 replaced HELP", NULL },
    { "noop padded",
      { SERVER, "RCPT TO:<b@example.net>\r\n", "NOOP                   \r\n", true, false },
      "TV-04 replaced RCPT",
      NULL },
    { "starttls deleted",
      { CLIENT, "250-STARTTLS\r\n", "", false, false },
      "TV-05 deleted STARTTLS",
      NULL },
    { "auth inserted",
      { CLIENT, "250-DSN\r\n", "250-DSN\r\n250-AUTH PLAIN\r\n", false, false },
      "TV-05 inserted AUTH",
      NULL },
    { "size changed",
      { CLIENT, "SIZE 10485760", "SIZE 1048576", false, false },
      "TV-05 changed SIZE",
      NULL },
    { "last one deleted",
      { CLIENT, "250-DSN\r\n250 SMTPUTF8\r\n", "250 DSN\r\n", false, false },
      "TV-05 deleted SMTPUTF8",
      NULL },
    { "host name hidden",
      { CLIENT, "250-mx.example.net", "250-firewall", false, false },
      "TV-00 name mx.example.net",
      NULL },
    { "reply forged",
      { CLIENT, "250 2.1.5 recipient ok", "541 virus found by the box", true, false },
      "TV-06 replaced RCPT",
      NULL },
    { "reply swallowed",
      { CLIENT, "214-2.0.0 this server knows\r\n", "", false, false },
      "TV-07 lines HELP",
      NULL },
    { "same code, other words",
      { CLIENT, "354 End data with <CR><LF>.<CR><LF>", "354 go", false, false },
      "TV-07 replaced DATA",
      NULL },
    { "command made up",
      { SERVER, "MAIL FROM", "RSET\r\nMAIL FROM", true, false },
      "TV-08 inserted RSET",
      NULL },
    { "argument",
      { SERVER, " SIZE=100", "", true, false },
      "TV-10 parameter-removed MAIL",
      NULL },
    { "address lowered",
      { SERVER, "<ann@example.org>", "<ANN@example.org>", true, false },
      "TV-10 address-case MAIL",
      NULL },
    { "blanks",
      { SERVER, "RCPT TO:<b", "rcpt to: <b", true, false },
      "TV-10 normalised RCPT",
      NULL },
    { "a pipe character",
      { SERVER, "<c|d@example.net>", "<c d@example.net>", true, false },
      "TV-10 pipe-blanked RCPT",
      NULL },
    { "name",
      { SERVER, "EHLO client.example.org", "EHLO [192.0.2.77]", true, false },
      "TV-10 name EHLO",
      NULL },
    { "older", { SERVER, "EHLO", "HELO", true, false }, "TV-10 ehlo-to-helo EHLO", NULL },
    { "eighth bit",
      { SERVER, "\xe9", "i", false, false },
      "TV-12 eighth-bit-lost content",
      "TV-12 replaced content" },
    { "utf8",
      { SERVER, "\xe9", "\xc3\xa9", false, false },
      "TV-12 latin1-to-utf8 content",
      "TV-12 expanded content" },
    { "unstuffed",
      { SERVER, "\r\n..", "\r\n.", false, false },
      "TV-14 unstuffed-twice content",
      "TV-14 unstuffed-twice content" },
    { "stuffed",
      { SERVER, "\r\n..", "\r\n...", false, false },
      "TV-14 stuffed-twice content",
      "TV-14 stuffed-twice content" },
    { "folded",
      { SERVER, "a long line that goes on ", "a long line that goes on !\r\n ", false, false },
      "TV-15 folded content",
      "TV-15 folded content" },
    { "cut",
      { SERVER, "that goes on and on and on and on\r\n", "that\r\n", false, false },
      "TV-16 cut content",
      "TV-16 cut content" },
    { "header",
      { SERVER, "Subject:", "X-Scan: clean\r\nSubject:", false, false },
      "TV-17 header content",
      "TV-17 header-inserted X-Scan" },
    { "a header longer than every line",
      { SERVER, "Subject:",
        "X-Scan: clean, says the box, which says so in every mail that it has "
        "passed\r\nSubject:",
        true, false },
      "TV-17 header content",
      "TV-17 header-inserted X-Scan" },
    { "footer",
      { SERVER, "end\r\n", "end\r\n-- scanned\r\n", false, false },
      "TV-17 end content",
      "TV-17 end-inserted content" },
    { "header rewritten",
      { SERVER, "Subject: one", "Subject: [SPAM] one", true, false },
      "TV-00 inserted content",
      "TV-17 header-rewritten Subject" },
    { "stopped",
      { SERVER, "on and on\r\nend\r\n.\r\n", "", true, false },
      "TV-18 in-content content; TV-09 dropped .",
      "TV-18 in-content content; TV-09 dropped ." },
    { "dots of nobody",
      { SERVER, "..more\r\n", "...................\r\n..more\r\n", true, false },
      "TV-17 end content",
      "TV-14 dot-line-inserted content" },
    { "octet",
      { SERVER, "first", "fjrst", true, false },
      "TV-00 replaced content",
      "TV-00 replaced content" },
    { "command octet",
      { SERVER, "RCPT TO:<b", "RCPT TO:<q", true, false },
      "TV-00 replaced RCPT",
      NULL },
    { "reply octet",
      { CLIENT, "sender ok", "sender oK", true, false },
      "TV-00 replaced MAIL",
      NULL },
};

static void each_class(bool kept)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        struct duo_config c = config();
        struct swap swap = classes[i].swap;
        struct said s;

        if (kept) {
            c.content = CONTENT_LEVEL_FULL;
            c.spool[0] = spool[0];
            c.spool[1] = spool[1];
        }
        one_session(&c, &swap);
        struct diff_result *r = compare(&s, kept);
        const char *want =
            kept && classes[i].kept != NULL ? classes[i].kept : classes[i].digest;
        if (strcmp(s.text, want) != 0) {
            print_error("%s: got \"%s\", want \"%s\"\n", classes[i].what, s.text, want);
            wrong++;
        }
        check_number(r->totals.pairs, 1, classes[i].what);
        check_number(diff_is_damaged(r), want[0] != '\0', classes[i].what);
        diff_free(&r);
        clean_up();
    }
    assert_int_equal(wrong, 0);
}

static void with_digests(void **state)
{
    (void)state;
    each_class(false);
}

static void with_contents(void **state)
{
    (void)state;
    each_class(true);
}

/* ---- where it must stay silent ---- */

static void stays_silent(void **state)
{
    static const struct {
        const char *what;
        bool observe, nat;
        int64_t ahead_us;
        enum redact_level near, far;
    } cases[] = {
        { "as it is", true, false, 0, REDACT_SECRETS, REDACT_SECRETS },
        { "enforce", false, false, 0, REDACT_SECRETS, REDACT_SECRETS },
        { "NAT", true, true, 0, REDACT_SECRETS, REDACT_SECRETS },
        { "a clock three hours ahead", true, true, 10800000000, REDACT_SECRETS,
          REDACT_SECRETS },
        { "a clock behind", true, false, -5000000, REDACT_SECRETS, REDACT_SECRETS },
        { "names redacted here", true, true, 0, REDACT_ALL, REDACT_SECRETS },
        { "names redacted there", true, false, 0, REDACT_SECRETS, REDACT_ALL },
        { "nothing redacted there", true, true, 0, REDACT_ALL, REDACT_NONE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct duo_config c = config();
        struct said s;
        c.observe = cases[i].observe;
        c.nat = cases[i].nat;
        c.ahead_us = cases[i].ahead_us;
        c.redact[0] = cases[i].near;
        c.redact[1] = cases[i].far;
        struct duo *d = duo_new(&c);
        for (unsigned n = 0; n < 5; n++)
            duo_session(d, steps, STEPS - n, NULL, NULL);
        duo_free(&d);
        struct diff_result *r = compare(&s, false);
        if (r->totals.findings != 0)
            fail_msg("%s: \"%s\", %s", cases[i].what, s.text, r->groups[0].examples[0]->f.text);
        check_number(r->totals.pairs, 5, cases[i].what);
        check_number(r->totals.clean, 5, cases[i].what);
        check_number(s.least >= (cases[i].nat ? CONFIDENCE_MEDIUM : CONFIDENCE_CERTAIN), true,
                     cases[i].what);
        if (r->clock.known && llabs(r->clock.ahead_us - cases[i].ahead_us) > 1000)
            fail_msg("%s: clock %lld", cases[i].what, (long long)r->clock.ahead_us);
        diff_free(&r);
        clean_up();
    }
}

/* The same input gives the same findings; many sessions one group. */
static void groups_equal_findings(void **state)
{
    struct swap swap = { CLIENT, "STARTTLS", "XXXXXXXA", false, false };
    struct duo_config c = config();
    struct said first, second;

    (void)state;
    struct duo *d = duo_new(&c);
    for (unsigned n = 0; n < 20; n++)
        duo_session(d, steps, STEPS, n % 4 == 0 ? NULL : replace_text, &swap);
    duo_free(&d);
    struct diff_result *r = compare(&first, false);
    assert_int_equal(r->group_count, 1);
    assert_int_equal(r->groups[0].sessions, 15);
    assert_int_equal(r->groups[0].could, 20);
    assert_int_equal(r->groups[0].example_count, 2);
    assert_true(r->groups[0].same_bytes);
    assert_int_equal(r->totals.damaged, 15);
    assert_int_equal(r->totals.clean, 5);
    assert_int_equal(r->worst, SEVERITY_CRITICAL);
    diff_free(&r);
    r = compare(&second, false);
    assert_string_equal(first.text, second.text);
    diff_free(&r);
    clean_up();
}

/* Twice in one session is one session. */
static void counts_sessions(void **state)
{
    struct swap swap = { SERVER, "RCPT TO", "XXXXXXX", false, false };
    struct duo_config c = config();
    struct said s;

    (void)state;
    one_session(&c, &swap);
    struct diff_result *r = compare(&s, false);
    assert_int_equal(r->group_count, 1);
    assert_int_equal(r->groups[0].findings, 2);
    assert_int_equal(r->groups[0].sessions, 1);
    diff_free(&r);
    clean_up();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_digests),    cmocka_unit_test(with_contents),
        cmocka_unit_test(stays_silent),    cmocka_unit_test(groups_equal_findings),
        cmocka_unit_test(counts_sessions),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
