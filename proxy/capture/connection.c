#include "capture/connection.h"

#include "smtp/reply.h"

enum {
    AHEAD_MAX = 1 << 30, /* RFC 7323 2.3: no window is larger */
    TLS_HANDSHAKE = 0x16,
    GREETING_LOOK = 512,
    FIRST_MAX = 4096, /* a greeting of several lines */
};

/* Not further ahead than any window reaches. */
static bool is_believable(const struct flow *f, uint32_t seq)
{
    return seq_before(seq, f->next) || seq - f->next <= AHEAD_MAX;
}

void connection_init(struct connection *c, struct connection_env *env, const struct segment *s,
                     enum side from, bool on_port)
{
    *c = (struct connection){ .env = env, .on_port = on_port };
    c->first_us = c->last_us = s->t_us;
    c->addr[from] = s->from;
    c->addr[side_other(from)] = s->to;
    buf_init(&c->first, FIRST_MAX);
    flow_init(&c->flow[CLIENT], &env->held);
    flow_init(&c->flow[SERVER], &env->held);
}

void connection_deinit(struct connection *c)
{
    flow_deinit(&c->flow[CLIENT]);
    flow_deinit(&c->flow[SERVER]);
    buf_release(&c->first);
    feed_free(&c->feed);
}

/* ---- what kind of connection is this? --------------------------------------------- */

bool connection_is_greeting(struct span octets)
{
    struct span line = span_first(octets, GREETING_LOOK);

    if (!span_starts_with(line, SPAN_LIT("220")) || line.len < 4 ||
        (line.ptr[3] != ' ' && line.ptr[3] != '-'))
        return false;
    if (reply_looks_masked(line))
        return true;
    for (size_t i = 4; i + 4 <= line.len; i++)
        if (span_starts_with_nocase(span_drop(line, i), SPAN_LIT("SMTP")))
            return true;
    return false;
}

/* FTP and others greet with 220, too. */
static bool may_be_greeting(struct span octets)
{
    return octets.len >= 4 && span_starts_with(octets, SPAN_LIT("220")) &&
           (octets.ptr[3] == ' ' || octets.ptr[3] == '-');
}

static bool is_hello(struct span octets)
{
    return span_starts_with_nocase(octets, SPAN_LIT("EHLO ")) ||
           span_starts_with_nocase(octets, SPAN_LIT("HELO "));
}

/* What is said first tells how to read the rest; NULL: from the greeting on. */
static const char *unreadable(const struct connection *c, enum side from, struct span octets)
{
    if (!c->start && !(from == SERVER && connection_is_greeting(octets)))
        return "capture-start";
    if (from == CLIENT && octets.len > 0 && octets.ptr[0] == TLS_HANDSHAKE)
        return "implicit-tls";
    return NULL;
}

static struct span syn_span(const struct syn_options *o)
{
    return span_of(o->octets, o->len);
}

static bool open_feed(struct connection *c)
{
    const struct feed_open open = {
        .client = &c->addr[CLIENT],
        .server = &c->addr[SERVER],
        .t_us = c->first_us,
        .answered_us = c->answered_us,
        .syn = { syn_span(&c->syn_options[CLIENT]), syn_span(&c->syn_options[SERVER]) },
    };

    c->feed = feed_new(&c->env->feed, &open);
    if (c->feed == NULL)
        return false;
    c->env->result->sessions++;
    return true;
}

static bool is_wanted(const struct connection *c, enum side from, struct span octets)
{
    return c->on_port || (from == SERVER && connection_is_greeting(octets)) ||
           (from == CLIENT && is_hello(octets));
}

/* Not known yet what it is: the client's first word will tell. */
static bool waits_for_client(struct connection *c, enum side from, struct span octets,
                             uint64_t t_us)
{
    if (from == CLIENT || is_wanted(c, from, octets) ||
        (c->first.len == 0 && !may_be_greeting(octets)))
        return false;
    if (c->first.len == 0)
        c->first_said_us = t_us;
    return buf_append(&c->first, octets);
}

