/*
 * session_command - one command judged: what its form, the order of commands and
 * policy say of it.
 *
 * A command is refused here only when every possible outcome of the commands still
 * unanswered would make it invalid; in doubt it is sent on and the upstream decides.
 * So the verdict depends on what was sent, never on when replies arrived.
 */
#include "smtp/session_private.h"

#include "smtp/command.h"
#include "smtp/path.h"
#include "smtp/suggest.h"

/* A command before the bench. */
struct judge {
    struct session *s;
    struct exchange *ex;
    const struct line *line;
    struct command cmd;
    bool rewrite;      /* cmd.text + CRLF instead of what came */
    struct span canon; /* when not empty: verb + blank + this, instead */
    uint64_t octets;   /* of a BDAT chunk */
    bool last;
    bool framed;       /* the chunk's size is known */
};

typedef enum local_reply verdict; /* LOCAL_NONE: send it on */

static enum policy_word rule(const struct judge *j, enum policy_rule r)
{
    return policy_get(j->s->env->policy, r);
}

static void note(struct judge *j, enum note_id id)
{
    notes_add(&j->ex->event.notes, id, j->ex->event.at);
}

static void note_at(struct judge *j, enum note_id id)
{
    notes_add(&j->ex->event.notes, id, j->ex->event.at + j->cmd.fault_at);
}

static verdict refuse(struct judge *j, enum local_reply id, const char *hint)
{
    j->ex->hint = hint;
    return id;
}

static verdict out_of_order(struct judge *j, const char *why)
{
    if (rule(j, RULE_CMD_SEQUENCE) == WORD_PASS)
        return LOCAL_NONE;
    note(j, NOTE_CMD_SEQUENCE);
    return refuse(j, LOCAL_SEQUENCE, why);
}

/* ---- the octets of the line ------------------------------------------------------- */

static verdict judge_ending(struct judge *j)
{
    if (j->line->end == LINE_LF) {
        note(j, NOTE_CMD_BARE_LF);
        if (rule(j, RULE_CMD_BARE_LF) == WORD_REJECT)
            return LOCAL_SYNTAX_LF;
        j->rewrite = true;
    } else if (j->line->end == LINE_CRCRLF) {
        note(j, NOTE_CMD_CRCRLF);
        if (rule(j, RULE_CMD_CRCRLF) == WORD_REJECT)
            return LOCAL_SYNTAX_CRCRLF;
        j->rewrite = true;
    }
    return LOCAL_NONE;
}

/* Parsers disagree about where such a line ends: it is never sent on. */
static verdict judge_octets(struct judge *j)
{
    unsigned faults = j->cmd.faults;

    if ((faults & FAULT_NUL) != 0) {
        note_at(j, NOTE_CMD_NUL);
        return LOCAL_SYNTAX_NUL;
    }
    if ((faults & FAULT_BARE_CR) != 0) {
        note_at(j, NOTE_CMD_BARE_CR);
        return LOCAL_SYNTAX_CR;
    }
    if ((faults & FAULT_CTRL) != 0) {
        note_at(j, NOTE_CMD_CTRL);
        return LOCAL_SYNTAX_CTRL;
    }
    if ((faults & FAULT_BLANK) != 0) {
        note(j, NOTE_CMD_BLANK);
        return LOCAL_SYNTAX_BLANK;
    }
    return LOCAL_NONE;
}

static verdict judge_blanks(struct judge *j)
{
    if ((j->cmd.faults & FAULT_LEADING_WS) != 0) {
        note(j, NOTE_CMD_LEADING_WS);
        if (rule(j, RULE_CMD_LEADING_WS) == WORD_REJECT)
            return LOCAL_SYNTAX_LEADING;
        j->rewrite = true;
    }
    if ((j->cmd.faults & FAULT_TRAILING_WS) != 0) {
        note(j, NOTE_CMD_TRAILING_WS);
        if (rule(j, RULE_CMD_TRAILING_WS) == WORD_REJECT)
            return LOCAL_SYNTAX_TRAILING;
        if (rule(j, RULE_CMD_TRAILING_WS) == WORD_NORMALIZE)
            j->rewrite = true;
    }
    if ((j->cmd.faults & FAULT_TAB) != 0) {
        note(j, NOTE_CMD_TAB);
        j->canon = j->cmd.arg;
    }
    return LOCAL_NONE;
}

