/* session_input - input of both sides not yet used, and the FIFO of exchanges. */
#include "smtp/session_private.h"
/* ---- input ---------------------------------------------------------------------- */

struct span input_view(struct session *s, enum side side)
{
    struct buf *held = &s->held[side];

    if (held->len > 0 && s->held_used[side] == held->len) {
        buf_release(held);
        s->held_used[side] = 0;
    }
    if (held->len == 0)
        return s->in[side];
    if (s->in[side].len > 0) {
        buf_drop(held, s->held_used[side]);
        s->held_used[side] = 0;
        if (!buf_append(held, s->in[side]))
            session_close(s, CLOSE_NO_MEMORY);
        s->in[side].len = 0;
    }
    return span_drop(buf_span(held), s->held_used[side]);
}

void input_use(struct session *s, enum side side, size_t n)
{
    s->at[side] += n;
    if (s->held[side].len > 0)
        s->held_used[side] += (uint32_t)n;
    else
        s->in[side] = span_drop(s->in[side], n);
}

bool input_is_empty(const struct session *s, enum side side)
{
    return s->in[side].len == 0 && s->held[side].len == s->held_used[side];
}

bool session_is_lasting(const struct session *s, struct span bytes)
{
    return s->input.len > 0 && bytes.ptr >= s->input.ptr &&
           bytes.ptr + bytes.len <= s->input.ptr + s->input.len;
}

/* The input's bytes are borrowed: what is not used up is kept. */
void input_keep(struct session *s, enum side side)
{
    struct span rest = s->in[side];

    s->in[side].len = 0;
    if (rest.len > 0 && !s->closing && !buf_append(&s->held[side], rest))
        session_close(s, CLOSE_NO_MEMORY);
}

/* An idle session holds nothing: what was used up is given back, as soon as it is half of what
 * is held, so that moving the rest costs no more than it took to use it up. */
void input_release(struct session *s, enum side side)
{
    if (s->held_used[side] == 0 || s->held_used[side] < s->held[side].len / 2)
        return;
    buf_drop(&s->held[side], s->held_used[side]);
    s->held_used[side] = 0;
}

/* ---- the FIFO ------------------------------------------------------------------- */

struct exchange *session_new_exchange(struct session *s)
{
    struct exchange *ex = exchange_new(s->env->exchanges, &s->exchange_octets);

    if (ex == NULL) {
        session_close(s, CLOSE_NO_MEMORY);
        return NULL;
    }
    ex->event.kind = EVENT_COMMAND;
    ex->event.verb = VERB_UNKNOWN;
    ex->event.t_us = s->now_us;
    ex->event.at = s->at[CLIENT];
    return ex;
}

void session_push(struct session *s, struct exchange *ex)
{
    ex->next = NULL;
    if (s->last != NULL)
        s->last->next = ex;
    else
        s->first = ex;
    s->last = ex;
}

struct exchange *session_pop(struct session *s)
{
    struct exchange *ex = s->first;

    if (ex == NULL)
        return NULL;
    s->first = ex->next;
    if (s->first == NULL)
        s->last = NULL;
    ex->next = NULL;
    return ex;
}

bool session_has_pending(const struct session *s, enum verb verb)
{
    for (const struct exchange *ex = s->first; ex != NULL; ex = ex->next)
        if (ex->event.verb == verb && !exchange_is_local(ex))
            return true;
    return false;
}

bool session_queue_is_full(const struct session *s)
{
    if (s->env->observe)
        return s->exchange_octets >= SESSION_TRACKED_MAX;
    return s->exchange_octets >= (s->saving_memory ? 1 : SESSION_QUEUE_MAX);
}

void session_save_memory(struct session *s, bool on)
{
    s->saving_memory = on;
}

void session_report(struct session *s, struct exchange *ex)
{
    struct exchange **at = &s->completed;

    while (*at != NULL)
        at = &(*at)->next;
    ex->next = NULL;
    *at = ex;
}

void session_finish(struct session *s, struct exchange *ex)
{
    struct event *e = &ex->event;

    if (e->kind == EVENT_COMMAND && e->received.len > 0 && !e->auth_line &&
        e->verb != VERB_DOT) {
        unsigned tally = verb_tally(e->verb);
        s->all[tally]++;
        if (e->code >= 200 && e->code < 400)
            s->good[tally]++;
    }
    session_report(s, ex);
}
