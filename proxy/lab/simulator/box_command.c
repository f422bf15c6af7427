/* What a box does to a command: a whole line, or the piece of it that one read brought. */
#include "lab/simulator/box_private.h"

void mask(unsigned char *p, size_t len)
{
    memset(p, 'X', len);
}

static bool is_known(const struct rules *r, enum verb verb)
{
    return verb != VERB_UNKNOWN && (r->verbs & 1u << verb) != 0;
}

void command_answer(struct box *b, enum verb verb, const char *text)
{
    if (b->expected.len == 0)
        box_emit_text(b, CLIENT, text);
    else
        (void)client_expects(b, verb, text, false);
}

struct span command_address(struct span text)
{
    size_t open = span_find(text, '<');
    struct span inner = span_drop(text, open + 1);
    const unsigned char *close = inner.len > 0 ? memrchr(inner.ptr, '>', inner.len) : NULL;

    return close != NULL ? span_first(inner, (size_t)(close - inner.ptr)) : span_of(NULL, 0);
}

bool command_is_over_limit(const struct box *b, const struct command *c)
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
        mask(p, c.word.len);
    } else {
        mask(p, c.text.len);
    }
}

static bool is_alphanumeric(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

void command_judge_read(struct box *b, unsigned char *piece, size_t len)
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

void command_judge_whole(struct box *b, struct span line)
{
    struct command c = command_split(line);

    b->recipients += c.verb == VERB_RCPT;
    if (command_is_over_limit(b, &c))
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
    if (r->limit_answer != NULL && command_is_over_limit(b, c))
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
    mask(masked, n);
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
    command_answer(b, VERB_DATA, b->rules->data_answer);
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

void command_judge(struct box *b, struct span line)
{
    struct command c = command_split(line);
    const char *answer;

    b->recipients += c.verb == VERB_RCPT;
    if (judge_pipelined(b, line))
        return;
    answer = local_answer(b, &c);
    if (answer != NULL)
        command_answer(b, c.verb, answer);
    else if (b->rules->unknown == UNKNOWN_KILLED && !is_known(b->rules, c.verb))
        box_kill_packet(b, b->rules->kill, "an unknown verb");
    else if (command_is_over_limit(b, &c))
        box_kill_packet(b, b->rules->kill, "a limit of a command");
    else
        judge_known(b, &c, line);
}
