#include "analysis/report/match.h"

#include <stdio.h>
#include <stdlib.h>

/* How much a finding of this severity weighs. */
static uint64_t weight_of(enum severity s)
{
    static const unsigned weights[] = { [SEVERITY_INFO] = 1,
                                        [SEVERITY_LOW] = 10,
                                        [SEVERITY_MEDIUM] = 100,
                                        [SEVERITY_HIGH] = 1000,
                                        [SEVERITY_CRITICAL] = 3000 };

    return weights[s];
}

static struct match_entry *entry_of(struct match *m, const char *id, const struct catalogue *c)
{
    for (unsigned i = 0; i < m->count; i++)
        if (strcmp(m->list[i].id, id) == 0)
            return &m->list[i];
    if (m->count == MATCH_ENTRIES_MAX)
        return NULL;
    struct match_entry *e = &m->list[m->count++];
    *e = (struct match_entry){ .id = id, .best_rank = FINDING_PRODUCTS_MAX };
    if (c != NULL)
        e->entry = catalogue_find(c, id);
    return e;
}

static void explain(struct match_entry *e, const struct group *g, unsigned rank)
{
    if (e->explains_count < MATCH_GROUPS_MAX)
        e->explains[e->explains_count++] = g;
    if (rank < e->best_rank)
        e->best_rank = rank;
    e->score += weight_of(g->example.severity) * (FINDING_PRODUCTS_MAX - rank);
}

/* ---- makers --------------------------------------------------------------------------- */

/* The first word of a product, when it is a name. */
static struct span maker_of(const struct match_entry *e)
{
    struct span name = span_str(e->entry != NULL ? e->entry->product : e->id);
    struct span word = span_first(name, span_find(name, ' '));

    while (word.len > 0 && word.ptr[word.len - 1] == ',')
        word.len--;
    bool named = word.len > 0 && word.ptr[0] >= 'A' && word.ptr[0] <= 'Z';
    return e->entry != NULL && named ? word : span_str(e->id);
}

static bool same_maker(const struct match_entry *a, const struct match_entry *b)
{
    return span_equal(maker_of(a), maker_of(b));
}

static bool maker_explains(const struct match *m, const struct match_entry *of,
                           const struct group *g)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct match_entry *e = &m->list[i];
        for (unsigned k = 0; k < e->explains_count && same_maker(e, of); k++)
            if (e->explains[k] == g)
                return true;
    }
    return false;
}

/* What all entries of the maker explain together; what each says counts for less. */
static uint64_t maker_score(const struct match *m, const struct match_entry *of,
                            const struct groups *g)
{
    uint64_t score = 0;

    for (unsigned i = 0; i < g->count; i++)
        if (maker_explains(m, of, g->list[i]))
            score += weight_of(g->list[i]->example.severity) * 1000;
    for (unsigned i = 0; i < m->count; i++)
        if (same_maker(&m->list[i], of))
            score += m->list[i].score;
    return score;
}

static void best_maker_first(struct match *m, const struct groups *g)
{
    struct match sorted = { .count = m->count };
    const struct match_entry *best = NULL;
    uint64_t most = 0;

    for (unsigned i = 0; i < m->count; i++) {
        uint64_t score = maker_score(m, &m->list[i], g);
        if (score > most) {
            best = &m->list[i];
            most = score;
        }
    }
    for (unsigned i = 0; i < m->count && best != NULL; i++)
        if (same_maker(&m->list[i], best))
            sorted.list[sorted.family++] = m->list[i];
    unsigned at = sorted.family;
    for (unsigned i = 0; i < m->count && best != NULL; i++)
        if (!same_maker(&m->list[i], best))
            sorted.list[at++] = m->list[i];
    *m = sorted;
}

static int compare_entries(const void *a, const void *b)
{
    const struct match_entry *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return strcmp(x->id, y->id);
}

void match_make(struct match *m, const struct groups *g, const struct catalogue *c)
{
    *m = (struct match){ .count = 0 };
    for (unsigned i = 0; i < g->count; i++) {
        const struct found *f = &g->list[i]->example;
        for (unsigned rank = 0; rank < FINDING_PRODUCTS_MAX; rank++) {
            struct match_entry *e =
                f->products[rank][0] != '\0' ? entry_of(m, f->products[rank], c) : NULL;
            if (e != NULL)
                explain(e, g->list[i], rank);
        }
    }
    if (m->count > 0)
        qsort(m->list, m->count, sizeof m->list[0], compare_entries);
    best_maker_first(m, g);
    for (unsigned i = 0; i < g->count; i++) {
        bool damage = g->list[i]->example.severity > SEVERITY_INFO;
        m->damage += damage;
        m->explained += damage && m->family > 0 && maker_explains(m, &m->list[0], g->list[i]);
    }
}
