/*
 * The vectors of the catalogue, those of bytes alone: what is changed is found where one
 * vantage point can tell, and what is not changed stays silent. Every such row is named here.
 */
#include "unit/analysis/play.h"

enum kind {
    GREETING,
    EHLO,     /* the whole reply */
    KEYWORDS, /* lines of it, without the first */
    SESSION,  /* greeting and reply to EHLO */
    REPLY,    /* to `line` */
    COMMAND,
    HEADER,
    CONTENT, /* line endings of the body */
    TWO,     /* only two vantage points can tell: silence */
};

struct vector_case {
    const char *id;
    enum kind kind;
    const char *line;         /* REPLY */
    const char *alone, *past; /* found; and with the unchanged text seen three times before */
};

static const struct vector_case cases[] = {
    { "pix-banner-mask", GREETING, "", "SV-01", "SV-01" },
    { "pix-banner-mask#2", GREETING, "", "SV-01", "SV-01" },
    { "pix4-banner-all-star", GREETING, "", "SV-01", "SV-01" },
    { "pix4-banner-all-star#2", GREETING, "", "SV-12", "SV-12" },
    { "pix-verb-x", COMMAND, "", "SV-04", "SV-04" },
    { "asa-line-x", COMMAND, "", "SV-04", "SV-04" },
    { "asa-line-x#2", COMMAND, "", "SV-04", "SV-04" },
    { "asa-line-x#3", COMMAND, "", "SV-04", "SV-04" },
    { "pix-cmd-noop", COMMAND, "", "SV-05", "SV-05" },
    { "pix-cmd-noop#2", COMMAND, "", "SV-05", "SV-05" },
    { "asa-ehlo-kw-x", KEYWORDS, "", "SV-02", "SV-02 SV-08" },
    { "asa-starttls-roundtrip", COMMAND, "", "SV-04", "SV-04" },
    { "pix-esmtp-blocked", COMMAND, "", "SV-04", "SV-04" },
    { "asa-pipe-char-blank", TWO, "", "", "" },
    { "ironport-cmd-echo", REPLY, "BDAT 10 LAST\r\n", "SV-12 SV-20", "SV-12 SV-20" },
    { "netdefendos-ehlo-strip", EHLO, "", "", "SV-19" },
    { "zorp-ehlo-whitelist", EHLO, "", "", "SV-08 SV-19" },
    { "zorp-request-normalise", TWO, "", "", "" },
    { "fsecure-gatekeeper-ehlo", KEYWORDS, "", "", "SV-08 SV-19" },
    { "kernun-mta-proxy", GREETING, "", "", "" },
    { "stormshield-banner", EHLO, "", "SV-06", "SV-06" },
    { "stormshield-helo-ip", TWO, "", "", "" },
    { "fortigate-spam-drop", HEADER, "", "", "" },
    { "checkpoint-sec-server", GREETING, "", "SV-12", "SV-12" },
    { "raptor-generic-handler", GREETING, "", "SV-12", "SV-12" },
    { "watchguard-rcpt-truncate", TWO, "", "", "" },
    { "mcafee-email-gateway", EHLO, "", "SV-06", "SV-06" },
    { "trend-imss", GREETING, "", "SV-12", "SV-12" },
    { "sophos-legacy-proxy", TWO, "", "", "" },
    { "nginx-mail-proxy", REPLY, "RCPT TO:<b@y>\r\n", "SV-12", "SV-12" },
    { "avast-mailshield-proxy", GREETING, "", "SV-12", "SV-12" },
    { "av-header-insert-avast", HEADER, "", "SV-28", "SV-28" },
    { "av-header-eset", HEADER, "", "SV-28", "SV-28" },
    { "eset-smtp-proxy", SESSION, "", "SV-06", "SV-06 SV-08 SV-19" },
    { "bitdefender-proxy", GREETING, "", "SV-12", "SV-12" },
    { "p3scan-354", REPLY, "DATA\r\n", "SV-13", "SV-13" },
    { "p3scan-header-pipelining", KEYWORDS, "", "", "SV-19" },
    { "p3scan-header-pipelining#2", HEADER, "", "SV-28", "SV-28" },
    { "smtp-gated", HEADER, "", "SV-28", "SV-28" },
    { "smtpgated-star-mask", KEYWORDS, "", "SV-03", "SV-03 SV-19" },
    { "smtpgated-bdat-last", TWO, "", "", "" },
    { "isp-port25-redirect", GREETING, "", "SV-12", "SV-12" },
    { "isp-starttls-mask", KEYWORDS, "", "SV-02", "SV-02 SV-08" },
    { "provider-content-550", REPLY, ".\r\n", "SV-12", "SV-12" },
    { "starttls-line-deleted", KEYWORDS, "", "", "SV-08" },
    { "starttls-refused-4xx5xx", REPLY, "STARTTLS\r\n", "SV-09", "SV-09" },
    { "starttls-added", EHLO, "", "", "" },
    { "pipelining-broken", COMMAND, "", "SV-04", "SV-04" },
    { "chunking-bdat-broken", COMMAND, "", "SV-04", "SV-04" },
    { "8bitmime-removed", KEYWORDS, "", "SV-02", "SV-02" },
    { "size-rewritten", KEYWORDS, "", "", "" },
    { "auth-mechs-removed", KEYWORDS, "", "", "" },
    { "mail-params-stripped", TWO, "", "", "" },
    { "address-case-fold", TWO, "", "", "" },
    { "ehlo-downgraded-helo", TWO, "", "", "" },
    { "banner-esmtp-removed", GREETING, "", "", "" },
    { "postfix-workaround-downgrade", TWO, "", "", "" },
    { "reply-multiline-collapsed", REPLY, "RCPT TO:<b@y>\r\n", "SV-13", "SV-13" },
    { "cmd-whitespace-normalise", TWO, "", "", "" },
    { "unknown-verb-eaten", REPLY, "XPROBE1 abc\r\n", "SV-12", "SV-12" },
    { "bare-lf-to-crlf", CONTENT, "", "", "" },
    { "bare-lf-to-crlf#2", CONTENT, "", "", "" },
    { "bare-cr-lf-to-space", CONTENT, "", "", "" },
    { "crcrlf-double", CONTENT, "", "SV-29", "SV-29" },
    { "crlf-to-lf", CONTENT, "", "", "" },
    { "dot-unstuffed-once-more", CONTENT, "", "", "" },
    { "dot-unstuffed-once-more#2", CONTENT, "", "", "" },
    { "dot-restuffed-twice", CONTENT, "", "", "" },
    { "eighth-bit-stripped", CONTENT, "", "", "" },
    { "high-bytes-questionmark", CONTENT, "", "", "" },
    { "nul-removed", CONTENT, "", "", "" },
    { "nul-removed#2", CONTENT, "", "", "" },
    { "control-chars-removed", CONTENT, "", "", "" },
    { "eof-1a-cut", CONTENT, "", "", "" },
    { "trailing-ws-stripped", CONTENT, "", "", "" },
    { "tab-to-space", CONTENT, "", "", "" },
    { "header-inserted", HEADER, "", "", "" },
    { "header-removed-rewritten", HEADER, "", "", "" },
    { "subject-tagged", HEADER, "", "", "" },
    { "footer-appended", CONTENT, "", "", "" },
    { "mime-recoded", CONTENT, "", "", "" },
    { "final-newline-added", CONTENT, "", "", "" },
    { "from-escaped", CONTENT, "", "", "" },
};

