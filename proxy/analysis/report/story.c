#include "analysis/report/story.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUCKETS = 16384, STEPS_AT_FIRST = 20 };

/* By age: the one whose last record is the longest ago goes first. */
struct line {
    struct story *oldest, *newest;
    unsigned len;
};

struct stories {
    struct stories_env env;
    struct line open, behind;
    size_t size;
    struct story *kept[STORIES_KEPT_MAX];
    unsigned kept_count;
    struct story *bucket[BUCKETS];
};

struct stories *stories_new(const struct stories_env *env)
{
    struct stories *all = calloc(1, sizeof *all);

    if (all != NULL)
        all->env = *env;
    return all;
}

/* ---- lines and buckets ---------------------------------------------------------------- */

static void line_add(struct line *l, struct story *s)
{
    s->older = l->newest;
    s->newer = NULL;
    if (l->newest != NULL)
        l->newest->newer = s;
    else
        l->oldest = s;
    l->newest = s;
    l->len++;
}

static void line_remove(struct line *l, struct story *s)
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

static struct story **bucket_of(struct stories *all, const char *sid)
{
    uint32_t h = 2166136261u;

    for (; *sid != '\0'; sid++)
        h = (h ^ (unsigned char)*sid) * 16777619u;
    return &all->bucket[h % BUCKETS];
}

struct story *stories_find(struct stories *all, const char *sid)
{
    struct story *s = *bucket_of(all, sid);

    while (s != NULL && strcmp(s->sid, sid) != 0)
        s = s->chain;
    return s;
}

/* ---- ends ----------------------------------------------------------------------------- */

static void drop_details(struct stories *all, struct story *s)
{
    for (unsigned i = 0; i < s->step_count; i++)
        step_free(&s->steps[i]);
    free(s->steps);
    s->steps = NULL;
    s->step_count = s->step_room = 0;
    while (s->findings != NULL) {
        struct story_finding *f = s->findings;
        s->findings = f->next;
        free(f);
    }
    s->findings_end = &s->findings;
    all->size -= s->size - sizeof *s;
    s->size = sizeof *s;
}

static void free_session(struct stories *all, struct story *s)
{
    drop_details(all, s);
    all->size -= s->size;
    free(s);
}

/* Out of the table, to those kept or to nowhere. */
static void let_go(struct stories *all, struct story *s)
{
    struct story **link = bucket_of(all, s->sid);

    while (*link != s)
        link = &(*link)->chain;
    *link = s->chain;
    line_remove(s->ended ? &all->behind : &all->open, s);
    if (all->env.going(all->env.arg, s) && all->kept_count < STORIES_KEPT_MAX)
        all->kept[all->kept_count++] = s;
    else
        free_session(all, s);
}

void stories_end(struct stories *all, struct story *s)
{
    if (s->ended)
        return;
    line_remove(&all->open, s);
    s->ended = true;
    line_add(&all->behind, s);
    if (all->behind.len > STORIES_BEHIND)
        let_go(all, all->behind.oldest);
}

void stories_finish(struct stories *all)
{
    while (all->behind.oldest != NULL)
        let_go(all, all->behind.oldest);
    while (all->open.oldest != NULL)
        let_go(all, all->open.oldest);
}

static void free_line(struct stories *all, struct line *l)
{
    while (l->oldest != NULL) {
        struct story *s = l->oldest;
        line_remove(l, s);
        free_session(all, s);
    }
}

void stories_free(struct stories **allp)
{
    struct stories *all = *allp;

    *allp = NULL;
    if (all == NULL)
        return;
    free_line(all, &all->open);
    free_line(all, &all->behind);
    for (unsigned i = 0; i < all->kept_count; i++)
        free_session(all, all->kept[i]);
    free(all);
}

/* ---- memory --------------------------------------------------------------------------- */

/* Steps of the oldest go first; the session itself stays and is counted. */
static void make_room(struct stories *all)
{
    struct story *s = all->open.oldest;

    while (all->behind.oldest != NULL && all->size > STORIES_MEMORY)
        let_go(all, all->behind.oldest);
    for (; s != NULL && all->size > STORIES_MEMORY; s = s->newer) {
        if (s->size == sizeof *s)
            continue;
        drop_details(all, s);
        s->thin = true;
    }
}

