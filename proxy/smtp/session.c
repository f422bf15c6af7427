#include "smtp/session_private.h"

#include "tlswatch/watch.h"

#include <assert.h>
#include <stdlib.h>

enum { HELD_SLACK = 1 << 20 };

void session_init(struct session *s, const struct session_env *env)
{
    memset(s, 0, sizeof *s);
    s->env = env;
    /* One read behind an end of mail data always fits. */
    buf_init(&s->held[CLIENT], SESSION_HELD_MAX + HELD_SLACK);
    buf_init(&s->held[SERVER], REPLY_MAX + HELD_SLACK);
    buf_init(&s->out, 2 * REPLY_MAX);
    secrecy_init(&s->secrecy);
    s->client.first_command = true;
    s->last_verb = VERB_UNKNOWN;
    s->upstream.parting = CLOSE_NONE;
}

void session_deinit(struct session *s)
{
    struct exchange *ex;

    while ((ex = session_pop(s)) != NULL)
        exchange_free(s->env->exchanges, ex);
    while ((ex = s->completed) != NULL) {
        s->completed = ex->next;
        exchange_free(s->env->exchanges, ex);
    }
    struct exchange **single[] = { &s->reported, &s->discarding, &s->own_command };
    for (unsigned i = 0; i < ARRAY_LEN(single); i++) {
        if (*single[i] != NULL)
            exchange_free(s->env->exchanges, *single[i]);
        *single[i] = NULL;
    }
    tls_watch_free(&s->watch);
    free(s->opaque.sample);
    content_free(s);
    preamble_free(s);
    secrecy_free(&s->secrecy);
    buf_release(&s->held[CLIENT]);
    buf_release(&s->held[SERVER]);
    buf_release(&s->out);
}

size_t session_exchange_size(void)
{
    return sizeof(struct exchange);
}

size_t session_content_size(void)
{
    return sizeof(struct content);
}

const char *session_state_name(const struct session *s)
{
    static const char *const names[] = {
#define X(id, name) name,
        SESSION_STATES(X)
#undef X
    };
    return s->closing ? "closing" : names[s->state];
}

/* Where reads began, for the records; forgotten once the octets are used up. */
static void remember_read(struct session *s, uint64_t at)
{
    if (input_is_empty(s, CLIENT)) {
        s->reads.len = 0;
        s->reads.more = false;
    }
    if (s->reads.len < EVENT_READS_MAX)
        s->reads.at[s->reads.len++] = (uint32_t)at;
    else
        s->reads.more = true;
    s->reads.fresh = true;
}

/* ---- input ---------------------------------------------------------------------- */

void session_bytes(struct session *s, enum side from, struct span bytes, uint64_t now_us)
{
    session_set_time(s, now_us);
    if (s->closing || bytes.len == 0)
        return;
    bool early = s->state == STATE_TLS && s->handshake.side == from;

    assert(!early); /* session_tls() first */
    if (early) {
        session_close(s, CLOSE_INTERNAL);
        return;
    }
    if (from == CLIENT) {
        s->reads.last = s->received[CLIENT];
        remember_read(s, s->reads.last);
    }
    s->input = bytes;
    s->in[from] = bytes;
    s->received[from] += bytes.len;
    s->raw_pending = s->env->observe;
}

void session_trust_newlines(struct session *s)
{
    s->client.trusted_newlines = true;
}

void session_eof(struct session *s, enum side from, enum close_kind how, uint64_t now_us)
{
    session_set_time(s, now_us);
    if (s->closing || s->ended[from])
        return;
    if (from == CLIENT)
        end_note_client(s, how);
    s->ended[from] = (uint8_t)how;
    if (s->state == STATE_TLS)
        upgrade_eof(s, from);
    else if (session_mirrors_ends(s))
        end_mirrored(s, from, how);
    else if (from == CLIENT)
        end_client(s, how);
    else if (!s->upstream.gone)
        end_upstream(s, how);
}

void session_upstream_down(struct session *s, uint64_t now_us)
{
    session_set_time(s, now_us);
    if (!s->closing)
        session_abort_with(s, LOCAL_UPSTREAM_DOWN, NOTE_UPSTREAM_DOWN);
}

