#include "analysis/report/figures.h"

#include "analysis/report/step.h"

#include <stdio.h>
#include <stdlib.h>

enum { SUB_BITS = 3, SUB = 1 << SUB_BITS, BAR_FIRST_US = 100 };

/* ---- lapses --------------------------------------------------------------------------- */

static unsigned bucket_of(uint64_t us)
{
    unsigned bits = 0;

    if (us < SUB)
        return (unsigned)us;
    while (us >> bits >= 2 * SUB)
        bits++;
    unsigned i = (bits + 1) * SUB + (unsigned)(us >> bits) - SUB;
    return i < LAPSE_BUCKETS ? i : LAPSE_BUCKETS - 1;
}

/* The middle of a bucket. */
static uint64_t bucket_value(unsigned i)
{
    if (i < SUB)
        return i;
    unsigned bits = i / SUB - 1;
    uint64_t low = (uint64_t)(SUB + i % SUB) << bits;
    return low + ((1ull << bits) - 1) / 2;
}

uint64_t lapses_percentile(const struct lapses *l, unsigned percent)
{
    uint64_t rank = (l->count * percent + 99) / 100, seen = 0;

    for (unsigned i = 0; i < LAPSE_BUCKETS && l->count > 0; i++) {
        seen += l->bucket[i];
        if (seen < rank || seen == 0)
            continue;
        uint64_t value = bucket_value(i);
        return value < l->longest_us ? value : l->longest_us;
    }
    return 0;
}

uint64_t figures_bar_limit(unsigned bar)
{
    static const unsigned steps[] = { 1, 2, 5 };
    uint64_t limit = BAR_FIRST_US;

    for (unsigned i = 0; i < bar / 3; i++)
        limit *= 10;
    return limit * steps[bar % 3];
}

static void lapse_add(struct figures *f, struct lapses *l, uint64_t us)
{
    unsigned bar = 0;

    while (bar < LAPSE_BARS && us >= figures_bar_limit(bar))
        bar++;
    f->bars[bar]++;
    l->bucket[bucket_of(us)]++;
    l->count++;
    if (us > l->longest_us)
        l->longest_us = us;
}

/* ---- tallies -------------------------------------------------------------------------- */

static void tally_add(struct tallies *t, const char *name, bool bad)
{
    for (unsigned i = 0; i < t->count; i++)
        if (strncmp(t->list[i].name, name, TALLY_NAME_MAX - 1) == 0) {
            t->list[i].count++;
            return;
        }
    if (t->count == TALLIES_MAX) {
        t->list[TALLIES_MAX - 1].count++;
        return;
    }
    struct tally *one = &t->list[t->count++];
    *one = (struct tally){ .count = 1, .bad = bad };
    snprintf(one->name, sizeof one->name, "%s", t->count < TALLIES_MAX ? name : "other");
}

static int compare_tallies(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->name, y->name);
}

void tallies_sort(struct tallies *t)
{
    qsort(t->list, t->count, sizeof t->list[0], compare_tallies);
}

/* ---- records -------------------------------------------------------------------------- */

/* Verbs that are none of SMTP's are told together: a client may send what it likes. */
static struct verb_figures *verb_of(struct figures *f, const char *verb)
{
    const char *name =
        verb[0] != '\0' && strlen(verb) < sizeof f->verbs[0].name ? verb : "(other)";

    for (unsigned i = 0; i < f->verb_count; i++)
        if (strcmp(f->verbs[i].name, name) == 0)
            return &f->verbs[i];
    if (f->verb_count == VERBS_MAX)
        return &f->verbs[VERBS_MAX - 1];
    struct verb_figures *v = &f->verbs[f->verb_count++];
    snprintf(v->name, sizeof v->name, "%s", f->verb_count < VERBS_MAX ? name : "(other)");
    return v;
}

static void see_reply(struct figures *f, const struct record *r, const char *verb)
{
    struct verb_figures *v = verb_of(f, verb);
    uint64_t code = record_count(r->root, "code");

    v->commands++;
    if (code == 0)
        v->unanswered++;
    else if (code < 400)
        v->good++;
    else if (code < 500)
        v->later++;
    else
        v->refused++;
    if (strcmp(record_text(r->root, "origin"), "proxy") == 0)
        v->ours++;
    else if (code != 0 && json_object_get(r->root, "reply_us") != NULL)
        lapse_add(f, &v->lapses, record_count(r->root, "reply_us"));
}

static void see_content(struct figures *f, const struct record *r)
{
    const json_t *dkim = json_object_get(r->root, "dkim");
    uint64_t longest = record_count(r->root, "longest_line");

    f->contents++;
    f->contents_refused += record_flag(r->root, "refused");
    f->contents_altered += record_flag(r->root, "altered");
    f->contents_cut += !record_flag(r->root, "complete");
    f->content_octets += record_count(r->root, "octets");
    if (longest > f->content_longest_line)
        f->content_longest_line = longest;
    for (size_t i = 0; i < json_array_size(dkim); i++) {
        const char *result = record_text(json_array_get(dkim, i), "result");
        tally_add(&f->dkim, result, strcmp(result, "changed") == 0);
    }
}

static void see_tls(struct figures *f, const struct record *r)
{
    const char *side = record_text(r->root, "side"), *version = record_text(r->root, "version");
    const char *failure = record_text(r->root, "failure");
    bool ok = record_flag(r->root, "ok");
    char name[TALLY_NAME_MAX];

    snprintf(name, sizeof name, "%s: %s%.24s",
             strcmp(side, "client") == 0   ? "client"
             : strcmp(side, "server") == 0 ? "upstream"
                                           : "through",
             ok ? "" : "failed ",
             !ok                  ? failure
             : version[0] != '\0' ? version
                                  : "complete");
    tally_add(&f->tls, name, !ok);
}

static void see_close(struct figures *f, const struct record *r)
{
    const json_t *octets = json_object_get(r->root, "octets");
    bool error = record_flag(r->root, "error");

    f->closed++;
    f->failed += error;
    f->octets_from_client += record_count(octets, "client_in");
    f->octets_from_server += record_count(octets, "server_in");
    tally_add(&f->closes, record_text(r->root, "reason"), error);
}

static void see_kind(struct figures *f, const struct record *r)
{
    switch (r->kind) {
    case RECORD_OPEN:
        f->sessions++;
        tally_add(&f->vantages, r->vantage, false);
        break;
    case RECORD_TLS:
        see_tls(f, r);
        break;
    case RECORD_GREETING:
        see_reply(f, r, "(greeting)");
        break;
    case RECORD_COMMAND:
        if (!record_flag(r->root, "auth_line"))
            see_reply(f, r, record_text(r->root, "verb"));
        break;
    case RECORD_CONTENT:
        see_content(f, r);
        break;
    case RECORD_OPAQUE:
        f->opaque++;
        break;
    case RECORD_CLOSE:
        see_close(f, r);
        break;
    case RECORD_LOST:
        f->lost += record_count(r->root, "records");
        break;
    case RECORD_CONNECT:
    case RECORD_FINDING:
    case RECORD_KIND_COUNT:
        break;
    }
}

void figures_see(struct figures *f, const struct record *r)
{
    uint64_t t = step_time(r->t);

    f->records++;
    f->missing += r->missing;
    if (t != 0 && (f->first_us == 0 || t < f->first_us))
        f->first_us = t;
    if (t > f->last_us)
        f->last_us = t;
    see_kind(f, r);
}
