/*
 * relay_pace - how slowly mail data may come (limits.min_rate).
 *
 * The client has twice data_block_timeout in hand when it may begin. Waiting for it uses that
 * up, each octet gives back what it takes at the lowest rate, never more than what there was at
 * first: a sender that pauses, or is silent until it times out, does not come to its end; one
 * octet for each timeout does. While the client is not read, because something else is slow,
 * nothing is used up.
 */
#include "relay/relay_private.h"

static bool pace_counts(const struct relay *r)
{
    return r->phase == RELAY_PASSING && r->wait == WAIT_DATA_BLOCK &&
           !r->service->env.observe && r->service->settings->min_rate > 0;
}

void relay_pace_update(struct relay *r)
{
    const struct relay_settings *s = r->service->settings;
    struct pace *p = &r->pace;
    uint64_t now_ms = relay_now_ms(r), received = r->leg[CLIENT].tcp.received;
    uint64_t most_ms = 2 * (uint64_t)s->timeouts.data_block;

    if (!pace_counts(r)) {
        p->runs = false;
        return;
    }
    if (!p->runs)
        *p = (struct pace){ .runs = true, .octets = received, .left_ms = most_ms };
    uint64_t waited_ms = p->held || p->since_ms == 0 ? 0 : now_ms - p->since_ms;
    p->left_ms -= waited_ms < p->left_ms ? waited_ms : p->left_ms;
    p->left_ms += (received - p->octets) * 1000 / s->min_rate;
    if (p->left_ms > most_ms)
        p->left_ms = most_ms;
    p->octets = received;
    p->since_ms = now_ms;
    p->held = r->leg[CLIENT].tcp.holds != 0;
}

uint64_t relay_pace_due_ms(const struct relay *r)
{
    return r->pace.runs && !r->pace.held ? r->pace.since_ms + r->pace.left_ms : 0;
}

bool relay_pace_is_over(const struct relay *r)
{
    uint64_t due_ms = relay_pace_due_ms(r);

    return due_ms != 0 && due_ms <= relay_now_ms(r);
}
