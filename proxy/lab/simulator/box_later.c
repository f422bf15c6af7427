/* Wishes, and what has to wait for its time before it becomes one. */
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

bool box_is_late(const struct box *b, enum side to)
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

void box_postpone(struct box *b, enum side to)
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

void box_time(struct box *b, uint64_t now_ms)
{
    if (now_ms > b->now)
        b->now = now_ms;
    if (!b->gone[CLIENT])
        box_release(b, CLIENT);
    if (!b->gone[SERVER])
        box_release(b, SERVER);
    box_flush(b);
}

uint64_t box_wake_ms(const struct box *b)
{
    uint64_t due = UINT64_MAX;

    for (unsigned i = 0; i < 2; i++)
        if (b->later[i].len > 0 && b->later_ms[i] < due)
            due = b->later_ms[i];
    return due;
}
