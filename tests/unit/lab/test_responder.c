/*
 * Conversations: what a client sends, what must come back. Every case is fed whole,
 * byte by byte, and cut in two at every position; the replies must be the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lab/responder.h"

#define GREETING "220 mx.test ESMTP smtpscope reflector\r\n"
#define EHLO_REPLY                                                                             \
    "250-mx.test\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"   \
    "250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n250-DSN\r\n250 HELP\r\n"
#define OPEN      "EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n"
#define OPEN_OK   EHLO_REPLY "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n"
#define GO        "354 end data with <CR><LF>.<CR><LF>\r\n"
#define QUEUED(n) "250 2.0.0 Ok: queued nothing, " n " octets, xxh128 "
/* XXH3-128 as xxh128sum prints it. */
#define HASH_EMPTY "99aa06d3014798d86001c324468d497f"
#define BYE        "221 2.0.0 Bye\r\n"

/* A script, what is sent, what comes back ("~20ms" a delay, "~FIN", "~RST"). */
struct conversation {
    const char *name, *script, *sent, *got;
};

static const struct conversation conversations[] = {
    { "greeting only", "", "", "" },
    { "hello", "", "EHLO c.test\r\nHELO c.test\r\nEHLO\r\nHELO \r\n",
      EHLO_REPLY "250 mx.test\r\n501 5.5.4 a domain or address literal is needed\r\n"
                 "501 5.5.4 a domain or address literal is needed\r\n" },
    { "order", "", "MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n",
      "503 5.5.1 EHLO or HELO first\r\n503 5.5.1 MAIL first\r\n503 5.5.1 MAIL first\r\n" },
    { "nested", "", OPEN "MAIL FROM:<>\r\n", OPEN_OK "503 5.5.1 nested MAIL\r\n" },
    { "no recipient", "", "HELO c\r\nmail from:<>\r\ndata\r\n",
      "250 mx.test\r\n250 2.1.0 Ok\r\n554 5.5.1 no valid recipients\r\n" },
    { "paths", "",
      "HELO c\r\nMAIL FROM:a@b\r\nMAIL TO:<a>\r\nMAIL FROM:<a\r\nMAIL FROM:<a>b\r\n"
      "MAIL FROM: <\"x> y\"@b>\r\nRCPT TO:<>\r\nRCPT TO:<a@b> X=1\r\n",
      "250 mx.test\r\n501 5.5.4 syntax: MAIL FROM:<address>\r\n"
      "501 5.5.4 syntax: MAIL FROM:<address>\r\n501 5.5.4 syntax: MAIL FROM:<address>\r\n"
      "501 5.5.4 syntax: MAIL FROM:<address>\r\n250 2.1.0 Ok\r\n"
      "501 5.1.3 a recipient is needed\r\n555 5.5.4 parameter not recognized\r\n" },
    { "parameters", "",
      "EHLO c\r\nMAIL FROM:<> SIZE=52428801\r\nMAIL FROM:<> SIZE=99999999999999999999\r\n"
      "MAIL FROM:<> SIZE=x\r\nMAIL FROM:<> AUTH=<>\r\n"
      "MAIL FROM:<> SIZE=52428800 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=1\r\n"
      "RCPT TO:<a@b> SIZE=1\r\nRCPT TO:<a@b> NOTIFY=NEVER ORCPT=rfc822;a@b\r\n",
      EHLO_REPLY "552 5.3.4 message too big\r\n552 5.3.4 message too big\r\n"
                 "501 5.5.4 SIZE takes a number\r\n555 5.5.4 parameter not recognized\r\n"
                 "250 2.1.0 Ok\r\n555 5.5.4 parameter not recognized\r\n250 2.1.5 Ok\r\n" },
    { "no parameter after HELO", "", "HELO c\r\nMAIL FROM:<> SIZE=1\r\n",
      "250 mx.test\r\n555 5.5.4 parameter not recognized\r\n" },
    { "empty message", "", OPEN "DATA\r\n.\r\nQUIT\r\n",
      OPEN_OK GO QUEUED("0") HASH_EMPTY "\r\n" BYE "~FIN" },
    { "pipelined after the dot", "", OPEN "DATA\r\nhi\r\n.\r\nRSET\r\nNOOP x\r\n",
      OPEN_OK GO QUEUED("4") "771a099babe68a5cde6460190eb08ec7\r\n"
                             "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n" },
    { "only CRLF.CRLF ends", "",
      OPEN "DATA\r\nhi\n.\r\n\r\n.\nx\r\n.\r.\r\ny\r.\r\n\n.\n..\r\n..\r\n.\r\nNOOP\r\n",
      OPEN_OK GO QUEUED("31") "4c701186a1fce1b2c8f2aa87b4d8cde1\r\n250 2.0.0 Ok\r\n" },
    { "transaction over", "", OPEN "DATA\r\n.\r\nDATA\r\n",
      OPEN_OK GO QUEUED("0") HASH_EMPTY "\r\n503 5.5.1 MAIL first\r\n" },
    { "chunks", "", OPEN "BDAT 3\r\n.\r\nDATA\r\nRCPT TO:<x@y>\r\nBDAT 0 last\r\nBDAT 0\r\n",
      OPEN_OK "250 2.0.0 Ok: so far, 3 octets, xxh128 @\r\n503 5.5.1 not after BDAT\r\n"
              "503 5.5.1 not after BDAT\r\n" QUEUED("3") "@\r\n"
                                                         "503 5.5.1 MAIL and RCPT first\r\n" },
    { "chunk that is not wanted", "", "EHLO c\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
      EHLO_REPLY "503 5.5.1 MAIL and RCPT first\r\n250 2.0.0 Ok\r\n" },
    { "chunk sizes", "", OPEN "BDAT\r\nBDAT x\r\nBDAT 1 LAS\r\nBDAT 99999999999999999999\r\n",
      OPEN_OK "501 5.5.4 syntax: BDAT octets [LAST]\r\n501 5.5.4 syntax: BDAT octets [LAST]\r\n"
              "501 5.5.4 syntax: BDAT octets [LAST]\r\n"
              "501 5.5.4 syntax: BDAT octets [LAST]\r\n" },
    { "other verbs", "",
      "VRFY a\r\nVRFY\r\nEXPN a\r\nHELP\r\nSTARTTLS\r\nAUTH PLAIN\r\nETRN x\r\nTURN\r\nLHLO "
      "c\r\n"
      "XYZZY\r\n",
      "252 2.5.0 send some mail, it will be tried\r\n501 5.5.4 an address is needed\r\n"
      "502 5.5.1 command not implemented\r\n214 2.0.0 see RFC 5321\r\n"
      "502 5.5.1 command not implemented\r\n502 5.5.1 not offered\r\n"
      "502 5.5.1 command not implemented\r\n502 5.5.1 command not implemented\r\n"
      "500 5.5.1 command not recognized\r\n500 5.5.1 command not recognized\r\n" },
    { "no argument", "", "RSET x\r\nDATA x\r\nQUIT x\r\n",
      "501 5.5.4 no argument is allowed\r\n501 5.5.4 no argument is allowed\r\n"
      "501 5.5.4 no argument is allowed\r\n" },
    { "lines", "", "NOOP\n\r\n NOOP\r\nNOOP\001\r\nNO\rOP\r\nnoop \r\n",
      "250 2.0.0 Ok\r\n500 5.5.2 not a command\r\n500 5.5.2 not a command\r\n"
      "500 5.5.2 not a command\r\n500 5.5.2 not a command\r\n250 2.0.0 Ok\r\n" },
    { "nothing after QUIT", "", "QUIT\r\nNOOP\r\n", BYE "~FIN" },

    { "script: offers", "offer \"X-FOO 1\"\nwithout SIZE\nwithout chunking\nwithout HELP\n",
      "EHLO c\r\nMAIL FROM:<> SIZE=1\r\nMAIL FROM:<> X-FOO=2\r\nBDAT 0\r\nHELP\r\n",
      "250-mx.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
      "250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250 X-FOO 1\r\n"
      "555 5.5.4 parameter not recognized\r\n250 2.1.0 Ok\r\n502 5.5.1 not offered\r\n"
      "502 5.5.1 not offered\r\n" },
    { "script: reply", "on MAIL reply \"451 4.3.0 later\\r\\n\"\n", OPEN,
      EHLO_REPLY "451 4.3.0 later\r\n503 5.5.1 MAIL first\r\n" },
    { "script: the second", "on NOOP 2 reply \"2\\n\"\non any 4 reply \"4\\n\"\n",
      "NOOP\r\nNOOP\r\nNOOP\r\nRSET\r\nNOOP\r\n",
      "250 2.0.0 Ok\r\n2\n250 2.0.0 Ok\r\n4\n250 2.0.0 Ok\r\n" },
    { "script: forced", "on DATA reply \"354 go\\r\\n\"\n", "DATA\r\nNOOP\r\n.\r\nNOOP\r\n",
      "354 go\r\n" QUEUED("6") "@\r\n250 2.0.0 Ok\r\n" },
    { "script: no data", "on DATA reply \"250 ok\\r\\n\"\n", OPEN "DATA\r\nNOOP\r\n",
      OPEN_OK "250 ok\r\n250 2.0.0 Ok\r\n" },
    { "script: delay", "on end-of-data delay 20ms\n", OPEN "DATA\r\n.\r\nNOOP\r\n",
      OPEN_OK GO "~20ms" QUEUED("0") HASH_EMPTY "\r\n250 2.0.0 Ok\r\n" },
    { "script: parts", "on NOOP reply \"25\" delay 1s reply \"0 ok\\r\\n\"\n",
      "NOOP\r\nRSET\r\n", "25~1000ms0 ok\r\n250 2.0.0 Ok\r\n" },
    { "script: close", "on DATA close\n", OPEN "DATA\r\n", OPEN_OK "~FIN" },
    { "script: reply and close", "on NOOP answer close\n", "NOOP\r\nNOOP\r\n",
      "250 2.0.0 Ok\r\n~FIN" },
    { "script: reset", "on RCPT reset\n", OPEN, EHLO_REPLY "250 2.1.0 Ok\r\n~RST" },
    { "script: silence", "on RSET silence\n", "NOOP\r\nRSET\r\nNOOP\r\nQUIT\r\n",
      "250 2.0.0 Ok\r\n" },
    { "script: unknown", "on unknown reply \"5\"\n", "XYZZY\r\nQUIT\r\n", "5" BYE "~FIN" },
    { "script: QUIT refused", "on QUIT 1 reply \"500 no\\r\\n\"\n", "QUIT\r\nQUIT\r\n",
      "500 no\r\n" BYE "~FIN" },
    { "script: chunk", "on BDAT 1 reply \"451 no\\r\\n\"\n", OPEN "BDAT 2 LAST\r\nabDATA\r\n",
      OPEN_OK "451 no\r\n503 5.5.1 MAIL first\r\n" },
    { "script: bytes", "on NOOP reply \"a\\n\\0\\x0d\\015\\\\\\\"\" \"x\"*3 \"\\r\\n\"\n",
      "NOOP\r\n", "a\n?\r\r\\\"xxx\r\n" }, /* ? stands for the NUL */
    { "AUTH LOGIN", "offer \"AUTH PLAIN LOGIN XOAUTH2\"\n",
      "EHLO c\r\nAUTH LOGIN\r\nYQ==\r\nYg==\r\nAUTH PLAIN AA==\r\n",
      "*334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 2.7.0 Authentication successful\r\n"
      "503 5.5.1 not now\r\n" },
    { "AUTH PLAIN", "offer \"AUTH PLAIN\"\n",
      "EHLO c\r\nAUTH LOGIN\r\nAUTH PLAIN\r\n*\r\nAUTH PLAIN AA==\r\nNOOP\r\n",
      "*504 5.5.4 mechanism not offered\r\n334 \r\n501 5.7.0 authentication cancelled\r\n"
      "235 2.7.0 Authentication successful\r\n250 2.0.0 Ok\r\n" },
    { "AUTH LOGIN, initial", "offer \"AUTH LOGIN\"\n", "EHLO c\r\nAUTH LOGIN YQ==\r\nYg==\r\n",
      "*334 UGFzc3dvcmQ6\r\n235 2.7.0 Authentication successful\r\n" },
    { "AUTH challenge",
      "on AUTH challenge \"334 a\\r\\n\" challenge \"334 b\\r\\n\" reply \"535 n\\r\\n\"\n",
      "AUTH X\r\n1\r\n2\r\nNOOP\r\nAUTH Y\r\n1\r\n*\r\nNOOP\r\n",
      "334 a\r\n334 b\r\n535 n\r\n250 2.0.0 Ok\r\n334 a\r\n334 b\r\n"
      "501 5.7.0 authentication cancelled\r\n250 2.0.0 Ok\r\n" },
};

