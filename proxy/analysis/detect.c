#include "analysis/detect_private.h"

#include <stdlib.h>

enum { X_MIN = 4 };

enum occasion {
    GREETING,
    COMMAND,
    REPLY,
    EHLO,
    TLS,
    CONTENT,
    CLOSE,
};

/* All detectors that want this occasion: a constant, so that no other is asked. */
static inline __attribute__((always_inline)) void look(const struct detect_ctx *k,
                                                       enum occasion now)
{
#define DETECTOR(number, id, name, severity, looks, next) looks
#define ON(occasion, function)                                                                 \
    if (now == (occasion))                                                                     \
        function(k);
#include "analysis/detectors.def"
#undef ON
#undef DETECTOR
}

/* ---- the session's block ---- */

/* "192.0.2.1:4711" without its port. */
static struct span host_of(struct span address)
{
    size_t at = address.len;

    while (at > 0 && address.ptr[at - 1] != ':')
        at--;
    return at > 0 ? span_first(address, at - 1) : address;
}

static void see_open(struct detect *d, const struct record_open *o)
{
    struct span client = host_of(o->client);
    struct span server = o->original.len > 0 ? o->original : o->server;

    d->client = client.len > 0 ? detect_hash(client.ptr, client.len) : 0;
    d->upstream = server.len > 0 ? detect_hash(server.ptr, server.len) : 0;
}

static void see_connect(struct detect *d, const struct record_connect *c)
{
    if (c->error == NULL && c->upstream.len > 0)
        d->upstream = detect_hash(c->upstream.ptr, c->upstream.len);
}

/* ---- commands ---- */

static uint8_t act_of(const struct event *e)
{
    return (uint8_t)(2 * (unsigned)e->verb + (e->received_octets > 512));
}

/* A command that went on to the upstream. */
static bool was_sent(const struct event *e)
{
    bool sent = e->disposition == DISPOSITION_RELAYED ||
                e->disposition == DISPOSITION_REWRITTEN || e->disposition == DISPOSITION_ADDED;
    struct span line = e->disposition == DISPOSITION_ADDED ? e->forwarded : e->received;

    return sent && line.len > 0 && line.ptr[line.len - 1] == '\n';
}

static void remember_unanswered(const struct detect_ctx *k)
{
    const struct event *e = k->e;
    struct detect *d = k->d;
    bool from_here = e->reads_len > 0 && e->reads[0] == 0;

    if (d->unanswered.n != 0 || !was_sent(e))
        return;
    d->unanswered = (struct unanswered){
        .t_us = e->t_us,
        .idle_us = d->heard_us != 0 && e->t_us > d->heard_us ? e->t_us - d->heard_us : 0,
        .n = k->s->n,
        .verb = (uint8_t)e->verb,
        .act = act_of(e),
        .batched = e->disposition != DISPOSITION_ADDED && !from_here,
        .split = e->verb == VERB_DOT && d->tail_split,
    };
}

static void remember_answered(const struct detect_ctx *k)
{
    const struct event *e = k->e;
    struct detect *d = k->d;

    d->answered |= UINT64_C(1) << act_of(e) | UINT64_C(1) << (2 * ACT_GREETING);
    d->last_answered = true;
    d->after_chunk = e->verb == VERB_BDAT;
    if (e->verb == VERB_DATA && k->code == 354)
        d->in_content = true;
    if (e->verb == VERB_DOT)
        d->answered |= UINT64_C(1) << (2 * ACT_CONTENT);
}

/* When the last octet of this record was heard. */
static void remember_time(struct detect *d, uint64_t end_us)
{
    if (end_us > d->heard_us)
        d->heard_us = end_us;
}

static struct span without_ending(struct span line)
{
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    return line;
}

/* SIZE=n among the parameters (RFC 1870 6). */
static uint64_t declared_size(struct span arg)
{
    size_t i = span_find(arg, '>');

    for (i = i < arg.len ? i : 0; i + 5 < arg.len; i++)
        if (arg.ptr[i] == ' ' &&
            span_starts_with_nocase(span_drop(arg, i + 1), SPAN_LIT("SIZE=")))
            return detect_number(span_drop(arg, i + 6));
    return 0;
}

static void see_line(struct detect_ctx *k)
{
    const struct event *e = k->e;
    struct detect *d = k->d;

    k->line = without_ending(e->received);
    if (k->line.len == 0 || e->verb == VERB_DOT)
        return;
    if (!e->auth_line && e->secret.len == 0) {
        look(k, COMMAND);
        if (e->verb == VERB_MAIL)
            d->size_declared = declared_size(e->arg);
        /* What is an echo of it later must not be taken for a mask. */
        if (!d->said_x && detect_find_x(k->line, X_MIN).len > 0)
            d->said_x = true;
    }
    d->commanded = true;
}

