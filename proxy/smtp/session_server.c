/*
 * session_server - the upstream's replies: read, paired with what they answer, relayed.
 *
 * A server may refuse a message while it is still being sent (552 in the middle of mail data).
 * Whether it then goes on reading mail data or takes what follows for commands, nobody can
 * tell: it gets nothing more. The client hears the reply when it has sent all.
 *
 * A server that accepts a chunk before it has all its bytes has read another size than the
 * client sent, and takes the rest for commands: the session is over.
 */
#include "smtp/session_private.h"

static bool filter_keywords(struct session *s, struct span reply)
{
    const struct ehlo_terms terms = {
        .policy = s->env->policy,
        .client_secure = s->client.secure,
        .upstream_secure = s->upstream.secure,
        .terminate = session_ends_tls(s),
        .trusted = s->client.trusted,
    };

    session_note_upstream(s, reply);
    return ehlo_filter(reply, &terms, &s->offer, &s->out);
}

/* What the client gets: as received, canonical, or with keywords removed. */
static bool make_sent(struct session *s, struct exchange *ex, const struct reply *r)
{
    struct event *e = &ex->event;

    e->reply = r->received;
    if (e->verb == VERB_EHLO && e->kind == EVENT_COMMAND && r->code / 100 == 2) {
        if (s->env->observe) {
            s->offer.offered = ehlo_parse(reply_text(r));
            return true;
        }
        if (!filter_keywords(s, reply_text(r)))
            return false;
        if (s->offer.sasl_layer)
            notes_add(&e->notes, NOTE_SASL_LAYER, s->at[SERVER]);
        if (s->out.len > 0) {
            notes_add(&e->notes, NOTE_EHLO_MODIFIED, s->at[SERVER]);
            e->replied = buf_span(&s->out);
            return true;
        }
    }
    if ((!r->canonical || r->teaser > 0) && !s->env->observe) {
        if (!reply_canonical(reply_text(r), &s->out))
            return false;
        e->replied = buf_span(&s->out);
    }
    return true;
}

/* Hands the reply to the client and completes the exchange. */
static enum step relay_reply(struct session *s, struct exchange *ex, const struct reply *r,
                             struct action *action)
{
    struct event *e = &ex->event;

    e->code = r->code;
    e->enhanced = r->enhanced;
    e->origin = ORIGIN_UPSTREAM;
    e->reply_us = s->now_us - e->t_us;
    s->replied_at = s->received[CLIENT];
    if (!make_sent(s, ex, r)) {
        session_close(s, CLOSE_NO_MEMORY);
        exchange_free(s->env->exchanges, ex);
        return STEP_AGAIN;
    }
    input_use(s, SERVER, r->received.len);
    session_finish(s, ex);
    if (s->env->observe)
        return STEP_AGAIN; /* the octets went ahead */
    return session_send_reply(s, action, e);
}

/* Replies that cannot be followed: the count would be off for the rest (RFC 5321 4.2.1). */
static enum step protocol_error(struct session *s, struct span received, struct notes *notes,
                                enum note_id note)
{
    struct exchange *ex;

    if (s->preamble != PREAMBLE_NONE)
        return preamble_lost(s, received, notes, note);
    notes_add(notes, note, s->at[SERVER]);
    if (s->env->observe) {
        ex = session_new_exchange(s);
        if (ex == NULL)
            return STEP_AGAIN;
        ex->event.disposition = DISPOSITION_RELAYED;
        ex->event.origin = ORIGIN_UPSTREAM;
        ex->event.at = s->at[SERVER];
        ex->event.notes = *notes;
        ex->event.reply = received;
        input_use(s, SERVER, received.len);
        session_report(s, ex);
        return STEP_AGAIN;
    }
    session_enter(s, s->state == STATE_GREETING ? STATE_GREETING : STATE_STOPPED);
    session_abort_with(
        s, s->state == STATE_GREETING ? LOCAL_GREETING_NOT_SMTP : LOCAL_UPSTREAM_PROTOCOL,
        NOTE_NONE);
    if (s->first != NULL) {
        s->first->event.reply = received; /* reported before the input is touched again */
        session_merge_notes(s->first, notes);
    }
    input_use(s, SERVER, received.len);
    return STEP_AGAIN;
}

/* ---- replies that come before what they answer is complete ------------------------- */

/* The exchange keeps the reply, as received and as the client is to hear it. */
static bool keep_reply(struct session *s, struct exchange *ex, const struct reply *r)
{
    struct event *e = &ex->event;

    if (!make_sent(s, ex, r))
        return false;
    e->origin = ORIGIN_UPSTREAM;
    if (!exchange_keep_reply(ex, r, &e->reply))
        return false;
    if (e->replied.len > 0 && !exchange_keep(ex, e->replied, &e->replied))
        return false;
    ex->answered = true;
    return true;
}

