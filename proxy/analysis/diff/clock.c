#include "analysis/diff/clock.h"

enum { LEAST_ERROR_US = 1000, FORWARD_MAX_US = 100000 };

/* Both have exactly the same exchange, which the server itself answered. */
static bool is_same(const struct unit *a, const struct unit *b)
{
    return a->kind == UNIT_COMMAND && b->kind == UNIT_COMMAND && a->passed && b->passed &&
           a->has_reply && b->has_reply && !a->added && text_equal(a->line, b->line) &&
           text_equal(a->reply, b->reply) && a->line.s.len > 0 &&
           a->forward_us < FORWARD_MAX_US;
}

static void learn_one(struct clock_guess *g, const struct unit *near, const struct unit *far)
{
    int64_t sent = (int64_t)(near->t_us + near->forward_us), came = (int64_t)far->t_us;
    int64_t left = (int64_t)(far->t_us + far->reply_us);
    int64_t heard = (int64_t)(near->t_us + near->reply_us);
    int64_t way = (heard - sent) - (left - came);

    if (way < 0 || (g->known && (uint64_t)way >= g->way_us))
        return;
    g->known = true;
    g->way_us = (uint64_t)way;
    g->ahead_us = ((came - sent) + (left - heard)) / 2;
}

void clock_learn(struct clock_guess *g, const struct talk *near, const struct talk *far)
{
    size_t k = 0;

    for (size_t i = 0; i < near->len; i++) {
        size_t look = k;
        while (look < far->len && look < k + 4 && !is_same(&near->units[i], &far->units[look]))
            look++;
        if (look == far->len || look == k + 4)
            continue;
        learn_one(g, &near->units[i], &far->units[look]);
        k = look + 1;
    }
}

struct diff_clock clock_of(const struct clock_guess *g)
{
    return (struct diff_clock){ .known = g->known,
                                .ahead_us = g->ahead_us,
                                .error_us = g->way_us / 2 + LEAST_ERROR_US };
}
