/*
 * session_core - the ground the parts of the session stand on: its state, input not yet used,
 * the FIFO of exchanges. Calls none of them.
 */
#include "smtp/session_private.h"

/* ---- state ------------------------------------------------------------------------ */

void session_enter(struct session *s, enum session_state next)
{
    s->state = (uint8_t)next;
}

enum close_reason session_client_end(const struct session *s)
{
    return (enum close_reason)s->client.end;
}

/* Nothing that an upstream does to a client that did not wait for it is the reason. */
static enum close_reason blamed(const struct session *s, enum close_reason why)
{
    bool upstream = why == CLOSE_UPSTREAM_EOF || why == CLOSE_UPSTREAM_RESET ||
                    why == CLOSE_UPSTREAM_TIMEOUT || why == CLOSE_NO_GREETING;

    return upstream && s->client.end == CLOSE_CLIENT_EOF_REPLY ? CLOSE_CLIENT_EOF_REPLY : why;
}

void session_close(struct session *s, enum close_reason why)
{
    if (s->closing)
        return; /* first reason wins */
    s->closing = true;
    s->reason = (uint8_t)blamed(s, why);
}

bool session_lost_octets(const struct session *s)
{
    return s->opaque.missing[CLIENT] > 0 || s->opaque.missing[SERVER] > 0 ||
           (s->closing && (s->reason == CLOSE_CAPTURE_END || s->reason == CLOSE_CAPTURE_LIMIT));
}

bool session_mirrors_ends(const struct session *s)
{
    return s->env->observe || s->state == STATE_OPAQUE;
}

bool session_pipelines(const struct session *s)
{
    enum policy_word word = policy_get(s->env->policy, RULE_PIPELINING);

    return s->env->observe || word == WORD_PASS ||
           (word == WORD_AUTO && ehlo_offers(s->offer.offered, EHLO_PIPELINING));
}

/* ---- input ------------------------------------------------------------------------ */

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

/* ---- exchanges -------------------------------------------------------------------- */

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

void session_merge_notes(struct exchange *ex, const struct notes *notes)
{
    for (unsigned i = 0; i < notes->len; i++)
        notes_add(&ex->event.notes, (enum note_id)notes->list[i].id, notes->list[i].at);
}

void session_abort_with(struct session *s, enum local_reply id, enum note_id note)
{
    struct exchange *ex = s->first;

    if (ex == NULL || exchange_is_local(ex)) {
        ex = session_new_exchange(s);
        if (ex == NULL)
            return;
        ex->event.kind = s->state == STATE_GREETING ? EVENT_GREETING : EVENT_COMMAND;
        ex->event.disposition = DISPOSITION_SWALLOWED;
        ex->next = s->first;
        s->first = ex;
        if (s->last == NULL)
            s->last = ex;
    }
    if (note != NOTE_NONE)
        notes_add(&ex->event.notes, note, ex->event.at);
    if (s->env->observe) {
        session_close(s, local_reply_closes(id));
        return;
    }
    ex->local = id;
    ex->replaces_upstream_reply = false;
}

enum step session_forward(struct session *s, struct exchange *ex, struct span raw,
                          struct action *action)
{
    struct event *e = &ex->event;

    e->disposition = e->forwarded.len > 0 ? DISPOSITION_REWRITTEN : DISPOSITION_RELAYED;
    e->forwarded_us = s->now_us - e->t_us;
    if (s->env->observe)
        return STEP_AGAIN; /* the octets went ahead */
    return session_send(s, action, SERVER, e->forwarded.len > 0 ? e->forwarded : raw);
}

void session_count_error(struct session *s, struct exchange *ex)
{
    if (local_reply_code(ex->local) < 400)
        return; /* VRFY, answered 252: a probe, no error */
    s->errors++;
    if (s->env->error_limit == 0 || s->errors < s->env->error_limit ||
        local_reply_closes(ex->local) != CLOSE_NONE)
        return;
    notes_add(&ex->event.notes, NOTE_ERROR_LIMIT, ex->event.at);
    ex->local = LOCAL_ERROR_LIMIT;
    session_enter(s, STATE_STOPPED);
}

bool session_refuses_early_data(struct session *s, struct exchange *ex)
{
    if (input_is_empty(s, CLIENT))
        return false;
    notes_add(&ex->event.notes, NOTE_EARLY_DATA, s->at[CLIENT]);
    return !s->env->observe && policy_get(s->env->policy, RULE_DATA_EARLY) == WORD_REJECT;
}

/* ---- the transaction, the upstream, TLS ------------------------------------------- */

void session_reset_transaction(struct session *s)
{
    /* What came behind the command is all still unanswered. */
    s->transaction = (struct transaction){
        .rcpt_sent = session_has_pending(s, VERB_RCPT),
        .bdat = session_has_pending(s, VERB_BDAT),
        .chunk_refused = s->transaction.chunk_refused && session_has_pending(s, VERB_MAIL),
    };
}

void session_note_upstream(struct session *s, struct span ehlo)
{
    ehlo_set offers = ehlo_parse(ehlo);

    s->upstream.greeted = true;
    s->upstream.starttls = ehlo_offers(offers, EHLO_STARTTLS);
    s->upstream.xclient = ehlo_offers(offers, EHLO_XCLIENT);
}

void session_forget_upstream(struct session *s)
{
    s->upstream.starttls = s->upstream.xclient = s->upstream.greeted = false;
}

bool session_ends_tls(const struct session *s)
{
    return !s->env->observe && policy_get(s->env->policy, RULE_STARTTLS) == WORD_TERMINATE;
}

bool session_lacks_tls(const struct session *s)
{
    return !s->env->observe && s->env->upstream_tls == UPSTREAM_TLS_REQUIRE &&
           !s->upstream.secure;
}

bool session_wants_upstream_tls(const struct session *s)
{
    return !s->upstream.secure && (s->env->upstream_tls == UPSTREAM_TLS_MAY ||
                                   s->env->upstream_tls == UPSTREAM_TLS_REQUIRE);
}

bool session_renews_upstream(const struct session *s)
{
    return session_wants_upstream_tls(s) && s->upstream.starttls;
}

void session_begin_tls(struct session *s, enum side side)
{
    session_enter(s, STATE_TLS);
    s->handshake = (struct session_handshake){ .side = (uint8_t)side, .due = true };
}
