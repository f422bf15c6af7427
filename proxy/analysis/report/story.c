#include "analysis/report/story.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS_AT_FIRST = 20 };

struct stories {
    struct stories_env env;
    struct sessions sessions; /* by age: the one that began the longest ago goes first */
    size_t size;
    struct story *kept[STORIES_KEPT_MAX];
    unsigned kept_count;
};

struct stories *stories_new(const struct stories_env *env)
{
    struct stories *all = calloc(1, sizeof *all);

    if (all != NULL)
        all->env = *env;
    return all;
}

static struct story *story_at(struct session_node *node)
{
    return (struct story *)node;
}

struct story *stories_find(struct stories *all, const char *sid)
{
    return story_at(sessions_find(&all->sessions, sid));
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
    sessions_remove(&all->sessions, &s->node);
    if (all->env.going(all->env.arg, s) && all->kept_count < STORIES_KEPT_MAX)
        all->kept[all->kept_count++] = s;
    else
        free_session(all, s);
}

void stories_end(struct stories *all, struct story *s)
{
    if (s->node.ended)
        return;
    sessions_end(&all->sessions, &s->node);
    if (all->sessions.ended.len > STORIES_BEHIND)
        let_go(all, story_at(sessions_oldest_of(&all->sessions.ended)));
}

void stories_finish(struct stories *all)
{
    for (struct session_node *s; (s = sessions_oldest(&all->sessions)) != NULL;)
        let_go(all, story_at(s));
}

void stories_free(struct stories **allp)
{
    struct stories *all = *allp;

    *allp = NULL;
    if (all == NULL)
        return;
    for (struct session_node *s; (s = sessions_oldest(&all->sessions)) != NULL;) {
        sessions_remove(&all->sessions, s);
        free_session(all, story_at(s));
    }
    for (unsigned i = 0; i < all->kept_count; i++)
        free_session(all, all->kept[i]);
    free(all);
}

/* ---- memory --------------------------------------------------------------------------- */

/* Steps of the oldest go first; the session itself stays and is counted. */
static void make_room(struct stories *all)
{
    struct sessions *l = &all->sessions;

    while (l->ended.len > 0 && all->size > STORIES_MEMORY)
        let_go(all, story_at(sessions_oldest_of(&l->ended)));
    LIST_EACH (n, &l->open.oldest_first, struct session_node, by_age) {
        struct story *s = story_at(n);
        if (all->size <= STORIES_MEMORY)
            return;
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
    snprintf(s->vantage, sizeof s->vantage, "%s", r->vantage);
    s->begin_us = s->end_us = step_time(r->t);
    s->findings_end = &s->findings;
    sessions_add(&all->sessions, &s->node, r->sid);
    if (all->sessions.open.len > STORIES_OPEN_MAX)
        let_go(all, story_at(sessions_oldest_of(&all->sessions.open)));
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
    if (s->thin || s->node.ended)
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

size_t stories_size(const struct stories *all)
{
    return all->size;
}
