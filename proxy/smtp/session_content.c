/* session_content - mail data and BDAT chunks on their way, and their record. */
#include "smtp/session_private.h"

#include <assert.h>

bool content_begin(struct session *s, bool bdat)
{
    struct content *c = pool_take(s->env->contents);

    assert(s->content == NULL);
    if (c == NULL) {
        session_close(s, CLOSE_NO_MEMORY);
        return false;
    }
    c->event = (struct event){
        .kind = EVENT_CONTENT,
        .t_us = s->now_us,
        .at = s->at[CLIENT],
        .data = &c->data,
        .bdat = bdat,
        .content_read_at = c->read_at,
    };
    c->rest = (struct data_piece){ .same = true };
    c->ended = c->told = c->refused_told = c->cut_off = false;
    data_init(&c->data, s->env->policy);
    s->content = c;
    s->read_fresh = true;
    return true;
}

void content_end(struct session *s, bool complete)
{
    struct content *c = s->content;
    struct data *d = &c->data;

    if (!complete && c->event.bdat)
        data_opaque_end(d);
    else if (!complete)
        c->cut_off = data_cut(d, &c->cut);
    if (session_lost_octets(s))
        notes_drop(&d->notes, NOTE_DATA_EOF); /* the client may have sent all of it */
    if (d->stats.eight_bit > 0 && !s->eight_bit)
        notes_add(&d->notes, NOTE_DATA_8BIT_UNDECLARED, d->stats.eight_bit_at);
    c->event.complete = complete;
    c->event.notes = d->notes;
    c->event.content_us = s->now_us - c->event.t_us;
    c->ended = true;
}

void content_free(struct session *s)
{
    if (s->content == NULL)
        return;
    pool_give(s->env->contents, s->content);
    s->content = NULL;
}

static enum step received_content(const struct session *s, struct span bytes, struct wish *w)
{
    w->kind = WISH_CONTENT;
    w->side = SERVER;
    w->bytes = bytes;
    w->content = CONTENT_RECEIVED;
    w->bdat = s->content->event.bdat;
    return STEP_WISH;
}

enum step content_tell(struct session *s, struct wish *w)
{
    struct content *c = s->content;

    if (c->cut_off) {
        c->cut_off = false;
        return received_content(s, c->cut.received, w);
    }
    c->told = true;
    w->kind = WISH_RECORD;
    w->event = &c->event;
    return STEP_WISH;
}

/* Where the read begins, and not what the filter has decided so far: a read that tears the end
 * of data begins behind the content. */
static void remember_content_read(struct session *s)
{
    struct content *c = s->content;
    uint64_t i = c->event.content_reads;

    if (!s->read_fresh)
        return;
    s->read_fresh = false;
    c->read_at[i < DATA_READS_MAX ? i : DATA_READS_MAX - 1] =
        c->event.bdat ? c->data.stats.octets : s->at[CLIENT] - c->event.at;
    c->event.content_reads++;
}

static enum step forward_content(struct session *s, struct span bytes, enum content_mark mark,
                                 struct wish *w)
{
    /* In observe mode the octets went ahead, and only the digest wants them. */
    w->kind = s->env->observe ? WISH_CONTENT : WISH_FORWARD;
    w->side = SERVER;
    w->bytes = bytes;
    w->content = mark;
    w->bdat = s->content->event.bdat;
    w->lasting = session_is_lasting(s, bytes);
    return STEP_WISH;
}

/* The message is refused: the upstream must not get its end, so it is dropped. */
static void refuse_content(struct session *s)
{
    if (s->content->refused_told)
        return;
    s->content->refused_told = true;
    s->drop = true;
    s->upstream_gone = true;
}

static enum step take_piece(struct session *s, const struct data_piece *piece, struct wish *w)
{
    struct content *c = s->content;

    if (s->env->observe)
        return forward_content(s, piece->received, CONTENT_SAME, w);
    if (c->data.refused) {
        refuse_content(s);
        return received_content(s, piece->received, w);
    }
    if (piece->same)
        return forward_content(s, piece->sent, CONTENT_SAME, w);
    c->rest = *piece;
    return received_content(s, piece->received, w);
}

