/* pair_dialogue - sessions that no address joins: by what was said, and when. */
#include "analysis/diff/pair_private.h"

#include <stdlib.h>

enum {
    CANDIDATES = 2,   /* the best one, and its rival */
    LOOK_AROUND = 64, /* sessions looked at by time, on either side */
    SCORE_MIN = 5,
    ROUNDS = 4, /* in each the sessions that lost theirs to another look again */
};

#define SECOND_US  1000000u
#define WINDOW_US  (60u * SECOND_US)   /* once the clocks are known */
#define UNKNOWN_US (3600u * SECOND_US) /* before */

static int compare_mark(uint64_t a, uint64_t b, int equal, int different)
{
    if (a == 0 || b == 0)
        return 0;
    return a == b ? equal : different;
}

/* Sums of several differ when the last one was lost; then the first ones still agree. */
struct likeness pair_likeness(const struct entry *near, const struct entry *far)
{
    int helo = compare_mark(near->helo, far->helo, 3, -2);
    bool redacted = ((near->flags | far->flags) & ENTRY_REDACTED) != 0;
    bool begins = !redacted && near->first != 0 && near->first == far->first;
    int envelope = redacted ? compare_mark(near->domains, far->domains, 3, -3)
                            : compare_mark(near->envelope, far->envelope, 5, begins ? 2 : -3);
    int contents = compare_mark(near->contents, far->contents, 6,
                                begins && near->messages != far->messages ? 0 : -2);
    int differing = (helo < 0) + (envelope < 0) + (contents < 0);
    struct likeness l = { .alike = helo > 0 || envelope > 0 || contents > 0 };

    l.contradicts = !l.alike && differing >= 2;
    l.score = helo + envelope + contents;
    l.score += compare_mark(near->octets, far->octets, 2, 0);
    l.score += compare_mark(near->greeting, far->greeting, 1, 0);
    l.score += near->commands == far->commands && near->commands > 0;
    l.score += near->messages == far->messages && near->messages > 0;
    return l;
}

static int time_score(const struct pairing *p, uint64_t distance)
{
    if (!p->clock_known)
        return distance < UNKNOWN_US;
    if (distance < SECOND_US / 5)
        return 4;
    if (distance < SECOND_US)
        return 3;
    return distance < 5 * SECOND_US ? 2 : distance < WINDOW_US;
}

struct candidate {
    uint32_t near, far;
    int16_t score;
    bool rivalled;     /* another was as good, but for the time */
    uint32_t distance; /* milliseconds */
};

struct search {
    struct pairing *p;
    const struct index *near, *far;
    struct keyed *by_time, *by_mark; /* FAR's sessions without a partner */
    size_t len;
    struct candidate *found;
    size_t found_len;
};

/* Of all that was said; 0: nothing that tells sessions apart. */
static uint64_t mark_of(const struct entry *e)
{
    if (e->envelope == 0 && e->contents == 0)
        return 0;
    uint64_t h = e->contents ^ (uint64_t)e->domains << 32 ^ e->helo;
    return (h ^ e->octets) * 0x9e3779b97f4a7c15u | 1;
}

static struct keyed *unpaired(const struct index *x, bool by_mark, size_t *len)
{
    struct keyed *list = malloc((index_count(x) + 1u) * sizeof *list);

    *len = 0;
    for (uint32_t i = 1; list != NULL && i <= index_count(x); i++) {
        const struct entry *e = index_entry(x, i);
        if ((e->flags & ENTRY_PAIRED) == 0)
            list[(*len)++] = (struct keyed){ by_mark ? mark_of(e) : e->t_us, i };
    }
    if (list != NULL && *len > 1)
        qsort(list, *len, sizeof *list, keyed_compare);
    return list;
}

static size_t lower_bound(const struct keyed *list, size_t len, uint64_t key)
{
    struct keyed wanted = { key, 0 };
    size_t low = 0;

    while (low < len) {
        size_t mid = low + (len - low) / 2;
        if (keyed_compare(&list[mid], &wanted) < 0)
            low = mid + 1;
        else
            len = mid;
    }
    return low;
}

static bool is_better(const struct candidate *a, const struct candidate *b)
{
    return a->score != b->score ? a->score > b->score : a->distance < b->distance;
}

/* Into the best ones, once. */
static void keep_best(struct candidate best[CANDIDATES], struct candidate c)
{
    for (unsigned i = 0; i < CANDIDATES; i++)
        if (best[i].far == c.far)
            return;
    for (unsigned i = 0; i < CANDIDATES; i++) {
        if (best[i].far == 0 || is_better(&c, &best[i])) {
            struct candidate out = best[i];
            best[i] = c;
            c = out;
        }
        if (c.far == 0)
            return;
    }
}

static void look_at(const struct search *s, const struct entry *near, uint32_t far_number,
                    struct candidate best[CANDIDATES], struct candidate c)
{
    const struct entry *far = index_entry(s->far, far_number);
    struct likeness l = pair_likeness(near, far);

    if ((far->flags & ENTRY_PAIRED) != 0 || l.contradicts)
        return;
    uint64_t distance = pair_distance(s->p, near->t_us, far->t_us);
    c.distance = distance / 1000 < UINT32_MAX ? (uint32_t)(distance / 1000) : UINT32_MAX;
    c.score = (int16_t)(l.score + time_score(s->p, distance));
    c.far = far_number;
    bool same_moment = s->p->clock_known && distance < SECOND_US;
    bool wide = s->p->clock_known && distance > WINDOW_US;
    if (c.score >= SCORE_MIN && (l.alike || same_moment) && !wide)
        keep_best(best, c);
}