struct transcript {
    char text[8192];
    size_t len;
};

static void note(struct transcript *t, struct span s)
{
    assert_true(t->len + s.len < sizeof t->text);
    for (size_t i = 0; i < s.len; i++)
        t->text[t->len++] = s.ptr[i] == '\0' ? '?' : (char)s.ptr[i];
    t->text[t->len] = '\0';
}

/* Takes what is to be sent; carries a wait out at once. */
static void settle(struct responder *r, struct transcript *t)
{
    char delay[32];

    note(t, buf_span(&r->out));
    buf_release(&r->out);
    if (r->mood != RESPONDER_WAITING)
        return;
    snprintf(delay, sizeof delay, "~%ums", (unsigned)r->delay_ms);
    note(t, span_str(delay));
    responder_go_on(r);
    settle(r, t);
}

/* From a block of exact size, so that one octet too far is seen. */
static void feed(struct responder *r, struct transcript *t, const char *bytes, size_t len)
{
    unsigned char *exact = malloc(len ? len : 1);
    size_t at = 0;

    memcpy(exact, bytes, len);
    while (at < len && r->mood == RESPONDER_LISTENING) {
        size_t used = responder_take(r, span_of(exact + at, len - at));
        assert_true(used > 0);
        at += used;
        settle(r, t);
    }
    free(exact);
}

