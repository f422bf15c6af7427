/* session_after - what a reply to a command changes; verbs.def names the function. */
#include "smtp/session_private.h"

static void after_helo(struct session *s, struct exchange *ex)
{
    const struct event *e = &ex->event;

    if (e->code / 100 != 2)
        return; /* a refused EHLO leaves the state as it was (RFC 5321 4.1.4) */
    s->client.greeted = s->upstream.greeted = true;
    if (e->verb == VERB_HELO)
        s->offer = (struct ehlo_offer){ 0 };
    session_reset_transaction(s);
}

static void after_mail(struct session *s, struct exchange *ex)
{
    if (!s->transaction.open)
        s->transaction.rcpt_sent = session_has_pending(s, VERB_RCPT);
    s->transaction.open = s->transaction.open || ex->event.code / 100 == 2;
}

static void after_rset(struct session *s, struct exchange *ex)
{
    if (ex->event.code / 100 == 2)
        session_reset_transaction(s);
}

/* The reply to DATA decides what the client's next octets are: mail data behind any 3yz, since
 * who does not know a code goes by its first digit (RFC 5321 4.2). */
static void after_data(struct session *s, struct exchange *ex)
{
    unsigned code = ex->event.code;

    if (session_refuses_early_data(s, ex)) {
        session_enter(s, STATE_STOPPED);
        session_abort_with(s, LOCAL_EARLY_DATA, NOTE_NONE);
        return;
    }
    if (code / 100 == 3 && content_begin(s, false)) {
        session_enter(s, STATE_DATA);
    } else if (code / 100 == 2) { /* observe */
        notes_add(&ex->event.notes, NOTE_REPLY_UNEXPECTED, s->at[SERVER]);
        session_lose_track(s);
    }
}

static void after_message(struct session *s, struct exchange *ex)
{
    (void)ex;
    s->transaction.open = false;
    s->transaction.bdat = session_has_pending(s, VERB_BDAT);
}

static void after_chunk(struct session *s, struct exchange *ex)
{
    if (ex->last_chunk)
        after_message(s, ex);
    if (!s->env->observe || s->discarding != NULL || s->state != STATE_CHUNK ||
        s->first != NULL || s->chunk.left == 0)
        return;
    /* Accepted before its last octet was sent. */
    notes_add(&ex->event.notes, NOTE_REPLY_EARLY, s->at[SERVER]);
    session_lose_track(s);
}

static void after_auth(struct session *s, struct exchange *ex)
{
    if (ex->event.code / 100 == 3)
        session_enter(s, STATE_AUTH);
    if (ex->event.code / 100 != 2)
        return;
    s->client.authenticated = true;
    /* Octets of a layer can come from either side next. */
    if (s->auth.may_have_layer)
        s->auth.layer_due = 1u << CLIENT | 1u << SERVER;
}

/* Passed through: where TLS ends here it never comes to this. */
static void after_starttls(struct session *s, struct exchange *ex)
{
    if (ex->event.code == 220)
        session_become_opaque(s, "starttls");
}

static void after_quit(struct session *s, struct exchange *ex)
{
    (void)ex;
    s->quit_answered = true;
    if (!s->env->observe)
        session_close(s, CLOSE_QUIT);
}

static void after_xclient(struct session *s, struct exchange *ex)
{
    if (ex->event.code / 100 != 2)
        return;
    s->client.greeted = s->client.authenticated = false;
    s->offer = (struct ehlo_offer){ 0 };
    session_forget_upstream(s);
    session_reset_transaction(s);
}

static const struct {
    void (*after)(struct session *, struct exchange *);
    unsigned renews;
} on_reply[] = {
#define VERB_ROW(name, text, flags, tally, argument, judge, sent, after, renews)               \
    { after, renews },
#include "smtp/verbs.def"
};

void after_reply(struct session *s, struct exchange *ex)
{
    if (s->first == NULL && s->state == STATE_SYNC)
        session_enter(s, STATE_COMMAND);
    if (on_reply[ex->event.verb].after != NULL)
        on_reply[ex->event.verb].after(s, ex);
}

bool after_reply_renews(const struct exchange *ex, const struct reply *r)
{
    return on_reply[ex->event.verb].renews == r->code / 100;
}
