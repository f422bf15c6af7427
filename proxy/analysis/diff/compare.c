#include "analysis/diff/compare.h"

#include "analysis/diff/align.h"

#include <stdlib.h>

/* The units of one direction, by their index in the talk. */
struct lane {
    size_t *list;
    size_t len;
};

struct lanes {
    struct compare *c;
    struct lane sent, received;
    bool replies;
};

/* ---- what passed inside TLS for the other one ------------------------------------------ */

/* The unit that began TLS; len: there is none. */
static size_t starttls_at(const struct talk *t)
{
    for (size_t i = 0; i < t->len; i++)
        if (t->units[i].code == 220 && span_equal(t->units[i].verb, SPAN_LIT("STARTTLS")))
            return i;
    return t->len;
}

/* Of a session that the other one could not read to its end: what both could read. */
static size_t readable(const struct talk *own, const struct talk *other)
{
    size_t at = starttls_at(own), others = starttls_at(other);

    if (own->opaque || !other->opaque)
        return own->len;
    if (at < own->len)
        return at + 1;
    return others < own->len ? others : own->len;
}

/* ---- alignment --------------------------------------------------------------------------- */

static bool is_plausible(const struct unit *near, const struct unit *far, unsigned likeness)
{
    bool named = near->verb.len > 0 && far->verb.len > 0;
    bool noop = span_equal(far->verb, SPAN_LIT("NOOP")) && near->line.s.len == far->line.s.len;
    bool older =
        span_equal(near->verb, SPAN_LIT("EHLO")) && span_equal(far->verb, SPAN_LIT("HELO"));

    return (named && span_equal(near->verb, far->verb)) || noop || older ||
           mask_of(near->line, far->line) != MASK_NONE || likeness >= (named ? 80u : 40u);
}

static unsigned line_cost(void *arg, size_t a, size_t b)
{
    const struct lanes *l = arg;
    const struct unit *near = &l->c->near->units[l->sent.list[a]];
    const struct unit *far = &l->c->far->units[l->received.list[b]];

    if (near->kind != far->kind)
        return ALIGN_NEVER;
    if (near->kind == UNIT_CONTENT) {
        bool known = near->content->digest && far->content->digest;
        bool same = near->content->octets == far->content->octets &&
                    (!known || memcmp(near->content->hash, far->content->hash,
                                      sizeof far->content->hash) == 0);
        return same ? 0 : 6;
    }
    if (compare_same_line(near, far))
        return 0;
    unsigned likeness = text_likeness(near->line, far->line);
    return is_plausible(near, far, likeness) ? 3 + (100 - likeness) / 8 : ALIGN_NEVER;
}

/* Replies to what is one command rather go together than others. */
static unsigned reply_cost(void *arg, size_t a, size_t b)
{
    const struct lanes *l = arg;
    const struct unit *far = &l->c->far->units[l->sent.list[a]];
    const struct unit *near = &l->c->near->units[l->received.list[b]];
    bool greetings = far->kind == UNIT_GREETING && near->kind == UNIT_GREETING;
    bool together = greetings || l->c->near_of[l->sent.list[a]] == l->received.list[b];

    if (text_equal(far->reply, near->reply))
        return together ? 0 : 2;
    unsigned likeness = text_likeness(far->reply, near->reply);
    unsigned cost = (far->code == near->code ? 4 : 8) + (100 - likeness) / 16;
    if (together)
        return cost;
    return likeness < 60 ? ALIGN_NEVER : cost + 6;
}

static bool lane_fill(struct lane *l, struct scratch *mem, const struct talk *t, size_t end,
                      bool replies)
{
    l->list = scratch_take(mem, (t->len + 1) * sizeof *l->list);
    if (l->list == NULL)
        return false;
    for (size_t i = 0; i < end; i++)
        if (replies ? t->units[i].has_reply : t->units[i].passed)
            l->list[l->len++] = i;
    return true;
}