static void converse(const struct conversation *c, const struct script *script, size_t piece,
                     size_t cut, struct transcript *t)
{
    struct responder r;
    size_t len = strlen(c->sent);

    responder_init(&r, "mx.test", script);
    responder_start(&r);
    settle(&r, t);
    for (size_t at = 0; at < len;) {
        size_t n = at < cut && cut < len ? cut - at : piece;
        n = n < len - at ? n : len - at;
        feed(&r, t, c->sent + at, n);
        at += n;
    }
    if (r.mood == RESPONDER_CLOSING)
        note(t, SPAN_LIT("~FIN"));
    if (r.mood == RESPONDER_RESETTING)
        note(t, SPAN_LIT("~RST"));
    assert_int_equal(r.line.len, 0);
    responder_deinit(&r);
}

/* "@" in what is wanted stands for a digest, a leading "*" for the reply to EHLO. */
static void check(const char *name, const char *want, const char *got)
{
    const char *from = got;

    assert_memory_equal(got, GREETING, strlen(GREETING));
    got += strlen(GREETING);
    if (*want == '*') {
        want++;
        got = strstr(got, "250 ");
        assert_non_null(got);
        got = strchr(got, '\n') + 1;
    }
    for (; *want != '\0'; want++, got++) {
        if (*want == '@') {
            assert_int_equal(strspn(got, "0123456789abcdef"), 32);
            got += 31;
        } else if (*want != *got) {
            fail_msg("%s: expected here: %.60s\ngot: %s", name, want, from);
        }
    }
    if (*got != '\0')
        fail_msg("%s: too much: %s", name, got);
}

