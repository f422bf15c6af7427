/* session_command - what follows from a verdict: sent on, answered here, a chunk eaten. */
#include "smtp/sasl.h"
#include "smtp/session_judge.h"

static bool make_rewritten(struct judge *j)
{
    struct buf text;
    bool ok;

    if (j->canon.len == 0 && !j->rewrite)
        return true;
    if (j->canon.len == 0)
        return exchange_rewrite(j->ex, j->cmd.text);
    buf_init(&text, SESSION_HELD_MAX);
    ok = buf_append(&text, j->cmd.word) && buf_append(&text, SPAN_LIT(" ")) &&
         buf_append(&text, j->canon) && exchange_rewrite(j->ex, buf_span(&text));
    buf_release(&text);
    return ok;
}

/* The chunk follows whatever becomes of the command: its octets are never commands. */
static void begin_chunk(struct judge *j, bool forward)
{
    struct session *s = j->s;

    s->chunk.left = j->bdat.octets;
    s->chunk.forward = forward;
    s->chunk.last = j->bdat.last;
    j->ex->last_chunk = j->bdat.last;
    session_enter(s, STATE_CHUNK);
    if (!forward) {
        s->transaction.chunk_refused = true;
        return;
    }
    s->transaction.bdat = true;
    if (s->content == NULL)
        (void)content_begin(s, true); /* out of memory closes the session */
}

static void sent_mail(struct judge *j)
{
    j->s->transaction.bdat = false;
}

static void sent_rset(struct judge *j) /* it cannot fail: RFC 5321 4.1.1.5 */
{
    j->s->transaction.bdat = j->s->transaction.chunk_refused = false;
    content_abandon(j->s, UINT64_MAX);
}

static void sent_auth(struct judge *j)
{
    j->s->auth.may_have_layer = sasl_may_have_layer(auth_mechanism(&j->cmd));
}

static enum step send_on(struct judge *j, struct span raw, struct action *action)
{
    static void (*const sents[])(struct judge *) = {
#define VERB_ROW(name, text, flags, tally, argument, judge, sent, after, renews) sent,
#include "smtp/verbs.def"
    };
    struct session *s = j->s;

    s->last_verb = (uint8_t)j->cmd.verb;
    session_push(s, j->ex);
    if (sents[j->cmd.verb] != NULL)
        sents[j->cmd.verb](j);
    /* Rewriting may move the line: from here on j->cmd has its verb only. */
    if (!s->env->observe && !make_rewritten(j))
        return session_no_memory(s);
    if (j->framed)
        begin_chunk(j, true);
    else if (j->cmd.verb == VERB_BDAT) /* observe: how long the chunk is, nobody can say */
        session_lose_track(s);
    else if ((verb_flags(j->cmd.verb) & VERB_SYNC) != 0 || !session_pipelines(s))
        session_enter(s, STATE_SYNC);
    if (j->cmd.verb == VERB_STARTTLS && session_ends_tls(s)) {
        j->ex->not_sent_yet = true; /* every earlier command has its reply first */
        return STEP_AGAIN;
    }
    return session_forward(s, j->ex, raw, action);
}

static enum step turn_down(struct judge *j, enum local_reply v)
{
    struct session *s = j->s;
    struct exchange *ex = j->ex;

    ex->local = v;
    ex->event.disposition = (verb_flags(j->cmd.verb) & VERB_STRIP) != 0 && !session_lacks_tls(s)
                                ? DISPOSITION_STRIPPED
                                : DISPOSITION_REFUSED;
    if (j->framed) {
        begin_chunk(j, false);
        s->discarding = ex; /* answered when its chunk is eaten */
        return STEP_AGAIN;
    }
    session_push(s, ex);
    if (j->cmd.verb == VERB_DATA && session_refuses_early_data(s, ex))
        ex->local = LOCAL_EARLY_DATA;
    if (local_reply_closes(ex->local) != CLOSE_NONE)
        session_enter(s, STATE_STOPPED);
    session_count_error(s, ex);
    return STEP_AGAIN;
}

enum step command_take(struct session *s, struct exchange *ex, const struct line *l,
                       struct span raw, struct action *action)
{
    struct span stored = span_first(ex->event.received, l->text.len);
    struct judge j = { .s = s, .ex = ex, .line = l, .cmd = command_parse(stored) };
    enum local_reply v;

    ex->event.verb = j.cmd.verb;
    ex->event.word = j.cmd.word;
    ex->event.arg = j.cmd.arg;
    secrecy_line(&s->secrecy, &ex->event, &j.cmd);
    v = judge_command(&j);
    if (s->client.quit_only && j.cmd.verb != VERB_QUIT && !s->env->observe)
        v = LOCAL_AFTER_LF_END;
    if (s->closing) {
        session_push(s, ex);
        return STEP_AGAIN;
    }
    if (v == LOCAL_NONE || s->env->observe)
        return send_on(&j, raw, action);
    return turn_down(&j, v);
}
