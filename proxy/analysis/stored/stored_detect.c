/*
 * stored_detect - the sessions of a file, each with its block, and what was found.
 *
 * Findings that stand in the file are not told twice: one found anew waits until the next
 * record of its session shows whether it stands there; one that stood there first is matched
 * when it is found. Sessions that are closed wait a little for findings written behind.
 */
#include "analysis/stored/stored.h"

#include "transcript/read/decode.h"
#include "transcript/read/sessions.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SESSIONS_MAX = 65536,
    CLOSED_MAX = 256,
    PENDING_MAX = 64, /* of a session; more are told at once */
    RECORDED_MAX = 64,
};

struct pending {
    struct pending *next;
    struct finding finding;
    char t[28];
    unsigned char bytes[FINDING_BYTES_MAX];
};

struct watched {
    struct session_node node; /* first; ended: its close record was seen */
    char *vantage;
    struct detect *detect;
    struct pending *pending;
    unsigned pending_len;
    const char *recorded[RECORDED_MAX]; /* ids that stood there before they were found */
    unsigned recorded_len;
};

struct stored_detect {
    struct stored *stored;
    struct decoded *decoded; /* a finding */
    struct detect_env env;
    void (*found)(void *arg, const struct stored_finding *f);
    void *arg;
    struct sessions sessions;
    struct watched *now; /* whose record is looked at */
    const struct record *record;
};

/* ---- telling ---- */

static void tell(struct stored_detect *d, const struct watched *s, const struct pending *p,
                 bool recorded)
{
    d->found(d->arg, &(struct stored_finding){ .sid = s->node.sid,
                                               .t = p->t,
                                               .vantage = s->vantage,
                                               .finding = &p->finding,
                                               .recorded = recorded });
}

static struct pending *take_pending(struct watched *s, struct pending **link)
{
    struct pending *p = *link;

    *link = p->next;
    s->pending_len--;
    return p;
}

static void tell_pending(struct stored_detect *d, struct watched *s)
{
    while (s->pending != NULL) {
        struct pending *p = take_pending(s, &s->pending);
        tell(d, s, p, false);
        free(p);
    }
}

/* ---- sessions ---- */

static struct watched *watched_at(struct session_node *node)
{
    return (struct watched *)node;
}

static void watched_end(struct stored_detect *d, struct watched *s)
{
    sessions_remove(&d->sessions, &s->node);
    tell_pending(d, s);
    detect_free(&s->detect);
    free(s->vantage);
    free(s);
}

static struct watched *watched_of(struct stored_detect *d, const struct record *r)
{
    struct watched *s = watched_at(sessions_find(&d->sessions, r->sid));

    if (s != NULL)
        return s;
    if (d->sessions.open.len >= SESSIONS_MAX)
        watched_end(d, watched_at(sessions_oldest_of(&d->sessions.open)));
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->vantage = strdup(r->vantage);
    if (s->vantage == NULL) {
        free(s);
        return NULL;
    }
    sessions_add(&d->sessions, &s->node, r->sid);
    return s;
}

static void watched_close(struct stored_detect *d, struct watched *s)
{
    sessions_end(&d->sessions, &s->node);
    if (d->sessions.ended.len > CLOSED_MAX)
        watched_end(d, watched_at(sessions_oldest_of(&d->sessions.ended)));
}

/* ---- found anew ---- */

static bool stood_there(struct watched *s, const char *id)
{
    for (unsigned i = 0; i < s->recorded_len; i++)
        if (strcmp(s->recorded[i], id) == 0) {
            s->recorded[i] = s->recorded[--s->recorded_len];
            return true;
        }
    return false;
}

static void on_found(void *arg, const struct finding *f)
{
    struct stored_detect *d = arg;
    struct watched *s = d->now;
    struct pending **last = &s->pending;

    if (stood_there(s, f->id))
        return;
    struct pending *p = calloc(1, sizeof *p);
    if (p == NULL)
        return;
    p->finding = *f;
    if (f->bytes.len > 0)
        memcpy(p->bytes, f->bytes.ptr, f->bytes.len);
    p->finding.bytes = span_of(p->bytes, f->bytes.len);
    memcpy(p->t, d->record->t, sizeof p->t - 1);
    if (s->pending_len >= PENDING_MAX) {
        tell(d, s, p, false);
        free(p);
        return;
    }
    while (*last != NULL)
        last = &(*last)->next;
    *last = p;
    s->pending_len++;
}

/* ---- standing in the file ---- */

/* The detector's own text, which stays; NULL: of another program. */
static const char *constant_id(const char *id)
{
    const char *known, *name;
    enum severity severity;

    for (unsigned i = 0; detect_list(i, &known, &name, &severity); i++)
        if (strcmp(known, id) == 0)
            return known;
    return NULL;
}

static void tell_recorded(struct stored_detect *d, const struct watched *s,
                          const struct record *r)
{
    if (decode(d->decoded, r))
        d->found(d->arg, &(struct stored_finding){ s->node.sid, r->t, s->vantage,
                                                   &d->decoded->finding, true });
}

static void see_recorded(struct stored_detect *d, struct watched *s, const struct record *r)
{
    const char *id = record_text(r->root, "id");

    tell_recorded(d, s, r);
    for (struct pending **link = &s->pending; *link != NULL; link = &(*link)->next)
        if (strcmp((*link)->finding.id, id) == 0) {
            free(take_pending(s, link));
            return;
        }
    id = constant_id(id);
    if (id != NULL && s->recorded_len < RECORDED_MAX)
        s->recorded[s->recorded_len++] = id;
}

/* ---- all ---- */

struct stored_detect *stored_detect_new(const struct catalogue *c,
                                        void (*found)(void *arg,
                                                      const struct stored_finding *f),
                                        void *arg)
{
    struct stored_detect *d = calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    d->stored = stored_new();
    d->decoded = decoded_new();
    d->env = (struct detect_env){
        .catalogue = c, .memory = detect_memory_new(), .found = on_found, .arg = d
    };
    d->found = found;
    d->arg = arg;
    if (d->stored == NULL || d->decoded == NULL || d->env.memory == NULL)
        stored_detect_free(&d);
    return d;
}

void stored_detect_free(struct stored_detect **dp)
{
    struct stored_detect *d = *dp;

    *dp = NULL;
    if (d == NULL)
        return;
    for (struct session_node *s; (s = sessions_oldest(&d->sessions)) != NULL;)
        watched_end(d, watched_at(s));
    stored_free(&d->stored);
    decoded_free(&d->decoded);
    detect_memory_free(&d->env.memory);
    free(d);
}

void stored_detect_see(struct stored_detect *d, const struct record *r)
{
    struct watched *s = watched_of(d, r);
    const struct record_view *seen;

    if (s == NULL)
        return;
    if (r->kind == RECORD_FINDING) {
        see_recorded(d, s, r);
        return;
    }
    tell_pending(d, s);
    seen = s->node.ended ? NULL : stored_see(d->stored, r);
    if (seen == NULL)
        return;
    d->now = s;
    d->record = r;
    detect_see(&s->detect, &d->env, seen);
    if (seen->kind == VIEW_CLOSE)
        watched_close(d, s);
}