static void grow(struct stories *all, struct story *s, size_t size)
{
    s->size += size;
    all->size += size;
    if (all->size > STORIES_MEMORY)
        make_room(all);
}

/* ---- records -------------------------------------------------------------------------- */

struct story *stories_of(struct stories *all, const struct record *r)
{
    struct story *s = stories_find(all, r->sid);

    if (s != NULL)
        return s;
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    snprintf(s->sid, sizeof s->sid, "%s", r->sid);
    snprintf(s->vantage, sizeof s->vantage, "%s", r->vantage);
    s->begin_us = s->end_us = step_time(r->t);
    s->findings_end = &s->findings;
    s->chain = *bucket_of(all, s->sid);
    *bucket_of(all, s->sid) = s;
    line_add(&all->open, s);
    if (all->open.len > STORIES_OPEN_MAX)
        let_go(all, all->open.oldest);
    s->size = sizeof *s;
    all->size += s->size;
    return s;
}

/* Makes room for one more: the oldest goes that is none of the first and not pointed to. */
static void drop_step(struct stories *all, struct story *s)
{
    unsigned i = STORY_STEPS_FIRST;

    while (i + 1 < s->step_count && s->steps[i]->marked)
        i++;
    struct step *gone = s->steps[i];
    uint64_t skipped = gone->skipped + 1;
    s->size -= gone->size;
    all->size -= gone->size;
    step_free(&gone);
    s->step_count--;
    memmove(&s->steps[i], &s->steps[i + 1], (s->step_count - i) * sizeof s->steps[0]);
    if (i < s->step_count)
        s->steps[i]->skipped += skipped;
}

/* False when memory is out. */
static bool have_room(struct stories *all, struct story *s)
{
    unsigned room = s->step_room == 0 ? STEPS_AT_FIRST : 2 * s->step_room;
    struct step **more;

    if (s->step_count < s->step_room)
        return true;
    if (s->step_room == STORY_STEPS_MAX) {
        drop_step(all, s);
        return true;
    }
    more = realloc(s->steps, room * sizeof *more);
    if (more == NULL)
        return false;
    s->size += (room - s->step_room) * sizeof *more;
    all->size += (room - s->step_room) * sizeof *more;
    s->steps = more;
    s->step_room = room;
    return true;
}

void stories_see(struct stories *all, struct story *s, const struct record *r)
{
    struct step *step;

    s->records++;
    if (r->kind == RECORD_OPEN) {
        snprintf(s->client, sizeof s->client, "%s", record_text(r->root, "client"));
        snprintf(s->server, sizeof s->server, "%s", record_text(r->root, "server"));
    }
    if (s->thin || s->ended)
        return;
    step = step_new(r);
    if (step == NULL || !have_room(all, s)) {
        step_free(&step);
        return;
    }
    if (step->t_us > s->end_us)
        s->end_us = step->t_us;
    s->steps[s->step_count++] = step;
    grow(all, s, step->size);
}

static struct step *step_of(const struct story *s, uint64_t n)
{
    for (unsigned i = s->step_count; i-- > 0;)
        if (s->steps[i]->n == n)
            return s->steps[i];
    return NULL;
}

const struct step *stories_found(struct stories *all, struct story *s, const struct found *f,
                                 const struct group *g)
{
    struct step *step = step_of(s, f->record);
    struct story_finding *one = NULL;

    if (step != NULL)
        step->marked = true;
    s->finding_count++;
    if (!s->thin && s->finding_count <= STORY_FOUND_MAX)
        one = malloc(sizeof *one);
    if (one == NULL)
        return step;
    *one = (struct story_finding){ .found = *f, .group = g };
    *s->findings_end = one;
    s->findings_end = &one->next;
    s->size += sizeof *one; /* room is made with the next step: `step` must stay now */
    all->size += sizeof *one;
    return step;
}

bool stories_kept(const struct stories *all, unsigned i, const struct story **out)
{
    if (i >= all->kept_count)
        return false;
    *out = all->kept[i];
    return true;
}

unsigned stories_kept_count(const struct stories *all)
{
    return all->kept_count;
}

size_t stories_size(const struct stories *all)
{
    return all->size;
}
