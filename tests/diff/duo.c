#include "diff/duo.h"

#include <stdio.h>
#include <stdlib.h>

enum { HOP_US = 100, SESSION_US = 1000000 };

/* One vantage point. */
struct point {
    struct session session;
    struct recorder recorder;
    struct writer *writer;
    struct stream *stream;
    int64_t clock_us;        /* of this machine, before the common time */
    struct duo_octets to[2]; /* forwarded, not yet delivered */
    uint64_t in[2], out[2];
    int first; /* side that ended first, -1: none */
    bool closed;
};

struct server {
    unsigned char line[4096];
    size_t len;
    bool data, left;
    uint64_t chunk;
    struct duo_octets said;
};

struct duo {
    struct duo_config config;
    struct policy policy;
    struct pool exchanges, contents;
    struct session_env env;
    struct point near, far;
    struct server server;
    struct duo_octets sent[2]; /* by side it went to */
    uint64_t at[2];
    duo_wire *wire;
    void *arg;
    uint64_t now;
    unsigned serial;
    struct duo_octets heard; /* by the client, not yet used */
    struct duo_octets changed;
};

static void add(struct duo_octets *o, struct span s)
{
    if (s.len > DUO_STREAM_MAX - o->len)
        abort();
    if (s.len > 0)
        memcpy(o->bytes + o->len, s.ptr, s.len);
    o->len += s.len;
}

static void point_start(struct point *p, const struct duo_config *c, unsigned v)
{
    struct writer_config w = { .file = c->file[v],
                               .fd = -1,
                               .vantage = v == 0 ? "near" : "far",
                               .content = c->content,
                               .redact = c->redact[v],
                               .spool = c->spool[v],
                               .flush_ms = 1000,
                               .queue_octets = 64 << 20,
                               .file_mode = 0600 };
    char error[256] = "";

    p->writer = writer_start(&w, error, sizeof error);
    p->stream = p->writer != NULL ? stream_new(p->writer, NULL, NULL) : NULL;
    if (p->stream == NULL) {
        fprintf(stderr, "duo: %s\n", error);
        abort();
    }
}

struct duo *duo_new(const struct duo_config *c)
{
    struct duo *d = calloc(1, sizeof *d);

    if (d == NULL)
        abort();
    d->config = *c;
    d->now = 1795424641u * (uint64_t)1000000;
    policy_init(&d->policy, c->observe ? PRESET_OBSERVE : PRESET_DEFAULT);
    pool_init(&d->exchanges, session_exchange_size(), 16);
    pool_init(&d->contents, session_content_size(), 4);
    d->env = (struct session_env){ .policy = &d->policy,
                                   .observe = c->observe,
                                   .helo_name = "vantage.example",
                                   .exchanges = &d->exchanges,
                                   .contents = &d->contents };
    point_start(&d->near, c, 0);
    point_start(&d->far, c, 1);
    d->far.clock_us = c->ahead_us;
    return d;
}

void duo_free(struct duo **dp)
{
    struct duo *d = *dp;

    *dp = NULL;
    stream_free(&d->near.stream);
    stream_free(&d->far.stream);
    writer_stop(&d->near.writer, 10000);
    writer_stop(&d->far.writer, 10000);
    pool_deinit(&d->exchanges);
    pool_deinit(&d->contents);
    free(d);
}

const struct duo_octets *duo_sent(const struct duo *d, enum side to)
{
    return &d->sent[to];
}

const char *duo_near_sid(const struct duo *d)
{
    return d->near.recorder.sid;
}

/* ---- one vantage point ---- */

static uint64_t clock_of(struct duo *d, const struct point *p)
{
    d->now += HOP_US;
    return d->now + (uint64_t)p->clock_us;
}

static void pump(struct point *p)
{
    struct action action;

    while (session_next(&p->session, &action)) {
        if (action.content != CONTENT_NONE)
            record_content(&p->recorder, action.content, action.bytes);
        if (action.kind == ACTION_RECORD)
            record_event(&p->recorder, action.event);
        else if (action.kind == ACTION_CLOSE)
            p->closed = true;
        else if (action.kind == ACTION_FORWARD)
            add(&p->to[action.side], action.bytes);
        else if (action.kind == ACTION_ANSWER)
            add(&p->to[CLIENT], action.bytes);
    }
}

static void give(struct duo *d, struct point *p, enum side from, struct span s)
{
    if (p->closed || s.len == 0)
        return;
    p->in[from] += s.len;
    session_bytes(&p->session, from, s, clock_of(d, p));
    pump(p);
}

