/* session_content - mail data and BDAT chunks on their way, and their record. */
#include "smtp/lf_end.h"
#include "smtp/session_private.h"

#include <assert.h>

bool content_begin(struct session *s, bool bdat)
{
    struct content *c;

    assert(s->content == NULL);
    if (s->content != NULL) { /* whose end nobody would be told of */
        session_close(s, CLOSE_INTERNAL);
        return false;
    }
    c = pool_take(s->env->contents);
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
    c->ended = c->reported = c->upstream_dropped = c->cut_off = false;
    c->verdict = NULL;
    c->lf_marker = 0;
    c->lf_taken = false;
    data_init(&c->data, s->env->policy);
    s->content = c;
    s->reads.fresh = true;
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
    if (s->env->observe)
        data_passed_on(d);
    if (session_lost_octets(s))
        notes_drop(&d->notes, NOTE_DATA_EOF); /* the client may have sent all of it */
    if (d->stats.eight_bit > 0 && !s->body.eight_bit)
        notes_add(&d->notes, NOTE_DATA_8BIT_UNDECLARED, d->stats.eight_bit_at);
    c->event.complete = complete;
    c->event.notes = d->notes;
    c->event.content_us = s->now_us - c->event.t_us;
    c->ended = true;
}

bool content_abandon(struct session *s, uint64_t before)
{
    struct content *c = s->content;

    if (c == NULL || c->ended || c->event.at >= before)
        return false;
    content_end(s, false);
    return true;
}

void content_free(struct session *s)
{
    if (s->content == NULL)
        return;
    if (s->content->verdict != NULL)
        exchange_free(s->env->exchanges, s->content->verdict);
    pool_give(s->env->contents, s->content);
    s->content = NULL;
}

static enum step received_content(const struct session *s, struct span bytes,
                                  struct action *action)
{
    action->kind = ACTION_CONTENT;
    action->side = SERVER;
    action->bytes = bytes;
    action->content = CONTENT_RECEIVED;
    action->bdat = s->content->event.bdat;
    return STEP_ACTION;
}

enum step content_report(struct session *s, struct action *action)
{
    struct content *c = s->content;

    if (c->cut_off) {
        c->cut_off = false;
        return received_content(s, c->cut.received, action);
    }
    c->reported = true;
    action->kind = ACTION_RECORD;
    action->event = &c->event;
    return STEP_ACTION;
}

/* Where the read begins, and not what the filter has decided so far: a read that tears the end
 * of data begins behind the content. */
static void remember_content_read(struct session *s)
{
    struct content *c = s->content;
    uint64_t i = c->event.content_reads;

    if (!s->reads.fresh)
        return;
    s->reads.fresh = false;
    uint64_t began = s->reads.last > s->at[CLIENT] ? s->reads.last : s->at[CLIENT];
    c->read_at[i < DATA_READS_MAX ? i : DATA_READS_MAX - 1] =
        c->event.bdat ? c->data.stats.octets : began - c->event.at;
    c->event.content_reads++;
}

static enum step forward_content(struct session *s, struct span bytes, enum content_mark mark,
                                 struct action *action)
{
    /* In observe mode the octets went ahead, and only the digest wants them. */
    action->kind = s->env->observe ? ACTION_CONTENT : ACTION_FORWARD;
    action->side = SERVER;
    action->bytes = bytes;
    action->content = mark;
    action->bdat = s->content->event.bdat;
    action->lasting = session_is_lasting(s, bytes);
    return STEP_ACTION;
}

/* The message is refused: the upstream must not get its end, so it is dropped. */
static void refuse_content(struct session *s)
{
    if (s->content->upstream_dropped)
        return;
    s->content->upstream_dropped = true;
    s->upstream.drop_due = true;
    s->upstream.gone = true;
}

static enum step take_piece(struct session *s, const struct data_piece *piece,
                            struct action *action)
{
    struct content *c = s->content;

    if (s->env->observe)
        return forward_content(s, piece->received, CONTENT_SAME, action);
    if (c->data.refused)
        refuse_content(s);
    if (s->upstream.gone) {
        c->data.stats.octets_sent -= piece->sent.len;
        return received_content(s, piece->received, action);
    }
    if (piece->same)
        return forward_content(s, piece->sent, CONTENT_SAME, action);
    c->rest = *piece;
    return received_content(s, piece->received, action);
}

/* The end of data, as received, becomes an exchange in the FIFO; NULL when memory is out. */
static struct exchange *push_end(struct session *s, struct span marker)
{
    struct content *c = s->content;
    struct exchange *ex = c->verdict != NULL ? c->verdict : session_new_exchange(s);