/* RFC 6531: UTF-8 only in what SMTPUTF8 covers, and only when it was offered. */
static verdict judge_8bit(struct judge *j)
{
    enum verb v = j->cmd.verb;
    bool covered = v == VERB_MAIL || v == VERB_RCPT || v == VERB_VRFY || v == VERB_EXPN;

    if ((j->cmd.faults & FAULT_8BIT_VERB) != 0) {
        note_at(j, NOTE_CMD_8BIT);
        return LOCAL_SYNTAX_8BIT_VERB;
    }
    if ((j->cmd.faults & FAULT_8BIT_ARG) == 0)
        return LOCAL_NONE;
    note_at(j, NOTE_CMD_8BIT);
    if (covered && ehlo_offers(j->s->offered, EHLO_SMTPUTF8) &&
        (j->cmd.faults & FAULT_NOT_UTF8) == 0)
        return LOCAL_NONE;
    return rule(j, RULE_CMD_8BIT) == WORD_PASS ? LOCAL_NONE : LOCAL_ARG_8BIT;
}

/* ---- verbs ------------------------------------------------------------------------ */

static bool transaction_open(const struct session *s)
{
    return s->mail || session_has_pending(s, VERB_MAIL);
}

static bool recipient_sent(const struct session *s)
{
    return s->rcpt_sent || session_has_pending(s, VERB_RCPT);
}

static bool last_chunk_pending(const struct session *s)
{
    for (const struct exchange *ex = s->first; ex != NULL; ex = ex->next)
        if (ex->event.verb == VERB_BDAT && ex->last_chunk)
            return true;
    return false;
}

/* A password may stand where no verb of ours is: POP, IMAP, a mistyped AUTH. */
static bool holds_secret(const struct command *c, enum verb suggested)
{
    struct span first = span_first(c->arg, span_find(c->arg, ' '));

    return suggested == VERB_AUTH || span_equal_nocase(c->word, SPAN_LIT("PASS")) ||
           span_equal_nocase(c->word, SPAN_LIT("APOP")) ||
           span_equal_nocase(c->word, SPAN_LIT("LOGIN")) ||
           span_equal_nocase(first, SPAN_LIT("LOGIN")) ||
           span_equal_nocase(first, SPAN_LIT("AUTHENTICATE"));
}

static verdict judge_unknown(struct judge *j)
{
    enum verb suggested = VERB_UNKNOWN;
    const char *hint = suggest_verb(j->cmd.word, &suggested);

    if (suggest_is_probe(j->cmd.word))
        note(j, NOTE_PROBE_VERB);
    note(j, hint != NULL ? NOTE_CMD_TYPO : NOTE_CMD_UNKNOWN);
    if (j->cmd.word.len > 1 && j->cmd.word.ptr[j->cmd.word.len - 1] == ':')
        note(j, NOTE_NOT_SMTP_HEADER);
    if (holds_secret(&j->cmd, suggested))
        j->ex->event.secrecy = SECRET_ARG;
    if (suggested == VERB_AUTH)
        j->s->secret_lines = 2;
    if (rule(j, RULE_CMD_UNKNOWN) == WORD_PASS)
        return LOCAL_NONE;
    return hint != NULL ? refuse(j, LOCAL_UNKNOWN_HINT, hint) : LOCAL_UNKNOWN;
}

static verdict judge_vrfy(struct judge *j)
{
    enum policy_word word = rule(j, RULE_VRFY);

    if (word == WORD_PASS)
        return LOCAL_NONE;
    note(j, NOTE_PROBE_VRFY);
    if (j->cmd.arg.len == 0) {
        note(j, NOTE_CMD_ARGS);
        return refuse(j, LOCAL_ARG_MISSING, "VRFY");
    }
    return word == WORD_REPLY252 ? LOCAL_VRFY : LOCAL_VRFY_DISABLED;
}

static verdict judge_expn(struct judge *j)
{
    if (rule(j, RULE_EXPN) == WORD_PASS)
        return LOCAL_NONE;
    note(j, NOTE_PROBE_EXPN);
    return LOCAL_EXPN_DISABLED;
}