/* What the reply to EHLO or HELO offers. False: it is not that of EHLO. */
static bool see_offer(struct detect_ctx *k)
{
    struct detect *d = k->d;
    struct span rest = k->e->reply, before;
    struct reply_line line;

    if (k->e->verb == VERB_HELO && k->e->code / 100 == 2)
        d->offered = 0;
    if (k->e->verb != VERB_EHLO || k->code != 250 || !detect_next_line(&rest, &line))
        return false;
    d->size_offered = 0;
    d->offered = ehlo_parse(k->e->reply);
    for (before = rest; detect_next_line(&rest, &line); before = rest) {
        struct span word = detect_keyword(line.text);
        if (k->keywords.len == 0 && !detect_is_common_keyword(word))
            k->keywords = before;
        if (span_equal_nocase(word, SPAN_LIT("SIZE")))
            d->size_offered = detect_number(span_drop(line.text, word.len + 1));
    }
    return true;
}

static void see_reply(struct detect_ctx *k)
{
    struct detect *d = k->d;

    look(k, REPLY);
    d->turned_away = d->turned_away || k->code == 421 || k->code == 521;
    if (k->e->enhanced.len > 0 && d->enhanced < 255)
        d->enhanced++;
    if (see_offer(k))
        look(k, EHLO);
    if (was_sent(k->e))
        remember_answered(k);
}

static void see_command(struct detect_ctx *k)
{
    const struct event *e = k->e;

    see_line(k);
    if (e->reply.len > 0)
        see_reply(k);
    else
        remember_unanswered(k);
    k->d->server_octets += e->reply.len;
    remember_time(k->d, e->t_us + e->reply_us);
}

/* ---- the greeting, TLS, content, the end ---- */

static void see_greeting(const struct detect_ctx *k)
{
    struct span rest = k->e->reply;
    struct reply_line line;

    if (detect_next_line(&rest, &line)) {
        struct span host = detect_first_word(line.text);
        k->d->greeted = true;
        k->d->turned_away = k->d->turned_away || k->code >= 400;
        k->d->banner_hash = (uint32_t)detect_hash(host.ptr, host.len);
        look(k, GREETING);
    }
    k->d->server_octets += k->e->reply.len;
    remember_time(k->d, k->e->t_us + k->e->reply_us);
}

static void see_tls(const struct detect_ctx *k)
{
    if (!k->s->tls_through)
        k->d->encoded = true;
    if (!k->s->tls_through && k->s->tls_side != SERVER)
        return;
    look(k, TLS);
    if (k->s->tls->failure == TLS_FAILURE_NONE) {
        k->d->secure = true;
        return;
    }
    struct peer_history *u = history_find(k->env->memory, k->d->upstream);
    if (u != NULL)
        u->tls_failed = 1;
}

/* Did a read begin after the first octet of CRLF . CRLF? The content ends with its LF. */
static bool is_tail_split(const struct event *e)
{
    uint64_t octets = e->data->stats.octets;

    if (e->content_read_at == NULL || e->bdat)
        return false;
    for (uint64_t i = 1; i < e->content_reads && i < DATA_READS_MAX; i++)
        if (e->content_read_at[i] + 1 >= octets)
            return true;
    return false;
}

static void see_content(const struct detect_ctx *k)
{
    struct detect *d = k->d;

    d->in_content = false;
    d->content_cut = !k->e->complete;
    d->content_at = k->e->at;
    d->content_octets = k->e->data->stats.octets;
    d->content_us = k->e->t_us;
    d->tail_split = is_tail_split(k->e);
    look(k, CONTENT);
    remember_time(d, k->e->t_us + k->e->content_us);
}

static void see_close(struct detect_ctx *k)
{
    const struct record_close *c = k->s->close;
    const struct unanswered *u = &k->d->unanswered;
    struct ending ending = {
        .close = c,
        .unanswered = u,
        .waited_us = u->n != 0 && c->t_us > u->t_us ? c->t_us - u->t_us : 0,
        .timed_out = c->reason == CLOSE_UPSTREAM_TIMEOUT || c->reason == CLOSE_NO_GREETING,
        .by_server = c->first == SERVER && (c->how == END_RESET || c->how == END_FIN),
    };

    k->ending = &ending;
    look(k, CLOSE);
}

/* ---- all ---- */

void detect_free(struct detect **d)
{
    free(*d);
    *d = NULL;
}

static void see(struct detect_ctx *k)
{
    const struct record_view *s = k->s;

    switch (s->kind) {
    case VIEW_OPEN:
        see_open(k->d, s->open);
        break;
    case VIEW_CONNECT:
        see_connect(k->d, s->connect);
        break;
    case VIEW_TLS:
        see_tls(k);
        break;
    case VIEW_GREETING:
        see_greeting(k);
        break;
    case VIEW_COMMAND:
        see_command(k);
        break;
    case VIEW_CONTENT:
        see_content(k);
        break;
    case VIEW_OPAQUE:
        k->d->encoded = true;
        break;
    case VIEW_CLOSE:
        see_close(k);
        break;
    }
}

void detect_see(struct detect **d, const struct detect_env *env, const struct record_view *s)
{
    if (*d == NULL && s->kind != VIEW_CLOSE)
        *d = calloc(1, sizeof **d);
    if (*d == NULL)
        return;
    struct detect_ctx k = { .d = *d, .env = env, .s = s, .e = s->event };
    k.code = k.e != NULL ? detect_code(k.e->reply) : 0;
    see(&k);
    if (s->kind == VIEW_CLOSE)
        detect_free(d);
}
