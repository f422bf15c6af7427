/* session_client - the client's lines: framing, AUTH dialogue, overlong lines. */
#include "smtp/session_private.h"

#include "smtp/command.h"
#include "smtp/foreign.h"
#include "smtp/line.h"

enum { FOREIGN_KEPT = 64 };

/* ---- one line into an exchange ---------------------------------------------------- */

/* Where reads began within the line that starts at s->at. */
static void note_reads(struct session *s, struct event *e, size_t octets)
{
    uint32_t start = (uint32_t)s->at[CLIENT];
    unsigned keep = 0;

    for (unsigned i = 0; i < s->reads.len; i++) {
        uint32_t offset = s->reads.at[i] - start;
        if ((int32_t)offset >= 0 && offset < octets && offset <= UINT16_MAX)
            e->reads[e->reads_len++] = (uint16_t)offset;
        if ((int32_t)(offset - (uint32_t)octets) >= 0)
            s->reads.at[keep++] = s->reads.at[i];
    }
    s->reads.len = (uint8_t)keep;
    e->reads_more = s->reads.more;
    if (keep == 0)
        s->reads.more = false;
}

/* Was the line sent before the reply to what precedes it? (RFC 2920 3.1) */
static void note_pipelining(struct session *s, struct exchange *ex)
{
    bool ahead = s->first != NULL || ex->event.at < s->replied_at;

    if (!ahead || s->last_verb == VERB_UNKNOWN)
        return;
    if (s->last_verb < VERB_UNKNOWN && (verb_flags((enum verb)s->last_verb) & VERB_SYNC) != 0)
        notes_add(&ex->event.notes, NOTE_PIPELINE_AFTER_SYNC, ex->event.at);
    else if (!ehlo_offers(s->offer.offered, EHLO_PIPELINING))
        notes_add(&ex->event.notes, NOTE_PIPELINE_UNADVERTISED, ex->event.at);
}

/* An exchange that holds the first `keep` octets of a line of `octets`. */
static struct exchange *take_line(struct session *s, struct span raw, size_t keep,
                                  size_t octets)
{
    struct exchange *ex = session_new_exchange(s);

    if (ex == NULL)
        return NULL;
    if (!exchange_store(ex, span_first(raw, keep))) {
        exchange_free(s->env->exchanges, ex);
        session_close(s, CLOSE_NO_MEMORY);
        return NULL;
    }
    ex->event.received_octets = octets;
    note_reads(s, &ex->event, octets);
    if (s->client.early_talker) {
        notes_add(&ex->event.notes, NOTE_EARLY_TALKER, ex->event.at);
        s->client.early_talker = false;
    }
    return ex;
}

/* ---- overlong lines --------------------------------------------------------------- */

static size_t line_limit(const struct session *s, struct span text)
{
    const struct policy *policy = s->env->policy;
    size_t least = policy_get(policy, RULE_LIMIT_MODE) == WORD_FIXED ? policy->limit_fixed
                                                                     : COMMAND_LINE_OCTETS;

    if (s->state == STATE_AUTH)
        return policy->limit_auth_line + 2;
    if (text.len <= least)
        return least;
    return ehlo_command_limit(command_parse(text).verb, s->offer.offered, policy);
}

/* Ends the AUTH dialogue with "*"; the client hears `id` when the upstream has answered. */
static enum step auth_cancel(struct session *s, struct exchange *ex, enum local_reply id,
                             struct action *action)
{
    ex->local = id;
    ex->replaces_upstream_reply = true; /* the upstream's 501 comes first */
    ex->event.disposition = DISPOSITION_REFUSED;
    session_enter(s, STATE_SYNC);
    return session_send(s, action, SERVER, SPAN_LIT("*\r\n"));
}

/* The whole overlong line has gone by, or will never end. */
static enum step overlong_answer(struct session *s, struct exchange *ex, struct action *action)
{
    struct event *e = &ex->event;
    struct span kept = e->received;
    size_t most = kept.len + SESSION_DISCARD_MAX;
    bool auth = s->auth.overlong;

