/*
 * story - the sessions under way, each with the steps the page may show of it.
 *
 * Whether a session will be shown is known when its findings are, and findings may come
 * after its last record; so a session stays a while behind its end. Then it is either kept
 * in detail or forgotten.
 *
 * Owns:   the sessions in its table, and those kept, until stories_free().
 * Limits: STORIES_OPEN_MAX at a time (the oldest is taken as ended), STORIES_BEHIND of
 *         those that have ended, STORY_STEPS_MAX steps each (the first ones, the last ones
 *         and those a finding points to stay), STORIES_MEMORY octets in all: then the steps
 *         of the oldest are dropped.
 */
#ifndef ANALYSIS_REPORT_STORY_H
#define ANALYSIS_REPORT_STORY_H

#include "analysis/report/group.h"
#include "analysis/report/step.h"
#include "transcript/read/sessions.h"

enum {
    STORIES_OPEN_MAX = 65536,
    STORIES_BEHIND = 512, /* stored_detect tells of a session at most 256 sessions later */
    STORIES_KEPT_MAX = 50,
    STORY_STEPS_MAX = 160,
    STORY_STEPS_FIRST = 60,
    STORY_FOUND_MAX = 32,
    STORIES_MEMORY = 96 << 20,
};

/* In a session shown in detail. */
struct story_finding {
    struct story_finding *next;
    struct found found;
    const struct group *group; /* NULL: there was no room for one */
};

struct story {
    struct session_node node; /* first */
    char vantage[GROUP_VANTAGE_MAX];
    char client[80], server[80];
    uint64_t begin_us, end_us;
    struct step **steps;
    unsigned step_count, step_room;
    uint64_t records;                               /* seen of it */
    bool thin;                                      /* its steps were dropped */
    bool damaged;                                   /* a finding of low or above */
    bool is_example;                                /* of a group of findings */
    struct story_finding *findings, **findings_end; /* in the order they came */
    unsigned finding_count;
    unsigned char in_group[GROUPS_MAX / 8]; /* groups it is counted in */
    size_t size;
};

struct stories;

struct stories_env {
    /* A session that goes; true: keep it in detail. */
    bool (*going)(void *arg, const struct story *s);
    void *arg;
};

/* NULL when memory is out. */
MUST_CHECK struct stories *stories_new(const struct stories_env *env);
void stories_free(struct stories **s);

/* The session of the record, made when it is new; NULL when memory is out. */
struct story *stories_of(struct stories *all, const struct record *r);
/* NULL: not there, or no more. */
struct story *stories_find(struct stories *all, const char *sid);
/* Adds the record as a step. */
void stories_see(struct stories *all, struct story *s, const struct record *r);
/* Its last record was seen. */
void stories_end(struct stories *all, struct story *s);
/* Another finding of it, and the step it points to, or NULL. */
const struct step *stories_found(struct stories *all, struct story *s, const struct found *f,
                                 const struct group *g);
/* All that are still there go. */
void stories_finish(struct stories *all);

/* Those kept, in the order they ended; false past the end. */
bool stories_kept(const struct stories *all, unsigned i, const struct story **out);
/* Octets held now. */
size_t stories_size(const struct stories *all);

#endif