void session_timeout(struct session *s, uint64_t now_us)
{
    session_set_time(s, now_us);
    if (s->closing)
        return;
    switch (session_wait(s)) {
    case WAIT_NONE:
        return;
    case WAIT_GREETING:
        session_abort_with(
            s, s->preamble != PREAMBLE_NONE ? LOCAL_UPSTREAM_TIMEOUT : LOCAL_GREETING_TIMEOUT,
            NOTE_NONE);
        return;
    case WAIT_COMMAND:
    case WAIT_DATA_BLOCK:
        session_abort_with(s, LOCAL_CLIENT_TIMEOUT, NOTE_CLIENT_TIMEOUT);
        return;
    case WAIT_LOOKALIKE:
        if (content_waits_at_lf(s))
            s->content->lf_taken = true;
        else
            session_abort_with(s, LOCAL_NO_END, NOTE_CLIENT_TIMEOUT);
        return;
    case WAIT_REPLY:
    case WAIT_DATA_START:
    case WAIT_DATA_END:
        session_abort_with(s, LOCAL_UPSTREAM_TIMEOUT, NOTE_NONE);
        return;
    case WAIT_OPAQUE:
        session_close(s, CLOSE_CLIENT_TIMEOUT);
        return;
    case WAIT_TLS:
        return; /* the relay tells of a failed handshake */
    }
}

void session_end(struct session *s, enum close_reason why, uint64_t now_us)
{
    session_set_time(s, now_us);
    if (s->closing)
        return;
    if (why == CLOSE_SHUTDOWN)
        s->shutdown = true;
    else if (why == CLOSE_SESSION_LIMIT)
        session_abort_with(s, LOCAL_SESSION_LIMIT, NOTE_NONE);
    else if (why == CLOSE_CLIENT_LIMIT)
        session_abort_with(s, LOCAL_CLIENT_LIMIT, NOTE_NONE);
    else if (why == CLOSE_CLIENT_SLOW)
        session_abort_with(s, LOCAL_CLIENT_SLOW, NOTE_NONE);
    else if (why == CLOSE_DIRECT)
        session_abort_with(s, LOCAL_DIRECT, NOTE_NONE);
    else if (why == CLOSE_CAPTURE_END && s->quit_answered)
        session_close(s, CLOSE_QUIT);
    else if (why == CLOSE_UPSTREAM_TLS && s->state != STATE_TLS && !session_mirrors_ends(s))
        session_abort_with(s, LOCAL_GONE_TLS, NOTE_NONE);
    else
        session_close(s, why);
}

void session_reject(struct session *s, struct span bytes, enum close_reason why,
                    uint64_t now_us)
{
    s->now_us = now_us;
    if (s->closing)
        return;
    s->input = bytes;
    s->in[CLIENT] = bytes;
    s->received[CLIENT] += bytes.len;
    s->client.rejected = true;
    session_close(s, why);
}

void session_save_memory(struct session *s, bool on)
{
    s->saving_memory = on;
}

/* ---- actions --------------------------------------------------------------------- */

static enum step raw_forward(struct session *s, struct action *action)
{
    enum side from = s->in[CLIENT].len > 0 ? CLIENT : SERVER;

    s->raw_pending = false;
    action->kind = ACTION_FORWARD;
    action->side = from == CLIENT ? SERVER : CLIENT;
    action->bytes = s->input;
    action->lasting = true;
    return STEP_ACTION;
}

/*
 * In observe mode the server may repeat lines that are not read yet, but for mail; and what
 * comes unasked may repeat anything.
 */
static void peek_secrets(struct session *s, const struct event *e)
{
    if (e->reply.len == 0)
        return;
    if (e->kind == EVENT_COMMAND && e->received.len == 0)
        secrecy_peek(&s->secrecy, e->reply);
    if (s->env->observe && s->last_verb != VERB_DATA && !input_is_empty(s, CLIENT))
        secrecy_peek_ahead(&s->secrecy, input_view(s, CLIENT), s->at[CLIENT]);
}