static void end(struct duo *d, struct point *p, enum side from)
{
    if (p->closed)
        return;
    if (p->first < 0)
        p->first = (int)from;
    session_eof(&p->session, from, END_FIN, clock_of(d, p));
    pump(p);
}

static void open_point(struct duo *d, struct point *p, unsigned client, unsigned local)
{
    char a[32], b[32];
    struct span mode = d->config.observe ? SPAN_LIT("observe") : SPAN_LIT("enforce");

    snprintf(a, sizeof a, "192.0.2.1:%u", client);
    snprintf(b, sizeof b, "192.0.2.%u:%u", d->config.nat ? 9u : 1u, local); /* nobody is .9 */
    uint64_t t = clock_of(d, p);
    recorder_init(&p->recorder, p->stream, t);
    record_open(&p->recorder, &(struct record_open){ .t_us = t,
                                                     .listener = SPAN_LIT("mx"),
                                                     .mode = mode,
                                                     .client = span_str(a),
                                                     .server = SPAN_LIT("192.0.2.2:25") });
    record_connect(&p->recorder, &(struct record_connect){ .t_us = t,
                                                           .upstream = SPAN_LIT("192.0.2.3:25"),
                                                           .local = span_str(b),
                                                           .us = 50 });
    session_init(&p->session, &d->env);
    p->first = -1;
    p->closed = false;
    p->to[CLIENT].len = p->to[SERVER].len = 0;
    memset(p->in, 0, sizeof p->in);
    memset(p->out, 0, sizeof p->out);
}

static void close_point(struct duo *d, struct point *p)
{
    if (!p->closed) {
        session_end(&p->session, CLOSE_INTERNAL, clock_of(d, p));
        pump(p);
    }
    struct record_close info = { .t_us = clock_of(d, p),
                                 .reason = (enum close_reason)p->session.reason,
                                 .first = p->first,
                                 .how = p->first >= 0 ? END_FIN : END_NONE,
                                 .octets_in = { p->in[0], p->in[1] },
                                 .octets_out = { p->out[0], p->out[1] } };
    record_close(&p->recorder, &info);
    session_deinit(&p->session);
}

/* ---- the server ---- */

static const char ehlo_reply[] = "250-mx.example.net\r\n250-PIPELINING\r\n250-SIZE 10485760\r\n"
                                 "250-STARTTLS\r\n250-8BITMIME\r\n250-CHUNKING\r\n"
                                 "250-DSN\r\n250 SMTPUTF8\r\n";