static void every_conversation_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(conversations); i++) {
        const struct conversation *c = &conversations[i];
        size_t len = strlen(c->sent);
        char error[256] = "";
        struct script *s = script_parse(span_str(c->script), "script", error, sizeof error);
        if (s == NULL)
            fail_msg("%s: %s", c->name, error);
        for (size_t cut = 0; cut <= len; cut++) {
            struct transcript t = { .len = 0 };
            converse(c, s, cut == 0 ? 1 : len, cut, &t);
            check(c->name, c->got, t.text);
        }
        script_free(&s);
    }
}

static void greeting_can_be_refused(void **state)
{
    static const char text[] = "on greeting reply \"554 no\\r\\n\" close\n";
    char error[256];
    struct script *s = script_parse(span_str(text), "s", error, sizeof error);
    struct responder r;

    (void)state;
    assert_non_null(s);
    responder_init(&r, "mx.test", s);
    responder_start(&r);
    assert_int_equal(r.mood, RESPONDER_CLOSING);
    assert_true(span_equal(buf_span(&r.out), SPAN_LIT("554 no\r\n")));
    responder_deinit(&r);
    script_free(&s);
}

/* `octets` of 'x' as one line, in pieces of 100. */
static void send_long(struct responder *r, size_t octets)
{
    char part[100];

    memset(part, 'x', sizeof part);
    while (octets > 0) {
        size_t n = octets < sizeof part ? octets : sizeof part;
        assert_int_equal(responder_take(r, span_of(part, n)), n);
        octets -= n;
    }
    assert_true(r->line.size <= RESPONSE_OCTETS_MAX);
    assert_int_equal(responder_take(r, SPAN_LIT("\r\n")), 2);
}

