#include "capture/flow.h"

#include "base/hash64.h"

#include <stdlib.h>

void flow_init(struct flow *f, size_t *held_in_all)
{
    *f = (struct flow){ .held_in_all = held_in_all };
}

static size_t cost(const struct held *h)
{
    return sizeof *h + h->len;
}

static void free_first(struct flow *f)
{
    struct held *h = f->first;

    f->first = h->next;
    if (f->first == NULL)
        f->last = NULL;
    f->pieces--;
    f->held -= cost(h);
    *f->held_in_all -= cost(h);
    free(h);
}

void flow_discard(struct flow *f)
{
    while (f->first != NULL)
        free_first(f);
    f->fin = f->fin && f->fin_seq == f->next;
}

void flow_deinit(struct flow *f)
{
    while (f->first != NULL)
        free_first(f);
}

void flow_start(struct flow *f, uint32_t next)
{
    f->started = true;
    f->begin = f->next = next;
}

void flow_acknowledge(struct flow *f, uint32_t ack)
{
    if (f->heard && !seq_before(f->acked, ack))
        return;
    f->heard = true;
    f->acked = ack;
}

/* ---- what was given out ----------------------------------------------------------- */

static uint32_t hash_of(struct span octets)
{
    return (uint32_t)hash64(octets);
}

void flow_pass(struct flow *f, struct span octets)
{
    struct sent *s = &f->sent[f->sent_at++ % FLOW_REMEMBERED];

    *s = (struct sent){ f->next, (uint32_t)octets.len, hash_of(octets) };
    f->next += (uint32_t)octets.len;
}

/* A keepalive repeats the octet before `next`, and any octet will do (RFC 9293 3.8.4). */
static bool was_same(const struct flow *f, const struct segment *s)
{
    if (s->payload.len <= 1 || s->cut > 0)
        return true;
    for (unsigned i = 0; i < FLOW_REMEMBERED; i++)
        if (f->sent[i].len == s->payload.len && f->sent[i].seq == s->seq)
            return f->sent[i].hash == hash_of(s->payload);
    return true; /* not remembered in this form */
}

static void note_fin(struct flow *f, const struct segment *s, uint64_t order)
{
    uint32_t end = s->seq + (uint32_t)(s->payload.len + s->cut);

    if ((s->flags & SEGMENT_FIN) == 0 || f->fin || seq_before(end, f->next))
        return;
    f->fin = true;
    f->fin_seq = end;
    f->fin_ack = s->ack;
    f->fin_us = s->t_us;
    f->fin_order = order;
}

bool flow_trim(struct flow *f, struct segment *s, uint64_t order)
{
    uint32_t old = f->next - s->seq;
    bool same;

    note_fin(f, s, order);
    if (f->fin && seq_before(f->fin_seq, s->seq + (uint32_t)s->payload.len))
        s->payload.len = seq_before(s->seq, f->fin_seq) ? f->fin_seq - s->seq : 0;
    if (!seq_before(s->seq, f->next))
        return true;
    same = was_same(f, s);
    s->seq += old < s->payload.len ? old : (uint32_t)s->payload.len;
    s->payload = span_drop(s->payload, old);
    return same;
}

bool flow_is_next(const struct flow *f, const struct segment *s)
{
    return f->first == NULL && s->seq == f->next && !f->ended;
}

/* ---- what waits ------------------------------------------------------------------- */

/* Keeps a part of the segment behind the piece `before`; NULL: in front of all. */
static void insert(struct flow *f, struct held *before, const struct segment *s, uint32_t seq,
                   uint32_t len, uint64_t order)
{
    struct held *h = malloc(sizeof *h + len);
    struct held **at = before != NULL ? &before->next : &f->first;

    if (h == NULL)
        return;
    *h = (struct held){ .next = *at,
                        .t_us = s->t_us,
                        .order = order,
                        .seq = seq,
                        .len = len,
                        .ack = s->ack,
                        .acks = (s->flags & SEGMENT_ACK) != 0 };
    memcpy(h->bytes, s->payload.ptr + (seq - s->seq), len);
    *at = h;
    if (h->next == NULL)
        f->last = h;
    f->pieces++;
    f->held += cost(h);
    *f->held_in_all += cost(h);
}

/* Octets of the segment that the piece holds already: are they the same? */
static bool overlap_is_same(const struct held *h, const struct segment *s, uint32_t end)
{
    uint32_t from = seq_before(h->seq, s->seq) ? s->seq : h->seq;
    uint32_t to = seq_before(h->seq + h->len, end) ? h->seq + h->len : end;

    return memcmp(h->bytes + (from - h->seq), s->payload.ptr + (from - s->seq), to - from) == 0;
}

bool flow_hold(struct flow *f, const struct segment *s, uint64_t order)
{
    uint32_t seq = s->seq, end = seq + (uint32_t)s->payload.len;
    struct held *before = NULL, *h = f->first;
    bool same = true;

    if (f->last != NULL && !seq_before(seq, f->last->seq + f->last->len)) {
        before = f->last; /* by far the most frequent case */
        h = NULL;
    }
    for (; h != NULL && seq_before(h->seq, end); h = h->next) {
        if (seq_before(seq, h->seq))
            insert(f, before, s, seq, h->seq - seq, order);
        if (seq_before(seq, h->seq + h->len)) {
            same = overlap_is_same(h, s, end) && same;
            seq = h->seq + h->len;
        }
        before = h;
    }
    if (seq_before(seq, end))
        insert(f, before, s, seq, end - seq, order);
    return same;
}

bool flow_is_full(const struct flow *f)
{
    return f->held > FLOW_HELD_MAX || f->pieces > FLOW_PIECES_MAX;
}

const struct held *flow_ready(const struct flow *f)
{
    return f->first != NULL && f->first->seq == f->next ? f->first : NULL;
}

void flow_take(struct flow *f)
{
    flow_pass(f, span_of(f->first->bytes, f->first->len));
    free_first(f);
}

void flow_skip(struct flow *f, uint32_t seq)
{
    f->next = seq;
}

bool flow_fin_waits(const struct flow *f)
{
    return f->fin && !f->ended && !seq_before(f->fin_seq, f->next);
}

void flow_end(struct flow *f)
{
    f->ended = true;
    f->next = f->fin_seq + 1;
}

uint32_t flow_missing(const struct flow *f)
{
    uint32_t n = f->acked - f->next;

    if (!f->started || !f->heard || !seq_before(f->next, f->acked))
        return 0;
    return n == 1 && !f->fin ? 0 : n; /* one: a FIN that was not captured */
}