static enum step report(struct session *s, struct action *action)
{
    s->reported = s->completed;
    s->completed = s->reported->next;
    s->reported->next = NULL;
    peek_secrets(s, &s->reported->event);
    secrecy_reply(&s->secrecy, &s->reported->event, s->received[CLIENT]);
    secrecy_tell(&s->secrecy, &s->reported->event);
    action->kind = ACTION_RECORD;
    action->event = &s->reported->event;
    return STEP_ACTION;
}

/* The head of the FIFO is a command answered here. */
static enum step answer_local(struct session *s, struct action *action)
{
    struct exchange *ex = session_pop(s);
    struct event *e = &ex->event;
    enum close_reason closes = local_reply_closes(ex->local);
    char text[LOCAL_REPLY_MAX];

    e->origin = ORIGIN_PROXY;
    e->code = local_reply_code(ex->local);
    e->enhanced = local_reply_enhanced(ex->local);
    if (!exchange_keep(ex, local_reply_text(ex->local, ex->reply_detail, text), &e->replied))
        session_close(s, CLOSE_NO_MEMORY);
    e->reply_us = s->now_us - e->t_us;
    action->kind = ACTION_ANSWER;
    action->side = CLIENT;
    action->bytes = e->replied;
    session_finish(s, ex);
    if (ex->local == LOCAL_TLS_READY)
        session_begin_tls(s, CLIENT);
    if (closes != CLOSE_NONE)
        session_close(s, closes);
    return STEP_ACTION;
}

/* A reply that comes before its command was sent on is one too many: replies first. */
static enum step enforce_step(struct session *s, struct action *action)
{
    static enum step (*const steps[])(struct session *,
                                      struct action *) = { server_step, upgrade_step,
                                                           preamble_step, client_step };
    enum step step = STEP_IDLE;

    for (unsigned i = 0; i < ARRAY_LEN(steps) && step == STEP_IDLE; i++)
        step = steps[i](s, action);
    return step;
}

/* The commands went ahead, unread: they are read first. */
static enum step observe_step(struct session *s, struct action *action)
{
    enum step step = client_step(s, action);

    return step == STEP_IDLE ? server_step(s, action) : step;
}

static enum step session_step(struct session *s, struct action *action)
{
    enum step step;

    if (s->raw_pending)
        return raw_forward(s, action);
    if (s->handshake.due && !s->closing)
        return upgrade_action(s, action);
    if (s->completed != NULL)
        return report(s, action);
    if (s->content != NULL && s->content->ended)
        return content_report(s, action);
    if (s->upstream.drop_due || chunk_drops_upstream(s)) {
        s->upstream.drop_due = false;
        action->kind = ACTION_DROP_UPSTREAM;
        action->side = SERVER;
        return STEP_ACTION;
    }
    if (s->closing)
        return end_step(s, action);
    if (s->state == STATE_TLS)
        return STEP_IDLE;
    if (s->first != NULL && exchange_is_local(s->first))
        return answer_local(s, action);
    if (s->first != NULL && s->first->answered && s->state != STATE_CHUNK)
        return server_give_early(s, action);
    if (s->shutdown && !session_in_transfer(s)) {
        s->shutdown = false;
        session_abort_with(s, LOCAL_SHUTDOWN, NOTE_NONE);
        return STEP_AGAIN;
    }
    step = s->env->observe ? observe_step(s, action) : enforce_step(s, action);
    return step == STEP_IDLE ? end_idle_step(s) : step;
}

/* Gives back what the last action borrowed. */
static void release_reported(struct session *s)
{
    if (s->reported != NULL) {
        if (s->reported->event.kind == EVENT_TLS)
            tls_watch_free(&s->watch);
        exchange_free(s->env->exchanges, s->reported);
        s->reported = NULL;
    }
    if (s->content != NULL && s->content->reported)
        content_free(s);
    if (s->out.len > 0 && s->completed == NULL)
        buf_release(&s->out);
}

