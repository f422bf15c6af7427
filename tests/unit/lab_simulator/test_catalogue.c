/*
 * The byte vectors of the catalogue that a preset implements: before -> box -> after.
 *
 * What a vector is a piece of (a reply, mail data) is said here; the vectors themselves are
 * read from unit/analysis/middleboxes.tsv, where {SEG} is a read's or write's border.
 */
#include "box_play.h"

#include "base/buf.h"

enum place {
    GREETING,
    EHLO,    /* lines of its reply; a first and a last one are added */
    WHOLE,   /* all lines of it */
    SESSION, /* the greeting and all lines of it */
    COMMAND,
    ANSWER, /* a command; the client sees what is behind */
    REPLY,
    LINE,   /* of mail data; others follow */
    BODY,   /* behind the header */
    DATA,   /* all there is of a message */
    HEADER, /* its fields, without the empty line */
    CUT,    /* mail data, of which nothing else is left */
};

struct vector {
    const char *id, *preset;
    enum place place;
};

static const struct vector vectors[] = {
    { "pix-banner-mask", "pix6", GREETING },
    { "pix-banner-mask", "asa-default", GREETING },
    { "pix-banner-mask#2", "pix6", GREETING },
    { "pix4-banner-all-star", "pix4", GREETING },
    { "pix4-banner-all-star#2", "pix4(cmap)", GREETING },
    { "pix-verb-x", "pix4", COMMAND },
    { "asa-line-x", "asa-default", COMMAND },
    { "asa-line-x#2", "asa-default", COMMAND },
    { "asa-line-x#3", "asa-default", COMMAND },
    { "pix-cmd-noop", "pix6", COMMAND },
    { "pix-cmd-noop#2", "pix6", COMMAND },
    { "asa-ehlo-kw-x", "asa-default", EHLO },
    { "asa-starttls-roundtrip", "asa-default", COMMAND },
    { "asa-charmode-x", "asa-default", COMMAND },
    { "pix-dotcrlf-split", "pix6", DATA },
    { "pix-dotcrlf-split", "asa841-eod", DATA },
    { "asa-pipe-char-blank", "asa-default", COMMAND },
    { "asa-limits-drop", "asa-default", DATA },
    { "asa-limits-drop#2", "asa-default", COMMAND },
    { "pix-dkim-header-drop", "pix-dkim", DATA },
    { "ios-inspect-reset", "ios-reset", COMMAND },
    { "netdefendos-ehlo-strip", "netdefend", WHOLE },
    { "netdefendos-pipeline-reject", "netdefend", COMMAND },
    { "zorp-ehlo-whitelist", "ehlo-whitelist", WHOLE },
    { "zorp-request-normalise", "ehlo-whitelist", COMMAND },
    { "fsecure-gatekeeper-ehlo", "fsecure", EHLO },
    { "fortimail-block-starttls", "striptls-strip", EHLO },
    { "fortigate-bdat-multi", "bdat-second-stall", COMMAND },
    { "fortigate-spam-drop", "subj-tag", HEADER },
    { "checkpoint-sec-server", "checkpoint", GREETING },
    { "watchguard-rcpt-truncate", "watchguard(2)", COMMAND },
    { "watchguard-hide", "hdr-delete", HEADER },
    { "sophos-legacy-proxy", "foot-text(This email contains confidential information.)", DATA },
    { "zywall-astaro-generic", "ehlo-delete", EHLO },
    { "tcp-ehlo-dangling", "ehlo-dangling", WHOLE },
    { "tcp-ehlo-dangling", "ehlo-dangling(STARTTLS)", WHOLE },
    { "avast-mailshield-proxy", "avast", GREETING },
    { "av-header-insert-avast", "avast", LINE },
    { "av-header-eset", "hdr-insert-end", LINE },
    { "eset-smtp-proxy", "eset-like", SESSION },
    { "p3scan-header-pipelining", "p3scan", EHLO },
    { "smtp-gated", "smtpgated", HEADER },
    { "smtpgated-star-mask", "smtpgated", EHLO },
    { "smtpgated-bdat-last", "smtpgated", COMMAND },
    { "smtpgated-bdat-last", "bdat-last-lost", COMMAND },
    { "isp-starttls-mask", "asa-default", EHLO },
    { "country-starttls-strip", "striptls-strip", EHLO },
    { "gfw-smtp-rst", "gfw", COMMAND },
    { "banner-then-rst", "bannerkill", GREETING },
    { "idle-timeout-reset", "idle(30)", ANSWER },
    { "starttls-line-deleted", "ehlo-delete(STARTTLS)", EHLO },
    { "starttls-refused-4xx5xx", "striptls-454", ANSWER },
    { "pipelining-deleted", "ehlo-delete(PIPELINING)", EHLO },
    { "pipelining-broken", "pipe-x", COMMAND },
    { "chunking-bdat-broken", "bdat-x", COMMAND },
    { "smtputf8-dsn-removed", "ehlo-whitelist", EHLO },
    { "reply-multiline-collapsed", "reply-flatten", REPLY },
    { "reply-line-too-long", "reply-cut512", REPLY },
    { "cmd-whitespace-normalise", "ehlo-whitelist", COMMAND },
    { "bare-lf-to-crlf", "nl-lf2crlf", LINE },
    { "bare-lf-to-crlf#2", "nl-lf2crlf", LINE },
    { "bare-cr-lf-to-space", "nl-stray2space", LINE },
    { "crcrlf-double", "nl-crcrlf", LINE },
    { "crlf-to-lf", "nl-crlf2lf", LINE },
    { "dot-unstuffed-once-more", "dot-unstuff-only", LINE },
    { "dot-unstuffed-once-more#2", "dot-unstuff-only", LINE },
    { "dot-restuffed-twice", "dot-stuff-twice", LINE },
    { "eighth-bit-stripped", "bytes-7bit", LINE },
    { "high-bytes-questionmark", "bytes-high-question", LINE },
    { "nul-removed", "bytes-nul-del", LINE },
    { "nul-removed#2", "bytes-nul-cut", LINE },
    { "control-chars-removed", "bytes-ctrl-del", LINE },
    { "eof-1a-cut", "bytes-1a-cut", CUT },
    { "long-line-folded", "line-fold990", LINE },
    { "long-line-truncated", "line-cut1024", LINE },
    { "trailing-ws-stripped", "ws-strip", LINE },
    { "tab-to-space", "bytes-tab-space", LINE },
    { "header-inserted", "hdr-insert-top", HEADER },
    { "header-removed-rewritten", "hdr-rewrite-id", HEADER },
    { "subject-tagged", "subj-tag", HEADER },
    { "footer-appended", "foot-text", DATA },
    { "final-newline-added", "ws-tail", BODY },
};