    s->auth.overlong = false;
    e->auth_line = auth;
    e->verb = auth ? VERB_AUTH : command_parse(kept).verb;
    notes_add(&e->notes, auth ? NOTE_AUTH_OVERLONG : NOTE_CMD_OVERLONG, e->at);
    s->last_verb = (uint8_t)e->verb;
    session_push(s, ex);
    if (s->env->observe) {
        e->disposition = DISPOSITION_RELAYED;
        session_enter(s, STATE_SYNC); /* what was cut off may have been anything */
        if (e->verb == VERB_BDAT)
            session_lose_track(s);
        return STEP_AGAIN;
    }
    e->disposition = DISPOSITION_REFUSED;
    if (e->received_octets > most) {
        session_enter(s, STATE_STOPPED);
        ex->local = LOCAL_LINE_ENDLESS;
        return STEP_AGAIN;
    }
    session_enter(s, STATE_COMMAND);
    if (auth)
        return auth_cancel(s, ex, LOCAL_AUTH_TOO_LONG, action);
    ex->local = LOCAL_LINE_TOO_LONG;
    if (e->verb == VERB_BDAT) { /* how long its chunk is, nobody can say */
        notes_add(&e->notes, NOTE_BDAT_MALFORMED, e->at);
        ex->local = LOCAL_BDAT_SYNTAX;
        session_enter(s, STATE_STOPPED);
    } else if (e->verb == VERB_DATA && session_refuses_early_data(s, ex)) {
        ex->local = LOCAL_EARLY_DATA;
        session_enter(s, STATE_STOPPED);
    }
    session_count_error(s, ex);
    return STEP_AGAIN;
}

static enum step overlong_begin(struct session *s, struct span in, size_t limit)
{
    struct exchange *ex = take_line(s, in, limit, limit);

    if (ex == NULL)
        return STEP_AGAIN;
    s->auth.overlong = s->state == STATE_AUTH;
    secrecy_cut_line(&s->secrecy, &ex->event, s->auth.overlong, s->env->observe);
    s->discarding = ex;
    input_use(s, CLIENT, limit);
    session_enter(s, STATE_OVERLONG);
    return STEP_AGAIN;
}

static enum step overlong_step(struct session *s, struct action *action)
{
    struct span in = input_view(s, CLIENT);
    struct exchange *ex = s->discarding;
    size_t lf = span_find(in, '\n');
    size_t used = lf < in.len ? lf + 1 : in.len;
    uint64_t most = ex->event.received.len + SESSION_DISCARD_MAX + 1;

    if (!s->env->observe && ex->event.received_octets + used > most)
        used = (size_t)(most - ex->event.received_octets);
    ex->event.received_octets += used;
    input_use(s, CLIENT, used);
    if (used <= lf && (s->env->observe || ex->event.received_octets < most))
        return STEP_AGAIN;
    s->discarding = NULL;
    return overlong_answer(s, ex, action);
}

/* ---- AUTH dialogue (RFC 4954 4) ---------------------------------------------------- */

static enum step auth_line(struct session *s, struct exchange *ex, const struct line *l,
                           struct span raw, struct action *action)
{
    struct event *e = &ex->event;
    struct command c = command_parse(l->text);

