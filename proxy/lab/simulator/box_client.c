/* The client's stream: cut into commands, mail data and chunks, and what a box does to commands. */
#include "lab/simulator/box_private.h"

static void client_sent(struct box *b, struct span line)
{
    struct command c = command_split(line);

    if (!box_expect(b, c.verb, NULL, false))
        return;
    switch (c.verb) {
    case VERB_DATA:
        data_begin(b);
        break;
    case VERB_BDAT:
        chunk_begin(b, &c);
        break;
    case VERB_EHLO:
    case VERB_HELO:
    case VERB_MAIL:
    case VERB_RSET:
        b->recipients = 0;
        break;
    default:
        break;
    }
}

static bool is_known(const struct rules *r, enum verb verb)
{
    return verb != VERB_UNKNOWN && (r->verbs & 1u << verb) != 0;
}

static bool is_over_limit(const struct box *b, const struct command *c)
{
    const struct limit_rules *l = &b->rules->limits;
    size_t octets = (size_t)b->line_octets - c->ending.len;
    size_t line = l->command;

    if (c->verb == VERB_MAIL && l->mail_line > 0) {
        bool auth = memmem(c->text.ptr, c->text.len, " AUTH=", 6) != NULL;
        line = l->mail_line + (auth ? 1024 : 0); /* RFC 4954 allows so much more, and more */
    }
    if (c->verb == VERB_RCPT && l->rcpt_line > 0)
        line = l->rcpt_line;
    if (c->verb == VERB_AUTH && l->auth_line > 0)
        line = l->auth_line;
    return (line > 0 && octets > line) ||
           (c->verb == VERB_MAIL && l->sender > 0 &&
            command_address(c->text).len > l->sender) ||
           (c->verb == VERB_RCPT && l->recipients > 0 && b->recipients > l->recipients);
}

/* ---- a piece of a line, in place ---- */

static void judge_unknown(const struct rules *r, unsigned char *p, struct command c)
{
    bool noop = r->unknown == UNKNOWN_NOOP && c.text.len >= 4;

    if (noop) {
        memcpy(p, "NOOP", 4);
        memset(p + 4, ' ', c.text.len - 4);
    } else if (r->unknown == UNKNOWN_X_VERB) {
        memset(p, 'X', c.word.len);
    } else {
        memset(p, 'X', c.text.len);
    }
}