/* Both maps by index in the talk; what stands in no lane has no partner. */
static bool lanes_align(struct lanes *l, size_t *received_of, size_t received_len,
                        size_t *sent_of, size_t sent_len)
{
    struct align g = { .cost = l->replies ? reply_cost : line_cost,
                       .arg = l,
                       .a_len = l->sent.len,
                       .b_len = l->received.len };
    size_t *partner = scratch_take(l->c->mem, (l->sent.len + 1) * sizeof *partner);

    for (size_t i = 0; i < sent_len; i++)
        received_of[i] = ALIGN_NONE;
    for (size_t i = 0; i < received_len; i++)
        sent_of[i] = ALIGN_NONE;
    if (partner == NULL || !align_run(&g, l->c->mem, partner))
        return false;
    for (size_t a = 0; a < l->sent.len; a++) {
        if (partner[a] == ALIGN_NONE)
            continue;
        received_of[l->sent.list[a]] = l->received.list[partner[a]];
        sent_of[l->received.list[partner[a]]] = l->sent.list[a];
    }
    return true;
}

static bool is_chunked(const struct unit *u)
{
    return u->kind == UNIT_CONTENT && u->content->via_bdat;
}

/*
 * A chunk whose LAST was lost ends with the session, and its record stands behind those of the
 * commands that followed it.
 */
static void pair_late_contents(struct compare *c, const struct lanes *l)
{
    size_t k = 0;

    for (size_t i = 0; i < l->sent.len; i++) {
        size_t near = l->sent.list[i];
        if (!is_chunked(&c->near->units[near]) || c->far_of[near] != ALIGN_NONE)
            continue;
        while (k < l->received.len && (!is_chunked(&c->far->units[l->received.list[k]]) ||
                                       c->near_of[l->received.list[k]] != ALIGN_NONE))
            k++;
        if (k == l->received.len)
            return;
        c->far_of[near] = l->received.list[k];
        c->near_of[l->received.list[k]] = near;
    }
}

static bool align_lines(struct compare *c, struct lanes *l, size_t near_end, size_t far_end)
{
    *l = (struct lanes){ .c = c };
    if (!lane_fill(&l->sent, c->mem, c->near, near_end, false) ||
        !lane_fill(&l->received, c->mem, c->far, far_end, false) ||
        !lanes_align(l, c->far_of, c->far->len, c->near_of, c->near->len))
        return false;
    pair_late_contents(c, l);
    return true;
}

static bool align_replies(struct compare *c, struct lanes *l, size_t near_end, size_t far_end)
{
    *l = (struct lanes){ .c = c, .replies = true };
    return lane_fill(&l->sent, c->mem, c->far, far_end, true) &&
           lane_fill(&l->received, c->mem, c->near, near_end, true) &&
           lanes_align(l, c->reply_near_of, c->near->len, c->reply_far_of, c->far->len);
}

/* ---- telling ---- */

static void tell_lines(struct compare *c, const struct lanes *l)
{
    for (size_t i = 0; i < l->sent.len; i++) {
        size_t near = l->sent.list[i], far = c->far_of[near];
        const struct unit *u = &c->near->units[near];
        if (far == ALIGN_NONE)
            compare_unpaired_near(c, near);
        else if (u->kind == UNIT_CONTENT)
            compare_contents(c, u, &c->far->units[far]);
        else if (!compare_same_line(u, &c->far->units[far]))
            compare_lines(c, u, &c->far->units[far]);
    }
    for (size_t i = 0; i < l->received.len; i++)
        if (c->near_of[l->received.list[i]] == ALIGN_NONE)
            compare_unpaired_far(c, l->received.list[i]);
}

static bool text_join(struct text *t, struct scratch *mem, struct text more)
{
    unsigned char *p = scratch_take(mem, t->s.len + more.s.len);

    if (p == NULL)
        return false;
    memcpy(p, t->s.ptr, t->s.len);
    memcpy(p + t->s.len, more.s.ptr, more.s.len);
    *t = (struct text){ .s = span_of(p, t->s.len + more.s.len) };
    return true;
}

/*
 * A reply that was cut in two on the way is a reply and octets nobody asked for: together they
 * are what the server sent.
 */