    e->verb = VERB_AUTH;
    e->auth_line = true;
    secrecy_auth_line(&s->secrecy, e);
    session_push(s, ex);
    session_enter(s, STATE_SYNC);
    if (l->end == LINE_LF)
        notes_add(&e->notes, NOTE_CMD_BARE_LF, e->at);
    if (l->end == LINE_CRCRLF)
        notes_add(&e->notes, NOTE_CMD_CRCRLF, e->at);
    if (span_equal(l->text, SPAN_LIT("*")))
        notes_add(&e->notes, NOTE_AUTH_CANCEL, e->at);
    if ((c.faults & (FAULT_NUL | FAULT_BARE_CR)) != 0) {
        notes_add(&e->notes, (c.faults & FAULT_NUL) != 0 ? NOTE_CMD_NUL : NOTE_CMD_BARE_CR,
                  e->at + c.fault_at);
        if (!s->env->observe)
            return auth_cancel(s, ex, LOCAL_AUTH_GARBLED, action);
    }
    if (l->end != LINE_CRLF && !s->env->observe && !exchange_rewrite(ex, l->text))
        return session_no_memory(s);
    return session_forward(s, ex, raw, action);
}

/* ---- the states in which lines are read -------------------------------------------- */

/* There is no upstream any more: only QUIT has a friendly answer. */
static enum step gone_line(struct session *s, struct exchange *ex, const struct line *l)
{
    struct span text = span_first(ex->event.received, l->text.len);
    struct command c = command_parse(text);
    struct bdat bdat;

    ex->event.verb = c.verb;
    ex->event.disposition = DISPOSITION_REFUSED;
    secrecy_line(&s->secrecy, &ex->event, &c);
    if (s->upstream.tls_failed)
        ex->local = ex->event.verb == VERB_QUIT ? LOCAL_GONE_TLS_QUIT : LOCAL_GONE_TLS;
    else
        ex->local = ex->event.verb == VERB_QUIT ? LOCAL_GONE_QUIT : LOCAL_GONE;
    if (c.verb == VERB_BDAT && command_bdat(c.arg, &bdat) == BDAT_OK) {
        chunk_discard(s, ex, bdat.octets);
        return STEP_AGAIN;
    }
    session_enter(s, STATE_STOPPED);
    session_push(s, ex);
    return STEP_AGAIN;
}

/* The shortest start that gives the protocol away: so the record does not depend on reads. */
static size_t foreign_length(struct span in, bool behind_empty_lines)
{
    enum note_id which;
    size_t n = 1;

    while (n < in.len &&
           foreign_sniff(span_first(in, n), behind_empty_lines, &which) != FOREIGN_YES)
        n++;
    return n;
}

static enum step foreign_found(struct session *s, struct span in, enum note_id which)
{
    size_t octets = foreign_length(in, s->at[CLIENT] == FOREIGN_EMPTY_OCTETS);
    struct exchange *ex = take_line(s, in, FOREIGN_KEPT, octets);

    if (ex == NULL)
        return STEP_AGAIN;
    ex->event.received.len = (size_t)ex->event.received_octets < ex->event.received.len
                                 ? (size_t)ex->event.received_octets
                                 : ex->event.received.len;
    if (s->state == STATE_GREETING)
        notes_add(&ex->event.notes, NOTE_EARLY_TALKER, ex->event.at);
    notes_add(&ex->event.notes, which, ex->event.at);
    secrecy_foreign(&s->secrecy, &ex->event);
    if (s->env->observe) {
        ex->event.origin = ORIGIN_NONE;
        session_become_opaque(s, "not-smtp");
        session_report(s, ex);
        return STEP_AGAIN;
    }
    input_use(s, CLIENT, (size_t)ex->event.received_octets);
    ex->event.disposition = DISPOSITION_REFUSED;
    ex->local = LOCAL_NOT_SMTP;
    session_enter(s, STATE_STOPPED);
    session_push(s, ex);
    return STEP_AGAIN;
}

static enum step sniff(struct session *s, struct span in)
{
    enum note_id which = NOTE_NONE;

    switch (foreign_sniff(in, s->at[CLIENT] == FOREIGN_EMPTY_OCTETS, &which)) {
    case FOREIGN_NO:
        return STEP_IDLE;
    case FOREIGN_MORE:
        return STEP_WAIT;
    case FOREIGN_YES:
        break;
    }
    if (!s->env->observe && policy_get(s->env->policy, RULE_FOREIGN) == WORD_IGNORE)
        return STEP_IDLE;
    return foreign_found(s, in, which);
}