/* The message was refused before its end. */
static enum step keep_refusal(struct session *s, struct exchange *ex, const struct reply *r,
                              const struct notes *notes)
{
    session_merge_notes(ex, notes);
    notes_add(&ex->event.notes, NOTE_REPLY_EARLY, s->at[SERVER]);
    ex->event.reply_us = s->now_us - ex->event.t_us;
    if (!keep_reply(s, ex, r))
        return session_no_memory(s);
    input_use(s, SERVER, r->received.len);
    s->replied_at = s->received[CLIENT];
    if (!s->env->observe)
        s->upstream.drop_due = s->upstream.gone = true;
    return STEP_AGAIN;
}

static enum step reply_to_data(struct session *s, const struct reply *r, struct notes *notes)
{
    struct content *c = s->content;

    if (c->verdict != NULL)
        return STEP_IDLE; /* one too many */
    if (s->env->observe && content_waits_at_lf(s)) {
        c->lf_taken = true; /* for the upstream it is the end */
        return STEP_AGAIN;
    }
    if (r->code / 100 < 4) { /* it has seen an end that the client did not send */
        enum step step = protocol_error(s, r->received, notes, NOTE_REPLY_EARLY);
        if (s->env->observe)
            session_lose_track(s);
        return step;
    }
    c->verdict = session_new_exchange(s);
    if (c->verdict == NULL)
        return STEP_AGAIN;
    return keep_refusal(s, c->verdict, r, notes);
}

static enum step reply_to_chunk(struct session *s, struct exchange *ex, const struct reply *r,
                                struct notes *notes)
{
    if (ex->answered)
        return STEP_IDLE; /* one too many */
    if (r->code / 100 >= 4)
        return keep_refusal(s, ex, r, notes);
    if (s->env->observe)
        return STEP_IDLE; /* lost track of, behind it */
    return protocol_error(s, r->received, notes, NOTE_REPLY_EARLY);
}

static enum step early_reply(struct session *s, struct exchange *ex, const struct reply *r,
                             struct notes *notes)
{
    if (ex == NULL && s->state == STATE_DATA && s->content != NULL)
        return reply_to_data(s, r, notes);
    if (ex != NULL && ex == s->last && s->state == STATE_CHUNK && s->discarding == NULL &&
        s->chunk.left > 0)
        return reply_to_chunk(s, ex, r, notes);
    return STEP_IDLE;
}

enum step server_give_early(struct session *s, struct action *action)
{
    struct exchange *ex = session_pop(s);

    session_finish(s, ex);
    if (s->env->observe)
        return STEP_AGAIN; /* the octets went ahead */
    return session_send_reply(s, action, &ex->event);
}

/* ---- replies in their turn ------------------------------------------------------- */

/* The upstream's 501 to our "*": the client hears what was wrong with its line. An upstream
 * that goes on, or accepts, has not read "*" as we mean it. */
static enum step replace_reply(struct session *s, struct exchange *ex, const struct reply *r,
                               struct notes *notes)
{
    if (r->code / 100 < 4)
        return protocol_error(s, r->received, notes, NOTE_REPLY_UNEXPECTED);
    ex->event.reply = r->received;
    input_use(s, SERVER, r->received.len);
    if (s->state == STATE_SYNC)
        session_enter(s, STATE_COMMAND);
    ex->replaces_upstream_reply = false; /* local now, and at the head of the FIFO */
    return STEP_AGAIN;
}

static enum step take_greeting(struct session *s, const struct reply *r,
                               const struct notes *notes, struct action *action)
{
    struct exchange *ex = session_new_exchange(s);

    if (ex == NULL)
        return STEP_AGAIN;
    ex->event.kind = EVENT_GREETING;
    ex->event.at = s->at[SERVER];
    ex->event.notes = *notes;
    if (r->code / 100 == 2 && preamble_is_wanted(s))
        return preamble_begin(s, ex, r);
    s->client.early_talker = !input_is_empty(s, CLIENT);
    session_enter(s, STATE_COMMAND);
    if (r->code == 421)
        notes_add(&ex->event.notes, NOTE_GREETING_421, s->at[SERVER]);
    else if (r->code == 554)
        notes_add(&ex->event.notes, NOTE_GREETING_554, s->at[SERVER]);
    else if (r->code == 521)
        notes_add(&ex->event.notes, NOTE_GREETING_521, s->at[SERVER]);
    if (r->code == 421 && !s->env->observe)
        session_close(s, CLOSE_UPSTREAM_421);
    else if (preamble_names_client(s))
        session_close(s, CLOSE_UPSTREAM_REFUSED); /* what follows would come under our name */
    return relay_reply(s, ex, r, action);
}

/* The upstream's last reply, which the client is to hear in its words; asked or not. */
static enum step take_last(struct session *s, const struct reply *r, struct notes *notes,
                           enum note_id note, enum close_reason why, struct action *action)
{
    struct exchange *ex = s->first != NULL ? session_pop(s) : session_new_exchange(s);

