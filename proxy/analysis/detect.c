#include "analysis/detect_private.h"

#include <stdlib.h>

/* ---- the session's block ------------------------------------------------------------------
 */

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

/* ---- commands -------------------------------------------------------------------------------
 */

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

static void remember_unanswered(const struct look *k)
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

static void remember_answered(const struct look *k)
{
    const struct event *e = k->e;
    struct detect *d = k->d;
    unsigned code = detect_code(e->reply);

    d->answered |= UINT64_C(1) << act_of(e) | UINT64_C(1) << (2 * ACT_GREETING);
    d->last_answered = true;
    d->behind_chunk = e->verb == VERB_BDAT;
    if (e->verb == VERB_DATA && code == 354)
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

static void see_command(const struct look *k)
{
    const struct event *e = k->e;

    command_look(k);
    if (e->reply.len > 0) {
        reply_look(k);
        ehlo_look(k);
        starttls_look(k);
        promise_look(k);
        if (was_sent(e))
            remember_answered(k);
    } else {
        remember_unanswered(k);
    }
    k->d->server_octets += e->reply.len;
    remember_time(k->d, e->t_us + e->reply_us);
}

static void see_greeting(const struct look *k)
{
    greeting_look(k);
    k->d->server_octets += k->e->reply.len;
    remember_time(k->d, k->e->t_us + k->e->reply_us);
}

static void see_content(const struct look *k)
{
    content_look(k);
    remember_time(k->d, k->e->t_us + k->e->content_us);
}

/* ---- all
 * --------------------------------------------------------------------------------------- */

void detect_free(struct detect **d)
{
    free(*d);
    *d = NULL;
}

static void see(const struct look *k)
{
    const struct seen *s = k->s;

    switch (s->kind) {
    case SEEN_OPEN:
        see_open(k->d, s->open);
        break;
    case SEEN_CONNECT:
        see_connect(k->d, s->connect);
        break;
    case SEEN_TLS:
        tls_look(k);
        break;
    case SEEN_GREETING:
        see_greeting(k);
        break;
    case SEEN_COMMAND:
        see_command(k);
        break;
    case SEEN_CONTENT:
        see_content(k);
        break;
    case SEEN_OPAQUE:
        k->d->encoded = true;
        break;
    case SEEN_CLOSE:
        close_look(k);
        break;
    }
}

void detect_see(struct detect **d, const struct detect_env *env, const struct seen *s)
{
    if (*d == NULL && s->kind != SEEN_CLOSE)
        *d = calloc(1, sizeof **d);
    if (*d == NULL)
        return;
    see(&(struct look){ .d = *d, .env = env, .s = s, .e = s->event });
    if (s->kind == SEEN_CLOSE)
        detect_free(d);
}
