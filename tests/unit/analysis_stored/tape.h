/*
 * tape - sessions told to the detectors live and written down by the recorder.
 */
#ifndef UNIT_ANALYSIS_STORED_TAPE_H
#define UNIT_ANALYSIS_STORED_TAPE_H

#include "unit/analysis_stored/back.h"
#include "unit/transcript/scene.h"

struct tape {
    struct scene scene;
    struct told live;
    struct buf headers; /* of the content just written down */
    bool findings;      /* written down, too */
    char *text;
};

static inline void live_found(void *arg, const struct finding *f)
{
    struct play *p = arg;
    struct tape *t = p->arg;

    on_found(p, f);
    tell(&t->live, t->scene.recorder.sid, f);
    if (t->findings)
        record_finding(&t->scene.recorder, f, p->t_us);
}

static inline void write_down(struct play *p, struct record_view *s)
{
    struct tape *t = p->arg;
    struct recorder *r = &t->scene.recorder;

    switch (s->kind) {
    case VIEW_OPEN:
        recorder_init(r, t->scene.stream, p->t_us);
        record_open(r, s->open);
        break;
    case VIEW_CONNECT:
        record_connect(r, s->connect);
        break;
    case VIEW_TLS:
        record_tls(
            r, &(struct record_tls){
                   .t_us = s->t_us, .us = s->tls_us, .side = s->tls_side, .facts = s->tls });
        break;
    case VIEW_CLOSE:
        p->n = s->n = r->n + 1;
        return; /* last: its findings stand before it */
    case VIEW_CONTENT:
        buf_release(&t->headers);
        record_content_event(r, s->event, &t->headers);
        s->headers = buf_span(&t->headers);
        break;
    default:
        record_event(r, s->event);
    }
    p->n = s->n = r->n;
}

static inline void close_tape(struct play *p, struct play_end end)
{
    struct tape *t = p->arg;

    play_close(p, end);
    struct record_close c = { .t_us = p->t_us,
                              .reason = end.reason,
                              .first = end.first,
                              .how = end.how,
                              .octets_in = { p->client_at, p->server_octets + end.surplus },
                              .tcp = { [SERVER] = end.server } };
    record_close(&t->scene.recorder, &c);
}

/* ---- sessions ---- */

static inline void play_masked(struct play *p)
{
    OPEN(p);
    play_greeting(p, "220 **20***************************2*0\r\n");
    play_command(p, "EHLO a\r\n",
                 "250-mx.example.com\r\n250-XXXXXXXA\r\n250-CHU*KING\r\n250 XXXB\r\n");
    play_command(p, "STARTTLS\r\n", "500 5.5.1 Command unrecognized: \"XXXXXXXX\"\r\n");
    play_command(p, "MAIL FROM:<a@example.com>\r\n", "250 2.1.0 Ok\r\n");
    play_unsolicited(p, "250 2.0.0 Ok\r\n");
    close_tape(p, (struct play_end){ CLOSE_CLIENT_EOF, CLIENT, END_FIN, 1000, 0, { 0 } });
}

static inline void play_from_behind(struct play *p)
{
    OPEN(p);
    play_greeting(p, "220 *** 2\r\n");
    play_command(p, "NOOP                   \r\n", "250 2.0.0 Ok\r\n");
    play_command(p, "XXXX FROM:<secret@example.com>\r\n", "500 5.5.1 \"XXXX\" \200\377?\r\n");
    play_command(p, "AUTH PLAIN XXXXXXXX\r\n", "541 5.4.1 Content blocked by Palo Alto x\r\n");
    close_tape(p, (struct play_end){ CLOSE_QUIT, CLIENT, END_FIN, 1000, 0, { 0 } });
}

static inline void play_dangling(struct play *p)
{
    OPEN(p);
    play_greeting(p, "220 mx.example.com ESMTP\r\n");
    play_command(p, "EHLO a\r\n", "");
    close_tape(p,
               (struct play_end){ CLOSE_UPSTREAM_TIMEOUT, -1, END_TIMEOUT, SECOND, 40, { 0 } });
}

static inline void play_batch(struct play *p)
{
    play_begin(p);
    play_command(p, "MAIL FROM:<a@x>\r\n", "250 2.1.0 Ok\r\n");
    play_batched(p, "RCPT TO:<b@x>\r\n", "");
    close_tape(p,
               (struct play_end){ CLOSE_CLIENT_EOF, CLIENT, END_FIN, 12 * SECOND, 0, { 0 } });
}

static inline void play_killed(struct play *p)
{
    play_begin(p);
    play_command(p, "HELP\r\n", "");
    close_tape(p, (struct play_end){ CLOSE_UPSTREAM_RESET,
                                     SERVER,
                                     END_RESET,
                                     30000,
                                     0,
                                     { .valid = true, .rtt_us = 20000 } });
}

