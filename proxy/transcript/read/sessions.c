#include "transcript/read/sessions.h"

#include <stdio.h>
#include <string.h>

static void list_add(struct session_list *l, struct session_node *s)
{
    s->newer = NULL;
    s->older = l->newest;
    if (l->newest != NULL)
        l->newest->newer = s;
    else
        l->oldest = s;
    l->newest = s;
    l->len++;
}

static void list_remove(struct session_list *l, struct session_node *s)
{
    if (s->newer != NULL)
        s->newer->older = s->older;
    else
        l->newest = s->older;
    if (s->older != NULL)
        s->older->newer = s->newer;
    else
        l->oldest = s->newer;
    l->len--;
}

static unsigned bucket_of(const char *sid)
{
    unsigned h = 2166136261u;

    for (; *sid != '\0'; sid++)
        h = (h ^ (unsigned char)*sid) * 16777619u;
    return h % SESSIONS_BUCKETS;
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
    list_add(&all->open, s);
}

void sessions_end(struct sessions *all, struct session_node *s)
{
    list_remove(&all->open, s);
    s->ended = true;
    list_add(&all->ended, s);
}

void sessions_remove(struct sessions *all, struct session_node *s)
{
    struct session_node **link = &all->bucket[bucket_of(s->sid)];

    while (*link != s)
        link = &(*link)->chain;
    *link = s->chain;
    list_remove(s->ended ? &all->ended : &all->open, s);
}

struct session_node *sessions_oldest(const struct sessions *all)
{
    return all->ended.oldest != NULL ? all->ended.oldest : all->open.oldest;
}
