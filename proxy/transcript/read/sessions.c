#include "transcript/read/sessions.h"

#include "base/hash64.h"

#include <stdio.h>
#include <string.h>

static void session_append(struct session_list *l, struct session_node *s)
{
    list_append(&l->oldest_first, &s->by_age);
    l->len++;
}

static void session_take(struct session_list *l, struct session_node *s)
{
    list_remove(&s->by_age);
    l->len--;
}

static unsigned bucket_of(const char *sid)
{
    return (unsigned)(hash64(span_str(sid)) % SESSIONS_BUCKETS);
}

struct session_node *sessions_find(const struct sessions *all, const char *sid)
{
    struct session_node *s = all->bucket[bucket_of(sid)];

    while (s != NULL && strcmp(s->sid, sid) != 0)
        s = s->chain;
    return s;
}

void sessions_add(struct sessions *all, struct session_node *s, const char *sid)
{
    struct session_node **first = &all->bucket[bucket_of(sid)];

    snprintf(s->sid, sizeof s->sid, "%s", sid);
    s->ended = false;
    s->chain = *first;
    *first = s;
    session_append(&all->open, s);
}

void sessions_end(struct sessions *all, struct session_node *s)
{
    session_take(&all->open, s);
    s->ended = true;
    session_append(&all->ended, s);
}

void sessions_remove(struct sessions *all, struct session_node *s)
{
    struct session_node **link = &all->bucket[bucket_of(s->sid)];

    while (*link != s)
        link = &(*link)->chain;
    *link = s->chain;
    session_take(s->ended ? &all->ended : &all->open, s);
}

struct session_node *sessions_oldest_of(const struct session_list *l)
{
    return LIST_FIRST(&l->oldest_first, struct session_node, by_age);
}

struct session_node *sessions_oldest(const struct sessions *all)
{
    struct session_node *ended = sessions_oldest_of(&all->ended);

    return ended != NULL ? ended : sessions_oldest_of(&all->open);
}
