/* session_end - how a session ends: what is answered, what is still written down. */
#include "smtp/session_private.h"

enum { LEFTOVER_KEPT = 512 };

/* Did the client say something that has no answer yet? QUIT needs none. */
static bool is_reply_due(const struct session *s)
{
    if (s->ended[SERVER])
        return false; /* nobody owes one any more */
    if (s->state == STATE_GREETING)
        return true;
    return s->first != NULL && s->first->event.verb != VERB_QUIT;
}

/* What it means that the client closes its side now. */
static enum close_reason client_fin(const struct session *s)
{
    if (s->received[CLIENT] == 0)
        return CLOSE_CLIENT_LEFT;
    if (s->state == STATE_DATA || s->state == STATE_CHUNK)
        return CLOSE_CLIENT_EOF_DATA;
    return is_reply_due(s) ? CLOSE_CLIENT_EOF_REPLY : CLOSE_CLIENT_EOF;
}

void end_note_client(struct session *s, enum close_kind how)
{
    s->client.end = how == END_FIN             ? (uint8_t)client_fin(s)
                    : s->received[CLIENT] == 0 ? (uint8_t)CLOSE_CLIENT_LEFT
                                               : (uint8_t)CLOSE_CLIENT_RESET;
}

/* Who ended first is the reason; a silent client that was first has just left. */
static enum close_reason mirrored_reason(const struct session *s, enum side from,
                                         enum close_kind how)
{
    bool client_first = from == CLIENT ? !s->ended[SERVER] : s->ended[CLIENT] != 0;

    if (from == CLIENT && how == END_RESET && !client_first)
        return CLOSE_CLIENT_RESET;
    if (client_first)
        return session_client_end(s);
    if (how == END_RESET)
        return CLOSE_UPSTREAM_RESET;
    return s->upstream.parting != CLOSE_NONE ? (enum close_reason)s->upstream.parting
                                             : CLOSE_UPSTREAM_EOF;
}

/* Both sides have ended, and who was first is the reason; or one was reset. */
void end_mirrored(struct session *s, enum side from, enum close_kind how)
{
    enum side other = from == CLIENT ? SERVER : CLIENT;

    if (how == END_FIN && !s->ended[other])
        return;
    if (s->quit_answered)
        session_close(s, CLOSE_QUIT);
    else if (s->state == STATE_OPAQUE && (how == END_FIN || s->ended[other] == END_FIN))
        session_close(s, opaque_close(s)); /* who is done with TLS resets what comes late */
    else
        session_close(s, mirrored_reason(s, from, how));
}

void end_client(struct session *s, enum close_kind how)
{
    bool silent = s->state == STATE_GREETING && s->received[CLIENT] == 0;

    if (how == END_RESET || silent) { /* half closed, a silent client will never speak */
        session_close(s, session_client_end(s));
    } else if (s->state == STATE_DATA || s->state == STATE_CHUNK) {
        /* Never invent the end of a message. */
        if (s->content != NULL && s->state == STATE_CHUNK)
            notes_add(&s->content->data.notes, NOTE_BDAT_TRUNCATED,
                      s->content->data.stats.octets);
        else if (s->discarding != NULL)
            notes_add(&s->discarding->event.notes, NOTE_BDAT_TRUNCATED, s->at[CLIENT]);
        session_close(s, CLOSE_CLIENT_EOF_DATA);
    }
}

void end_upstream(struct session *s, enum close_kind how)
{
    session_abort_with(s, how == END_RESET ? LOCAL_UPSTREAM_RESET : LOCAL_UPSTREAM_EOF,
                       NOTE_UPSTREAM_EOF);
}

/* What the client had sent and nobody will look at any more. */
static enum step leftover(struct session *s)
{
    struct span rest = input_view(s, CLIENT);
    bool content = s->last_verb == VERB_DATA || s->reason == CLOSE_EARLY_DATA ||
                   s->reason == CLOSE_BDAT_MALFORMED;

    if (rest.len == 0 || s->state == STATE_OPAQUE || s->reason == CLOSE_NO_MEMORY)
        return STEP_IDLE;
    struct exchange *ex = session_new_exchange(s);
    if (ex == NULL)
        return STEP_IDLE;
    input_use(s, CLIENT, rest.len);
    if (!exchange_store(ex, span_first(rest, LEFTOVER_KEPT))) {
        exchange_free(s->env->exchanges, ex);
        return STEP_IDLE;
    }
    ex->event.received_octets = rest.len;
    if (s->state == STATE_AUTH || content)
        secrecy_auth_line(&s->secrecy, &ex->event);
    else
        secrecy_lines(&s->secrecy, &ex->event);
    ex->event.disposition =
        s->env->observe && !s->client.rejected ? DISPOSITION_RELAYED : DISPOSITION_SWALLOWED;
    ex->event.origin = ORIGIN_NONE;
    if (s->client.rejected)
        ; /* it came in its time, and was not what it should be */
    else if (s->client.early_talker || s->state == STATE_GREETING ||
             s->preamble != PREAMBLE_NONE)
        notes_add(&ex->event.notes, NOTE_EARLY_TALKER, ex->event.at);
    if (s->ended[CLIENT])
        notes_add(&ex->event.notes, NOTE_CMD_EOF, ex->event.at);
    session_report(s, ex);
    return STEP_AGAIN;
}

static void push_back(struct session *s, struct exchange **ex)
{
    if (*ex != NULL)
        session_push(s, *ex);
    *ex = NULL;
}

/* Everything unfinished is written down, then the last action there is. */
enum step end_step(struct session *s, struct action *action)
{
    struct exchange *ex;

    if (s->content != NULL && !s->content->ended) {
        enum step step = content_release(s, action);
        if (step == STEP_IDLE)
            content_end(s, false);
        return step == STEP_IDLE ? STEP_AGAIN : step;
    }
    if (s->reason != CLOSE_NO_MEMORY) {
        push_back(s, &s->own_command);
        push_back(s, &s->discarding);
    }
    if ((ex = session_pop(s)) != NULL) {
        ex->event.origin = ORIGIN_NONE;
        session_finish(s, ex);
        return STEP_AGAIN;
    }
    if (leftover(s) == STEP_AGAIN || opaque_report(s) == STEP_AGAIN)
        return STEP_AGAIN;
    if (s->close_reported)
        return STEP_IDLE;
    s->close_reported = true;
    action->kind = ACTION_CLOSE;
    action->reason = (enum close_reason)s->reason;
    return STEP_ACTION;
}

/* Input is used up: is the session over? */
enum step end_idle_step(struct session *s)
{
    bool idle = s->first == NULL || s->state == STATE_CHUNK; /* a chunk is in the FIFO */

    if (s->ended[CLIENT] && idle && s->state != STATE_GREETING && !session_mirrors_ends(s)) {
        end_client(s, END_FIN);
        session_close(s, session_client_end(s)); /* unless it ended inside a message */
        return STEP_AGAIN;
    }
    if (s->ended[SERVER] && !s->upstream.gone && !session_mirrors_ends(s)) {
        end_upstream(s, (enum close_kind)s->ended[SERVER]); /* during the client's handshake */
        return STEP_AGAIN;
    }
    return STEP_IDLE;
}