static void expect(struct responder *r, const char *want)
{
    assert_int_equal(r->out.len, strlen(want));
    assert_memory_equal(r->out.ptr, want, r->out.len);
    buf_release(&r->out);
}

static void lines_have_a_limit(void **state)
{
    struct responder r;

    (void)state;
    responder_init(&r, "mx.test", NULL);
    send_long(&r, COMMAND_OCTETS_MAX - 2);
    expect(&r, "500 5.5.1 command not recognized\r\n");
    send_long(&r, COMMAND_OCTETS_MAX - 1);
    expect(&r, "500 5.5.2 line too long\r\n");
    send_long(&r, 1000000);
    expect(&r, "500 5.5.2 line too long\r\n");
    assert_int_equal(responder_take(&r, SPAN_LIT("NOOP\r\n")), 6);
    expect(&r, "250 2.0.0 Ok\r\n");
    responder_deinit(&r);
}

static void responses_have_a_limit(void **state)
{
    static const char text[] = "on AUTH challenge \"334 \\r\\n\" reply \"235 ok\\r\\n\"\n";
    char error[256];
    struct script *s = script_parse(span_str(text), "s", error, sizeof error);
    struct responder r;

    (void)state;
    assert_non_null(s);
    responder_init(&r, "mx.test", s);
    for (unsigned more = 0; more < 2; more++) {
        assert_int_equal(responder_take(&r, SPAN_LIT("AUTH X\r\n")), 8);
        expect(&r, "334 \r\n");
        send_long(&r, RESPONSE_OCTETS_MAX - 2 + more);
        expect(&r, more ? "500 5.5.6 response too long\r\n" : "235 ok\r\n");
    }
    responder_deinit(&r);
    script_free(&s);
}