enum { TEXT_MAX = 4096 };

/* ---- the file ------------------------------------------------------------------------- */

static size_t unescape(const char *in, size_t len, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char c = in[i];
        if (c == '\\' && i + 1 < len) {
            c = in[++i];
            c = (char)(c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c);
            if (c == 'x') {
                char hex[3] = { in[i + 1], in[i + 2], 0 };
                c = (char)strtoul(hex, NULL, 16);
                i += 2;
            }
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return n;
}

struct row {
    char id[64], before[TEXT_MAX], after[TEXT_MAX];
    size_t after_len;
};

/* False: a row that is no test of bytes. */
static bool read_row(char *line, struct row *r)
{
    char *field[4], *rest = line;

    for (int i = 0; i < 4; i++) {
        field[i] = strsep(&rest, "\t");
        assert_non_null(rest);
    }
    if (strpbrk(field[2], "{}") != NULL || strpbrk(field[3], "{}") != NULL ||
        strstr(field[2], "<1001") != NULL || strstr(field[2], "<base64") != NULL)
        return false;
    snprintf(r->id, sizeof r->id, "%s", field[0]);
    unescape(field[2], strlen(field[2]), r->before);
    r->after_len = unescape(field[3], strlen(field[3]), r->after);
    return true;
}

/* ---- one text played ---- */

static bool ends_open(const char *text)
{
    const char *last = text;

    for (const char *p = text; (p = strchr(p, '\n')) != NULL && p[1] != '\0'; p++)
        last = p + 1;
    return last[3] == '-';
}

static void play_keywords(struct play *p, const char *text, bool whole)
{
    char reply[2 * TEXT_MAX];

    snprintf(reply, sizeof reply, "%s%s%s", whole ? "" : "250-mx.example.com\r\n", text,
             ends_open(text) ? "250 HELP\r\n" : "");
    play_command(p, "EHLO a\r\n", reply);
}

static void play_lines(struct play *p, const char *text)
{
    char line[TEXT_MAX];

    while (*text != '\0') {
        size_t len = strcspn(text, "\n") + 1;
        snprintf(line, sizeof line, "%.*s", (int)len, text);
        play_command(p, line, "250 mx.example.com\r\n");
        text += len;
    }
}

static void play_body(struct play *p, const char *text)
{
    struct data_stats s = { .octets = 100 };

    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
        bool cr = at > text && at[-1] == '\r', crcr = cr && at - 1 > text && at[-2] == '\r';
        s.lines += 9; /* as if it came so often */
        s.crcrlf += crcr ? 9 : 0;
        s.crlf += cr && !crcr ? 9 : 0;
        s.bare_lf += !cr ? 9 : 0;
    }
    play_content(p, s, true);
}

