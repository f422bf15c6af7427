#include "analysis/report/report_private.h"

#include "base/sid.h"

#include <stdlib.h>

/* ---- findings ------------------------------------------------------------------------- */

static bool counts_in(struct story *s, const struct group *g)
{
    unsigned char *octet = &s->in_group[g->index / 8], bit = (unsigned char)(1 << g->index % 8);

    if ((*octet & bit) != 0)
        return false;
    *octet |= bit;
    return true;
}

static void mark_session(struct story *s, const struct found *f)
{
    if (f->severity > SEVERITY_INFO)
        s->damaged = true;
}

static void on_found(void *arg, const struct stored_finding *one)
{
    struct report *r = arg;
    struct story *s = stories_find(r->sessions, one->sid);
    const struct step *step = NULL;
    struct found f;
    bool is_new;

    found_copy(&f, one->finding);
    struct group *g = groups_of(&r->groups, &f, one->vantage, &is_new);
    if (s != NULL) {
        step = stories_found(r->sessions, s, &f, g);
        mark_session(s, &f);
    }
    if (g == NULL)
        return;
    if (is_new) {
        memcpy(g->sid, one->sid, strnlen(one->sid, SID_TEXT));
        group_show(g, step);
        if (s != NULL)
            s->is_example = true;
    }
    group_add(g, &f, step_time(one->t));
    if (s == NULL || counts_in(s, g))
        g->sessions++;
}

/* ---- sessions ------------------------------------------------------------------------- */

/* Which sessions the page shows in detail. */
static bool on_going(void *arg, const struct story *s)
{
    struct report *r = arg;

    r->with_findings += s->finding_count > 0;
    r->with_damage += s->damaged;
    if (r->o.session != NULL)
        return sid_fits(s->node.sid, r->o.session);
    if (s->is_example)
        return true;
    if (r->has_clean || s->finding_count > 0 || s->thin || s->records < 3)
        return false;
    r->has_clean = true;
    return true;
}

/* ---- life ----------------------------------------------------------------------------- */

struct report *report_new(const struct report_options *o)
{
    struct report *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->o = *o;
    r->sessions = stories_new(&(struct stories_env){ on_going, r });
    r->detect = stored_detect_new(o->catalogue, on_found, r);
    if (r->sessions == NULL || r->detect == NULL)
        report_free(&r);
    return r;
}

void report_free(struct report **rp)
{
    struct report *r = *rp;

    *rp = NULL;
    if (r == NULL)
        return;
    if (r->sessions != NULL && r->detect != NULL)
        stored_detect_free(&r->detect); /* may still tell of findings */
    stories_free(&r->sessions);
    groups_free(&r->groups);
    for (unsigned i = 0; i < REPORT_SOURCES_MAX; i++)
        free(r->sources[i]);
    free(r);
}

void report_source(struct report *r, const char *name)
{
    if (r->source_count < REPORT_SOURCES_MAX)
        r->sources[r->source_count] = strdup(name);
    r->source_count++;
}

void report_bad_line(struct report *r)
{
    r->figures.bad_lines++;
}

void report_see(struct report *r, const struct record *record)
{
    struct story *s;

    figures_see(&r->figures, record);
    if (record->kind == RECORD_LOST) /* of a worker, not of a session */
        return;
    s = stories_of(r->sessions, record);
    if (s != NULL)
        stories_see(r->sessions, s, record);
    stored_detect_see(r->detect, record);
    s = record->kind == RECORD_CLOSE ? stories_find(r->sessions, record->sid) : NULL;
    if (s != NULL)
        stories_end(r->sessions, s);
}

void report_end(struct report *r)
{
    if (r->detect == NULL)
        return;
    stored_detect_free(&r->detect);
    stories_finish(r->sessions);
    groups_sort(&r->groups);
    match_make(&r->match, &r->groups, r->o.catalogue);
    verdict_make(&r->verdict, &r->groups, &r->match, report_where(r));
}

const char *report_where(const struct report *r)
{
    return r->figures.vantages.count == 1 ? r->figures.vantages.list[0].name
                                          : "the points of observation";
}

bool report_is_damaged(const struct report *r)
{
    return r->verdict.damaged;
}
