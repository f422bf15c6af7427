/*
 * session_early - replies that come before what they answer is complete.
 *
 * A server may refuse a message while it is still being sent (552 in the middle of mail data).
 * Whether it then goes on reading mail data or takes what follows for commands, nobody can
 * tell: it gets nothing more. The client hears the reply when it has sent all.
 *
 * A server that accepts a chunk before it has all its octets has read another size than the
 * client sent, and takes the rest for commands: the session is over.
 */
#include "smtp/session_private.h"

/* The exchange keeps the reply, as received and as the client is to hear it. */
static bool keep_reply(struct session *s, struct exchange *ex, const struct reply *r)
{
    struct event *e = &ex->event;
    size_t enhanced = r->enhanced.len > 0 ? (size_t)(r->enhanced.ptr - r->received.ptr) : 0;

    if (!session_make_sent(s, ex, r))
        return false;
    e->code = r->code;
    e->origin = ORIGIN_UPSTREAM;
    if (!exchange_keep(ex, r->received, &e->reply))
        return false;
    e->enhanced = span_first(span_drop(e->reply, enhanced), r->enhanced.len);
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
    if (!keep_reply(s, ex, r)) {
        session_close(s, CLOSE_NO_MEMORY);
        return STEP_AGAIN;
    }
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
        enum step step = session_protocol_error(s, r->received, notes, NOTE_REPLY_EARLY);
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
    return session_protocol_error(s, r->received, notes, NOTE_REPLY_EARLY);
}

enum step early_reply(struct session *s, struct exchange *ex, const struct reply *r,
                      struct notes *notes)
{
    if (ex == NULL && s->state == STATE_DATA && s->content != NULL)
        return reply_to_data(s, r, notes);
    if (ex != NULL && ex == s->last && s->state == STATE_CHUNK && s->discarding == NULL &&
        s->chunk.left > 0)
        return reply_to_chunk(s, ex, r, notes);
    return STEP_IDLE;
}

enum step early_give(struct session *s, struct action *action)
{
    struct exchange *ex = session_pop(s);

    session_finish(s, ex);
    if (s->env->observe)
        return STEP_AGAIN; /* the octets went ahead */
    action->kind = ACTION_FORWARD;
    action->side = CLIENT;
    action->bytes = ex->event.replied.len > 0 ? ex->event.replied : ex->event.reply;
    return STEP_ACTION;
}
