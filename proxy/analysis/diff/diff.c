#include "analysis/diff/diff_private.h"

#include "analysis/diff/clock.h"
#include "base/sid.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SCRATCH_MAX = 64 << 20,
    CLOCK_PAIRS = 64, /* looked at for the clock before any is compared */
    TELL_PAIRS = 256,
};

/* ---- sessions and pairs as the caller sees them ---- */

void diff_session_fill(struct diff_session *out, const struct entry *e)
{
    *out = (struct diff_session){ .t_us = e->t_us,
                                  .us = (uint64_t)e->ms * 1000,
                                  .commands = e->commands,
                                  .messages = e->messages,
                                  .octets = e->octets };
    sid_text(&e->sid, out->sid);
}

static void pair_fill(const struct diff_state *d, const struct pair *p, struct diff_pair *out)
{
    diff_session_fill(&out->near, index_entry(&d->index[NEAR], p->near));
    diff_session_fill(&out->far, index_entry(&d->index[FAR], p->far));
    out->confidence = (enum confidence)p->confidence;
    out->how = pair_how_name(p->how);
}

bool diff_unpaired_at(const struct diff_result *r, enum diff_vantage v, size_t i,
                      struct diff_session *out)
{
    const struct diff_state *d = (const struct diff_state *)r;

    if (i >= d->missing_len[v])
        return false;
    diff_session_fill(out, index_entry(&d->index[v], d->missing[v][i]));
    return true;
}

/* ---- the steps ---- */

static void index_progress(void *arg, uint64_t done, uint64_t of)
{
    struct diff_state *d = arg;

    d->o->progress(d->o->arg, d->phase, done, of);
}

static bool index_side(struct diff_state *d, enum diff_vantage v, char error[DIFF_ERROR_MAX])
{
    const struct diff_options *o = d->o;
    struct index_watch w = { .progress = o->progress != NULL ? index_progress : NULL,
                             .trouble = o->trouble != NULL ? diff_trouble : NULL,
                             .arg = d };

    d->phase = v == NEAR ? PHASE_NEAR : PHASE_FAR;
    d->source[v] = source_open(o->files[v], o->file_count[v], o->importer, error);
    if (d->source[v] == NULL || !index_build(&d->index[v], d->source[v], &w, error))
        return false;
    d->r.totals.records[v] = d->index[v].records;
    d->r.totals.octets[v] = d->index[v].octets;
    d->r.totals.bad_lines[v] = d->index[v].bad_lines;
    d->r.totals.sessions[v] = index_count(&d->index[v]);
    if (d->index[v].vantage[0] == '\0')
        snprintf(d->index[v].vantage, sizeof d->index[v].vantage, v == NEAR ? "near" : "far");
    d->r.vantage[v] = d->index[v].vantage;
    return true;
}

void diff_trouble(void *arg, const char *what)
{
    struct diff_state *d = arg;

    if (d->o->trouble != NULL)
        d->o->trouble(d->o->arg, what);
}

static bool is_wanted(const struct diff_state *d, const struct pair *p)
{
    char near[DIFF_SID], far[DIFF_SID];

    if (d->o->session == NULL)
        return true;
    sid_text(&index_entry(&d->index[NEAR], p->near)->sid, near);
    sid_text(&index_entry(&d->index[FAR], p->far)->sid, far);
    return sid_fits(near, d->o->session) || sid_fits(far, d->o->session);
}

/* Both sessions of a pair, in fresh scratch. */
static bool read_pair(struct diff_state *d, const struct pair *p, struct talk *near,
                      struct talk *far)
{
    scratch_reset(&d->scratch);
    return talk_read(near, &d->scratch, &d->index[NEAR], index_entry(&d->index[NEAR], p->near),
                     d->source[NEAR]) &&
           talk_read(far, &d->scratch, &d->index[FAR], index_entry(&d->index[FAR], p->far),
                     d->source[FAR]);
}

static void learn_clock(struct diff_state *d)
{
    struct clock_guess guess = { .known = false };
    size_t step = d->pairing.len / CLOCK_PAIRS + 1;
    struct talk near, far;

    for (size_t i = 0; i < d->pairing.len; i += step)
        if (d->pairing.list[i].confidence >= CONFIDENCE_HIGH &&
            read_pair(d, &d->pairing.list[i], &near, &far))
            clock_learn(&guess, &near, &far);
    d->r.clock = clock_of(&guess);
}

static void name_products(const struct catalogue *c, struct diff_finding *f)
{
    const struct catalogue_entry *e = NULL;

    for (unsigned i = 0; c != NULL && i < FINDING_PRODUCTS_MAX; i++) {
        e = catalogue_for(c, f->f.id, e);
        if (e == NULL)
            return;
        f->f.products[i] = e->id;
    }
}

