/*
 * session_upgrade - STARTTLS: ended here, or passed through (RFC 3207).
 *
 * Ended here (terminate), when every earlier command has its reply:
 *
 *   client              session                        upstream
 *   STARTTLS    --->    nothing behind it
 *                       upstream leg, if it is to be   --->  STARTTLS
 *                       nothing behind it              <---  220
 *                       ACTION_START_TLS SERVER          <-->  handshake
 *   220         <---    still nothing behind it
 *   handshake   <-->    ACTION_START_TLS CLIENT
 *                       both legs as new
 */
#include "smtp/session_private.h"

#include <assert.h>

enum step upgrade_action(struct session *s, struct action *action)
{
    enum side side = (enum side)s->handshake.side;

    bool clean = input_is_empty(s, side);

    assert(clean); /* nothing is carried across */
    s->handshake.due = false;
    if (!clean) {
        session_close(s, CLOSE_INTERNAL);
        return STEP_AGAIN;
    }
    action->kind = ACTION_START_TLS;
    action->side = side;
    return STEP_ACTION;
}

/* ---- STARTTLS ended here ---------------------------------------------------------- */

/* The client hears 454 and the session goes on as it is. */
static enum step decline(struct session *s, struct exchange *ex, const char *why)
{
    if (ex->event.reply.len == 0)
        ex->event.disposition = DISPOSITION_REFUSED;
    ex->local = LOCAL_TLS_UNAVAILABLE;
    ex->reply_detail = why;
    session_enter(s, STATE_COMMAND);
    return STEP_AGAIN;
}

static enum step refuse_injection(struct session *s, struct exchange *ex, enum note_id note,
                                  uint64_t at)
{
    notes_add(&ex->event.notes, note, at);
    session_enter(s, STATE_STOPPED);
    if (ex->event.reply.len == 0)
        ex->event.disposition = DISPOSITION_REFUSED;
    ex->local = LOCAL_STARTTLS_INJECTION;
    return STEP_AGAIN;
}

/* The client's leg: 220, then the handshake. */
static enum step invite_client(struct exchange *ex)
{
    if (ex->event.reply.len == 0)
        ex->event.disposition = DISPOSITION_STRIPPED;
    ex->local = LOCAL_TLS_READY;
    return STEP_AGAIN;
}

enum step upgrade_step(struct session *s, struct action *action)
{
    struct exchange *ex = s->first;

    if (ex == NULL || !ex->not_sent_yet || ex->event.verb != VERB_STARTTLS)
        return STEP_IDLE;
    if (!input_is_empty(s, CLIENT))
        return refuse_injection(s, ex, NOTE_STARTTLS_INJECTION, s->at[CLIENT]);
    if (s->ended[CLIENT]) {
        session_close(s, session_client_end(s)); /* half closed: TLS cannot be */
        return STEP_AGAIN;
    }
    ex->not_sent_yet = false;
    if (session_renews_upstream(s))
        return session_forward(s, ex, ex->event.received, action);
    if (session_wants_upstream_tls(s) && s->env->upstream_tls == UPSTREAM_TLS_REQUIRE)
        return decline(s, ex, "the mail server behind this proxy does not offer it");
    return invite_client(ex);
}

static enum step take_answer(struct session *s, struct exchange *ex, const struct reply *r)
{
    if (!exchange_keep(ex, r->received, &ex->event.reply))
        return session_no_memory(s);
    input_use(s, SERVER, r->received.len);
    s->replied_at = s->received[CLIENT];
    if (r->code == 220) {
        session_begin_tls(s, SERVER);
        return STEP_AGAIN;
    }
    /* Without a new session there, who authenticated in the clear would stay. */
    if (s->env->upstream_tls == UPSTREAM_TLS_REQUIRE || s->client.authenticated)
        return decline(s, ex, "the mail server behind this proxy refused it");
    s->upstream.starttls = false;
    ex->not_sent_yet = true; /* the client's leg is next */
    return STEP_AGAIN;
}

enum step upgrade_reply(struct session *s, struct exchange *ex, const struct reply *r)
{
    bool client = !input_is_empty(s, CLIENT);
    bool server = input_view(s, SERVER).len > r->received.len;

    if (ex->event.verb != VERB_STARTTLS)
        return STEP_IDLE;
    if (r->code == 220 && (client || server)) {
        enum note_id note = client ? NOTE_STARTTLS_INJECTION : NOTE_STARTTLS_RESPONSE_INJECTION;
        uint64_t at = client ? s->at[CLIENT] : s->at[SERVER] + r->received.len;

        if (s->env->observe) {
            notes_add(&ex->event.notes, note, at);
            return STEP_IDLE;
        }
        ex->event.reply = r->received; /* reported before the input is touched again */
        return refuse_injection(s, ex, note, at);
    }
    return session_ends_tls(s) ? take_answer(s, ex, r) : STEP_IDLE;
}

/* ---- the handshakes --------------------------------------------------------------- */

/* RFC 3207 4.2: nothing of what was said before counts. */
static void begin_new_session(struct session *s)
{
    s->client.greeted = s->client.authenticated = false;
    s->client.early_talker = s->client.first_command = false;
    s->body = (struct session_body){ 0 };
    s->upstream.starttls = s->upstream.xclient = false;
    s->offer = (struct ehlo_offer){ 0 };
    s->reads.len = 0;
    s->reads.more = false;
    s->last_verb = VERB_UNKNOWN;
    session_reset_transaction(s);
    session_enter(s, STATE_COMMAND);
}

static void upstream_done(struct session *s, bool ok)
{
    struct exchange *ex = s->first;

    if (ok) {
        session_forget_upstream(s);
        session_enter(s, STATE_SYNC);
        ex->not_sent_yet = true; /* the client's leg is next */
        return;
    }
    decline(s, ex, "the handshake with the mail server behind this proxy failed");
    s->upstream.drop_due = s->upstream.gone = s->upstream.tls_failed = true;
    session_enter(s, STATE_GONE);
}

static void handshake_done(struct session *s, enum side side, bool ok)
{
    if (side == CLIENT && ok)
        begin_new_session(s);
    else if (side == CLIENT)
        session_close(s, CLOSE_CLIENT_TLS);
    else if (s->preamble != PREAMBLE_NONE)
        preamble_tls(s, ok);
    else
        upstream_done(s, ok);
}

/* TLS from the first octet. */
static void came_with_connection(struct session *s, enum side side, bool ok)
{
    if (ok)
        return;
    if (side == CLIENT)
        session_close(s, CLOSE_CLIENT_TLS);
    else if (!s->upstream.gone)
        session_abort_with(s, LOCAL_GONE_TLS, NOTE_NONE);
}

void session_tls(struct session *s, enum side side, bool ok, uint64_t now_us)
{
    bool wished = s->state == STATE_TLS && s->handshake.side == side;

    session_set_time(s, now_us);
    if (s->closing)
        return;
    if (ok && side == CLIENT)
        s->client.secure = true;
    if (ok && side == SERVER)
        s->upstream.secure = true;
    if (wished)
        handshake_done(s, side, ok);
    else
        came_with_connection(s, side, ok);
}

void upgrade_eof(struct session *s, enum side from)
{
    if (s->handshake.side == from)
        handshake_done(s, from, false);
    else if (from == CLIENT)
        session_close(s, session_client_end(s));
    /* The upstream's is reported to the client inside TLS: end_idle_step(). */
}