static void play_reply(struct play *p, const char *line, const char *reply)
{
    play_command(p, "EHLO a\r\n", EHLO_CLEAN);
    for (int i = 0; i < 4; i++)
        play_command(p, "NOOP\r\n", "250 2.0.0 Ok\r\n");
    play_command(p, line, reply);
}

static void play_headers(struct play *p, const char *text)
{
    struct event e = event_of(p, EVENT_CONTENT, "");

    e.data = &p->data;
    play_see(p, (struct record_view){
                    .kind = VIEW_CONTENT, .event = &e, .headers = span_str(text) });
}

static void play_text(struct play *p, const struct vector_case *c, const char *text)
{
    char greeting[TEXT_MAX];

    OPEN(p);
    switch (c->kind) {
    case GREETING:
        play_greeting(p, text);
        break;
    case EHLO:
        play_keywords(p, text, true);
        break;
    case KEYWORDS:
        play_keywords(p, text, false);
        break;
    case SESSION:
        snprintf(greeting, sizeof greeting, "%.*s", (int)(strcspn(text, "\n") + 1), text);
        play_greeting(p, greeting);
        play_keywords(p, text + strlen(greeting), true);
        break;
    case REPLY:
        play_reply(p, c->line,
                   text[0] >= '2' && text[0] <= '5'       ? text
                   : strcmp(c->line, "STARTTLS\r\n") == 0 ? "220 2.0.0 Ready\r\n"
                                                          : "250 2.0.0 Ok\r\n");
        break;
    case COMMAND:
    case TWO:
        play_lines(p, text);
        break;
    case HEADER:
        play_headers(p, text);
        break;
    case CONTENT:
        memset(&p->data, 0, sizeof p->data);
        play_body(p, text);
        break;
    }
    play_quit(p);
}

static void check(const struct play *p, const struct vector_case *c, const char *want,
                  const char *what)
{
    if (strcmp(p->ids, want) != 0)
        fail_msg("%s, %s: found \"%s\", want \"%s\"", c->id, what, p->ids, want);
}

static void check_row(const struct vector_case *c, const struct row *r)
{
    struct play p;

    play_start(&p);
    play_text(&p, c, r->after);
    check(&p, c, c->alone, "changed");
    char product[64];
    snprintf(product, sizeof product, "%.*s", (int)strcspn(r->id, "#"), r->id);
    assert_non_null(catalogue_find(p.env.catalogue, product));
    play_stop(&p);
    play_start(&p);
    for (int i = 0; i < 3; i++) {
        play_text(&p, c, r->before);
        check(&p, c, "", "unchanged");
    }
    play_text(&p, c, r->after);
    check(&p, c, c->past, "changed later");
    play_stop(&p);
}

static const struct vector_case *find_case(const char *id)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (strcmp(cases[i].id, id) == 0)
            return &cases[i];
    return NULL;
}

static void test_vectors(void **state)
{
    static struct row r;
    FILE *f = fopen("unit/analysis/middleboxes.tsv", "r");
    char line[2 * TEXT_MAX];
    size_t rows = 0;

    (void)state;
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f)); /* the names of the columns */
    while (fgets(line, sizeof line, f) != NULL) {
        if (!read_row(line, &r))
            continue;
        const struct vector_case *c = find_case(r.id);
        if (c == NULL)
            fail_msg("%s is not named in this test", r.id);
        check_row(c, &r);
        rows++;
    }
    fclose(f);
    assert_int_equal(rows, ARRAY_LEN(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
