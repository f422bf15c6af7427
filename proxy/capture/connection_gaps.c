/* connection_gaps - what waits, for how long, and what is given up for it. */
#include "capture/connection_private.h"

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
        connection_pass_gap(c, w->side, w->seq);
        return;
    }
    uint32_t upto = missing_upto(o, w->ack, f->first == NULL);
    if (seq_before(o->next, upto))
        connection_pass_gap(c, side_other(w->side), upto);
    else
        connection_pass_first(c, w->side); /* each claims to be the answer to the other */
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

void connection_look_at_waiting(struct connection *c)
{
    struct waiting w;

    while (!c->dead && find_waiting(c, &w)) {
        if (c->stuck_us == 0)
            c->stuck_us = c->last_us;
        if (!is_due(c, &w))
            return;
        give_up(c, &w);
        connection_drain(c);
        c->stuck_us = 0;
    }
    c->stuck_us = 0;
}

void connection_settle(struct connection *c)
{
    struct waiting w;

    while (!c->dead && find_waiting(c, &w)) {
        if (c->flow[w.side].heard && !is_acknowledged(c, &w))
            flow_discard(&c->flow[w.side]);
        else
            give_up(c, &w);
        connection_drain(c);
    }
    for (int side = CLIENT; side <= SERVER && !c->dead; side++)
        if (flow_missing(&c->flow[side]) > 0)
            connection_pass_gap(c, (enum side)side, c->flow[side].acked);
}
