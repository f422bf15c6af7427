/* Mail data and chunks on their way through a box. */
#include "lab/simulator/box_private.h"

enum { QUEUE_MS = 200 }; /* between the 250 of a box that queues and what it sends on */

static bool is_altered(const struct box *b)
{
    return b->rules->data == DATA_STORED || content_is_needed(b->rules);
}

void data_begin(struct box *b)
{
    b->state = CLIENT_DATA;
    b->content_octets = 0;
    b->storing = b->rules->data != DATA_PASSED;
    content_init(&b->content, b->rules, b->storing ? &b->message : &b->out[SERVER]);
}

/* From here on the message goes to the server as it comes. */
static void stop_storing(struct box *b)
{
    b->storing = false;
    b->content.out = &b->out[SERVER];
    if (b->rules->data == DATA_QUEUED) {
        box_emit(b, SERVER, buf_span(&b->message));
        buf_release(&b->message);
        return;
    }
    box_emit_text(b, SERVER, "DATA\r\n");
    b->waits[CLIENT] = box_expect(b, VERB_DATA, NULL, true);
}

/* The client hears 250, then the server gets the message. */
static void queue_message(struct box *b)
{
    box_answer(b, VERB_DOT, "250 2.0.0 Message accepted for delivery\r\n");
    b->later_ms[SERVER] = b->now + QUEUE_MS;
    box_emit(b, SERVER, buf_span(&b->message));
    buf_release(&b->message);
    (void)box_expect(b, VERB_DOT, NULL, true);
}

static void data_over(struct box *b)
{
    b->state = CLIENT_COMMAND; /* before the marker is a command that waits */
    b->recipients = 0;
    if (!b->storing) {
        (void)box_expect(b, VERB_DOT, NULL, false);
        return;
    }
    b->storing = false;
    if (b->rules->data == DATA_QUEUED)
        queue_message(b);
    else
        stop_storing(b);
}

void data_answered(struct box *b, unsigned code)
{
    bool unfinished = b->state == CLIENT_DATA;

    if (code == 354) {
        box_emit(b, SERVER, buf_span(&b->message));
        if (!unfinished)
            (void)box_expect(b, VERB_DOT, NULL, false);
    } else if (unfinished) {
        box_kill(b, KILL_RESET, "the server refuses a message that is half stored");
    }
    buf_release(&b->message);
    b->waits[CLIENT] = false;
}

static void data_kill(struct box *b, enum content_verdict verdict)
{
    switch (verdict) {
    case CONTENT_VIRUS:
        buf_release(&b->out[SERVER]);
        box_emit_text(b, CLIENT, b->rules->virus_answer);
        box_kill_packet(b, b->rules->kill, "a virus");
        break;
    case CONTENT_LONG:
        box_emit_text(b, CLIENT, b->rules->line_answer);
        box_kill_packet(b, b->rules->kill, "a line that is too long");
        break;
    case CONTENT_FIELD:
        box_kill_packet(b, b->rules->kill, "a header field within another one");
        break;
    case CONTENT_LIMIT:
        if (b->rules->limits.content > 0)
            box_kill(b, b->rules->kill, "the message is too big");
        else
            box_kill_packet(b, b->rules->kill, "a header line or a file name is too long");
        break;
    case CONTENT_FULL:
        box_kill_packet(b, KILL_RESET, "more is held than a box may hold");
        break;
    case CONTENT_MORE:
    case CONTENT_ENDED:
        break;
    }
}

size_t data_take(struct box *b, struct span in)
{
    size_t used;

    if (b->storing && b->message.len + 4 * BOX_READ_MAX > BOX_HELD_MAX) {
        stop_storing(b);
        return 0;
    }
    in = span_first(in, BOX_READ_MAX);
    if (is_altered(b)) {
        (void)content_take(&b->content, in, &used);
    } else {
        used = content_pass(&b->content, in);
        if (!buf_append(b->content.out, span_first(in, used)))
            b->content.verdict = CONTENT_FULL;
    }
    b->content_octets += used;
    if (b->content.verdict == CONTENT_ENDED)
        data_over(b);
    else
        data_kill(b, b->content.verdict);
    return used;
}

void data_finish(struct box *b)
{
    if (is_altered(b) && !b->storing)
        content_mail_over(&b->content);
    buf_release(&b->message);
}

/* "BDAT 86 LAST" */
void chunk_begin(struct box *b, const struct command *c)
{
    struct span rest = span_trim(c->rest);
    size_t i = 0;

    b->chunk_left = 0;
    for (; i < rest.len && rest.ptr[i] >= '0' && rest.ptr[i] <= '9'; i++)
        if (b->chunk_left < UINT32_MAX)
            b->chunk_left = b->chunk_left * 10 + (rest.ptr[i] - '0');
    b->chunk_last = span_equal_nocase(span_trim(span_drop(rest, i)), SPAN_LIT("LAST"));
    b->chunk_short = b->rules->bdat == BDAT_LENGTH_OFF;
    b->chunk_lost = b->rules->bdat == BDAT_X;
    if (b->chunk_left > 0)
        b->state = CLIENT_CHUNK;
}

/* One octet less arrives than was announced. */
static void chunk_shorten(struct box *b, struct span piece)
{
    size_t cr = b->chunk_short ? span_find(piece, '\r') : piece.len;

    box_emit(b, SERVER, span_first(piece, cr));
    if (cr < piece.len) {
        b->chunk_short = false;
        box_emit(b, SERVER, span_drop(piece, cr + 1));
    }
}

size_t chunk_take(struct box *b, struct span in)
{
    struct span piece = in.len < b->chunk_left ? in : span_first(in, (size_t)b->chunk_left);

    b->chunk_left -= piece.len;
    if (!b->chunk_lost)
        chunk_shorten(b, piece);
    if (b->chunk_left > 0)
        return piece.len;
    b->state = CLIENT_COMMAND;
    b->stall_due = b->chunk_last && b->rules->bdat == BDAT_SECOND_STALL;
    return piece.len;
}