    c->verdict = NULL;
    if (ex == NULL)
        return NULL;
    if (!exchange_store(ex, marker)) {
        exchange_free(s->env->exchanges, ex);
        session_close(s, CLOSE_NO_MEMORY);
        return NULL;
    }
    ex->event.t_us = s->now_us;
    ex->event.at = s->at[CLIENT] - marker.len;
    ex->event.verb = VERB_DOT;
    ex->event.word = span_first(ex->event.received, 1);
    session_push(s, ex);
    content_end(s, true);
    s->last_verb = VERB_DOT;
    return ex;
}

/* Its reply came early, and so the upstream is gone, but in observe mode. */
static enum step end_answered(struct session *s, struct exchange *ex)
{
    ex->event.disposition = s->env->observe ? DISPOSITION_RELAYED : DISPOSITION_SWALLOWED;
    session_enter(s, s->env->observe ? STATE_COMMAND : STATE_GONE);
    return STEP_AGAIN;
}

static enum step end_refused(struct session *s, struct exchange *ex, enum local_reply id)
{
    refuse_content(s);
    ex->event.disposition = DISPOSITION_REFUSED;
    ex->local = id;
    ex->reply_detail = note_refusal((enum note_id)s->content->data.refused_by);
    session_enter(s, STATE_GONE);
    return STEP_AGAIN;
}

/* ". CR LF": takes a reply like a command, and has a record like one. */
static enum step end_of_data(struct session *s, struct action *action)
{
    struct exchange *ex = push_end(s, SPAN_LIT(".\r\n"));

    if (ex == NULL)
        return STEP_AGAIN;
    if (ex->answered)
        return end_answered(s, ex);
    if (s->content->data.refused && !s->env->observe)
        return end_refused(s, ex, LOCAL_CONTENT_REFUSED);
    session_enter(s, session_pipelines(s) ? STATE_COMMAND : STATE_SYNC);
    return session_forward(s, ex, SPAN_LIT(".\r\n"), action);
}

static bool lf_end_is_accepted(const struct session *s)
{
    const struct data *d = &s->content->data;

    return !d->refused && d->out_bol &&
           (s->client.trusted_newlines ||
            policy_get(s->env->policy, RULE_DATA_LF_END) == WORD_ACCEPT);
}

bool content_waits_at_lf(const struct session *s)
{
    return s->state == STATE_DATA && s->content != NULL && !s->content->ended &&
           s->content->lf_marker > 0;
}

/* Whether the end is taken or refused, nobody will wait for another one. */
static enum step lf_end_pushed(struct session *s, struct exchange *ex, bool accepted,
                               struct action *action)
{
    if (ex->answered)
        return end_answered(s, ex);
    if (!accepted && !s->env->observe)
        return end_refused(s, ex, LOCAL_LF_END);
    if (!s->env->observe && !exchange_rewrite(ex, SPAN_LIT(".")))
        return session_no_memory(s);
    s->client.quit_only = !s->env->observe;
    session_enter(s, s->env->observe ? STATE_COMMAND : STATE_SYNC);
    return session_forward(s, ex, ex->event.received, action);
}

/*
 * The mail data ends at a bare LF, behind which nothing came. A sender that did not mean an
 * end, and was only slow, goes on with mail data: so nothing behind it but QUIT is taken for a
 * command.
 */
static enum step end_at_lf(struct session *s, struct action *action)
{
    struct content *c = s->content;
    struct span in = input_view(s, CLIENT);
    unsigned char text[LF_MARKER_MAX];
    struct span marker = span_of(text, c->lf_marker);
    bool accepted = lf_end_is_accepted(s);

    memcpy(text, in.ptr, marker.len);
    c->lf_marker = 0;
    input_use(s, CLIENT, marker.len);
    notes_add(&c->data.notes, NOTE_DATA_LF_END, c->data.stats.octets);
    struct exchange *ex = push_end(s, marker);
    return ex == NULL ? STEP_AGAIN : lf_end_pushed(s, ex, accepted, action);
}

/* The session ends: what was held back as a possible end is content after all. */
enum step content_release(struct session *s, struct action *action)
{
    struct content *c = s->content;
    struct span in = input_view(s, CLIENT);
    struct data_piece piece;

    if (c->event.bdat || in.len == 0 || lf_end_find(&c->data, in).tail < in.len)
        return STEP_IDLE;
    struct span rest = in;
    enum data_result result = data_next(&c->data, &rest, &piece);
    input_use(s, CLIENT, in.len - rest.len);
    if (result != DATA_PIECE)
        return STEP_AGAIN;
    if (s->env->observe)
        return forward_content(s, piece.received, CONTENT_SAME, action);
    c->data.stats.octets_sent -= piece.sent.len;
    return received_content(s, piece.received, action);
}