static void count_findings(struct diff_state *d, const struct diff_finding *list, size_t len,
                           bool paired)
{
    struct diff_totals *t = &d->r.totals;
    bool damaged = false;

    for (size_t i = 0; i < len; i++) {
        enum severity s = list[i].f.severity;
        t->findings++;
        t->findings_by[s]++;
        d->r.worst = s > d->r.worst ? s : d->r.worst;
        damaged = damaged || s > SEVERITY_INFO;
    }
    t->damaged += paired && damaged;
    t->clean += paired && !damaged;
}

bool diff_take(struct diff_state *d, const struct diff_pair *pair, uint64_t number,
               struct diff_finding *list, size_t len)
{
    for (size_t i = 0; i < len; i++)
        name_products(d->o->catalogue, &list[i]);
    count_findings(d, list, len, pair->near.sid[0] != '\0' && pair->far.sid[0] != '\0');
    if (d->o->compared != NULL)
        d->o->compared(d->o->arg, pair, list, len);
    return gather_add(d->groups, pair, number, list, len);
}

static const char *spool_of(const struct diff_state *d, enum diff_vantage v)
{
    return d->o->spool[v] != NULL ? d->o->spool[v] : source_spool(d->source[v]);
}

static bool compare_pair(struct diff_state *d, const struct pair *p, uint64_t number)
{
    struct compare *c = &d->compare;
    struct diff_pair pair;
    struct talk near, far;

    pair_fill(d, p, &pair);
    if (!read_pair(d, p, &near, &far)) {
        char what[DIFF_ERROR_MAX];
        snprintf(what, sizeof what, "session %s: it is too large, or its file has changed",
                 pair.near.sid);
        diff_trouble(d, what);
        d->r.totals.bad_lines[NEAR]++;
        return true;
    }
    *c = (struct compare){ .mem = &d->scratch,
                           .near = &near,
                           .far = &far,
                           .clock = &d->r.clock,
                           .spool = { spool_of(d, NEAR), spool_of(d, FAR) },
                           .pair = pair.confidence };
    if (!compare_talks(c))
        diff_trouble(d, "out of memory: a session was not compared to its end");
    gather_could(d->groups, number, &near, &far);
    return diff_take(d, &pair, number, c->list, c->len);
}

static bool compare_all(struct diff_state *d)
{
    const struct diff_options *o = d->o;

    for (size_t i = 0; i < d->pairing.len; i++) {
        const struct pair *p = &d->pairing.list[i];
        if (!is_wanted(d, p))
            continue;
        d->r.totals.pairs++;
        d->r.totals.pairs_by[p->confidence]++;
        if (!compare_pair(d, p, i))
            return false;
        if (o->progress != NULL && (i % TELL_PAIRS == 0 || i + 1 == d->pairing.len))
            o->progress(o->arg, PHASE_COMPARE, i + 1, d->pairing.len);
    }
    return true;
}

static bool run_steps(struct diff_state *d, char error[DIFF_ERROR_MAX])
{
    if (!index_side(d, NEAR, error) || !index_side(d, FAR, error))
        return false;
    snprintf(error, DIFF_ERROR_MAX, "out of memory");
    if (!pair_sessions(&d->pairing, &d->index[NEAR], &d->index[FAR]))
        return false;
    learn_clock(d);
    if (!compare_all(d) || !unpaired_all(d))
        return false;
    d->r.groups = gather_sorted(d->groups, d->r.totals.sessions, &d->r.group_count);
    return true;
}

struct diff_result *diff_run(const struct diff_options *o, char error[DIFF_ERROR_MAX])
{
    struct diff_state *d = calloc(1, sizeof *d);
    struct diff_result *r = NULL;

    if (d == NULL) {
        snprintf(error, DIFF_ERROR_MAX, "out of memory");
        return NULL;
    }
    d->o = o;
    index_init(&d->index[NEAR], NEAR);
    index_init(&d->index[FAR], FAR);
    scratch_init(&d->scratch, SCRATCH_MAX);
    d->groups = gather_new(o->examples);
    if (d->groups == NULL)
        snprintf(error, DIFF_ERROR_MAX, "out of memory");
    else if (run_steps(d, error))
        r = &d->r;
    d->o = NULL; /* the caller's */
    source_close(&d->source[NEAR]);
    source_close(&d->source[FAR]);
    scratch_deinit(&d->scratch);
    struct diff_result *failed = &d->r;
    if (r == NULL)
        diff_free(&failed);
    return r;
}

void diff_free(struct diff_result **rp)
{
    struct diff_state *d = (struct diff_state *)*rp;

    *rp = NULL;
    if (d == NULL)
        return;
    index_deinit(&d->index[NEAR]);
    index_deinit(&d->index[FAR]);
    pairing_deinit(&d->pairing);
    gather_free(&d->groups);
    free(d->missing[NEAR]);
    free(d->missing[FAR]);
    free(d);
}

bool diff_is_damaged(const struct diff_result *r)
{
    return r->totals.findings > r->totals.findings_by[SEVERITY_INFO];
}
