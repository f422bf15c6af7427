#include "analysis/diff/align.h"

#include <stdlib.h>

enum step { STEP_BOTH, STEP_A, STEP_B };

/* One window: rows of the first sequence, columns of the second, from where each begins. */
struct window {
    const struct align *g;
    size_t a, b, rows, columns;
    unsigned char *steps; /* (rows + 1) * (columns + 1) of enum step */
    uint32_t *costs;      /* two rows */
};

static void first_row(struct window *w)
{
    for (size_t k = 0; k <= w->columns; k++) {
        w->costs[k] = (uint32_t)(k * ALIGN_GAP);
        w->steps[k] = STEP_B;
    }
}

static void fill_row(struct window *w, size_t i)
{
    size_t width = w->columns + 1;
    const uint32_t *above = w->costs + (i - 1) % 2 * width;
    uint32_t *row = w->costs + i % 2 * width;
    unsigned char *steps = w->steps + i * width;

    row[0] = above[0] + ALIGN_GAP;
    steps[0] = STEP_A;
    for (size_t k = 1; k <= w->columns; k++) {
        unsigned cost = w->g->cost(w->g->arg, w->a + i - 1, w->b + k - 1);
        row[k] = above[k - 1] + cost;
        steps[k] = STEP_BOTH;
        if (above[k] + ALIGN_GAP < row[k]) {
            row[k] = above[k] + ALIGN_GAP;
            steps[k] = STEP_A;
        }
        if (row[k - 1] + ALIGN_GAP < row[k]) {
            row[k] = row[k - 1] + ALIGN_GAP;
            steps[k] = STEP_B;
        }
    }
}

/* Follows the steps back; what lies before (rows, columns) gets its partner. */
static void trace(const struct window *w, size_t *partner)
{
    size_t i = w->rows, k = w->columns;

    while (i > 0 || k > 0) {
        enum step s = (enum step)w->steps[i * (w->columns + 1) + k];
        if (s == STEP_BOTH)
            partner[w->a + i - 1] = w->b + k - 1;
        else if (s == STEP_A)
            partner[w->a + i - 1] = ALIGN_NONE;
        i -= s != STEP_B;
        k -= s != STEP_A;
    }
}

static void solve(struct window *w, size_t *partner)
{
    first_row(w);
    for (size_t i = 1; i <= w->rows; i++)
        fill_row(w, i);
    trace(w, partner);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * The window is not the last one: what was found in its second half may be different when
 * more is known. Where the next one begins.
 */
static void advance(struct window *w, const size_t *partner)
{
    size_t half = w->rows / 2 + 1, b = w->b;

    for (size_t i = 0; i < half && i < w->rows; i++)
        if (partner[w->a + i] != ALIGN_NONE)
            b = partner[w->a + i] + 1;
    if (b == w->b) /* nothing fits at all: go on in both */
        b += least(w->columns, w->columns / 2 + 1);
    w->a += least(half, w->rows);
    w->b = b;
}

bool align_run(const struct align *g, struct scratch *mem, size_t *partner)
{
    size_t begin = 0, end = 0, shorter = least(g->a_len, g->b_len);

    while (begin < shorter && g->cost(g->arg, begin, begin) == 0) {
        partner[begin] = begin;
        begin++;
    }
    while (begin + end < shorter &&
           g->cost(g->arg, g->a_len - 1 - end, g->b_len - 1 - end) == 0) {
        partner[g->a_len - 1 - end] = g->b_len - 1 - end;
        end++;
    }
    for (size_t i = begin; i < g->a_len - end; i++)
        partner[i] = ALIGN_NONE;
    struct window w = { .g = g, .a = begin, .b = begin };
    size_t a_end = g->a_len - end, b_end = g->b_len - end;
    size_t rows = least(a_end - begin, ALIGN_WINDOW),
           columns = least(b_end - begin, ALIGN_WINDOW);
    if (rows == 0 || columns == 0)
        return true;
    w.steps = scratch_take(mem, (rows + 1) * (columns + 1));
    w.costs = scratch_take(mem, 2 * (columns + 1) * sizeof *w.costs);
    while (w.steps != NULL && w.costs != NULL && w.a < a_end && w.b < b_end) {
        w.rows = least(a_end - w.a, rows);
        w.columns = least(b_end - w.b, columns);
        solve(&w, partner);
        if (w.a + w.rows == a_end && w.b + w.columns == b_end)
            return true;
        advance(&w, partner);
        for (size_t i = w.a; i < a_end; i++)
            partner[i] = ALIGN_NONE;
    }
    return w.steps != NULL && w.costs != NULL;
}