static enum step line_step(struct session *s, struct action *action)
{
    struct span in = input_view(s, CLIENT);
    struct span raw;
    struct exchange *ex;
    struct line l;

    if (in.len == 0)
        return STEP_IDLE;
    l = line_next(in);
    raw = l.end == LINE_MORE ? in : span_first(in, l.used);
    size_t limit = line_limit(s, raw);
    if (raw.len > limit)
        return overlong_begin(s, in, limit);
    if (l.end == LINE_MORE)
        return STEP_IDLE;
    ex = take_line(s, raw, raw.len, raw.len);
    if (ex == NULL)
        return STEP_AGAIN;
    note_pipelining(s, ex);
    input_use(s, CLIENT, raw.len);
    if (s->state == STATE_AUTH)
        return auth_line(s, ex, &l, raw, action);
    if (s->state == STATE_GONE)
        return gone_line(s, ex, &l);
    return command_take(s, ex, &l, raw, action);
}

/* One of the empty lines that a PROXY header of version 2 begins with, or the start of one. */
static bool is_empty_line_first(const struct session *s, struct span in)
{
    return s->at[CLIENT] < FOREIGN_EMPTY_OCTETS && in.ptr[0] == '\r' &&
           (in.len == 1 || in.ptr[1] == '\n');
}

static enum step command_step(struct session *s, struct action *action)
{
    if (s->client.first_command && !input_is_empty(s, CLIENT)) {
        struct span in = input_view(s, CLIENT);
        enum step step = sniff(s, in);
        if (step != STEP_IDLE)
            return step == STEP_WAIT ? STEP_IDLE : step;
        s->client.first_command = is_empty_line_first(s, in);
    }
    if (opaque_layer_begins(s, CLIENT))
        return STEP_AGAIN;
    if (session_queue_is_full(s)) {
        if (s->env->observe)
            session_lose_track(s);
        return s->env->observe ? STEP_AGAIN : STEP_IDLE;
    }
    return line_step(s, action);
}

/* Input that cannot be understood before a reply has come. */
static enum step waiting_step(struct session *s)
{
    if (s->env->observe && input_view(s, CLIENT).len > SESSION_HELD_MAX) {
        session_lose_track(s); /* observe mode never holds the client back */
        return STEP_AGAIN;
    }
    return STEP_IDLE;
}

static enum step greeting_step(struct session *s)
{
    bool early = !input_is_empty(s, CLIENT) && !s->env->observe;

    if (early && s->preamble == PREAMBLE_NONE && sniff(s, input_view(s, CLIENT)) == STEP_AGAIN)
        return STEP_AGAIN;
    if (early && policy_get(s->env->policy, RULE_EARLY_TALKER) == WORD_REJECT) {
        session_abort_with(s, LOCAL_EARLY_TALKER, NOTE_EARLY_TALKER);
        return STEP_AGAIN;
    }
    return waiting_step(s);
}

enum step client_step(struct session *s, struct action *action)
{
    switch ((enum session_state)s->state) {
    case STATE_GREETING:
        return greeting_step(s);
    case STATE_COMMAND:
        return command_step(s, action);
    case STATE_SYNC:
        return waiting_step(s);
    case STATE_AUTH:
    case STATE_GONE:
        return line_step(s, action);
    case STATE_OVERLONG:
        return input_is_empty(s, CLIENT) ? STEP_IDLE : overlong_step(s, action);
    case STATE_DATA:
        return content_step(s, action);
    case STATE_CHUNK:
        return chunk_step(s, action);
    case STATE_OPAQUE:
        return opaque_step(s, CLIENT, action);
    case STATE_TLS:
    case STATE_STOPPED:
        return STEP_IDLE;
    }
    return STEP_IDLE;
}
