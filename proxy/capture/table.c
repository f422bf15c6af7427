#include "capture/table.h"

#include "base/hash64.h"

#include <stdlib.h>

bool table_init(struct table *t, unsigned max)
{
    *t = (struct table){ .max = max };
    t->buckets = calloc(TABLE_BUCKETS, sizeof *t->buckets);
    t->seed = (uint64_t)(uintptr_t)t->buckets; /* who made the file does not know it */
    return t->buckets != NULL;
}

/* ---- by age ----------------------------------------------------------------------- */

static struct table_list *list_of(struct table *t, bool dead)
{
    return dead ? &t->dead : &t->live;
}

static struct connection *oldest(const struct table_list *l)
{
    return LIST_FIRST(&l->oldest_first, struct connection, by_age);
}

static void link_connection(struct table_list *l, struct connection *c)
{
    list_append(&l->oldest_first, &c->by_age);
    l->count++;
}

static void unlink_connection(struct table_list *l, struct connection *c)
{
    list_remove(&c->by_age);
    l->count--;
}

void table_touch(struct table *t, struct connection *c, bool was_dead)
{
    struct table_list *from = list_of(t, was_dead), *to = list_of(t, c->dead);

    if (from == to && from->oldest_first.prev == &c->by_age)
        return;
    unlink_connection(from, c);
    link_connection(to, c);
}

/* ---- by their ends ---------------------------------------------------------------- */

/* The same for both directions. */
static struct connection **bucket_of(struct table *t, const struct addr *a,
                                     const struct addr *b)
{
    unsigned char key[2][sizeof a->ip + sizeof a->port];

    memcpy(key[0], a->ip, sizeof a->ip);
    memcpy(key[0] + sizeof a->ip, &a->port, sizeof a->port);
    memcpy(key[1], b->ip, sizeof b->ip);
    memcpy(key[1] + sizeof b->ip, &b->port, sizeof b->port);
    uint64_t h = hash64_seeded(span_of(key[0], sizeof key[0]), t->seed) +
                 hash64_seeded(span_of(key[1], sizeof key[1]), t->seed);
    return &t->buckets[(h ^ h >> 32) % TABLE_BUCKETS];
}

static bool is_between(const struct connection *c, const struct segment *s)
{
    return (addr_equal(&c->addr[CLIENT], &s->from) && addr_equal(&c->addr[SERVER], &s->to)) ||
           (addr_equal(&c->addr[CLIENT], &s->to) && addr_equal(&c->addr[SERVER], &s->from));
}

struct connection *table_find(struct table *t, const struct segment *s)
{
    struct connection *c = *bucket_of(t, &s->from, &s->to);

    while (c != NULL && !is_between(c, s))
        c = c->next;
    return c;
}

void table_remove(struct table *t, struct connection *c)
{
    struct connection **at = bucket_of(t, &c->addr[CLIENT], &c->addr[SERVER]);

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    unlink_connection(list_of(t, c->dead), c);
    connection_deinit(c);
    free(c);
}

void table_end(struct table *t, struct connection *c, enum close_reason why)
{
    bool was_dead = c->dead;

    connection_end(c, why);
    table_touch(t, c, was_dead);
    table_remove(t, c);
}

static void make_room(struct table *t)
{
    if (t->live.count + t->dead.count < t->max)
        return;
    struct connection *dead = oldest(&t->dead);
    if (dead != NULL)
        table_remove(t, dead);
    else
        table_end(t, oldest(&t->live), CLOSE_CAPTURE_LIMIT);
}

struct connection *table_add(struct table *t, struct connection_env *env,
                             const struct segment *s, enum side from, bool on_port)
{
    struct connection *c, **at = bucket_of(t, &s->from, &s->to);

    make_room(t);
    c = malloc(sizeof *c);
    if (c == NULL)
        return NULL;
    connection_init(c, env, s, from, on_port);
    c->next = *at;
    *at = c;
    link_connection(&t->live, c);
    return c;
}

void table_deinit(struct table *t)
{
    for (struct connection *c; (c = oldest(&t->live)) != NULL;)
        table_end(t, c, CLOSE_CAPTURE_END);
    for (struct connection *c; (c = oldest(&t->dead)) != NULL;)
        table_remove(t, c);
    free(t->buckets);
    t->buckets = NULL;
}
