/*
 * sample - a transcript of two sessions in which everything occurs: every kind of
 * record, every field, octets of every value. For the schema, show and the reader.
 *
 *   sample FILE [secrets|none|all]
 */
#include "smtp/secret.h"
#include "smtp/secrecy.h"
#include "transcript/record.h"
#include "transcript/writer.h"

#include <stdio.h>
#include <stdlib.h>

enum { T = 1795424641 };

static uint64_t now = (uint64_t)T * 1000000;
static uint64_t at[2];

static struct event line(const char *text, size_t len, enum verb verb, const char *reply)
{
    struct event e = { .kind = EVENT_COMMAND,
                       .verb = verb,
                       .at = at[CLIENT],
                       .disposition = DISPOSITION_RELAYED,
                       .origin = ORIGIN_UPSTREAM,
                       .forwarded_us = 20,
                       .reply_us = 400,
                       .reads_len = 1 };
    struct span s = span_of(text, len);

    e.t_us = now += 1500;
    e.received = s;
    e.received_octets = len;
    e.word = span_first(s, span_find(s, ' ') < len ? span_find(s, ' ') : 4);
    e.arg = span_drop(s, e.word.len + 1);
    while (e.arg.len > 0 &&
           (e.arg.ptr[e.arg.len - 1] == '\n' || e.arg.ptr[e.arg.len - 1] == '\r'))
        e.arg.len--;
    e.reply = span_str(reply);
    e.code = (unsigned)strtoul(reply, NULL, 10);
    at[CLIENT] += len;
    return e;
}

#define LINE(text, verb, reply) line((text), sizeof(text) - 1, (verb), (reply))

static void refuse(struct event *e, const char *reply, unsigned code, const char *enhanced)
{
    e->disposition = DISPOSITION_REFUSED;
    e->origin = ORIGIN_PROXY;
    e->forwarded_us = 0;
    e->reply = (struct span){ NULL, 0 };
    e->replied = span_str(reply);
    e->code = code;
    e->enhanced = span_str(enhanced);
}

static void open_session(struct recorder *r, struct stream *s, const char *client, bool fails)
{
    struct record_open o = { .t_us = now,
                             .listener = SPAN_LIT("mx"),
                             .mode = SPAN_LIT("enforce"),
                             .client = span_str(client),
                             .server = SPAN_LIT("192.0.2.2:25"),
                             .original = SPAN_LIT("198.51.100.7:25") };
    struct record_connect down = { .t_us = now,
                                   .upstream = SPAN_LIT("[2001:db8::5]:25"),
                                   .us = 3000000,
                                   .error = "connection timed out" };
    struct record_connect up = { .t_us = now,
                                 .upstream = SPAN_LIT("10.0.0.5:25"),
                                 .local = SPAN_LIT("10.0.0.1:40112"),
                                 .us = 210 };
    struct event g = { .kind = EVENT_GREETING,
                       .t_us = now,
                       .origin = ORIGIN_UPSTREAM,
                       .reply = SPAN_LIT("220 mx.example.org ESMTP Postfix\r\n"),
                       .code = 220,
                       .reply_us = 350 };

    recorder_init(r, s, now);
    record_open(r, &o);
    if (fails)
        record_connect(r, &down);
    record_connect(r, &up);
    record_event(r, &g);
    at[CLIENT] = 0;
}