static verdict judge_etrn(struct judge *j)
{
    if (rule(j, RULE_ETRN) == WORD_REJECT || !ehlo_offers(j->s->offered, EHLO_ETRN)) {
        note(j, NOTE_CMD_UNIMPLEMENTED);
        return refuse(j, LOCAL_UNIMPLEMENTED, "ETRN");
    }
    if (j->cmd.arg.len == 0) {
        note(j, NOTE_CMD_ARGS);
        return refuse(j, LOCAL_ARG_MISSING, "ETRN");
    }
    return LOCAL_NONE;
}

static verdict judge_helo(struct judge *j)
{
    if (j->cmd.arg.len == 0) {
        note(j, NOTE_HELO_MISSING_ARG);
        return refuse(j, LOCAL_ARG_MISSING, verb_name(j->cmd.verb));
    }
    if (!command_is_domain(j->cmd.arg))
        note(j, NOTE_HELO_SYNTAX);
    return LOCAL_NONE;
}

static verdict judge_starttls(struct judge *j)
{
    struct session *s = j->s;

    if (rule(j, RULE_STARTTLS) == WORD_REFUSE || !ehlo_offers(s->offered, EHLO_STARTTLS)) {
        note(j, NOTE_STARTTLS_REFUSED);
        return refuse(j, LOCAL_UNIMPLEMENTED, "STARTTLS");
    }
    if (transaction_open(s))
        return out_of_order(j, "STARTTLS inside a mail transaction");
    if (!input_is_empty(s, CLIENT)) {
        note(j, NOTE_STARTTLS_INJECTION);
        return LOCAL_STARTTLS_INJECTION;
    }
    return LOCAL_NONE;
}

static verdict judge_auth(struct judge *j)
{
    struct session *s = j->s;

    if (!ehlo_offers(s->offered, EHLO_AUTH)) {
        note(j, NOTE_CMD_UNIMPLEMENTED);
        return refuse(j, LOCAL_UNIMPLEMENTED, "AUTH");
    }
    if (transaction_open(s))
        return out_of_order(j, "AUTH inside a mail transaction");
    if (s->authenticated)
        return out_of_order(j, "already authenticated");
    if (j->cmd.arg.len == 0) {
        note(j, NOTE_CMD_ARGS);
        return refuse(j, LOCAL_ARG_MISSING, "AUTH");
    }
    if (j->cmd.text.len + 2 > COMMAND_LINE_OCTETS)
        note(j, NOTE_AUTH_IR_LONG);
    return LOCAL_NONE;
}

/* RFC 3030: the chunk is eaten before any reply, so its size must be known first. */
static verdict judge_bdat(struct judge *j)
{
    struct session *s = j->s;

    if (command_bdat(j->cmd.arg, &j->octets, &j->last) != BDAT_OK) {
        note(j, NOTE_BDAT_MALFORMED);
        return LOCAL_BDAT_SYNTAX;
    }
    j->framed = true;
    if (!ehlo_offers(s->offered, EHLO_CHUNKING)) {
        note(j, NOTE_BDAT_UNADVERTISED);
        return refuse(j, LOCAL_UNIMPLEMENTED, "BDAT");
    }
    if (!transaction_open(s))
        return out_of_order(j, "MAIL comes first");
    if (!recipient_sent(s))
        return out_of_order(j, "RCPT comes first");
    if (j->octets == 0 && !j->last)
        note(j, NOTE_BDAT_ZERO);
    return LOCAL_NONE;
}

/* BODY=8BITMIME, BINARYMIME and SMTPUTF8 allow 8-bit content (RFC 6152, 3030, 6531). */
static void note_body(struct session *s, struct span params)
{
    s->eight_bit = s->binary_mime = false;
    while (params.len > 0) {
        params = span_trim_left(params);
        size_t n = span_find(params, ' ');
        struct span p = span_first(params, n);
        if (span_equal_nocase(p, SPAN_LIT("BODY=BINARYMIME")))
            s->eight_bit = s->binary_mime = true;
        else if (span_equal_nocase(p, SPAN_LIT("BODY=8BITMIME")) ||
                 span_equal_nocase(p, SPAN_LIT("SMTPUTF8")))
            s->eight_bit = true;
        params = span_drop(params, n);
    }
}

