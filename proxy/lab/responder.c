#include "lab/responder.h"

#include <stdio.h>

#include "lab/answer.h"

static const struct script_rule usual_rule = { .count = 1,
                                               .actions = { { .kind = SCRIPT_ANSWER } } };

void responder_init(struct responder *r, const char *hostname, const struct script *script)
{
    *r = (struct responder){ .hostname = hostname, .script = script };
    buf_init(&r->line, RESPONSE_OCTETS_MAX);
    buf_init(&r->out, 4u * SCRIPT_REPLY_MAX);
}

void responder_deinit(struct responder *r)
{
    received_end(&r->mail);
    buf_release(&r->line);
    buf_release(&r->out);
}

static void trace(const struct responder *r, bool received, struct span text)
{
    if (r->trace.on_line != NULL)
        r->trace.on_line(r->trace.owner, received, text);
}

static void end_transaction(struct responder *r)
{
    received_end(&r->mail);
    r->in_transaction = false;
    r->chunked = false;
    r->recipients = 0;
}

static void begin_data(struct responder *r)
{
    received_end(&r->mail);
    if (received_begin(&r->mail))
        r->reading = READING_DATA;
    else
        r->mood = RESPONDER_CLOSING; /* out of memory */
}

/* What the command does, now that its reply begins with this octet. */
static void take_effect(struct responder *r, unsigned char first)
{
    bool done = first == (r->event == VERB_DATA ? '3' : '2');

    if (r->event == VERB_DOT ||
        (r->event == VERB_BDAT && r->chunk_last && received_is_open(&r->mail)))
        end_transaction(r);
    if (!done)
        return;
    switch (r->event) {
    case VERB_EHLO:
    case VERB_HELO:
        end_transaction(r);
        r->greeted = true;
        r->esmtp = r->event == VERB_EHLO;
        break;
    case VERB_MAIL:
        end_transaction(r);
        r->in_transaction = true;
        break;
    case VERB_RCPT:
        r->recipients++;
        break;
    case VERB_DATA:
        begin_data(r);
        break;
    case VERB_RSET:
        end_transaction(r);
        break;
    case VERB_AUTH:
        r->authenticated = true;
        break;
    case VERB_QUIT:
        r->mood = RESPONDER_CLOSING;
        break;
    default:
        break;
    }
}

/* The reply that begins at `from` of `out` is complete. */
static void replied(struct responder *r, bool ok, uint32_t from)
{
    if (!ok || r->out.len == from) {
        if (!ok)
            r->mood = RESPONDER_CLOSING; /* out of memory */
        return;
    }
    trace(r, false, span_drop(buf_span(&r->out), from));
    take_effect(r, r->out.ptr[from]);
}

/* Sends a prompt of the usual exchange if one is left; true when it did. */
static bool prompted(struct responder *r)
{
    if (r->prompts == 0)
        return false;
    if (!buf_append(&r->out, span_str(answer_prompt(r))))
        r->mood = RESPONDER_CLOSING;
    r->prompts--;
    r->reading = READING_RESPONSE;
    return true;
}

/* Carries out one action; false when what follows has to wait. */
static bool act(struct responder *r, const struct script_action *a)
{
    uint32_t from = r->out.len;

    switch ((enum script_action_kind)a->kind) {
    case SCRIPT_ANSWER:
        if (prompted(r)) {
            r->step--; /* comes here again with the response */
            return false;
        }
        replied(r, answer_put(r), from);
        break;
    case SCRIPT_REPLY:
        replied(r, buf_append(&r->out, script_bytes(r->script, a->at, a->octets)), from);
        break;
    case SCRIPT_CHALLENGE:
        if (!buf_append(&r->out, script_bytes(r->script, a->at, a->octets)))
            r->mood = RESPONDER_CLOSING;
        r->prompts = 0;
        r->reading = READING_RESPONSE;
        return false;
    case SCRIPT_DELAY:
        r->delay_ms = a->ms;
        r->mood = RESPONDER_WAITING;
        return false;
    case SCRIPT_CLOSE:
        r->mood = RESPONDER_CLOSING;
        break;
    case SCRIPT_RESET:
        r->mood = RESPONDER_RESETTING;
        break;
    case SCRIPT_SILENCE:
        r->silent = true;
        break;
    }
    return r->mood == RESPONDER_LISTENING && !r->silent;
}

static void run(struct responder *r)
{
    while (r->step < r->rule->count && act(r, &r->rule->actions[r->step++]))
        continue;
}

/* Something happened that is answered: finds what to do and does it. */
static void answer_event(struct responder *r, unsigned event, const char *usual)
{
    r->event = event;
    r->usual = usual;
    r->counts[event]++;
    if (event != SCRIPT_GREETING)
        r->counts[SCRIPT_ANY]++;
    r->rule = script_find(r->script, event, r->counts[event], r->counts[SCRIPT_ANY]);
    if (r->rule == NULL)
        r->rule = &usual_rule;
    r->step = 0;
    run(r);
}

void responder_start(struct responder *r)
{
    answer_event(r, SCRIPT_GREETING, "220");
}

void responder_go_on(struct responder *r)
{
    r->mood = RESPONDER_LISTENING;
    run(r);
}

static void close_with(struct responder *r, const char *text)
{
    if (!r->silent && !buf_append(&r->out, span_str(text)))
        buf_release(&r->out);
    r->mood = RESPONDER_CLOSING;
}

