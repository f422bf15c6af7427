/* The server's stream, cut into replies; which command each of them answers. */
#include "lab/simulator/box_private.h"

/* Answers of the box whose turn it is. */
static void server_answers(struct box *b)
{
    const struct expected *e;

    while ((e = box_expected(b)) != NULL && e->answer != NULL) {
        box_emit_text(b, CLIENT, e->answer);
        buf_drop(&b->expected, sizeof *e);
    }
}

/* Both handshakes run at once; SMTP begins anew behind them. There is none with a side that
 * was told the end. */
static void intercept(struct box *b)
{
    if (b->fin_due[CLIENT] || b->fin_due[SERVER]) {
        box_become_opaque(b);
        return;
    }
    box_flush(b);
    buf_release(&b->expected);
    buf_release(&b->line);
    b->state = CLIENT_COMMAND;
    for (unsigned i = 0; i < 2; i++) {
        b->waits[i] = true;
        b->handshake[i] = true;
        box_action(b, BOX_START_TLS, (enum side)i, span_of(NULL, 0));
    }
}

static void reply_meant(struct box *b, struct expected e, unsigned code)
{
    bool no_data = b->state == CLIENT_DATA && b->content_octets == 0;

    switch (e.verb) {
    case VERB_GREETING:
        if (b->rules->killed_greeting)
            box_kill(b, b->rules->kill, "the greeting");
        break;
    case VERB_STARTTLS:
        if (code == 220 && b->rules->starttls == STARTTLS_INTERCEPTED)
            intercept(b);
        else if (code == 220)
            box_become_opaque(b);
        break;
    case VERB_AUTH:
        if (b->state == CLIENT_COMMAND && code == 334)
            b->state = CLIENT_RESPONSE;
        break;
    case VERB_DATA:
        if (e.swallowed)
            data_answered(b, code);
        else if (code != 354 && no_data)
            b->state = CLIENT_COMMAND;
        break;
    default:
        break;
    }
}

/* Of three digits; 0: this is no reply. */
static unsigned head_code(const struct box *b)
{
    unsigned code = 0;

    for (unsigned i = 0; i < 3; i++) {
        if (i >= b->head_len || b->head[i] < '0' || b->head[i] > '9')
            return 0;
        code = code * 10 + (b->head[i] - '0');
    }
    return code;
}

static void reply_over(struct box *b, unsigned code)
{
    const struct expected *front = box_expected(b);
    struct expected e = front != NULL ? *front : (struct expected){ .verb = VERB_UNKNOWN };
    struct buf reply = b->reply;

    buf_init(&b->reply, BOX_REPLY_MAX);
    if (code == 0)
        e = (struct expected){ .verb = VERB_UNKNOWN };
    if (!e.swallowed || (e.verb == VERB_DATA && code != 354))
        reply_judge(b, e.verb, buf_span(&reply));
    buf_release(&reply);
    if (front != NULL && code != 0 && (e.verb != VERB_AUTH || code != 334))
        buf_drop(&b->expected, sizeof e);
    reply_meant(b, e, code);
    server_answers(b);
    b->reply_lines = 0;
    b->reply_passing = false;
    b->masked = 0;
}

static void line_over(struct box *b)
{
    unsigned code = head_code(b);
    bool more = code != 0 && b->head_len == 4 && b->head[3] == '-';
    bool text = code == 0 && b->reply_lines > 0; /* of a reply under way */

    b->head_len = 0;
    b->reply_lines++;
    if (!more && !text)
        reply_over(b, code);
}

/* A reply that is too long to be judged leaves as it came. */
static void hold(struct box *b, struct span piece)
{
    if (!b->reply_passing && buf_append(&b->reply, piece))
        return;
    box_emit(b, CLIENT, buf_span(&b->reply));
    buf_release(&b->reply);
    box_emit(b, CLIENT, piece);
    b->reply_passing = true;
}

static void emit_masked(struct box *b, struct span piece)
{
    unsigned char *copy = box_emit_copy(b, CLIENT, piece);

    if (copy != NULL)
        reply_judge_read(b, copy, piece.len);
}

size_t server_take(struct box *b, struct span in)
{
    size_t lf = span_find(in, '\n');
    struct span piece = b->opaque ? in : span_first(in, lf + 1);

    if (b->opaque || b->rules->replies == SCOPE_AFTER)
        box_emit(b, CLIENT, piece);
    else if (b->rules->replies == SCOPE_PER_LINE)
        hold(b, piece);
    else
        emit_masked(b, piece);
    for (size_t i = 0; i < piece.len && b->head_len < 4; i++)
        b->head[b->head_len++] = piece.ptr[i];
    if (!b->opaque && lf < in.len && !b->dead)
        line_over(b);
    return piece.len;
}

void server_finish(struct box *b)
{
    box_emit(b, CLIENT, buf_span(&b->reply));
    buf_release(&b->reply);
}