static verdict judge_path(struct judge *j, enum path_kind kind)
{
    bool strict = rule(j, RULE_CMD_GRAMMAR) == WORD_STRICT;
    struct path path;

    switch (path_parse(j->cmd.arg, kind, strict, &path, &j->ex->event.notes, j->ex->event.at)) {
    case PATH_OK:
        break;
    case PATH_BAD_ARGS:
        return refuse(j, LOCAL_ARG_SYNTAX, path.why);
    case PATH_BAD_PATH:
        return refuse(j, kind == PATH_FROM ? LOCAL_PATH_FROM : LOCAL_PATH_TO, path.why);
    }
    if (kind == PATH_FROM)
        note_body(j->s, path.params);
    if (path.rewrite) {
        if (!path_canonical(&path, &j->s->out))
            session_close(j->s, CLOSE_NO_MEMORY);
        j->canon = buf_span(&j->s->out);
    }
    return LOCAL_NONE;
}

static verdict judge_mail(struct judge *j)
{
    struct session *s = j->s;
    verdict v;

    if (!s->helo && !session_has_pending(s, VERB_EHLO) && !session_has_pending(s, VERB_HELO)) {
        if ((v = out_of_order(j, "EHLO or HELO comes first")) != LOCAL_NONE)
            return v;
    } else if (s->mail && !session_has_pending(s, VERB_RSET) &&
               !session_has_pending(s, VERB_DOT) && !last_chunk_pending(s)) {
        if ((v = out_of_order(j, "a mail transaction is already open")) != LOCAL_NONE)
            return v;
    }
    return judge_path(j, PATH_FROM);
}

static verdict judge_rcpt(struct judge *j)
{
    verdict v = LOCAL_NONE;

    if (!transaction_open(j->s))
        v = out_of_order(j, "MAIL comes first");
    if (v == LOCAL_NONE)
        v = judge_path(j, PATH_TO);
    if (v == LOCAL_NONE)
        j->s->rcpt_sent = true;
    return v;
}

static verdict judge_data(struct judge *j)
{
    struct session *s = j->s;

    if (!transaction_open(s))
        return out_of_order(j, "MAIL comes first");
    if (!recipient_sent(s))
        return out_of_order(j, "RCPT comes first");
    if (s->bdat) {
        note(j, NOTE_BDAT_MIXED_DATA);
        return refuse(j, LOCAL_SEQUENCE, "DATA after BDAT");
    }
    if (s->binary_mime) {
        note(j, NOTE_BDAT_MIXED_DATA);
        return refuse(j, LOCAL_SEQUENCE, "BODY=BINARYMIME needs BDAT");
    }
    return LOCAL_NONE;
}

static verdict judge_verb(struct judge *j)
{
    enum verb v = j->cmd.verb;

    if ((verb_flags(v) & VERB_UNIMPL) != 0) {
        note(j, NOTE_CMD_UNIMPLEMENTED);
        return refuse(j, LOCAL_UNIMPLEMENTED, verb_name(v));
    }
    if ((verb_flags(v) & VERB_NO_ARG) != 0 && j->cmd.arg.len > 0) {
        note(j, NOTE_CMD_ARGS);
        return refuse(j, LOCAL_ARG_UNEXPECTED, verb_name(v));
    }
    switch (v) {
    case VERB_EHLO:
    case VERB_HELO:
        return judge_helo(j);
    case VERB_STARTTLS:
        return judge_starttls(j);
    case VERB_AUTH:
        return judge_auth(j);
    case VERB_MAIL:
        return judge_mail(j);
    case VERB_RCPT:
        return judge_rcpt(j);
    case VERB_DATA:
        return judge_data(j);
    case VERB_BDAT:
        return judge_bdat(j);
    case VERB_VRFY:
        return judge_vrfy(j);
    case VERB_EXPN:
        return judge_expn(j);
    case VERB_ETRN:
        return judge_etrn(j);
    case VERB_UNKNOWN:
        return judge_unknown(j);
    case VERB_LHLO:
        note(j, NOTE_CMD_UNKNOWN);
        return LOCAL_LHLO;
    default:
        return LOCAL_NONE;
    }
}

static verdict judge_command(struct judge *j)
{
    static verdict (*const stages[])(struct judge *) = { judge_ending, judge_octets, judge_blanks,
                                                         judge_8bit, judge_verb };

    for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
        verdict v = stages[i](j);
        if (v != LOCAL_NONE)
            return v;
    }
    return LOCAL_NONE;
}