static void commands(struct recorder *r)
{
    struct secrecy secrecy;
    struct event e =
        LINE("EHLO client.example.org\r\n", VERB_EHLO,
             "250-mx.example.org\r\n250-SIZE 52428800\r\n250-VRFY\r\n250 HELP\r\n");

    e.replied = SPAN_LIT("250-mx.example.org\r\n250-SIZE 52428800\r\n250 HELP\r\n");
    notes_add(&e.notes, NOTE_EHLO_MODIFIED, 0);
    record_event(r, &e);
    e = LINE("HLEO client\r\n", VERB_UNKNOWN, "");
    refuse(&e, "500 5.5.1 Unknown command; did you mean HELO?\r\n", 500, "5.5.1");
    notes_add(&e.notes, NOTE_CMD_TYPO, e.at);
    record_event(r, &e);
    e = LINE("AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", VERB_AUTH, "235 2.7.0 ok\r\n");
    e.enhanced = SPAN_LIT("2.7.0");
    e.secret = span_drop(secret_without_ending(e.received), 11);
    record_event(r, &e);
    e = LINE("c2VjcmV0\r\n", VERB_UNKNOWN, "500 what is c2VjcmV0?\r\n");
    e.secret = secret_without_ending(e.received);
    secrecy_init(&secrecy);
    if (!secret_memory_add(&secrecy.memory, e.secret))
        abort();
    e.secrecy = &secrecy;
    e.auth_line = true;
    record_event(r, &e);
    secrecy_free(&secrecy);
    e = LINE("VRFY alice\r\n", VERB_VRFY, "");
    refuse(&e, "252 2.5.0 Cannot verify; try RCPT\r\n", 252, "2.5.0");
    e.disposition = DISPOSITION_STRIPPED;
    record_event(r, &e);
    e = LINE("mail from: <alice@example.org> SIZE=1234 \n", VERB_MAIL, "250 2.1.0 Ok\r\n");
    e.disposition = DISPOSITION_REWRITTEN;
    e.forwarded = SPAN_LIT("mail FROM:<alice@example.org> SIZE=1234\r\n");
    e.reads[1] = 7;
    e.reads_len = 2;
    e.reads_more = true;
    notes_add(&e.notes, NOTE_PATH_SPACE, e.at + 10);
    notes_add(&e.notes, NOTE_CMD_TRAILING_WS, e.at + 40);
    notes_add(&e.notes, NOTE_CMD_BARE_LF, e.at + 41);
    record_event(r, &e);
    e = LINE("RCPT TO:<bob@example.net>\r\n", VERB_RCPT,
             "451 4.7.1 <bob@example.net>: greylisted\r\n");
    e.reply_us = 2310000;
    record_event(r, &e);
    e = LINE("RCPT TO:<carol@example.net>\r\n", VERB_RCPT, "250 2.1.5 Ok\r\n");
    record_event(r, &e);
    e = LINE("\x1b[2J\x1b]0;gotcha\x07\x9b"
             "31m\r\n",
             VERB_UNKNOWN, "");
    refuse(&e, "500 5.5.2 Control character\r\n", 500, "5.5.2");
    notes_add(&e.notes, NOTE_CMD_CTRL, e.at);
    record_event(r, &e);
}

static void every_octet(struct recorder *r)
{
    char all[258];

    for (unsigned i = 0; i < 256; i++)
        all[i] = (char)i;
    memcpy(all + 256, "\r\n", 2);
    struct event e = line(all, sizeof all, VERB_UNKNOWN, "500 5.5.2 \xff?\r\n");
    e.received_octets = 70000;
    notes_add(&e.notes, NOTE_CMD_OVERLONG, e.at + 512);
    notes_add(&e.notes, NOTE_CMD_NUL, e.at);
    record_event(r, &e);
    e = LINE("\r\n", VERB_UNKNOWN, "");
    e.disposition = DISPOSITION_SWALLOWED;
    e.origin = ORIGIN_NONE;
    record_event(r, &e);
}

static void mail(struct recorder *r)
{
    struct span first = SPAN_LIT("Subject: hello\r\nFrom: alice@example.org\r\n\r\n");
    uint64_t reads[] = { 0, 10 };
    struct data d = { .stats = { .octets = 5050,
                                 .octets_sent = 5051,
                                 .lines = 66,
                                 .crlf = 64,
                                 .bare_lf = 1,
                                 .crcrlf = 1,
                                 .longest_line = 78,
                                 .nul = 1,
                                 .eight_bit = 2,
                                 .leading_dots = 1,
                                 .header_octets = 43,
                                 .altered = true,
                                 .signed_headers = true } };
    struct event e = { .kind = EVENT_CONTENT,
                       .t_us = now,
                       .at = at[CLIENT],
                       .data = &d,
                       .complete = true,
                       .content_us = 4200,
                       .content_reads = 2,
                       .content_read_at = reads };

    struct event start = LINE("DATA\r\n", VERB_DATA, "354 go on\r\n");
    record_event(r, &start);
    record_content(r, CONTENT_SAME, first);
    for (unsigned i = 0; i < 64; i++)
        record_content(r, CONTENT_SAME,
                       SPAN_LIT("0123456789012345678901234567890123456789012345678901234567890"
                                "12345678901234\r\n"));
    record_content(r, CONTENT_RECEIVED, SPAN_LIT("bare\n"));
    record_content(r, CONTENT_SENT, SPAN_LIT("bare\r\n"));
    notes_add(&d.notes, NOTE_DATA_BARE_LF, 5049);
    notes_add(&d.notes, NOTE_DATA_ALTERED_SIGNED, 5049);
    record_event(r, &e);
    struct event dot = LINE(".\r\n", VERB_DOT, "250 2.0.0 Ok: queued as 4F3A21C0B5\r\n");
    record_event(r, &dot);
}