/* Something is to be passed on for the first time. False: nobody is interested. */
static bool begin(struct connection *c, enum side from, struct span octets)
{
    bool wanted = is_wanted(c, from, octets);
    const char *why = unreadable(c, from, octets);

    if (!wanted || !open_feed(c)) {
        c->foreign = true;
        return false;
    }
    if (why != NULL)
        feed_opaque(c->feed, why, c->last_us);
    return true;
}

/* ---- passing on ------------------------------------------------------------------- */

static void bury(struct connection *c)
{
    c->dead = true;
    c->stuck_us = 0;
    feed_free(&c->feed);
    buf_release(&c->first);
    flow_deinit(&c->flow[CLIENT]);
    flow_deinit(&c->flow[SERVER]);
}

void connection_ignore(struct connection *c)
{
    c->foreign = c->start = true;
    bury(c);
}

static void check_over(struct connection *c)
{
    if (c->foreign || (c->feed != NULL && c->feed->over))
        bury(c);
}

static void pass_octets(struct connection *c, enum side from, struct span octets, uint64_t t_us)
{
    if (c->feed == NULL && waits_for_client(c, from, octets, t_us))
        return;
    if (c->feed == NULL && !begin(c, from, octets))
        return;
    if (c->first.len > 0)
        feed_bytes(c->feed, SERVER, buf_span(&c->first), c->first_said_us);
    buf_release(&c->first);
    feed_bytes(c->feed, from, octets, t_us);
}

static void pass_end(struct connection *c, enum side from, enum close_kind how, uint64_t t_us)
{
    if (c->feed != NULL || begin(c, from, SPAN_LIT("")))
        feed_eof(c->feed, from, how, t_us);
    check_over(c);
}

/* Bytes up to `upto` are given up. */
static void pass_gap(struct connection *c, enum side from, uint32_t upto)
{
    uint32_t octets = upto - c->flow[from].next;

    flow_skip(&c->flow[from], upto);
    c->lost = true;
    if (c->feed != NULL || begin(c, from, SPAN_LIT(""))) {
        feed_gap(c->feed, from, octets, c->last_us);
        c->env->result->gaps++;
        c->env->result->missing += octets;
    }
    check_over(c);
}

/* Had its sender received more than was passed on? Then that comes first. */
static bool is_early(const struct connection *c, enum side from, bool acks, uint32_t ack)
{
    const struct flow *f = &c->flow[side_other(from)];

    return acks && f->started && is_believable(f, ack) && seq_before(f->next, ack);
}

/* Is something of this side to be passed on now? Its place in the file, else UINT64_MAX. */
static uint64_t ready_order(const struct connection *c, enum side from)
{
    const struct flow *f = &c->flow[from];
    const struct held *h = flow_ready(f);

    if (h != NULL)
        return is_early(c, from, h->acks, h->ack) ? UINT64_MAX : h->order;
    if (flow_fin_waits(f) && f->fin_seq == f->next && !is_early(c, from, true, f->fin_ack))
        return f->fin_order;
    return UINT64_MAX;
}

/* What is first in line of this side: bytes, or the FIN. */
static void pass_first(struct connection *c, enum side from)
{
    struct flow *f = &c->flow[from];
    const struct held *h = flow_ready(f);

    if (h == NULL) {
        flow_end(f);
        pass_end(c, from, END_FIN, f->fin_us);
        return;
    }
    pass_octets(c, from, span_of(h->bytes, h->len), h->t_us);
    flow_take(f);
    check_over(c);
}

/* All that can be passed on, in the order of the file. */
static void drain(struct connection *c)
{
    while (!c->dead) {
        uint64_t client = ready_order(c, CLIENT), server = ready_order(c, SERVER);

        if (client == UINT64_MAX && server == UINT64_MAX)
            return;
        pass_first(c, client < server ? CLIENT : SERVER);
    }
}

/* ---- what waits, for how long, and what is given up for it ---- */

/* What waits longest: octets or a FIN, and where they belong. */
struct waiting {
    enum side side;
    uint64_t order;
    uint32_t seq, ack;
};