/* ". CR LF": takes a reply like a command, and has a record like one. */
static enum step end_of_data(struct session *s, struct wish *w)
{
    struct content *c = s->content;
    struct exchange *ex = session_new_exchange(s);

    if (ex == NULL)
        return STEP_AGAIN;
    if (!exchange_store(ex, SPAN_LIT(".\r\n")))
        assert(!"three octets fit into the room of an exchange");
    ex->event.at = s->at[CLIENT] - 3;
    ex->event.verb = VERB_DOT;
    ex->event.word = span_first(ex->event.received, 1);
    session_push(s, ex);
    content_end(s, true);
    s->last_verb = VERB_DOT;
    if (c->data.refused && !s->env->observe) {
        refuse_content(s);
        ex->event.action = ACTION_REFUSED;
        ex->local = LOCAL_CONTENT_REFUSED;
        ex->hint = note_refusal((enum note_id)c->data.refused_by);
        session_enter(s, STATE_GONE);
        return STEP_AGAIN;
    }
    session_enter(s, session_pipelines(s) ? STATE_COMMAND : STATE_SYNC);
    return command_forward(s, ex, SPAN_LIT(".\r\n"), w);
}

enum step content_step(struct session *s, struct wish *w)
{
    struct content *c = s->content;
    struct data_piece piece;
    struct span in, rest;
    enum data_result result;

    if (!c->rest.same) { /* the second half of a rewritten piece */
        c->rest.same = true;
        if (c->rest.sent.len > 0)
            return forward_content(s, c->rest.sent, CONTENT_SENT, w);
    }
    in = rest = input_view(s, CLIENT);
    if (in.len > 0)
        remember_content_read(s);
    result = data_next(&c->data, &rest, &piece);
    input_use(s, CLIENT, in.len - rest.len);
    switch (result) {
    case DATA_MORE: /* all is used up, or kept by the filter */
        return in.len > 0 ? STEP_AGAIN : STEP_IDLE;
    case DATA_PIECE:
        return take_piece(s, &piece, w);
    case DATA_END:
        return end_of_data(s, w);
    }
    return STEP_IDLE;
}

static bool chunk_is_refused(const struct session *s)
{
    const struct data_stats *st = &s->content->data.stats;

    return !s->env->observe && policy_get(s->env->policy, RULE_BDAT_CONTENT) == WORD_REJECT &&
           (st->bare_lf > 0 || st->bare_cr > 0 || st->nul > 0);
}

/* All octets of the chunk have gone by. */
static enum step chunk_end(struct session *s)
{
    if (s->parked != NULL) {
        struct exchange *ex = s->parked;
        s->parked = NULL;
        session_push(s, ex);
        session_enter(s, STATE_COMMAND);
        command_count_error(s, ex);
        return STEP_AGAIN;
    }
    if (s->chunk_last && s->content != NULL) {
        data_opaque_end(&s->content->data);
        content_end(s, true);
    }
    if (s->upstream_gone && s->last != NULL) {
        s->last->local = LOCAL_CONTENT_REFUSED;
        s->last->hint = note_refusal(NOTE_BDAT_BARE_LF);
        s->last->event.action = ACTION_REFUSED;
        session_enter(s, STATE_GONE);
        return STEP_AGAIN;
    }
    session_enter(s, session_pipelines(s) ? STATE_COMMAND : STATE_SYNC);
    return STEP_AGAIN;
}

enum step chunk_step(struct session *s, struct wish *w)
{
    struct span in = input_view(s, CLIENT);

    if (s->chunk_left == 0)
        return chunk_end(s);
    if (in.len == 0)
        return STEP_IDLE;
    if (in.len > s->chunk_left)
        in.len = (size_t)s->chunk_left;
    input_use(s, CLIENT, in.len);
    s->chunk_left -= in.len;
    if (s->content == NULL || !s->chunk_forward)
        return STEP_AGAIN; /* eaten */
    remember_content_read(s);
    data_opaque(&s->content->data, in);
    if (chunk_is_refused(s))
        refuse_content(s);
    if (s->upstream_gone)
        return received_content(s, in, w);
    return forward_content(s, in, CONTENT_SAME, w);
}