bool session_next(struct session *s, struct action *action)
{
    enum step step;

    release_reported(s);
    *action = (struct action){ .kind = ACTION_FORWARD };
    do {
        step = session_step(s, action);
        if (step == STEP_IDLE && !s->closing) {
            input_keep(s, CLIENT);
            input_keep(s, SERVER);
            if (s->closing) /* out of memory */
                step = STEP_AGAIN;
        }
    } while (step == STEP_AGAIN);
    if (step == STEP_ACTION)
        return true;
    s->input.len = 0;
    input_release(s, CLIENT);
    input_release(s, SERVER);
    return false;
}

void session_hold(struct session *s)
{
    if (s->raw_pending)
        return; /* observe mode: the octets leave first */
    input_keep(s, CLIENT);
    input_keep(s, SERVER);
    s->input.len = 0;
}

/* ---- questions ------------------------------------------------------------------ */

enum wait session_wait(const struct session *s)
{
    if (s->closing || s->env->observe)
        return WAIT_NONE;
    switch ((enum session_state)s->state) {
    case STATE_GREETING:
        return WAIT_GREETING;
    case STATE_OPAQUE:
        return WAIT_OPAQUE;
    case STATE_TLS:
        return WAIT_TLS;
    case STATE_DATA:
        return content_waits_at_lf(s) || (s->content != NULL && s->content->data.lookalike_open)
                   ? WAIT_LOOKALIKE
                   : WAIT_DATA_BLOCK;
    case STATE_CHUNK:
        return WAIT_DATA_BLOCK;
    case STATE_COMMAND:
    case STATE_SYNC:
    case STATE_AUTH:
    case STATE_OVERLONG:
    case STATE_GONE:
    case STATE_STOPPED:
        break;
    }
    if (s->first == NULL)
        return WAIT_COMMAND;
    if ((verb_flags(s->first->event.verb) & VERB_MESSAGE) == 0)
        return WAIT_REPLY;
    return s->first->event.verb == VERB_DATA ? WAIT_DATA_START : WAIT_DATA_END;
}

static size_t room_in(const struct session *s, enum side side, size_t most)
{
    size_t held = s->held[side].len - s->held_used[side];

    return held < most ? most - held : 0;
}

/* Mail data and what is opaque pass through: nothing of them stays. */
static size_t client_room(const struct session *s)
{
    size_t room = room_in(s, CLIENT, SESSION_HELD_MAX);

    switch ((enum session_state)s->state) {
    case STATE_DATA:
    case STATE_OPAQUE:
        return SIZE_MAX;
    case STATE_CHUNK: /* the reply to it needs all of the chunk, whatever waits before it */
        return s->chunk.left < SIZE_MAX - room ? (size_t)s->chunk.left + room : SIZE_MAX;
    case STATE_OVERLONG: /* what is thrown away is in nobody's way */
        return room;
    case STATE_GREETING:
    case STATE_COMMAND:
    case STATE_SYNC:
    case STATE_AUTH:
    case STATE_GONE:
    case STATE_TLS:
    case STATE_STOPPED:
        break;
    }
    return session_queue_is_full(s) ? 0 : room;
}

size_t session_room(const struct session *s, enum side from)
{
    if (s->closing || s->env->observe)
        return SIZE_MAX;
    if (from == CLIENT)
        return client_room(s);
    /* Held only while the client's handshake is under way. */
    return s->state == STATE_TLS ? room_in(s, SERVER, REPLY_MAX) : SIZE_MAX;
}

size_t session_memory(const struct session *s)
{
    size_t octets = s->exchange_octets + s->out.size;

    octets += s->held[CLIENT].size + s->held[SERVER].size + s->secrecy.memory.items.size;
    if (s->content != NULL)
        octets += sizeof *s->content;
    if (s->watch != NULL)
        octets += tls_watch_memory(s->watch);
    if (s->opaque.sample != NULL)
        octets += sizeof *s->opaque.sample;
    return octets;
}

bool session_in_transfer(const struct session *s)
{
    if (s->state == STATE_DATA || s->state == STATE_CHUNK || s->state == STATE_OPAQUE)
        return true;
    for (const struct exchange *ex = s->first; ex != NULL; ex = ex->next)
        if ((verb_flags(ex->event.verb) & VERB_MESSAGE) != 0)
            return true;
    return false;
}

bool session_is_closing(const struct session *s)
{
    return s->closing;
}