static void join_pieces(struct compare *c, const struct lanes *l)
{
    for (size_t i = 1; i < l->received.len; i++) {
        struct unit *u = &c->near->units[l->received.list[i]];
        struct unit *before = &c->near->units[l->received.list[i - 1]];
        size_t far = c->reply_far_of[l->received.list[i - 1]];
        if (u->passed || c->reply_far_of[l->received.list[i]] != ALIGN_NONE ||
            far == ALIGN_NONE ||
            before->reply.s.len + u->reply.s.len > c->far->units[far].reply.s.len + 1 ||
            !text_join(&before->reply, c->mem, u->reply))
            continue;
        c->reply_far_of[l->received.list[i]] = far;
        *u = (struct unit){ .n = u->n, .kind = u->kind };
        l->received.list[i] = l->received.list[i - 1];
    }
}

static void tell_replies(struct compare *c, const struct lanes *l)
{
    join_pieces(c, l);
    for (size_t i = 0; i < l->sent.len; i++) {
        size_t far = l->sent.list[i], near = c->reply_near_of[far];
        if (near == ALIGN_NONE)
            compare_reply_only_far(c, far);
        else if (!text_equal(c->far->units[far].reply, c->near->units[near].reply))
            compare_replies(c, &c->near->units[near], &c->far->units[far]);
    }
    for (size_t i = 0; i < l->received.len; i++)
        if (c->reply_far_of[l->received.list[i]] == ALIGN_NONE)
            compare_reply_only_near(c, l->received.list[i]);
}

static bool maps_make(struct compare *c)
{
    size_t near = (c->near->len + 1) * sizeof(size_t), far = (c->far->len + 1) * sizeof(size_t);

    c->far_of = scratch_take(c->mem, near);
    c->reply_far_of = scratch_take(c->mem, near);
    c->near_of = scratch_take(c->mem, far);
    c->reply_near_of = scratch_take(c->mem, far);
    return c->far_of != NULL && c->near_of != NULL && c->reply_far_of != NULL &&
           c->reply_near_of != NULL;
}

/* NEAR's record first: the one that has it decides. */
static uint64_t place_of(const struct diff_finding *f)
{
    bool reply = f->way == WAY_REPLY;
    uint32_t near = reply ? f->received.record : f->sent.record;
    uint32_t far = reply ? f->sent.record : f->received.record;

    return (uint64_t)(near != 0 ? near : far) << 32 | far;
}

/* Few, and nearly in order. */
static void sort_by_place(struct compare *c)
{
    for (size_t i = 1; i < c->len; i++) {
        struct diff_finding f = c->list[i];
        size_t k = i;
        for (; k > 0 && place_of(&c->list[k - 1]) > place_of(&f); k--)
            c->list[k] = c->list[k - 1];
        c->list[k] = f;
    }
}

/* What the received side has is what a finding shows, and no more of it than can be kept. */
static void finish(struct compare *c)
{
    for (size_t i = 0; i < c->len; i++) {
        struct diff_finding *f = &c->list[i];
        const struct diff_excerpt *e = f->received.record != 0 ? &f->received : &f->sent;
        f->f.record = e->record;
        f->f.field = e->field;
        f->f.at = e->at;
        f->sent.octets = span_first(f->sent.octets, DIFF_EXCERPT_MAX);
        f->received.octets = span_first(f->received.octets, DIFF_EXCERPT_MAX);
        if (f->f.confidence > c->pair)
            f->f.confidence = c->pair;
    }
}

bool compare_talks(struct compare *c)
{
    size_t near_end = readable(c->near, c->far), far_end = readable(c->far, c->near);
    struct lanes lines, replies;

    c->len = 0;
    c->mta_hop = false;
    if (!maps_make(c) || !align_lines(c, &lines, near_end, far_end) ||
        !align_replies(c, &replies, near_end, far_end))
        return false;
    tell_lines(c, &lines);
    tell_replies(c, &replies);
    compare_packets(c);
    compare_sessions(c);
    sort_by_place(c);
    finish(c);
    return true;
}