void responder_time_out(struct responder *r)
{
    close_with(r, "421 4.4.2 idle for too long\r\n");
}

void responder_refuse(struct responder *r)
{
    close_with(r, "421 4.3.2 too many sessions\r\n");
}

static void end_chunk(struct responder *r)
{
    const char *usual = r->usual;

    r->reading = READING_COMMAND;
    if (r->chunk_last && received_is_open(&r->mail) && usual[0] == '2')
        usual = answer_received(r);
    answer_event(r, VERB_BDAT, usual);
}

/* After BDAT: octets are digested when the chunk is accepted, else only counted. */
static void begin_chunk(struct responder *r)
{
    if (r->usual[0] == '2') {
        r->chunked = true;
        if (!received_is_open(&r->mail) && !received_begin(&r->mail))
            r->mood = RESPONDER_CLOSING;
    }
    if (r->chunk_left == 0 && r->mood == RESPONDER_LISTENING)
        end_chunk(r);
}

static size_t take_chunk(struct responder *r, struct span in)
{
    size_t n = r->chunk_left < in.len ? (size_t)r->chunk_left : in.len;

    if (received_is_open(&r->mail))
        received_chunk(&r->mail, span_first(in, n));
    r->chunk_left -= n;
    if (r->chunk_left == 0)
        end_chunk(r);
    return n;
}

static size_t take_data(struct responder *r, struct span in)
{
    bool ended;
    size_t used = received_data(&r->mail, in, &ended);

    if (ended) {
        r->reading = READING_COMMAND;
        answer_event(r, VERB_DOT, answer_received(r));
    }
    return used;
}

static bool is_text(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((s.ptr[i] < ' ' && s.ptr[i] != '\t') || s.ptr[i] == 0x7f)
            return false;
    }
    return true;
}

static size_t word_length(struct span s)
{
    size_t n = 0;

    while (n < s.len && !span_is_blank_char(s.ptr[n]))
        n++;
    return n;
}

/* The arguments of AUTH stay out of the log; only the mechanism is shown. */
static void trace_command(const struct responder *r, enum verb verb, struct span text)
{
    size_t word = word_length(text), shown = text.len;

    if (verb == VERB_AUTH)
        shown = word + 1 + word_length(span_drop(text, word + 1));
    trace(r, true, span_first(text, shown));
}

static void take_command(struct responder *r, struct span text)
{
    size_t word = word_length(text);
    enum verb verb = verb_lookup(span_first(text, word));

    trace_command(r, verb, text);
    if (word == 0 || !is_text(text)) {
        answer_event(r, VERB_UNKNOWN, "500 5.5.2 not a command\r\n");
        return;
    }
    answer_find(r, verb, span_trim(span_drop(text, word)));
    if (r->reading == READING_CHUNK)
        begin_chunk(r);
    else
        answer_event(r, verb, r->usual);
}

/* A response of an AUTH exchange: what waits for it goes on, unless the client gave up. */
static void take_response(struct responder *r, struct span text, bool overlong)
{
    trace(r, true, SPAN_LIT("(response)"));
    r->reading = READING_COMMAND;
    if (overlong || span_equal(text, SPAN_LIT("*"))) {
        r->prompts = 0;
        r->usual = overlong ? "500 5.5.6 response too long\r\n"
                            : "501 5.7.0 authentication cancelled\r\n";
        r->rule = &usual_rule;
        r->step = 0;
    }
    run(r);
}

/* A whole line without its LF. */
static void take_whole_line(struct responder *r, struct span text, bool overlong)
{
    if (text.len > 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    if (r->reading == READING_RESPONSE) {
        take_response(r, text, overlong);
    } else if (overlong) {
        trace(r, true, SPAN_LIT("(line too long)"));
        answer_event(r, VERB_UNKNOWN, "500 5.5.2 line too long\r\n");
    } else {
        take_command(r, text);
    }
}

static size_t take_line(struct responder *r, struct span in)
{
    size_t max = r->reading == READING_RESPONSE ? RESPONSE_OCTETS_MAX : COMMAND_OCTETS_MAX;
    size_t lf = span_find(in, '\n');
    struct span part = span_first(in, lf);
    bool whole = lf < in.len && r->line.len == 0; /* needs no copy */

    r->overlong = r->overlong || r->line.len + part.len + (lf < in.len) > max;
    if (r->overlong)
        part.len = 0;
    if (!whole && !buf_append(&r->line, part))
        r->overlong = true;
    if (r->overlong)
        buf_release(&r->line);
    if (lf == in.len)
        return in.len;
    bool overlong = r->overlong;
    struct buf line = r->line;
    r->overlong = false;
    buf_init(&r->line, RESPONSE_OCTETS_MAX);
    take_whole_line(r, whole ? part : buf_span(&line), overlong);
    buf_release(&line);
    return lf + 1;
}

static size_t take_some(struct responder *r, struct span in)
{
    if (r->silent)
        return in.len;
    switch (r->reading) {
    case READING_COMMAND:
    case READING_RESPONSE:
        return take_line(r, in);
    case READING_DATA:
        return take_data(r, in);
    case READING_CHUNK:
        return take_chunk(r, in);
    }
    return in.len;
}

size_t responder_take(struct responder *r, struct span in)
{
    struct span rest = in;

    while (rest.len > 0 && r->mood == RESPONDER_LISTENING && r->out.len < RESPONDER_OUT_HIGH)
        rest = span_drop(rest, take_some(r, rest));
    return in.len - rest.len;
}