/* A client that sends and never reads: input is left when enough waits to be sent. */
static void output_has_a_limit(void **state)
{
    static char noops[6 * 20000];
    struct responder r;

    (void)state;
    for (size_t i = 0; i < sizeof noops; i += 6)
        memcpy(noops + i, "NOOP\r\n", 6);
    responder_init(&r, "mx.test", NULL);
    size_t used = responder_take(&r, span_of(noops, sizeof noops));
    assert_true(used < sizeof noops);
    assert_true(r.out.len >= RESPONDER_OUT_HIGH);
    assert_true(r.out.len < RESPONDER_OUT_HIGH + 100);
    assert_int_equal(responder_take(&r, span_of(noops, 6)), 0);
    responder_deinit(&r);
}

static void recipients_and_messages_have_a_limit(void **state)
{
    static unsigned char block[1 << 16];
    struct responder r;

    (void)state;
    responder_init(&r, "mx.test", NULL);
    assert_true(responder_take(&r, SPAN_LIT("HELO c\r\nMAIL FROM:<>\r\n")) > 0);
    buf_release(&r.out);
    for (unsigned i = 0; i <= RECIPIENTS_MAX; i++) {
        assert_true(responder_take(&r, SPAN_LIT("RCPT TO:<a@b>\r\n")) > 0);
        expect(&r,
               i < RECIPIENTS_MAX ? "250 2.1.5 Ok\r\n" : "452 4.5.3 too many recipients\r\n");
    }
    assert_true(responder_take(&r, SPAN_LIT("DATA\r\n")) > 0);
    expect(&r, GO);
    memset(block, 'x', sizeof block);
    for (uint64_t sent = 0; sent <= MESSAGE_OCTETS_MAX; sent += sizeof block)
        assert_int_equal(responder_take(&r, span_of(block, sizeof block)), sizeof block);
    assert_true(responder_take(&r, SPAN_LIT("\r\n.\r\n")) > 0);
    expect(&r, "552 5.3.4 message too big\r\n");
    responder_deinit(&r);
}

static void time_out_says_so_unless_silent(void **state)
{
    struct responder r;

    (void)state;
    responder_init(&r, "mx.test", NULL);
    responder_time_out(&r);
    assert_int_equal(r.mood, RESPONDER_CLOSING);
    expect(&r, "421 4.4.2 idle for too long\r\n");
    responder_deinit(&r);
    responder_init(&r, "mx.test", NULL);
    r.silent = true;
    responder_time_out(&r);
    assert_int_equal(r.out.len, 0);
    assert_int_equal(r.mood, RESPONDER_CLOSING);
    responder_deinit(&r);
}

static void log_line(void *owner, bool received, struct span text)
{
    note(owner, received ? SPAN_LIT("> ") : SPAN_LIT("< "));
    note(owner, text);
    note(owner, SPAN_LIT("|"));
}

static void secrets_stay_out_of_the_log(void **state)
{
    static const char text[] = "offer \"AUTH PLAIN LOGIN\"\n";
    char error[256];
    struct script *s = script_parse(span_str(text), "s", error, sizeof error);
    struct transcript t = { .len = 0 };
    struct responder r;

    (void)state;
    assert_non_null(s);
    responder_init(&r, "mx.test", s);
    r.trace = (struct responder_trace){ log_line, &t };
    assert_true(responder_take(&r, SPAN_LIT("EHLO c\r\nAUTH LOGIN\r\nSECRET\r\nSECRET\r\n"
                                            "auth PLAIN SECRET SECRET\r\n")) > 0);
    assert_non_null(strstr(t.text, "> auth PLAIN|"));
    assert_non_null(strstr(t.text, "> (response)|"));
    assert_null(strstr(t.text, "SECRET"));
    responder_deinit(&r);
    script_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_conversation_however_it_is_cut),
        cmocka_unit_test(greeting_can_be_refused),
        cmocka_unit_test(lines_have_a_limit),
        cmocka_unit_test(responses_have_a_limit),
        cmocka_unit_test(output_has_a_limit),
        cmocka_unit_test(recipients_and_messages_have_a_limit),
        cmocka_unit_test(time_out_says_so_unless_silent),
        cmocka_unit_test(secrets_stay_out_of_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
