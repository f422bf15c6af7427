/*
 * session_preamble - what this proxy itself says to the upstream before it relays the
 * greeting: EHLO, STARTTLS for a client that came with TLS, XCLIENT.
 *
 *   greeting 2xx      kept, as the head of the FIFO
 *   EHLO              what is offered there?
 *   STARTTLS, EHLO    wanted and offered
 *   XCLIENT           wanted; its 220 is the greeting then. Where it cannot be said the client
 *                     hears 421: the upstream would take it for this proxy
 *
 * The command on its way is `parked`. Until the end the state is STATE_GREETING (or TLS):
 * the client is held, and whatever ends the session answers in place of the greeting.
 */
#include "smtp/session_private.h"

#include <stdlib.h>

enum { XCLIENT_LINE_OCTETS = 512, HELO_LINE_MAX = 512 };

struct xclient {
    size_t len;
    unsigned char text[];
};

void session_trust_client(struct session *s)
{
    s->client.trusted = true;
}

bool session_send_xclient(struct session *s, struct span attributes)
{
    struct xclient *x;

    if (s->env->observe)
        return true; /* nothing is said there */
    x = malloc(sizeof *x + attributes.len);
    if (x == NULL)
        return false;
    x->len = attributes.len;
    if (attributes.len > 0)
        memcpy(x->text, attributes.ptr, attributes.len);
    free(s->xclient);
    s->xclient = x;
    return true;
}

void preamble_free(struct session *s)
{
    free(s->xclient);
    s->xclient = NULL;
}

bool preamble_names_client(const struct session *s)
{
    return s->xclient != NULL;
}

static bool wants_tls(const struct session *s)
{
    return s->client.secure && !s->upstream.tls_declined && session_wants_upstream_tls(s);
}

bool preamble_is_wanted(const struct session *s)
{
    return !s->env->observe && (s->xclient != NULL || wants_tls(s));
}

/* ---- our own commands --------------------------------------------------------------- */

static enum step say(struct session *s, enum preamble stage, enum verb verb, struct span line)
{
    struct exchange *ex = session_new_exchange(s);

    if (ex == NULL)
        return STEP_AGAIN;
    ex->event.verb = verb;
    ex->event.disposition = DISPOSITION_ADDED;
    ex->not_sent_yet = true; /* until it is sent */
    if (!exchange_rewrite(ex, line)) {
        exchange_free(s->env->exchanges, ex);
        return session_no_memory(s);
    }
    s->own_command = ex;
    s->preamble = (uint8_t)stage;
    return STEP_AGAIN;
}

static enum step say_ehlo(struct session *s)
{
    struct buf line;
    enum step step = STEP_AGAIN;

    buf_init(&line, HELO_LINE_MAX);
    if (buf_append(&line, SPAN_LIT("EHLO ")) && buf_append(&line, span_str(s->env->helo_name)))
        step = say(s, PREAMBLE_EHLO, VERB_EHLO, buf_span(&line));
    else
        session_close(s, CLOSE_NO_MEMORY);
    buf_release(&line);
    return step;
}

/*
 * The attributes the upstream names, as many as one line takes; nothing is appended when the
 * address is not among them. False: no memory.
 */
static bool xclient_line(const struct session *s, struct span ehlo, struct buf *line)
{
    struct span rest = span_of(s->xclient->text, s->xclient->len);
    bool address = false;

    while ((rest = span_trim_left(rest)).len > 0) {
        struct span attribute = span_first(rest, span_find(rest, ' '));
        struct span name = span_first(attribute, span_find(attribute, '='));

        rest = span_drop(rest, attribute.len);
        struct span before = line->len == 0 ? SPAN_LIT("XCLIENT ") : SPAN_LIT(" ");
        if (!ehlo_names(ehlo, EHLO_XCLIENT, name) ||
            line->len + before.len + attribute.len + 2 > XCLIENT_LINE_OCTETS)
            continue;
        if (!buf_append(line, before) || !buf_append(line, attribute))
            return false;
        address = address || span_equal(name, SPAN_LIT("ADDR"));
    }
    if (!address)
        line->len = 0;
    return true;
}

