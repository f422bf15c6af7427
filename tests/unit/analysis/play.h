/*
 * play - sessions told to the detectors record by record, and what they found.
 *
 * What every finding must obey is checked for each: evidence lies where it says, texts are
 * printable, a next test is named.
 */
#ifndef UNIT_ANALYSIS_PLAY_H
#define UNIT_ANALYSIS_PLAY_H

#include "unit/check.h"

#include "analysis/detect.h"

enum { FOUND_MAX = 64, SECOND = 1000000 };

#define CATALOGUE "../conf/middleboxes.conf"

struct play {
    /* Sees each record first and may number it; NULL: numbered here. */
    void (*before)(struct play *p, struct record_view *s);
    void *arg;
    struct detect *d;
    struct detect_env env;
    uint64_t t_us;
    uint32_t n;
    uint64_t client_at, server_octets;
    const struct event *event; /* of the record that is told */
    struct data data;
    struct finding found[FOUND_MAX];
    unsigned count;
    char ids[256]; /* of all, in order: "SV-01 SV-12" */
};

static inline void check_finding(const struct play *p, const struct finding *f)
{
    assert_true(f->bytes.len <= FINDING_BYTES_MAX);
    assert_true(f->text[0] != '\0' && f->text[strlen(f->text) - 1] == '.');
    for (const char *c = f->text; *c != '\0'; c++)
        assert_true(*c >= ' ' && *c <= '~');
    assert_non_null(f->next_test);
    assert_true(f->record > 0 && f->record <= p->n);
    if (f->record != p->n || p->event == NULL || f->field == NULL)
        return;
    struct span field = strcmp(f->field, "reply") == 0      ? p->event->reply
                        : strcmp(f->field, "received") == 0 ? p->event->received
                                                            : span_of(NULL, 0);
    if (field.len == 0)
        return;
    assert_true(f->at + f->bytes.len <= field.len);
    check_span(f->bytes, span_of(field.ptr + f->at, f->bytes.len), f->id);
}

static inline void on_found(void *arg, const struct finding *f)
{
    struct play *p = arg;
    size_t len = strlen(p->ids);

    check_finding(p, f);
    assert_true(p->count < FOUND_MAX);
    p->found[p->count++] = *f;
    snprintf(p->ids + len, sizeof p->ids - len, "%s%s", len > 0 ? " " : "", f->id);
}

static inline void play_start(struct play *p)
{
    char error[512];

    memset(p, 0, sizeof *p);
    p->env.memory = detect_memory_new();
    assert_non_null(p->env.memory);
    struct catalogue *c = catalogue_load(CATALOGUE, error, sizeof error);
    if (c == NULL)
        fail_msg("%s", error);
    p->env.catalogue = c;
    p->env.found = on_found;
    p->env.arg = p;
    p->t_us = UINT64_C(1795424641) * SECOND;
}

static inline void play_stop(struct play *p)
{
    struct catalogue *c = (struct catalogue *)(uintptr_t)p->env.catalogue;

    detect_free(&p->d);
    detect_memory_free(&p->env.memory);
    catalogue_free(&c);
}

static inline void play_see(struct play *p, struct record_view s)
{
    s.n = ++p->n;
    s.t_us = p->t_us;
    if (p->before != NULL)
        p->before(p, &s);
    p->event = s.event;
    detect_see(&p->d, &p->env, &s);
    p->event = NULL;
}

/* A new session: findings so far are forgotten, the memory is not. */
static inline void play_open(struct play *p, const char *client, const char *upstream)
{
    struct record_open open = { .client = span_str(client), .mode = SPAN_LIT("observe") };
    struct record_connect connect = { .upstream = span_str(upstream) };

    detect_free(&p->d);
    p->n = p->count = 0;
    p->ids[0] = '\0';
    p->client_at = p->server_octets = 0;
    p->t_us += SECOND;
    play_see(p, (struct record_view){ .kind = VIEW_OPEN, .open = &open });
    play_see(p, (struct record_view){ .kind = VIEW_CONNECT, .connect = &connect });
}

#define OPEN(p) play_open((p), "192.0.2.1:4711", "198.51.100.1:25")

static inline struct event event_of(struct play *p, enum event_kind kind, const char *reply)
{
    struct event e = { .kind = kind, .t_us = p->t_us, .at = p->client_at };

    e.reply = span_str(reply);
    e.origin = e.reply.len > 0 ? ORIGIN_UPSTREAM : ORIGIN_NONE;
    e.code = e.reply.len >= 3 ? (unsigned)strtoul(reply, NULL, 10) : 0;
    if (e.reply.len > 9 && (reply[4] == '2' || reply[4] == '4' || reply[4] == '5') &&
        reply[5] == '.')
        e.enhanced = span_of(reply + 4, strcspn(reply + 4, " \r"));
    if (e.reply.len > 0)
        e.reply_us = 1000;
    p->server_octets += e.reply.len;
    return e;
}