static bool waits(const struct connection *c, enum side side, struct waiting *w)
{
    const struct flow *f = &c->flow[side];

    *w = (struct waiting){ .side = side, .order = UINT64_MAX };
    if (f->first != NULL) {
        w->order = f->first->order;
        w->seq = f->first->seq;
        w->ack = f->first->ack;
    } else if (flow_fin_waits(f)) {
        w->order = f->fin_order;
        w->seq = f->fin_seq;
        w->ack = f->fin_ack;
    }
    return w->order != UINT64_MAX;
}

static bool find_waiting(const struct connection *c, struct waiting *w)
{
    struct waiting server;
    bool client = waits(c, CLIENT, w);

    if (waits(c, SERVER, &server) && (!client || server.order < w->order))
        *w = server;
    return w->order != UINT64_MAX;
}

/* Does the other side have all that is missing here? */
static bool is_acknowledged(const struct connection *c, const struct waiting *w)
{
    const struct flow *f = &c->flow[w->side];

    if (w->seq == f->next)
        return true; /* it is the other flow that misses what was acknowledged */
    return f->heard && !seq_before(f->acked, w->seq);
}

/* How far octets of this flow are missing that the other side had when it said `ack`. */
static uint32_t missing_upto(const struct flow *f, uint32_t ack, bool at_fin)
{
    uint32_t upto = ack;

    if (f->first != NULL && seq_before(f->first->seq, upto))
        upto = f->first->seq;
    if (flow_fin_waits(f) && seq_before(f->fin_seq, upto))
        upto = f->fin_seq;
    if (at_fin && upto == f->next + 1 && f->first == NULL && !f->fin)
        upto = f->next; /* a FIN that was not captured */
    return upto;
}

/* Gives up what is missing in front of it. */
static void give_up(struct connection *c, const struct waiting *w)
{
    struct flow *f = &c->flow[w->side], *o = &c->flow[side_other(w->side)];

    if (w->seq != f->next) {
        pass_gap(c, w->side, w->seq);
        return;
    }
    uint32_t upto = missing_upto(o, w->ack, f->first == NULL);
    if (seq_before(o->next, upto))
        pass_gap(c, side_other(w->side), upto);
    else
        pass_first(c, w->side); /* each claims to be the answer to the other */
}

static bool is_full(const struct connection *c)
{
    return flow_is_full(&c->flow[CLIENT]) || flow_is_full(&c->flow[SERVER]) ||
           c->env->held > CONNECTION_HELD_MAX;
}

static bool is_due(const struct connection *c, const struct waiting *w)
{
    uint64_t patience = c->lost ? 0 : CONNECTION_PATIENCE_US;

    return is_full(c) || (is_acknowledged(c, w) && c->last_us - c->stuck_us >= patience);
}

/* After each segment: is there a hole that is due? */
static void look_at_waiting(struct connection *c)
{
    struct waiting w;

    while (!c->dead && find_waiting(c, &w)) {
        if (c->stuck_us == 0)
            c->stuck_us = c->last_us;
        if (!is_due(c, &w))
            return;
        give_up(c, &w);
        drain(c);
        c->stuck_us = 0;
    }
    c->stuck_us = 0;
}

/* Nothing more will come: what was acknowledged is missing, what was not never arrived. */
static void settle(struct connection *c)
{
    struct waiting w;

    while (!c->dead && find_waiting(c, &w)) {
        if (c->flow[w.side].heard && !is_acknowledged(c, &w))
            flow_discard(&c->flow[w.side]);
        else
            give_up(c, &w);
        drain(c);
    }
    for (int side = CLIENT; side <= SERVER && !c->dead; side++)
        if (flow_missing(&c->flow[side]) > 0)
            pass_gap(c, (enum side)side, c->flow[side].acked);
}

/* ---- segments --------------------------------------------------------------------- */

static void take_options(struct syn_options *o, const struct segment *s)
{
    if (o->seen || s->options.len > sizeof o->octets)
        return;
    o->seen = true;
    o->len = (uint8_t)s->options.len;
    if (o->len > 0)
        memcpy(o->octets, s->options.ptr, o->len);
}

