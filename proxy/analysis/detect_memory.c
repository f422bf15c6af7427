/*
 * detect_memory - what is remembered across sessions: upstreams and clients, the one used
 * last in front; and texts that fit no pattern.
 */
#include "analysis/detect_private.h"

#include <assert.h>
#include <stdlib.h>

enum { BUCKETS = 1024, QUIET = 512, NONE = 0xffff };

struct detect_memory {
    uint16_t used, newest, oldest;
    uint16_t bucket[BUCKETS];
    uint64_t quiet[QUIET];
    struct peer_history all[DETECT_UPSTREAMS_MAX];
};

struct detect_memory *detect_memory_new(void)
{
    struct detect_memory *m = calloc(1, sizeof *m);

    if (m == NULL)
        return NULL;
    m->newest = m->oldest = NONE;
    for (unsigned i = 0; i < BUCKETS; i++)
        m->bucket[i] = NONE;
    return m;
}

void detect_memory_free(struct detect_memory **m)
{
    free(*m);
    *m = NULL;
}

/* ---- from the oldest to the newest ---- */

static void leave_order(struct detect_memory *m, const struct peer_history *x)
{
    if (x->newer != NONE)
        m->all[x->newer].older = x->older;
    else
        m->newest = x->older;
    if (x->older != NONE)
        m->all[x->older].newer = x->newer;
    else
        m->oldest = x->newer;
}

static void become_newest(struct detect_memory *m, uint16_t i)
{
    struct peer_history *x = &m->all[i];

    x->newer = NONE;
    x->older = m->newest;
    if (m->newest != NONE)
        m->all[m->newest].newer = i;
    else
        m->oldest = i;
    m->newest = i;
}

/* ---- by key ---- */

static uint16_t *bucket_of(struct detect_memory *m, uint64_t key)
{
    return &m->bucket[(key ^ key >> 32) % BUCKETS];
}

static void leave_bucket(struct detect_memory *m, uint16_t i)
{
    uint16_t *link = bucket_of(m, m->all[i].key);

    while (*link != i) {
        assert(*link != NONE);
        link = &m->all[*link].chain;
    }
    *link = m->all[i].chain;
}

struct peer_history *history_find(struct detect_memory *m, uint64_t key)
{
    uint16_t i = key != 0 ? *bucket_of(m, key) : NONE;

    while (i != NONE && m->all[i].key != key)
        i = m->all[i].chain;
    if (i == NONE)
        return NULL;
    if (m->newest != i) {
        leave_order(m, &m->all[i]);
        become_newest(m, i);
    }
    return &m->all[i];
}

struct peer_history *history_get(struct detect_memory *m, uint64_t key)
{
    struct peer_history *x = history_find(m, key);
    uint16_t i = m->used;

    if (x != NULL || key == 0)
        return x;
    if (m->used < DETECT_UPSTREAMS_MAX) {
        m->used++;
    } else {
        i = m->oldest;
        leave_order(m, &m->all[i]);
        leave_bucket(m, i);
    }
    x = &m->all[i];
    *x = (struct peer_history){ .key = key, .chain = *bucket_of(m, key) };
    *bucket_of(m, key) = i;
    become_newest(m, i);
    return x;
}

/* ---- texts ---- */

bool is_known_unmatched(const struct detect_memory *m, uint64_t text)
{
    return m->quiet[text % QUIET] == text;
}

void remember_unmatched(struct detect_memory *m, uint64_t text)
{
    m->quiet[text % QUIET] = text;
}