static inline void play_greeting(struct play *p, const char *reply)
{
    struct event e = event_of(p, EVENT_GREETING, reply);

    play_see(p, (struct record_view){ .kind = VIEW_GREETING, .event = &e });
    p->t_us += e.reply_us;
}

/* A command with its reply, or none: "". `read_at`: where a read began in it; -1: nowhere. */
static inline struct event event_command(struct play *p, const char *line, const char *reply,
                                         int read_at)
{
    struct event e = event_of(p, EVENT_COMMAND, reply);
    size_t word = strcspn(line, " \r\n");

    e.received = span_str(line);
    e.received_octets = e.received.len;
    e.word = span_of(line, word);
    e.verb = strcmp(line, ".\r\n") == 0 ? VERB_DOT : verb_lookup(e.word);
    e.arg = span_of(line + word, strcspn(line + word, "\r\n"));
    if (read_at >= 0)
        e.reads[e.reads_len++] = (uint16_t)read_at;
    return e;
}

static inline void play_event(struct play *p, struct event e)
{
    play_see(p, (struct record_view){ .kind = VIEW_COMMAND, .event = &e });
    p->client_at += e.received_octets;
    p->t_us += e.reply_us;
}

static inline void play_command(struct play *p, const char *line, const char *reply)
{
    play_event(p, event_command(p, line, reply, strcmp(line, ".\r\n") == 0 ? -1 : 0));
}

/* In one read with the command before it. */
static inline void play_batched(struct play *p, const char *line, const char *reply)
{
    play_event(p, event_command(p, line, reply, -1));
}

static inline void play_unsolicited(struct play *p, const char *reply)
{
    struct event e = event_of(p, EVENT_COMMAND, reply);

    e.verb = VERB_UNKNOWN;
    e.code = 0;
    notes_add(&e.notes, NOTE_REPLY_UNSOLICITED, 0);
    play_event(p, e);
}

static inline void play_content(struct play *p, struct data_stats stats, bool complete)
{
    struct event e = event_of(p, EVENT_CONTENT, "");

    p->data.stats = stats;
    e.data = &p->data;
    e.complete = complete;
    play_see(p, (struct record_view){ .kind = VIEW_CONTENT, .event = &e });
    p->client_at += stats.octets;
}

struct play_end {
    enum close_reason reason;
    int first;
    enum close_kind how;
    uint64_t after_us; /* since the last record */
    uint64_t surplus;  /* octets of the server that no reply holds */
    struct record_tcp server;
};

static inline void play_close(struct play *p, struct play_end end)
{
    p->t_us += end.after_us;
    struct record_close c = { .t_us = p->t_us,
                              .reason = end.reason,
                              .first = end.first,
                              .how = end.how,
                              .octets_in = { p->client_at, p->server_octets + end.surplus },
                              .tcp = { [SERVER] = end.server } };

    play_see(p, (struct record_view){ .kind = VIEW_CLOSE, .close = &c });
    assert_null(p->d);
}

static inline void play_quit(struct play *p)
{
    play_command(p, "QUIT\r\n", "221 2.0.0 Bye\r\n");
    play_close(p, (struct play_end){ CLOSE_QUIT, CLIENT, END_FIN, 1000, 0, { 0 } });
}

#define EHLO_CLEAN                                                                             \
    "250-mx.example.com\r\n250-PIPELINING\r\n250-SIZE 10485760\r\n250-STARTTLS\r\n"            \
    "250-8BITMIME\r\n250-CHUNKING\r\n250 HELP\r\n"

/* A session up to EHLO with nothing odd in it. */
static inline void play_begin(struct play *p)
{
    OPEN(p);
    play_greeting(p, "220 mx.example.com ESMTP Postfix\r\n");
    play_command(p, "EHLO client.example\r\n", EHLO_CLEAN);
}

static inline void play_envelope(struct play *p)
{
    play_command(p, "MAIL FROM:<a@example.com>\r\n", "250 2.1.0 Ok\r\n");
    play_command(p, "RCPT TO:<b@example.com>\r\n", "250 2.1.5 Ok\r\n");
    play_command(p, "DATA\r\n", "354 End data with <CR><LF>.<CR><LF>\r\n");
}

#define EXPECT(p, want)                                                                        \
    do {                                                                                       \
        if (strcmp((p)->ids, (want)) != 0)                                                     \
            fail_msg("%s:%d: found \"%s\", want \"%s\"; %s", __FILE__, __LINE__, (p)->ids,     \
                     (want), (p)->count > 0 ? (p)->found[(p)->count - 1].text : "");           \
    } while (0)

static inline const struct finding *last_found(const struct play *p)
{
    assert_true(p->count > 0);
    return &p->found[p->count - 1];
}

static inline bool names_product(const struct finding *f, const char *id)
{
    for (unsigned i = 0; i < FINDING_PRODUCTS_MAX && f->products[i] != NULL; i++)
        if (strcmp(f->products[i], id) == 0)
            return true;
    return false;
}

#endif