/* Input up to what may be an end at a bare LF; that stays where it is. */
static struct span without_lf_end(struct session *s, struct span in)
{
    struct content *c = s->content;
    struct lf_end end = { .tail = 0 };

    if (s->env->observe || policy_get(s->env->policy, RULE_DATA_EOD_LOOKALIKE) != WORD_PASS)
        end = lf_end_find(&c->data, in);
    c->lf_marker = (uint8_t)end.marker;
    return span_first(in, in.len - end.tail);
}

enum step content_step(struct session *s, struct action *action)
{
    struct content *c = s->content;
    struct data_piece piece;
    struct span in, rest;
    enum data_result result;

    assert(c != NULL);
    if (c == NULL) {
        session_close(s, CLOSE_INTERNAL);
        return STEP_AGAIN;
    }
    if (!c->rest.same) { /* the second half of a rewritten piece */
        c->rest.same = true;
        if (c->rest.sent.len > 0)
            return forward_content(s, c->rest.sent, CONTENT_SENT, action);
    }
    if (c->lf_taken)
        return end_at_lf(s, action);
    in = input_view(s, CLIENT);
    if (in.len > 0)
        remember_content_read(s);
    in = rest = without_lf_end(s, in);
    result = data_next(&c->data, &rest, &piece);
    input_use(s, CLIENT, in.len - rest.len);
    switch (result) {
    case DATA_MORE: /* all is used up, or kept by the filter */
        return in.len > 0 ? STEP_AGAIN : STEP_IDLE;
    case DATA_PIECE:
        return take_piece(s, &piece, action);
    case DATA_END:
        return end_of_data(s, action);
    }
    return STEP_IDLE;
}

static bool chunk_is_refused(const struct session *s)
{
    const struct data_stats *st = &s->content->data.stats;

    return !s->env->observe && policy_get(s->env->policy, RULE_BDAT_CONTENT) == WORD_REJECT &&
           (st->bare_lf > 0 || st->bare_cr > 0 || st->nul > 0);
}

void chunk_discard(struct session *s, struct exchange *ex, uint64_t octets)
{
    s->chunk.left = octets;
    s->chunk.forward = false;
    s->discarding = ex;
    session_enter(s, STATE_CHUNK);
}

bool chunk_drops_upstream(struct session *s)
{
    if (!s->chunk.refused || s->state == STATE_CHUNK)
        return false;
    for (const struct exchange *ex = s->first; ex != NULL; ex = ex->next)
        if (!exchange_is_local(ex) && !ex->answered)
            return false;
    s->chunk.refused = false;
    s->upstream.drop_due = s->upstream.gone = true;
    return true;
}

/* All octets of the chunk have gone by. */
static enum step chunk_end(struct session *s)
{
    if (s->discarding != NULL) {
        struct exchange *ex = s->discarding;
        s->discarding = NULL;
        session_push(s, ex);
        session_enter(s, local_reply_closes(ex->local) != CLOSE_NONE ? STATE_STOPPED
                                                                     : STATE_COMMAND);
        session_count_error(s, ex);
        return STEP_AGAIN;
    }
    if (s->chunk.last && s->content != NULL) {
        data_opaque_end(&s->content->data);
        content_end(s, true);
    }
    if (s->chunk.refused && s->last != NULL && !s->last->answered) {
        s->last->local = LOCAL_CONTENT_REFUSED;
        s->last->reply_detail = note_refusal(NOTE_BDAT_BARE_LF);
        s->last->event.disposition = DISPOSITION_REFUSED;
        session_enter(s, STATE_GONE);
        return STEP_AGAIN;
    }
    if (s->last != NULL && s->last->answered)
        session_enter(s, s->env->observe ? STATE_COMMAND : STATE_GONE);
    else
        session_enter(s, session_pipelines(s) || s->first == NULL ? STATE_COMMAND : STATE_SYNC);
    return STEP_AGAIN;
}

enum step chunk_step(struct session *s, struct action *action)
{
    struct span in = input_view(s, CLIENT);

    if (s->chunk.left == 0)
        return chunk_end(s);
    if (in.len == 0)
        return STEP_IDLE;
    if (in.len > s->chunk.left)
        in.len = (size_t)s->chunk.left;
    input_use(s, CLIENT, in.len);
    s->chunk.left -= in.len;
    if (s->content == NULL || !s->chunk.forward)
        return STEP_AGAIN; /* eaten */
    remember_content_read(s);
    data_opaque(&s->content->data, in);
    s->chunk.refused = s->chunk.refused || chunk_is_refused(s);
    if (s->chunk.refused || s->upstream.gone)
        return received_content(s, in, action);
    return forward_content(s, in, CONTENT_SAME, action);
}