static const char *answer(struct server *s, struct span line)
{
    static const struct {
        const char *verb, *reply;
    } known[] = {
        { "EHLO", ehlo_reply },
        { "HELO", "250 mx.example.net\r\n" },
        { "MAIL", "250 2.1.0 sender ok\r\n" },
        { "RCPT", "250 2.1.5 recipient ok\r\n" },
        { "RSET", "250 2.0.0 reset\r\n" },
        { "NOOP", "250 2.0.0 nothing done\r\n" },
        { "VRFY", "252 2.5.0 try it and see\r\n" },
        { "HELP",
          "214-2.0.0 this server knows\r\n214-2.0.0 the usual verbs\r\n214 2.0.0 end\r\n" },
    };

    if (span_starts_with_nocase(line, SPAN_LIT("DATA"))) {
        s->data = true;
        return "354 End data with <CR><LF>.<CR><LF>\r\n";
    }
    if (span_starts_with_nocase(line, SPAN_LIT("BDAT "))) {
        s->chunk = strtoul((const char *)line.ptr + 5, NULL, 10) % 100000;
        return s->chunk == 0 ? "250 2.0.0 chunk taken\r\n" : NULL;
    }
    if (span_starts_with_nocase(line, SPAN_LIT("QUIT"))) {
        s->left = true;
        return "221 2.0.0 mx.example.net closing\r\n";
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (span_starts_with_nocase(line, span_str(known[i].verb)))
            return known[i].reply;
    return "500 5.5.2 command not recognized\r\n";
}

static void server_line(struct server *s)
{
    struct span line = span_of(s->line, s->len);
    const char *reply = NULL;

    if (!s->data) {
        s->line[s->len < sizeof s->line ? s->len : sizeof s->line - 1] = '\0';
        reply = answer(s, line);
    } else if (span_equal(line, SPAN_LIT(".\r\n"))) {
        s->data = false;
        reply = "250 2.0.0 queued as 4711\r\n";
    }
    s->len = 0;
    if (reply != NULL)
        add(&s->said, span_str(reply));
}

static void server_take(struct server *s, struct span in)
{
    for (size_t i = 0; i < in.len && !s->left; i++) {
        if (s->chunk > 0) {
            if (--s->chunk == 0)
                add(&s->said, SPAN_LIT("250 2.0.0 chunk taken\r\n"));
            continue;
        }
        if (s->len < sizeof s->line - 1)
            s->line[s->len++] = in.ptr[i];
        if (in.ptr[i] == '\n')
            server_line(s);
    }
}

/* ---- all together ---- */

/* Through the wire. */
static void cross(struct duo *d, struct point *from, enum side to)
{
    struct span s = span_of(from->to[to].bytes, from->to[to].len);
    uint64_t at = d->at[to];

    add(&d->sent[to], s);
    d->at[to] += s.len;
    d->changed.len = 0;
    if (d->wire != NULL)
        d->wire(d->arg, to, at, s, &d->changed);
    else
        add(&d->changed, s);
    from->out[to] += s.len;
    from->to[to].len = 0;
    give(d, to == SERVER ? &d->far : &d->near, to == SERVER ? CLIENT : SERVER,
         span_of(d->changed.bytes, d->changed.len));
}

static bool deliver(struct duo *d)
{
    struct server *s = &d->server;

    if (d->near.to[SERVER].len > 0) {
        cross(d, &d->near, SERVER);
    } else if (d->far.to[SERVER].len > 0) {
        server_take(s, span_of(d->far.to[SERVER].bytes, d->far.to[SERVER].len));
        d->far.out[SERVER] += d->far.to[SERVER].len;
        d->far.to[SERVER].len = 0;
    } else if (s->said.len > 0) {
        struct span said = span_of(s->said.bytes, s->said.len);
        s->said.len = 0;
        give(d, &d->far, SERVER, said);
    } else if (d->far.to[CLIENT].len > 0) {
        cross(d, &d->far, CLIENT);
    } else if (d->near.to[CLIENT].len > 0) {
        add(&d->heard, span_of(d->near.to[CLIENT].bytes, d->near.to[CLIENT].len));
        d->near.out[CLIENT] += d->near.to[CLIENT].len;
        d->near.to[CLIENT].len = 0;
    } else {
        return false;
    }
    return true;
}

/* A complete reply; *go: it asks for more. Takes it away. */
static bool take_reply(struct duo *d, bool *go)
{
    unsigned char *p = d->heard.bytes, *end = p + d->heard.len, *lf;

    *go = d->heard.len > 0 && *p == '3';
    for (; p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL; p = lf + 1) {
        if (lf - p >= 4 && p[3] == '-')
            continue;
        d->heard.len = (size_t)(end - lf - 1);
        memmove(d->heard.bytes, lf + 1, d->heard.len);
        return true;
    }
    return false;
}

static void run_steps(struct duo *d, const char *const *steps, size_t count)
{
    bool go = true;

    while (deliver(d))
        continue;
    for (size_t i = 0; i < count && take_reply(d, &go); i++) {
        if (i > 0 && strncmp(steps[i - 1], "DATA", 4) == 0 && !go)
            i++;
        if (i < count)
            give(d, &d->near, CLIENT, span_str(steps[i]));
        while (deliver(d))
            continue;
    }
}

static void hang_up(struct duo *d)
{
    if (d->server.left) {
        end(d, &d->far, SERVER);
        end(d, &d->near, SERVER);
        end(d, &d->near, CLIENT);
        end(d, &d->far, CLIENT);
    } else {
        end(d, &d->near, CLIENT);
        end(d, &d->far, CLIENT);
        end(d, &d->far, SERVER);
        end(d, &d->near, SERVER);
    }
    while (deliver(d))
        continue;
}

void duo_session(struct duo *d, const char *const *steps, size_t count, duo_wire *wire,
                 void *arg)
{
    unsigned port = 1024 + d->serial++ % 60000;

    d->now += SESSION_US;
    d->wire = wire;
    d->arg = arg;
    d->heard.len = d->sent[CLIENT].len = d->sent[SERVER].len = 0;
    d->at[CLIENT] = d->at[SERVER] = 0;
    d->server = (struct server){ .len = 0 };
    open_point(d, &d->near, port ^ 0x5555, port);
    open_point(d, &d->far, port, port ^ 0x3333);
    add(&d->server.said, SPAN_LIT("220 mx.example.net ESMTP ready\r\n"));
    run_steps(d, steps, count);
    hang_up(d);
    close_point(d, &d->near);
    close_point(d, &d->far);
}