static bool is_alphanumeric(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static void judge_read(struct box *b, unsigned char *piece, size_t len)
{
    const struct rules *r = b->rules;
    struct command c = command_split(span_of(piece, len));
    struct span address = command_address(c.text);

    if (c.word.len == 0 || !is_alphanumeric(c.word.ptr[0]))
        return;
    if (r->unknown != UNKNOWN_PASSED && !is_known(r, c.verb)) {
        judge_unknown(r, piece, c);
        return;
    }
    if (!r->pipe_to_blank || (c.verb != VERB_MAIL && c.verb != VERB_RCPT))
        return;
    for (size_t i = 0; i < address.len; i++)
        if (address.ptr[i] == '|')
            piece[(size_t)(address.ptr - piece) + i] = ' ';
}

static void judge_sent_line(struct box *b, struct span line)
{
    struct command c = command_split(line);

    b->recipients += c.verb == VERB_RCPT;
    if (is_over_limit(b, &c))
        box_kill_packet(b, b->rules->kill, "a limit of a command");
    else
        client_sent(b, line);
}

/* ---- a whole line ---- */

static const char *local_answer(const struct box *b, const struct command *c)
{
    const struct rules *r = b->rules;

    for (unsigned i = 0; i < RULE_ANSWERS_MAX; i++)
        if (r->answers[i].text != NULL && r->answers[i].verb == c->verb)
            return r->answers[i].text;
    if (r->limit_answer != NULL && is_over_limit(b, c))
        return r->limit_answer;
    if (c->verb == VERB_MAIL && r->mail_syntax_answer != NULL &&
        !span_starts_with_nocase(span_trim_left(c->rest), SPAN_LIT("FROM:<")))
        return r->mail_syntax_answer;
    if (c->verb == VERB_MAIL && r->mail_parameters != NULL &&
        !command_parameters_known(c, r->mail_parameters))
        return "501 Syntax error in parameters or arguments\r\n";
    if (c->verb == VERB_RCPT && r->rcpt_keep > 0 && b->recipients > r->rcpt_keep)
        return "250 2.1.5 Ok\r\n";
    return NULL;
}

static void send_line(struct box *b, struct span line)
{
    box_emit(b, SERVER, line);
    client_sent(b, line);
}

/* With X for its first n octets: no verb any more. */
static void send_masked(struct box *b, struct span line, size_t n)
{
    unsigned char masked[BOX_COMMAND_MAX];

    memcpy(masked, line.ptr, line.len);
    memset(masked, 'X', n);
    send_line(b, span_of(masked, line.len));
}

/* Not the first command of a read. True: it is done with. */
static bool judge_pipelined(struct box *b, struct span line)
{
    if (b->commands == 0 || b->rules->pipelined == PIPELINED_PASSED)
        return false;
    if (b->rules->pipelined == PIPELINED_KILLED)
        box_kill(b, b->rules->kill, "a pipelined command");
    else if (b->rules->pipelined == PIPELINED_X)
        send_masked(b, line, command_split(line).word.len);
    return true;
}

/* True: the box has its own way with BDAT. */
static bool judge_chunk(struct box *b, const struct command *c, struct span line)
{
    struct span size = span_trim_right(c->text);
    size_t keyword = size.len - (size.len < 5 ? size.len : 5);

    if (c->verb == VERB_BDAT && b->rules->bdat == BDAT_X) {
        send_masked(b, line, c->text.len);
        chunk_begin(b, c);
        return true;
    }
    if (c->verb != VERB_BDAT || b->rules->bdat != BDAT_LAST_LOST ||
        !span_equal_nocase(span_drop(size, keyword), SPAN_LIT(" LAST")))
        return false;
    box_emit(b, SERVER, span_first(size, keyword));
    box_emit(b, SERVER, c->ending);
    client_sent(b, span_first(size, keyword));
    return true;
}

static void judge_data(struct box *b)
{
    box_answer(b, VERB_DATA, b->rules->data_answer);
    data_begin(b);
}

static void judge_known(struct box *b, const struct command *c, struct span line)
{
    struct buf strict;

    if (c->verb == VERB_DATA && b->rules->data == DATA_STORED) {
        judge_data(b);
    } else if (c->verb == VERB_STARTTLS && b->rules->starttls == STARTTLS_INJECTED) {
        send_line(b, line);
        send_line(b, SPAN_LIT("INJECTED_INVALID_COMMAND\r\n"));
    } else if (b->rules->normalise) {
        buf_init(&strict, 2 * BOX_COMMAND_MAX);
        if (command_normalise(c, &strict))
            send_line(b, buf_span(&strict));
        buf_release(&strict);
    } else if (!judge_chunk(b, c, line)) {
        send_line(b, line);
    }
}

static void judge_line(struct box *b, struct span line)
{
    struct command c = command_split(line);
    const char *answer;

    b->recipients += c.verb == VERB_RCPT;
    if (judge_pipelined(b, line))
        return;
    answer = local_answer(b, &c);
    if (answer != NULL)
        box_answer(b, c.verb, answer);
    else if (b->rules->unknown == UNKNOWN_KILLED && !is_known(b->rules, c.verb))
        box_kill_packet(b, b->rules->kill, "an unknown verb");
    else if (is_over_limit(b, &c))
        box_kill_packet(b, b->rules->kill, "a limit of a command");
    else
        judge_known(b, &c, line);
}

/* ---- the stream ---- */

static void line_over(struct box *b)
{
    struct buf line = b->line;
    bool passing = b->line_passing;

    buf_init(&b->line, BOX_COMMAND_MAX);
    b->line_passing = false;
    if (b->rules->commands == SCOPE_PER_LINE && !passing)
        judge_line(b, buf_span(&line));
    else if (b->rules->commands == SCOPE_PER_READ)
        judge_sent_line(b, buf_span(&line));
    else
        client_sent(b, buf_span(&line));
    b->line_octets = 0;
    b->commands++;
    buf_release(&line);
}

/* A line that is too long to be judged leaves as it came. */
static void line_pass(struct box *b)
{
    b->line_passing = true;
    box_emit(b, SERVER, buf_span(&b->line));
}

/* In place; what is left of it is what is sent on, and what is to be remembered. */
static struct span emit_judged(struct box *b, struct span piece)
{
    unsigned char *copy = box_emit_copy(b, SERVER, piece);

    if (copy == NULL)
        return piece;
    judge_read(b, copy, piece.len);
    return span_of(copy, piece.len);
}

/* Beyond its limit whatever comes, CRLF included. */
static bool is_endless(const struct box *b)
{
    const struct rules *r = b->rules;

    return r->commands == SCOPE_PER_READ && r->limits.command > 0 &&
           b->line_octets > r->limits.command + 2u;
}

/* What is sent on is what is remembered of the line. */
static void line_add(struct box *b, struct span piece)
{
    struct span kept = span_first(piece, BOX_COMMAND_MAX - b->line.len);

    if (b->rules->commands == SCOPE_PER_READ) {
        kept.ptr = emit_judged(b, piece).ptr;
    } else if (b->rules->commands == SCOPE_AFTER || b->line_passing) {
        box_emit(b, SERVER, piece);
    } else if (kept.len < piece.len) {
        line_pass(b);
        box_emit(b, SERVER, piece);
    }
    if (!b->dead && !buf_append(&b->line, kept))
        box_kill_packet(b, KILL_RESET, "out of memory");
    b->line_octets += piece.len;
    if (is_endless(b))
        box_kill_packet(b, b->rules->kill, "a limit of a command");
}

static size_t take_command(struct box *b, struct span in)
{
    size_t lf = span_find(in, '\n');
    struct span piece = span_first(in, lf + 1);

    if (b->stall_due && b->line.len == 0 && !span_starts_with_nocase(in, SPAN_LIT("QUIT"))) {
        box_stall(b, "the second message in chunks stalls");
        return in.len;
    }
    line_add(b, piece);
    if (lf < in.len && !b->dead)
        line_over(b);
    return piece.len;
}

static size_t take_response(struct box *b, struct span in)
{
    struct span piece = span_first(in, span_find(in, '\n') + 1);

    box_emit(b, SERVER, piece);
    if (piece.ptr[piece.len - 1] == '\n')
        b->state = CLIENT_COMMAND;
    return piece.len;
}

/* RFC 8446 5.1: type, version, length. */
static size_t take_opaque(struct box *b, struct span in)
{
    bool record = in.len >= 5 && in.ptr[0] == 0x16;
    size_t hello = record ? 5u + (size_t)(in.ptr[3] << 8 | in.ptr[4]) : in.len;

    if (!b->hello_seen && b->rules->hello_drop && hello > b->rules->hello_most)
        box_stall(b, "the client's TLS hello is lost");
    else
        box_emit(b, SERVER, in);
    b->hello_seen = true;
    return in.len;
}

size_t client_take(struct box *b, struct span in)
{
    switch (b->state) {
    case CLIENT_COMMAND:
        return take_command(b, in);
    case CLIENT_RESPONSE:
        return take_response(b, in);
    case CLIENT_DATA:
        return data_take(b, in);
    case CLIENT_CHUNK:
        return chunk_take(b, in);
    case CLIENT_OPAQUE:
        return take_opaque(b, in);
    case CLIENT_STALLED:
        break;
    }
    return in.len;
}

void client_finish(struct box *b)
{
    if (b->state == CLIENT_DATA)
        data_finish(b);
    else if (b->rules->commands == SCOPE_PER_LINE && !b->line_passing)
        box_emit(b, SERVER, buf_span(&b->line));
    buf_release(&b->line);
}
