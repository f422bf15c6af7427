/* The ground of a box: what leaves now or later, what ends, which commands wait for replies. */
#include "lab/simulator/box_private.h"

enum { RESEGMENT_WAIT_MS = 10 };

struct queued {
    struct box_action action;
    size_t at;
};

void box_action(struct box *b, enum box_action_kind kind, enum side side, struct span bytes)
{
    struct queued q = { { kind, side, { NULL, bytes.len } }, b->bytes.len };

    if (buf_append(&b->bytes, bytes) && buf_append(&b->actions, span_of(&q, sizeof q)))
        return;
    b->dead = true; /* out of memory: the limits are above what one input can emit */
    b->lost = 2;
}

bool box_next(struct box *b, struct box_action *w)
{
    struct queued q;

    if (b->action_at == b->actions.len) {
        buf_release(&b->actions);
        buf_release(&b->bytes);
        b->action_at = 0;
        if (b->lost == 0)
            return false;
        *w = (struct box_action){ .kind = BOX_RESET, .side = SERVER };
        if (--b->lost == 0)
            w->side = CLIENT;
        return true;
    }
    memcpy(&q, b->actions.ptr + b->action_at, sizeof q);
    b->action_at += sizeof q;
    *w = q.action;
    w->bytes = span_first(span_drop(buf_span(&b->bytes), q.at), q.action.bytes.len);
    return true;
}

/* splitmix64 */
uint64_t box_random(struct box *b, uint64_t below)
{
    uint64_t z = b->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % below;
}

void box_emit(struct box *b, enum side to, struct span bytes)
{
    if (b->dead || b->fin_due[to] || b->gone[to])
        return;
    if (!buf_append(&b->out[to], bytes))
        box_kill_packet(b, KILL_RESET, "more is held than a box may hold");
}

unsigned char *box_emit_copy(struct box *b, enum side to, struct span bytes)
{
    uint32_t at = b->out[to].len;

    box_emit(b, to, bytes);
    return b->out[to].len == at + bytes.len ? b->out[to].ptr + at : NULL;
}

void box_emit_text(struct box *b, enum side to, const char *text)
{
    box_emit(b, to, span_str(text));
}

void box_log(struct box *b, const char *text)
{
    box_action(b, BOX_LOG, CLIENT, span_str(text));
}

void box_fin(struct box *b, enum side to)
{
    b->fin_due[to] = true;
}

void box_leave(struct box *b, enum side side)
{
    b->gone[side] = true;
    buf_release(&b->later[side]);
}

void box_reset(struct box *b, enum side side)
{
    if (b->gone[side])
        return;
    box_leave(b, side);
    box_action(b, BOX_RESET, side, span_of(NULL, 0));
}

void box_kill(struct box *b, enum kill_rule how, const char *why)
{
    if (b->dead)
        return;
    box_flush(b);
    box_log(b, why);
    b->dead = true;
    switch (how) {
    case KILL_RESET:
        box_reset(b, CLIENT);
        box_reset(b, SERVER);
        break;
    case KILL_CLOSE:
        box_fin(b, CLIENT);
        box_fin(b, SERVER);
        break;
    case KILL_RESET_CLIENT:
        b->mute = true;
        box_reset(b, CLIENT);
        break;
    }
}

void box_kill_packet(struct box *b, enum kill_rule how, const char *why)
{
    buf_release(&b->out[SERVER]);
    box_kill(b, how, why);
}

void box_stall(struct box *b, const char *why)
{
    box_log(b, why);
    b->state = CLIENT_STALLED;
}

/* ---- what leaves later ---- */

static bool is_late(const struct box *b, enum side to)
{
    return b->later[to].len > 0 || b->rules->resegment ||
           (to == CLIENT && b->rules->tarpit_ms > 0) ||
           (to == SERVER && b->now < b->later_ms[SERVER]);
}

static void send_first(struct box *b, enum side to, size_t n)
{
    struct span first = span_first(buf_span(&b->later[to]), n);

    box_action(b, BOX_SEND, to, first);
    buf_drop(&b->later[to], first.len);
}

/* With a pause before the rest: what leaves at once is one read at the other end. */
static void send_piece(struct box *b, enum side to)
{
    size_t n = b->later[to].len;

    send_first(b, to, box_random(b, 2) == 0 ? n : 1 + (size_t)box_random(b, n));
    b->later_ms[to] = b->now + 1 + box_random(b, RESEGMENT_WAIT_MS);
}

void box_release(struct box *b, enum side to)
{
    if (b->later[to].len == 0 || b->now < b->later_ms[to])
        return;
    if (b->rules->resegment) {
        send_piece(b, to);
    } else if (to == CLIENT && b->rules->tarpit_ms > 0) {
        send_first(b, to, 1);
        b->later_ms[to] = b->now + b->rules->tarpit_ms;
    } else {
        send_first(b, to, b->later[to].len);
    }
}

static void postpone(struct box *b, enum side to)
{
    bool first = b->later[to].len == 0;

    if (!buf_append(&b->later[to], buf_span(&b->out[to]))) {
        buf_release(&b->out[to]);
        box_kill_packet(b, KILL_RESET, "more is held than a box may hold");
        return;
    }
    if (first && b->rules->resegment && box_random(b, 2) == 0)
        b->later_ms[to] = b->now + 1 + box_random(b, RESEGMENT_WAIT_MS);
    box_release(b, to);
}

static void flush_side(struct box *b, enum side to)
{
    if (b->out[to].len > 0 && is_late(b, to))
        postpone(b, to);
    else if (b->out[to].len > 0)
        box_action(b, BOX_SEND, to, buf_span(&b->out[to]));
    buf_release(&b->out[to]);
    if (!b->fin_due[to] || b->fin_sent[to] || b->gone[to] || b->later[to].len > 0)
        return;
    b->fin_sent[to] = true;
    box_action(b, BOX_FIN, to, span_of(NULL, 0));
}

/* The client first: what a box says early, it says before it does the rest. */
void box_flush(struct box *b)
{
    flush_side(b, CLIENT);
    flush_side(b, SERVER);
}

/* ---- commands that wait for replies ---- */

void box_become_opaque(struct box *b)
{
    b->opaque = true;
    b->state = CLIENT_OPAQUE;
}

const struct expected *box_expected(const struct box *b)
{
    return b->expected.len > 0 ? (const struct expected *)(const void *)b->expected.ptr : NULL;
}

bool box_expect(struct box *b, unsigned verb, const char *answer, bool swallowed)
{
    struct expected e = { .answer = answer, .verb = verb, .swallowed = swallowed };

    if (buf_append(&b->expected, span_of(&e, sizeof e)))
        return true;
    if (b->rules->commands == SCOPE_AFTER) {
        box_log(b, "too many commands without a reply: it is a wire from here on");
        box_become_opaque(b);
    } else {
        box_kill_packet(b, KILL_RESET, "too many commands without a reply");
    }
    return false;
}

void box_answer(struct box *b, enum verb verb, const char *text)
{
    if (b->expected.len == 0)
        box_emit_text(b, CLIENT, text);
    else
        (void)box_expect(b, verb, text, false);
}
