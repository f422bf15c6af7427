/* The client's stream, cut into commands, mail data and chunks. */
#include "lab/simulator/box_private.h"

struct command command_split(struct span line)
{
    size_t len = line.len;

    if (len > 0 && line.ptr[len - 1] == '\n')
        len--;
    if (len > 0 && len < line.len && line.ptr[len - 1] == '\r')
        len--;
    struct command c = { .text = span_first(line, len), .ending = span_drop(line, len) };
    size_t word = 0;
    while (word < c.text.len && !span_is_blank_char(c.text.ptr[word]))
        word++;
    c.word = span_first(c.text, word);
    c.rest = span_drop(c.text, word);
    c.verb = verb_lookup(c.word);
    return c;
}

bool client_expects(struct box *b, unsigned verb, const char *answer, bool swallowed)
{
    struct expected e = { .answer = answer, .verb = verb, .swallowed = swallowed };

    if (buf_append(&b->expected, span_of(&e, sizeof e)))
        return true;
    if (b->rules->commands == SCOPE_AFTER) {
        box_tell(b, "too many commands without a reply: it is a wire from here on");
        box_become_opaque(b);
    } else {
        box_kill_packet(b, KILL_RESET, "too many commands without a reply");
    }
    return false;
}

void client_sent(struct box *b, struct span line)
{
    struct command c = command_split(line);

    if (!client_expects(b, c.verb, NULL, false))
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

static void line_over(struct box *b)
{
    struct buf line = b->line;
    bool passing = b->line_passing;

    buf_init(&b->line, BOX_COMMAND_MAX);
    b->line_passing = false;
    if (b->rules->commands == SCOPE_PER_LINE && !passing)
        command_judge(b, buf_span(&line));
    else if (b->rules->commands == SCOPE_PER_READ)
        command_judge_whole(b, buf_span(&line));
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
    command_judge_read(b, copy, piece.len);
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

static size_t take(struct box *b, struct span in)
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

void client_bytes(struct box *b, struct span in)
{
    b->commands = 0;
    while (in.len > 0 && !b->dead && !b->waits[CLIENT])
        in = span_drop(in, take(b, in));
    if (in.len > 0 && !b->dead && !buf_append(&b->waiting[CLIENT], in))
        box_kill_packet(b, KILL_RESET, "more is held than a box may hold");
}

void client_finish(struct box *b)
{
    if (b->state == CLIENT_DATA)
        data_finish(b);
    else if (b->rules->commands == SCOPE_PER_LINE && !b->line_passing)
        box_emit(b, SERVER, buf_span(&b->line));
    buf_release(&b->line);
}