    if (ex == NULL)
        return STEP_AGAIN;
    ex->local = LOCAL_NONE;
    notes_add(notes, note, s->at[SERVER]);
    session_merge_notes(ex, notes);
    if (s->env->observe) {
        s->upstream.parting = (uint8_t)why; /* should it close now */
        return relay_reply(s, ex, r, action);
    }
    session_enter(s, STATE_STOPPED);
    session_close(s, why);
    return relay_reply(s, ex, r, action);
}

/* Servers say so, and close, when they have waited for too long or heard too much. */
static bool is_refusal_unasked(const struct session *s, const struct reply *r)
{
    return s->first == NULL && s->state == STATE_COMMAND && r->code >= 400;
}

/* DATA is answered as if it was a message: what the client sends next, nobody can say. */
static bool is_unexpected(const struct exchange *ex, const struct reply *r)
{
    return ex->event.verb == VERB_DATA && r->code / 100 == 2;
}

static enum step take_reply(struct session *s, const struct reply *r, struct notes *notes,
                            struct action *action)
{
    struct exchange *ex = s->first;
    enum step step;

    s->upstream.parting = r->code == 421 ? CLOSE_UPSTREAM_421 : CLOSE_NONE;
    /* 421 answers whatever is pending, asked or not, and is the last reply (RFC 5321 3.8) */
    if (r->code == 421 && (!s->env->observe || ex == NULL))
        return take_last(s, r, notes, NOTE_UPSTREAM_421, CLOSE_UPSTREAM_421, action);
    if (is_refusal_unasked(s, r))
        return take_last(s, r, notes, NOTE_REPLY_UNSOLICITED, CLOSE_UPSTREAM_REFUSED, action);
    step = early_reply(s, ex, r, notes);
    if (step != STEP_IDLE)
        return step;
    if (ex == NULL || ex->not_sent_yet)
        return protocol_error(s, r->received, notes, NOTE_REPLY_UNSOLICITED);
    if (ex->replaces_upstream_reply)
        return replace_reply(s, ex, r, notes);
    if (is_unexpected(ex, r) && !s->env->observe)
        return protocol_error(s, r->received, notes, NOTE_REPLY_UNEXPECTED);
    if (after_reply_renews(ex, r) && content_abandon(s, ex->event.at))
        return STEP_AGAIN; /* its record comes first */
    session_merge_notes(ex, notes);
    step = upgrade_reply(s, ex, r);
    if (step != STEP_IDLE)
        return step;
    session_pop(s);
    step = relay_reply(s, ex, r, action);
    if (!s->closing)
        after_reply(s, ex);
    return step;
}

static bool awaits_greeting(const struct session *s)
{
    return s->state == STATE_GREETING && s->preamble == PREAMBLE_NONE;
}

/* One reply, with the empty lines before it: they are skipped, and noted. */
static enum reply_result read_reply(const struct session *s, struct span in, struct reply *r,
                                    struct notes *notes)
{
    size_t blank = reply_blank_lines(in);
    enum reply_result result;

    if (blank > REPLY_MAX) {
        *r = (struct reply){ .received = span_first(in, REPLY_MAX) };
        return REPLY_TOO_LONG;
    }
    if (blank > 0)
        notes_add(notes, NOTE_REPLY_BLANK_LINE, s->at[SERVER]);
    result = (awaits_greeting(s) ? reply_parse_greeting : reply_parse)(
        span_drop(in, blank), r, notes, s->at[SERVER] + blank);
    r->teaser += blank;
    r->received = span_first(in, blank + r->received.len);
    return result;
}

enum step server_step(struct session *s, struct action *action)
{
    struct span in;
    struct reply r;
    struct notes notes = { .len = 0 };

    if (input_is_empty(s, SERVER))
        return STEP_IDLE;
    in = input_view(s, SERVER);
    if (s->state == STATE_OPAQUE)
        return opaque_step(s, SERVER, action);
    if (s->upstream.gone) {
        input_use(s, SERVER, in.len);
        return STEP_AGAIN;
    }
    if (opaque_layer_begins(s, SERVER))
        return STEP_AGAIN;
    switch (read_reply(s, in, &r, &notes)) {
    case REPLY_MORE:
        return STEP_IDLE;
    case REPLY_OK:
        break;
    case REPLY_BAD_CODE:
        return protocol_error(s, r.received, &notes,
                              awaits_greeting(s) ? NOTE_GREETING_NOT_SMTP
                                                 : NOTE_REPLY_BAD_CODE);
    case REPLY_MISMATCH:
        return protocol_error(s, r.received, &notes, NOTE_REPLY_CODE_MISMATCH);
    case REPLY_TOO_LONG:
        return protocol_error(s, r.received, &notes, NOTE_REPLY_OVERLONG);
    }
    if (reply_looks_masked(reply_text(&r)))
        notes_add(&notes, NOTE_REPLY_MASKED, s->at[SERVER]);
    if (s->preamble != PREAMBLE_NONE)
        return preamble_reply(s, &r, &notes);
    if (awaits_greeting(s))
        return take_greeting(s, &r, &notes, action);
    return take_reply(s, &r, &notes, action);
}
