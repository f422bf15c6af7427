#include "analysis/diff/pair_private.h"

#include <stdlib.h>

enum { SAME_ADDRESS_MAX = 64, CLOCK_SAMPLES = 20001 };

#define HOUR_US     3600000000u
#define TOGETHER_US 60000000u

int keyed_compare(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

void pair_add(struct pairing *p, const struct index *near, const struct index *far,
              struct pair pair)
{
    p->list[p->len++] = pair;
    index_entry(near, pair.near)->flags |= ENTRY_PAIRED;
    index_entry(far, pair.far)->flags |= ENTRY_PAIRED;
}

void pairing_deinit(struct pairing *p)
{
    free(p->list);
    *p = (struct pairing){ .list = NULL };
}

const char *pair_how_name(uint8_t how)
{
    static const char *const names[] = { "connection", "client address", "dialogue" };

    return names[how];
}

/* ---- by address ----------------------------------------------------------------------- */

struct join {
    struct pairing *p;
    const struct index *near, *far;
    enum pair_how how;
    bool strict;       /* only where something said is the same, too */
    size_t translated; /* addresses that agree while the servers' do not */
};

static uint64_t address_of(const struct entry *e, enum diff_vantage v, enum pair_how how)
{
    return v == NEAR && how == BY_CONNECTION ? e->inner : e->outer;
}

/* Unpaired sessions by address; *len 0 with NULL: none. */
static struct keyed *by_address(const struct index *x, enum pair_how how, size_t *len)
{
    struct keyed *list = malloc((index_count(x) + 1u) * sizeof *list);

    *len = 0;
    for (uint32_t i = 1; list != NULL && i <= index_count(x); i++) {
        const struct entry *e = index_entry(x, i);
        uint64_t key = address_of(e, x->side, how);
        if (key != 0 && (e->flags & ENTRY_PAIRED) == 0)
            list[(*len)++] = (struct keyed){ key, i };
    }
    if (list != NULL && *len > 1)
        qsort(list, *len, sizeof *list, keyed_compare);
    return list;
}

static size_t same_key(const struct keyed *list, size_t len)
{
    size_t n = 1;

    while (n < len && list[n].key == list[0].key)
        n++;
    return n;
}

static bool is_same_server(const struct entry *near, const struct entry *far)
{
    return near->server == 0 || far->server == 0 || near->server == far->server;
}

/*
 * An address is used again, and on one machine the client's port may by chance be the one that
 * NEAR goes on with: it joins what was said alike, or at the same time.
 */
static bool may_join(const struct join *j, const struct entry *near, const struct entry *far)
{
    struct likeness l = pair_likeness(near, far);

    if (j->how == BY_CONNECTION && !j->p->translated && !is_same_server(near, far))
        return false;
    if (j->strict || (!j->p->clock_known && j->how == BY_CLIENT))
        return l.alike;
    return !l.contradicts &&
           (!j->p->clock_known || pair_distance(j->p, near->t_us, far->t_us) < TOGETHER_US);
}

/* The best partner in a group of sessions with the same address; len: there is none. */
static size_t best_of(const struct join *j, const struct keyed *a, const struct keyed *b,
                      size_t len)
{
    const struct entry *near = index_entry(j->near, a->number);
    uint64_t nearest = j->p->clock_known ? HOUR_US : UINT64_MAX;
    size_t best = len, fitting = 0;

    for (size_t i = 0; i < len; i++) {
        const struct entry *far = index_entry(j->far, b[i].number);
        uint64_t d = pair_distance(j->p, near->t_us, far->t_us);
        if ((far->flags & ENTRY_PAIRED) != 0 || !may_join(j, near, far))
            continue;
        fitting++;
        best = d < nearest ? i : best;
        nearest = d < nearest ? d : nearest;
    }
    return fitting > 1 && !j->p->clock_known ? len : best; /* in the next round */
}

static void join_group(struct join *j, const struct keyed *a, size_t a_len,
                       const struct keyed *b, size_t b_len)
{
    if (a_len > SAME_ADDRESS_MAX || b_len > SAME_ADDRESS_MAX)
        return;
    for (size_t i = 0; i < a_len; i++) {
        size_t k = best_of(j, &a[i], b, b_len);
        if (k < b_len)
            pair_add(
                j->p, j->near, j->far,
                (struct pair){ a[i].number, b[k].number, CONFIDENCE_CERTAIN, (uint8_t)j->how });
    }
}

typedef void join_step(struct join *j, const struct keyed *a, size_t a_len,
                       const struct keyed *b, size_t b_len);

/* The step for each address that both have. */
static void join_lists(struct join *j, join_step *step, const struct keyed *a, size_t a_len,
                       const struct keyed *b, size_t b_len)
{
    while (a_len > 0 && b_len > 0) {
        size_t na = same_key(a, a_len), nb = same_key(b, b_len);
        if (a->key == b->key)
            step(j, a, na, b, nb);
        bool skip_a = a->key <= b->key, skip_b = b->key <= a->key;
        a += skip_a ? na : 0;
        a_len -= skip_a ? na : 0;
        b += skip_b ? nb : 0;
        b_len -= skip_b ? nb : 0;
    }
}

static bool by_both(struct join *j, join_step *step)
{
    size_t a_len, b_len;
    struct keyed *a = by_address(j->near, j->how, &a_len);
    struct keyed *b = by_address(j->far, j->how, &b_len);
    bool ok = a != NULL && b != NULL;

    if (ok)
        join_lists(j, step, a, a_len, b, b_len);
    free(a);
    free(b);
    return ok;
}

/* All servers at an address are others than were dialled. */
static void count_translated(struct join *j, const struct keyed *a, size_t a_len,
                             const struct keyed *b, size_t b_len)
{
    if (a_len > SAME_ADDRESS_MAX || b_len > SAME_ADDRESS_MAX)
        return;
    for (size_t i = 0; i < a_len; i++)
        for (size_t k = 0; k < b_len; k++)
            if (is_same_server(index_entry(j->near, a[i].number),
                               index_entry(j->far, b[k].number)))
                return;
    j->translated++;
}

/* A port that two connections have by chance is rare, a translated address is a rule. */
static bool learn_translation(struct pairing *p, const struct index *near,
                              const struct index *far, size_t most)
{
    struct join j = { .p = p, .near = near, .far = far, .how = BY_CONNECTION };

    if (!by_both(&j, count_translated))
        return false;
    p->translated = 2 * j.translated > most;
    return true;
}

/* ---- the clock -------------------------------------------------------------------------- */

static int int64_compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* The median difference of what is paired so far. */
static bool learn_clock(struct pairing *p, const struct index *near, const struct index *far)
{
    size_t step = p->len / CLOCK_SAMPLES + 1, n = 0;
    int64_t *list;

    if (p->len == 0)
        return true;
    list = malloc((p->len / step + 1) * sizeof *list);
    if (list == NULL)
        return false;
    for (size_t i = 0; i < p->len; i += step)
        list[n++] = (int64_t)(index_entry(far, p->list[i].far)->t_us -
                              index_entry(near, p->list[i].near)->t_us);
    qsort(list, n, sizeof *list, int64_compare);
    p->ahead_us = list[n / 2];
    p->clock_known = true;
    free(list);
    return true;
}

static int pair_compare(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;

    return x->near < y->near ? -1 : x->near > y->near;
}

bool pair_sessions(struct pairing *p, const struct index *near, const struct index *far)
{
    static const struct {
        enum pair_how how;
        bool strict;
    } steps[] = { { BY_CONNECTION, true }, { BY_CLIENT, true },      { BY_CONNECTION, true },
                  { BY_CLIENT, true },     { BY_CONNECTION, false }, { BY_CLIENT, false } };

    uint32_t most = index_count(near) < index_count(far) ? index_count(near) : index_count(far);

    *p = (struct pairing){ .list = malloc((most + 1u) * sizeof *p->list) };
    if (p->list == NULL || !learn_translation(p, near, far, most))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct join j = { p, near, far, steps[i].how, steps[i].strict, 0 };
        if (!by_both(&j, join_group) || !learn_clock(p, near, far))
            return false;
    }
    if (!pair_by_dialogue(p, near, far) || !learn_clock(p, near, far))
        return false;
    if (p->len > 1)
        qsort(p->list, p->len, sizeof *p->list, pair_compare);
    return true;
}

bool pair_is_missing(const struct index *own, const struct index *other,
                     const struct pairing *p, const struct entry *e, bool *apart)
{
    int64_t shift = own->side == NEAR ? p->ahead_us : -p->ahead_us;
    uint64_t t = e->t_us + (uint64_t)shift;
    unsigned left = ENTRY_CONNECTED | ENTRY_REFUSED | ENTRY_SPOKE;

    *apart = false;
    if ((e->flags & ENTRY_PAIRED) != 0 || (own->side == NEAR && (e->flags & left) == 0))
        return false;
    if (p->clock_known)
        *apart = t < other->first_us || t > other->last_us;
    return true;
}