/* ---- what follows from the verdict -------------------------------------------------- */

void command_count_error(struct session *s, struct exchange *ex)
{
    s->errors++;
    if (s->env->error_limit == 0 || s->errors < s->env->error_limit ||
        local_reply_closes(ex->local) != CLOSE_COUNT)
        return;
    notes_add(&ex->event.notes, NOTE_ERROR_LIMIT, ex->event.at);
    ex->local = LOCAL_ERROR_LIMIT;
    session_enter(s, STATE_STOPPED);
}

enum step command_forward(struct session *s, struct exchange *ex, struct span raw,
                          struct wish *w)
{
    struct event *e = &ex->event;

    e->action = e->forwarded.len > 0 ? ACTION_REWRITTEN : ACTION_RELAYED;
    e->forwarded_us = s->now_us - e->t_us;
    if (s->env->observe)
        return STEP_AGAIN; /* the octets went ahead */
    w->kind = WISH_FORWARD;
    w->side = SERVER;
    w->bytes = e->forwarded.len > 0 ? e->forwarded : raw;
    w->lasting = session_is_lasting(s, w->bytes);
    return STEP_WISH;
}

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

    s->chunk_left = j->octets;
    s->chunk_forward = forward;
    s->chunk_last = j->last;
    j->ex->last_chunk = j->last;
    session_enter(s, STATE_CHUNK);
    if (!forward)
        return;
    s->bdat = true;
    if (s->content == NULL)
        (void)content_begin(s, true); /* out of memory closes the session */
}

static enum step send_on(struct judge *j, struct span raw, struct wish *w)
{
    struct session *s = j->s;

    session_push(s, j->ex);
    if (!s->env->observe && !make_rewritten(j)) {
        session_close(s, CLOSE_NO_MEMORY);
        return STEP_AGAIN;
    }
    switch (j->cmd.verb) {
    case VERB_RSET:
    case VERB_EHLO:
    case VERB_HELO: /* chunks without a LAST are no message any more */
        if (s->content != NULL && !s->content->ended)
            content_end(s, false);
        break;
    default:
        break;
    }
    if (j->framed)
        begin_chunk(j, true);
    else if ((verb_flags(j->cmd.verb) & VERB_SYNC) != 0 || !session_pipelines(s))
        session_enter(s, STATE_SYNC);
    else if (j->cmd.verb == VERB_XCLIENT)
        session_enter(s, STATE_SYNC);
    return command_forward(s, j->ex, raw, w);
}

static enum step turn_down(struct judge *j, verdict v)
{
    struct session *s = j->s;
    struct exchange *ex = j->ex;

    ex->local = v;
    ex->event.action = j->cmd.verb == VERB_VRFY || j->cmd.verb == VERB_EXPN ? ACTION_STRIPPED
                                                                           : ACTION_REFUSED;
    if (j->cmd.verb == VERB_AUTH)
        s->secret_lines = 2;
    if (j->framed) {
        begin_chunk(j, false);
        s->parked = ex; /* answered when its chunk is eaten */
        return STEP_AGAIN;
    }
    session_push(s, ex);
    if (local_reply_closes(v) != CLOSE_COUNT)
        session_enter(s, STATE_STOPPED);
    command_count_error(s, ex);
    return STEP_AGAIN;
}

enum step command_take(struct session *s, struct exchange *ex, const struct line *l,
                       struct span raw, struct wish *w)
{
    struct span stored = span_first(ex->event.received, l->text.len);
    struct judge j = { .s = s, .ex = ex, .line = l, .cmd = command_parse(stored) };
    bool secret_line = s->secret_lines > 0;
    verdict v;

    if (secret_line)
        s->secret_lines--;
    ex->event.verb = j.cmd.verb;
    ex->event.word = j.cmd.word;
    ex->event.arg = j.cmd.arg;
    v = judge_command(&j);
    if (secret_line && j.cmd.verb == VERB_UNKNOWN)
        ex->event.secrecy = SECRET_LINE;
    s->last_verb = (uint8_t)j.cmd.verb;
    if (s->closing) {
        session_push(s, ex);
        return STEP_AGAIN;
    }
    if (v == LOCAL_NONE || s->env->observe)
        return send_on(&j, raw, w);
    return turn_down(&j, v);
}