static void refused_mail(struct recorder *r)
{
    struct data d = { .stats = { .octets = 5, .lines = 1 },
                      .refused = true,
                      .refused_by = NOTE_DATA_EOD_LOOKALIKE };
    struct event e = {
        .kind = EVENT_CONTENT, .t_us = now, .at = at[CLIENT], .data = &d, .bdat = true
    };

    record_content(r, CONTENT_RECEIVED, SPAN_LIT("x\n.\r\n"));
    notes_add(&d.notes, NOTE_DATA_EOD_LOOKALIKE, 1);
    record_event(r, &e);
}

/* Four signatures: as signed, changed and why, unreadable, unknown. */
static void signed_mail(struct recorder *r)
{
    struct data d = { .stats = { .octets = 700, .lines = 9 } };
    struct event e = { .kind = EVENT_CONTENT,
                       .t_us = now,
                       .at = at[CLIENT],
                       .data = &d,
                       .bdat = true,
                       .complete = true };

    record_chunk(
        r, CONTENT_SAME,
        SPAN_LIT("ARC-Message-Signature: i=2; a=rsa-sha256; c=relaxed/relaxed; d=arc.example;"
                 "\r\n s=a; h=from; b=AA; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
                 "\r\nDKIM-Signature: v=1; a=rsa-sha1; d=example.org; s=b; l=1; h=from;"
                 " b=AA; bh=uoq1oCgLlTqpdDX/iUbLy7J1Wic=\r\n"
                 "DKIM-Signature: v=1; a=rsa-sha256; d=b\xc3\xbc.example\r\n"
                 "DKIM-Signature: v=1; a=x-y; s=\x1b; d=example.org; h=from; b=AA; bh=AA\r\n"
                 "\r\n\r\n"));
    record_content_dkim(r, true);
    record_content_damage(r, 1, "final-newline-removed", "the last line's end was removed");
    record_event(r, &e);
}

static void close_session(struct recorder *r, enum close_reason why, int first)
{
    uint32_t good[TALLY_COUNT] = { 1, 0, 0, 1, 1, 1, 1 },
             all[TALLY_COUNT] = { 1, 0, 0, 1, 1, 2, 1 };
    struct record_close c = { .t_us = now += 1000,
                              .us = 1234567,
                              .reason = why,
                              .first = first,
                              .how = first < 0 ? END_NONE : END_FIN,
                              .octets_in = { 900, 500 },
                              .octets_out = { 400, 800 },
                              .good = good,
                              .all = all,
                              .tcp = { { true, 31000, 2, 1, 1400, 800, 900 },
                                       { true, 210, 0, 0, 1500, 800, 500 } } };

    record_close(r, &c);
}

int main(int argc, char **argv)
{
    struct writer_config c = { .file = argc > 1 ? argv[1] : "-",
                               .fd = -1,
                               .vantage = "dmz-outside",
                               .content = CONTENT_LEVEL_HEADERS,
                               .sha256 = true,
                               .dkim = DKIM_LEVEL_CHECK };
    struct recorder a, b;
    char error[256];

    if (argc > 2)
        c.redact = argv[2][0] == 'a'   ? REDACT_ALL
                   : argv[2][0] == 'n' ? REDACT_NONE
                                       : REDACT_SECRETS;
    struct writer *w = writer_start(&c, error, sizeof error);
    struct stream *s = stream_new(w, NULL, NULL);
    if (w == NULL || s == NULL) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    open_session(&a, s, "192.0.2.1:41234", true);
    open_session(&b, s, "[2001:db8::1]:2525", false);
    commands(&a);
    refused_mail(&b);
    signed_mail(&b);
    every_octet(&a);
    struct opaque_sample begins = { .octets = { "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400\xff" },
                                    .len = { 18, 13 } };
    struct event opaque = { .kind = EVENT_OPAQUE,
                            .t_us = now,
                            .opaque_octets = { 1000, 2000 },
                            .opaque_why = "not-smtp",
                            .opaque_sample = &begins };
    record_event(&b, &opaque);
    close_session(&b, CLOSE_CONTENT_REFUSED, -1);
    mail(&a);
    close_session(&a, CLOSE_QUIT, CLIENT);
    stream_free(&s);
    writer_stop(&w, 1000);
    return 0;
}