enum { PIECES_MAX = 8 };

/* What a column means. */
struct column {
    struct buf octets;
    size_t cuts[PIECES_MAX];
    unsigned count;
    unsigned idle_s;
    bool reset, fin;
};

static void add(struct column *c, struct span s)
{
    assert_true(buf_append(&c->octets, s));
}

static void take_token(struct column *c, const char *s, const char *id)
{
    char fill;
    unsigned n;

    if (sscanf(s, "{FILL %c %u}", &fill, &n) == 2) {
        while (n-- > 0)
            add(c, span_of(&fill, 1));
    } else if (strncmp(s, "{SEG}", 5) == 0) {
        assert_true(c->count < PIECES_MAX);
        c->cuts[c->count++] = c->octets.len;
    } else if (sscanf(s, "{IDLE %u}", &n) == 1) {
        c->idle_s = n;
    } else if (strncmp(s, "{RST}", 5) == 0) {
        c->reset = true;
    } else if (strncmp(s, "{FIN}", 5) == 0) {
        c->fin = true;
    } else if (strncmp(s, "{STALL}", 7) != 0 && strncmp(s, "{DELETED}", 9) != 0) {
        fail_msg("%s: %s", id, s);
    }
}

static const char *take_escape(struct column *c, const char *s)
{
    unsigned hex = 0;
    unsigned char octet = s[1] == 'r' ? '\r' : s[1] == 'n' ? '\n' : s[1] == 't' ? '\t' : '\\';

    if (s[1] == 'x') {
        assert_int_equal(sscanf(s + 2, "%2x", &hex), 1);
        octet = (unsigned char)hex;
    }
    add(c, span_of(&octet, 1));
    return s + (s[1] == 'x' ? 4 : 2);
}

static void column_parse(struct column *c, const char *s, const char *id)
{
    *c = (struct column){ 0 };
    buf_init(&c->octets, 1 << 16);
    while (*s != '\0') {
        if (*s == '{') {
            take_token(c, s, id);
            s = strchr(s, '}') + 1;
        } else if (*s == '\\') {
            s = take_escape(c, s);
        } else {
            add(c, span_of(s++, 1));
        }
    }
}

/* The line of the table, cut at its tabs; valid until the next call. */
static void find_row(const char *id, const char **before, const char **after)
{
    static char line[4096];
    FILE *f = fopen("unit/analysis/middleboxes.tsv", "r");
    char *rest;

    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        rest = line;
        if (strcmp(strsep(&rest, "\t"), id) != 0)
            continue;
        (void)strsep(&rest, "\t");
        *before = strsep(&rest, "\t");
        *after = strsep(&rest, "\t");
        fclose(f);
        return;
    }
    fail_msg("%s: no such row", id);
}

/* What surrounds a vector, on its way in and out. */
static void surroundings(enum place place, bool in, const char **head, const char **tail)
{
    *head = *tail = "";
    if (place == EHLO)
        *head = "250-mx.test\r\n";
    if (place == LINE)
        *tail = "z\r\n.\r\n";
    if (place == HEADER)
        *tail = "\r\nz\r\n.\r\n";
    if (place == BODY)
        *head = "\r\n";
    if (place == CUT)
        *tail = in ? ".\r\n" : "\r\n.\r\n";
}