/* Nothing more is to be said: the greeting is next. */
static enum step get_ready(struct session *s)
{
    s->preamble = PREAMBLE_READY;
    return STEP_AGAIN;
}

/* Without XCLIENT the upstream would take every client for this proxy, and trust it. */
static enum step xclient_failed(struct session *s)
{
    session_abort_with(s, LOCAL_XCLIENT, NOTE_NONE);
    return STEP_AGAIN;
}

static enum step say_xclient(struct session *s, struct span ehlo)
{
    struct buf line;
    enum step step;

    if (s->xclient == NULL)
        return get_ready(s);
    buf_init(&line, XCLIENT_LINE_OCTETS);
    if (!xclient_line(s, ehlo, &line)) {
        session_close(s, CLOSE_NO_MEMORY);
        step = STEP_AGAIN;
    } else if (!s->upstream.xclient || line.len == 0) {
        step = xclient_failed(s);
    } else {
        step = say(s, PREAMBLE_XCLIENT, VERB_XCLIENT, buf_span(&line));
    }
    buf_release(&line);
    return step;
}

/* ---- the greeting ------------------------------------------------------------------- */

/* A reply that the client will hear as its greeting: copied, canonical. */
static bool keep_reply(struct session *s, struct exchange *ex, const struct reply *r,
                       struct span *kept)
{
    bool ok = exchange_keep_reply(ex, r, kept);

    if (ok && (!r->canonical || r->teaser > 0))
        ok = reply_canonical(reply_text(r), &s->out) &&
             exchange_keep(ex, buf_span(&s->out), &ex->event.replied);
    return ok;
}

enum step preamble_begin(struct session *s, struct exchange *greeting, const struct reply *r)
{
    session_push(s, greeting);
    greeting->not_sent_yet = true;
    if (!keep_reply(s, greeting, r, &greeting->event.reply))
        return session_no_memory(s);
    input_use(s, SERVER, r->received.len);
    return say_ehlo(s);
}

/* A later reply is what the client hears as its greeting. */
static enum step replace_greeting(struct session *s, const struct reply *r)
{
    struct exchange *ex = s->first;

    if (keep_reply(s, ex, r, &ex->event.replied))
        return get_ready(s);
    return session_no_memory(s);
}

static enum step relay_greeting(struct session *s, struct action *action)
{
    struct exchange *ex = session_pop(s);
    struct event *e = &ex->event;

    preamble_free(s);
    s->preamble = PREAMBLE_NONE;
    s->client.early_talker = !input_is_empty(s, CLIENT);
    s->replied_at = s->received[CLIENT];
    session_enter(s, STATE_COMMAND);
    e->origin = ORIGIN_UPSTREAM;
    e->reply_us = s->now_us - e->t_us;
    if (e->code == 421)
        session_close(s, CLOSE_UPSTREAM_421);
    session_finish(s, ex);
    return session_send_reply(s, action, e);
}

enum step preamble_step(struct session *s, struct action *action)
{
    struct exchange *ex = s->own_command;

    if (s->preamble == PREAMBLE_READY)
        return relay_greeting(s, action);
    if (s->preamble == PREAMBLE_NONE || ex == NULL || !ex->not_sent_yet)
        return STEP_IDLE;
    ex->not_sent_yet = false;
    return session_send(s, action, SERVER, ex->event.forwarded);
}

/* ---- replies to our own commands ----------------------------------------------------- */

static enum step after_ehlo(struct session *s, const struct reply *r)
{
    if (r->code / 100 == 2)
        session_note_upstream(s, reply_text(r));
    if (wants_tls(s) && s->upstream.starttls)
        return say(s, PREAMBLE_STARTTLS, VERB_STARTTLS, SPAN_LIT("STARTTLS"));
    if (wants_tls(s) && s->env->upstream_tls == UPSTREAM_TLS_REQUIRE) {
        session_abort_with(s, LOCAL_GONE_TLS, NOTE_NONE);
        return STEP_AGAIN;
    }
    return say_xclient(s, reply_text(r));
}