static void take_syn(struct connection *c, enum side from, const struct segment *s)
{
    take_options(&c->syn_options[from], s);
    c->start = true;
    if (from == CLIENT)
        c->syn = true;
    if (from == SERVER && c->answered_us == 0)
        c->answered_us = s->t_us;
}

static void refuse(struct connection *c, const char *error)
{
    if (c->on_port && open_feed(c))
        feed_refused(c->feed, &c->addr[SERVER], error, c->last_us);
    c->foreign = !c->on_port;
    bury(c);
}

static bool is_refusal(const struct connection *c, enum side from)
{
    return from == SERVER && c->syn && c->answered_us == 0 && c->feed == NULL &&
           !c->flow[SERVER].started;
}

static void take_reset(struct connection *c, enum side from, const struct segment *s)
{
    const struct flow *f = &c->flow[from];

    if (is_refusal(c, from)) {
        refuse(c, "connection refused");
        return;
    }
    if (f->started && s->seq - f->next > AHEAD_MAX)
        return; /* of the past: nobody heeds it */
    settle(c);
    if (c->dead)
        return;
    if (f->ended) /* its FIN came before: what resets it now is all that it did not want to hear
                   */
        pass_end(c, side_other(from), END_FIN, c->last_us);
    else
        pass_end(c, from, END_RESET, c->last_us);
}

static void take_ack(struct connection *c, enum side from, const struct segment *s)
{
    struct flow *f = &c->flow[side_other(from)];

    if (!f->started)
        flow_start(f, s->ack);
    if (is_believable(f, s->ack))
        flow_acknowledge(f, s->ack);
}

static void take_octets(struct connection *c, enum side from, const struct segment *s)
{
    struct flow *f = &c->flow[from];
    bool acks = (s->flags & SEGMENT_ACK) != 0;

    if (flow_is_next(f, s) && !is_early(c, from, acks, s->ack)) {
        pass_octets(c, from, s->payload, s->t_us);
        flow_pass(f, s->payload);
        check_over(c);
    } else if (!flow_hold(f, s, c->env->order)) {
        c->env->result->differing++;
    }
}

void connection_take(struct connection *c, struct segment *s)
{
    enum side from = addr_equal(&s->from, &c->addr[CLIENT]) ? CLIENT : SERVER;
    struct flow *f = &c->flow[from];

    if (c->dead)
        return;
    if (s->t_us > c->last_us)
        c->last_us = s->t_us;
    if ((s->flags & SEGMENT_SYN) != 0)
        take_syn(c, from, s);
    if ((s->flags & SEGMENT_RST) != 0) {
        take_reset(c, from, s);
        return;
    }
    if (!f->started)
        flow_start(f, s->seq);
    if ((s->flags & SEGMENT_ACK) != 0)
        take_ack(c, from, s);
    if (!is_believable(f, s->seq))
        return;
    if (!flow_trim(f, s, c->env->order))
        c->env->result->differing++;
    if (s->payload.len > 0 && !f->ended)
        take_octets(c, from, s);
    drain(c);
    look_at_waiting(c);
}

bool connection_is_renewed(const struct connection *c, const struct segment *s)
{
    const struct flow *f = &c->flow[CLIENT];
    bool same = f->started && s->seq == f->begin && addr_equal(&s->from, &c->addr[CLIENT]);

    return (s->flags & (SEGMENT_SYN | SEGMENT_ACK | SEGMENT_RST)) == SEGMENT_SYN && !same;
}

void connection_end(struct connection *c, enum close_reason why)
{
    if (c->dead)
        return;
    settle(c);
    if (c->dead)
        return;
    if (c->feed == NULL && c->syn && c->answered_us == 0) {
        refuse(c, "no answer");
        return;
    }
    if (c->feed != NULL || begin(c, CLIENT, SPAN_LIT("")))
        feed_end(c->feed, why, c->last_us);
    bury(c);
}