/* An EHLO reply whose last line is not there gets one. */
static const char *ehlo_tail(struct span octets)
{
    for (size_t i = 0; i + 6 < octets.len; i++)
        if (memcmp(octets.ptr + i, "\n250 ", 5) == 0)
            return "";
    return octets.len > 4 && octets.ptr[3] == ' ' ? "" : "250 ETRN\r\n";
}

static void surround(struct column *c, enum place place, bool in, const char *last)
{
    const char *head, *tail;
    struct buf all;

    surroundings(place, in, &head, &tail);
    buf_init(&all, 1 << 17);
    assert_true(buf_append(&all, span_str(head)) && buf_append(&all, buf_span(&c->octets)) &&
                buf_append(&all, span_str(tail)) && buf_append(&all, span_str(last)));
    buf_release(&c->octets);
    c->octets = all;
    for (unsigned i = 0; i < c->count; i++)
        c->cuts[i] += strlen(head);
    c->cuts[c->count++] = all.len;
}

static void say(struct play *p, enum side from, const char *text)
{
    play_bytes(p, from, span_str(text));
}

static void play_until(struct play *p, enum place place)
{
    if (place == GREETING || place == SESSION)
        return;
    say(p, SERVER, "220 mx.test ESMTP\r\n");
    say(p, CLIENT, "EHLO c.test\r\n");
    if (place == EHLO || place == WHOLE)
        return;
    say(p, SERVER, "250 mx.test\r\n");
    if (place == REPLY)
        say(p, CLIENT, "VRFY a\r\n");
    if (place >= LINE) {
        say(p, CLIENT, "DATA\r\n");
        say(p, SERVER, "354 go\r\n");
    }
}

static bool is_from_server(enum place place)
{
    return place <= SESSION || place == REPLY;
}

static void play_vector(struct play *p, const struct column *in, enum place place)
{
    size_t at = 0;

    p->now += in->idle_s * 1000;
    box_time(p->box, p->now);
    if (place == SESSION) {
        size_t lf = span_find(buf_span(&in->octets), '\n') + 1;
        play_bytes(p, SERVER, span_of(in->octets.ptr, lf));
        say(p, CLIENT, "EHLO c.test\r\n");
        at = lf;
    }
    for (unsigned i = 0; i < in->count; i++) {
        play_bytes(p, is_from_server(place) ? SERVER : CLIENT,
                   span_of(in->octets.ptr + at, in->cuts[i] - at));
        at = in->cuts[i];
    }
}

/* As a play would have written it down. */
static const char *wanted(const struct column *out, enum side to)
{
    static struct play p;
    static char text[PLAY_LOG_MAX / 2];
    size_t at = 0;

    play_forget(&p);
    for (unsigned i = 0; i < out->count; i++) {
        escape(text, sizeof text, span_of(out->octets.ptr + at, out->cuts[i] - at));
        if (out->cuts[i] > at)
            play_log(&p, to, text);
        at = out->cuts[i];
    }
    if (out->reset)
        play_log(&p, to, "~RST");
    if (out->fin)
        play_log(&p, to, "~FIN");
    return p.log;
}

/* What left for one side. */
static const char *got(const struct play *p, enum side to)
{
    static char lines[PLAY_LOG_MAX];
    size_t n = 0;

    for (const char *s = p->log; *s != '\0'; s = strchr(s, '\n') + 1) {
        size_t len = strcspn(s, "\n") + 1;
        if (*s != (to == SERVER ? '>' : '<'))
            continue;
        memcpy(lines + n, s, len);
        n += len;
    }
    lines[n] = '\0';
    return lines;
}

/* Of a session, the greeting and the reply are two writes. */
static void cut_session(struct column *out)
{
    out->cuts[1] = out->cuts[0];
    out->cuts[0] = span_find(buf_span(&out->octets), '\n') + 1;
    out->count = 2;
}

static void test_vector(const struct vector *v)
{
    struct play *p = play_new(v->preset);
    struct column in, out;
    const char *before, *after;

    find_row(v->id, &before, &after);
    column_parse(&in, before, v->id);
    column_parse(&out, after, v->id);
    const char *last = v->place == EHLO ? ehlo_tail(buf_span(&in.octets)) : "";
    surround(&in, v->place, true, last);
    surround(&out, v->place, false, last);
    if (v->place == SESSION)
        cut_session(&out);
    play_until(p, v->place);
    play_forget(p);
    play_vector(p, &in, v->place);
    enum side to = is_from_server(v->place) || v->place == ANSWER ? CLIENT : SERVER;
    if (strcmp(got(p, to), wanted(&out, to)) != 0)
        fail_msg("%s by %s:\n%swanted:\n%s", v->id, v->preset, got(p, to), wanted(&out, to));
    buf_release(&in.octets);
    buf_release(&out.octets);
}

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        test_vector(&vectors[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