static void look_around(const struct search *s, uint32_t number,
                        struct candidate best[CANDIDATES])
{
    const struct entry *near = index_entry(s->near, number);
    uint64_t at_us = near->t_us + (uint64_t)s->p->ahead_us, mark = mark_of(near);
    size_t at = lower_bound(s->by_time, s->len, at_us);
    struct candidate c = { .near = number };

    for (size_t i = at > LOOK_AROUND ? at - LOOK_AROUND : 0; i < at + LOOK_AROUND && i < s->len;
         i++)
        look_at(s, near, s->by_time[i].number, best, c);
    if (mark == 0)
        return;
    at = lower_bound(s->by_mark, s->len, mark);
    for (size_t i = at; i < at + LOOK_AROUND && i < s->len; i++)
        if (s->by_mark[i].key == mark)
            look_at(s, near, s->by_mark[i].number, best, c);
}

static void keep_found(struct search *s, struct candidate best[CANDIDATES])
{
    if (best[0].far == 0)
        return;
    best[0].rivalled = best[1].far != 0 && best[1].score + 1 >= best[0].score;
    s->found[s->found_len++] = best[0];
}

static int candidate_compare(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    if (x->near != y->near)
        return x->near < y->near ? -1 : 1;
    return x->far < y->far ? -1 : x->far > y->far;
}

static uint8_t confidence_of(const struct search *s, const struct candidate *c)
{
    const struct entry *near = index_entry(s->near, c->near);
    const struct entry *far = index_entry(s->far, c->far);
    bool contents = near->contents != 0 && near->contents == far->contents;
    bool redacted = ((near->flags | far->flags) & ENTRY_REDACTED) != 0;
    bool envelope = redacted ? near->domains != 0 && near->domains == far->domains
                             : near->envelope != 0 && near->envelope == far->envelope;
    bool helo = near->helo != 0 && near->helo == far->helo;
    int level = CONFIDENCE_LOW;

    if ((contents && envelope) || (helo && (contents || envelope)))
        level = CONFIDENCE_HIGH;
    else if (contents || envelope || (helo && s->p->clock_known))
        level = CONFIDENCE_MEDIUM;
    if (c->rivalled && level > CONFIDENCE_LOW)
        level--;
    return (uint8_t)level;
}

static void take_best(struct search *s)
{
    if (s->found_len > 1)
        qsort(s->found, s->found_len, sizeof *s->found, candidate_compare);
    for (size_t i = 0; i < s->found_len; i++) {
        const struct candidate *c = &s->found[i];
        if (((index_entry(s->near, c->near)->flags | index_entry(s->far, c->far)->flags) &
             ENTRY_PAIRED) != 0)
            continue;
        struct pair pair = { c->near, c->far, confidence_of(s, c), BY_DIALOGUE };
        pair_add(s->p, s->near, s->far, pair);
    }
}

static bool search_round(struct search *s)
{
    bool ok = true;

    s->by_time = unpaired(s->far, false, &s->len);
    s->by_mark = unpaired(s->far, true, &s->len);
    s->found_len = 0;
    s->found = malloc((index_count(s->near) - s->p->len + 1) * sizeof *s->found);
    ok = s->by_time != NULL && s->by_mark != NULL && s->found != NULL;
    for (uint32_t i = 1; ok && s->len > 0 && i <= index_count(s->near); i++) {
        struct candidate best[CANDIDATES] = { { .far = 0 } };
        if ((index_entry(s->near, i)->flags & ENTRY_PAIRED) != 0)
            continue;
        look_around(s, i, best);
        keep_found(s, best);
    }
    free(s->by_time);
    free(s->by_mark);
    if (ok)
        take_best(s);
    free(s->found);
    return ok;
}

static int difference_compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static bool is_single(const struct keyed *list, size_t len, size_t i)
{
    return list[i].key != 0 && (i == 0 || list[i - 1].key != list[i].key) &&
           (i + 1 == len || list[i + 1].key != list[i].key);
}

/* How far the clocks differ, by sessions that have their like only once on each side. */
static bool guess_clock(struct pairing *p, const struct index *near, const struct index *far)
{
    size_t a_len, b_len, n = 0, i = 0, k = 0;
    struct keyed *a = unpaired(near, true, &a_len), *b = unpaired(far, true, &b_len);
    int64_t *list = malloc((a_len + 1) * sizeof *list);
    bool ok = a != NULL && b != NULL && list != NULL;

    while (ok && i < a_len && k < b_len) {
        if (a[i].key == b[k].key && is_single(a, a_len, i) && is_single(b, b_len, k))
            list[n++] = (int64_t)(index_entry(far, b[k].number)->t_us -
                                  index_entry(near, a[i].number)->t_us);
        if (a[i].key <= b[k].key)
            i++;
        else
            k++;
    }
    if (n > 0) {
        qsort(list, n, sizeof *list, difference_compare);
        p->ahead_us = list[n / 2];
        p->clock_known = true;
    }
    free(a);
    free(b);
    free(list);
    return ok;
}

bool pair_by_dialogue(struct pairing *p, const struct index *near, const struct index *far)
{
    struct search s = { .p = p, .near = near, .far = far };
    bool ok = p->clock_known || guess_clock(p, near, far);

    for (unsigned round = 0; ok && round < ROUNDS; round++)
        ok = search_round(&s);
    return ok;
}