static enum step after_starttls(struct session *s, struct exchange *ex, const struct reply *r)
{
    if (r->code == 220 && !input_is_empty(s, SERVER)) {
        notes_add(&ex->event.notes, NOTE_STARTTLS_RESPONSE_INJECTION, s->at[SERVER]);
        session_abort_with(s, LOCAL_STARTTLS_INJECTION, NOTE_NONE);
        return STEP_AGAIN;
    }
    if (r->code == 220) {
        session_begin_tls(s, SERVER);
        return STEP_AGAIN;
    }
    if (s->env->upstream_tls == UPSTREAM_TLS_REQUIRE) {
        session_abort_with(s, LOCAL_GONE_TLS, NOTE_NONE);
        return STEP_AGAIN;
    }
    s->upstream.tls_declined = true;
    return s->xclient != NULL ? say_ehlo(s) : get_ready(s);
}

static enum step after_xclient(struct session *s, const struct reply *r)
{
    if (r->code / 100 != 2)
        return xclient_failed(s);
    session_forget_upstream(s);
    return r->code == 220 ? replace_greeting(s, r) : get_ready(s);
}

static void complete(struct session *s, struct exchange *ex, struct span received,
                     const struct notes *notes)
{
    struct event *e = &ex->event;

    session_merge_notes(ex, notes);
    e->reply = received; /* reported before the input is touched again */
    e->origin = ORIGIN_UPSTREAM;
    e->reply_us = s->now_us - e->t_us;
    input_use(s, SERVER, received.len);
    session_finish(s, ex);
}

/* The command whose reply this is; NULL: the reply came unasked. */
static struct exchange *take_own(struct session *s)
{
    struct exchange *ex = s->own_command;

    s->own_command = NULL;
    if (ex != NULL && ex->not_sent_yet) {
        exchange_free(s->env->exchanges, ex); /* was never sent */
        ex = NULL;
    }
    return ex;
}

enum step preamble_lost(struct session *s, struct span received, struct notes *notes,
                        enum note_id note)
{
    struct exchange *ex = take_own(s);

    notes_add(notes, note, s->at[SERVER]);
    if (ex != NULL)
        complete(s, ex, received, notes);
    else
        session_merge_notes(s->first, notes);
    session_abort_with(s, LOCAL_UPSTREAM_PROTOCOL, NOTE_NONE);
    return STEP_AGAIN;
}

enum step preamble_reply(struct session *s, const struct reply *r, struct notes *notes)
{
    enum preamble stage = (enum preamble)s->preamble;
    struct exchange *ex;

    if (r->code != 421 && (s->own_command == NULL || s->own_command->not_sent_yet))
        return preamble_lost(s, r->received, notes, NOTE_REPLY_UNSOLICITED);
    ex = take_own(s);
    if (r->code == 421)
        notes_add(notes, NOTE_UPSTREAM_421, s->at[SERVER]);
    if (ex == NULL) {
        session_merge_notes(s->first, notes);
        input_use(s, SERVER, r->received.len);
    } else {
        ex->event.code = r->code;
        ex->event.enhanced = r->enhanced;
        complete(s, ex, r->received, notes);
    }
    if (r->code == 421)
        return replace_greeting(s, r);
    if (stage == PREAMBLE_EHLO)
        return after_ehlo(s, r);
    return stage == PREAMBLE_STARTTLS ? after_starttls(s, ex, r) : after_xclient(s, r);
}

void preamble_tls(struct session *s, bool ok)
{
    session_enter(s, STATE_GREETING);
    session_forget_upstream(s);
    if (ok) {
        (void)say_ehlo(s);
        return;
    }
    s->upstream.drop_due = s->upstream.gone = true;
    session_abort_with(s, LOCAL_GONE_TLS, NOTE_NONE);
}