static inline void play_unanswered_mail(struct play *p)
{
    static const struct record_tcp acked = { .valid = true, .rtt_us = 9000, .acked = 99 };

    play_begin(p);
    play_command(p, "MAIL FROM:<a@x> SIZE=900\r\n", "250 2.1.0 Ok\r\n");
    play_command(p, "RCPT TO:<b@x>\r\n", "250 2.1.5 Ok\r\n");
    play_command(p, "DATA\r\n", "354 go\r\n");
    play_content(p, (struct data_stats){ .octets = 1000, .lines = 10, .crcrlf = 10 }, true);
    play_batched(p, ".\r\n", "");
    close_tape(p,
               (struct play_end){ CLOSE_CLIENT_EOF, CLIENT, END_FIN, 61 * SECOND, 0, acked });
}

static inline void play_stalled(struct play *p)
{
    struct record_tcp stuck = { .valid = true, .unacked = 4, .retransmits = 5, .rtt_us = 9 };

    play_begin(p);
    play_envelope(p);
    stuck.acked = p->client_at + 1400;
    play_content(p, (struct data_stats){ .octets = 90000 }, false);
    close_tape(
        p, (struct play_end){ CLOSE_UPSTREAM_STALLED, -1, END_TIMEOUT, 20 * SECOND, 0, stuck });
}

static inline void play_intercepted(struct play *p)
{
    struct tls_facts f = { .version = "TLSv1.2",
                           .failure = TLS_FAILURE_TIMEOUT,
                           .hello_client = true,
                           .alert_received = TLS_ALERT_UNKNOWN,
                           .alert_sent = 40,
                           .issuer = "CN=Avast Web/Mail Shield Root" };

    play_begin(p);
    play_command(p, "STARTTLS\r\n", "454 TLS not available due to temporary reason\r\n");
    play_see(p, (struct record_view){
                    .kind = VIEW_TLS, .tls = &f, .tls_side = SERVER, .tls_us = 11 * SECOND });
    p->t_us += 30 * (uint64_t)SECOND;
    struct event e = event_command(p, "NOOP\r\n", "421 4.4.2 timed out\n", 0);
    notes_add(&e.notes, NOTE_REPLY_BARE_LF, 7);
    play_event(p, e);
    close_tape(p, (struct play_end){ CLOSE_UPSTREAM_421, SERVER, END_FIN, 1000, 0, { 0 } });
}

static inline void play_refused(struct play *p)
{
    play_begin(p);
    play_command(p, "BDAT 5 LAST\r\n", "502 5.5.1 no\r\n");
    play_command(p, "EHLO a\r\n", "250-Requested mail action okay, completed\r\n250 OK\r\n");
    close_tape(p, (struct play_end){ CLOSE_QUIT, CLIENT, END_FIN, 1000, 0, { 0 } });
}

/* The second mail has no header of a scanner, and must not be taken for the first. */
static inline void play_scanned(struct play *p)
{
    static const char *const texts[] = {
        "Subject: t\r\nX-EsetResult: clean, is OK\r\nX-EsetId: "
        "37303A2980D94855627C65\r\n\r\nhi\r\n",
        "Subject: t\r\n\r\nX-EsetResult: clean, is OK\r\n",
    };
    struct tape *t = p->arg;

    play_begin(p);
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
        struct span text = span_str(texts[i]);
        play_envelope(p);
        record_content(&t->scene.recorder, CONTENT_SAME, text);
        play_content(p, (struct data_stats){ .octets = text.len, .lines = 3, .crlf = 3 }, true);
        play_command(p, ".\r\n", "250 2.0.0 Ok\r\n");
    }
    close_tape(p, (struct play_end){ CLOSE_QUIT, CLIENT, END_FIN, 1000, 0, { 0 } });
}

static inline void play_clean(struct play *p)
{
    play_begin(p);
    play_envelope(p);
    play_content(p, (struct data_stats){ .octets = 1000, .lines = 10, .crlf = 10 }, true);
    play_command(p, ".\r\n", "250 2.0.0 Ok\r\n");
    play_command(p, "QUIT\r\n", "221 2.0.0 Bye\r\n");
    close_tape(p, (struct play_end){ CLOSE_QUIT, CLIENT, END_FIN, 1000, 0, { 0 } });
}

static void (*const sessions[])(struct play *p) = {
    play_clean,   play_masked,      play_from_behind, play_dangling,
    play_batch,   play_killed,      play_stalled,     play_unanswered_mail,
    play_refused, play_intercepted, play_scanned,
};

static inline void record_all(struct tape *t, bool findings)
{
    struct play p;

    memset(t, 0, sizeof *t);
    t->findings = findings;
    begin(&t->scene,
          (struct writer_config){ .redact = REDACT_SECRETS, .content = CONTENT_LEVEL_HEADERS });
    play_start(&p);
    p.before = write_down;
    p.arg = t;
    p.env.found = live_found;
    for (unsigned round = 0; round < 3; round++) /* some need a past */
        for (size_t i = 0; i < ARRAY_LEN(sessions); i++)
            sessions[i](&p);
    play_stop(&p);
    buf_release(&t->headers);
    t->text = end(&t->scene);
    end_folder();
}

#endif
