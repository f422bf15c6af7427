/* diff_text - what was found, for people: the groups, the worst first, with their evidence. */
#include "diff.h"

#include "base/escape.h"
#include "transcript/read/paint.h"

#include <stdlib.h>

enum { AROUND = 48, SHOWN_MAX = 48, GROUPS_SHOWN = 25, NUMBER = 32 };

static const enum paint_color colors[] = { DIM, PLAIN, YELLOW, RED, RED };

/* 3120 as "3,120". */
static const char *number(char out[NUMBER], uint64_t n)
{
    char digits[NUMBER];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), at = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

/* How wide octets are on the terminal. */
static size_t width(struct span s)
{
    char safe[4 * (AROUND + SHOWN_MAX) + 8];

    return escape(safe, sizeof safe, span_first(s, AROUND + SHOWN_MAX));
}

static void rule(struct paint *p, enum paint_color color, size_t skip, size_t len)
{
    paint_line(p, DIM, "           ");
    for (size_t i = 0; i < skip; i++)
        fputc(' ', p->out);
    for (size_t i = 0; i < len; i++)
        paint_words(p, color, "^");
    paint_end(p);
}

/* Some octets before the difference, the difference, some behind it. */
static void excerpt(struct paint *p, const char *label, const struct diff_excerpt *e)
{
    uint64_t at = e->at >= e->from ? e->at - e->from : 0;
    struct span all = e->octets;
    size_t begin = at > AROUND ? (size_t)at - AROUND : 0;
    struct span before = span_first(span_drop(all, begin), (size_t)at - begin);
    struct span rest = span_drop(all, (size_t)at);
    struct span differs = span_first(rest, e->len < SHOWN_MAX ? (size_t)e->len : SHOWN_MAX);
    struct span after = span_first(span_drop(rest, differs.len), AROUND);
    bool more = begin + before.len + differs.len + after.len < all.len;

    paint_line(p, DIM, "  ");
    paint_words(p, DIM, "%-8s %s", label, begin > 0 ? "..." : "");
    paint_octets(p, PLAIN, before);
    paint_octets(p, RED, differs);
    paint_octets(p, PLAIN, after);
    paint_words(p, DIM, "%s", more ? "..." : "");
    paint_end(p);
    if (!p->color && differs.len > 0 && differs.len < all.len)
        rule(p, RED, width(before) + (begin > 0 ? 3 : 0), width(differs));
}

static void nothing(struct paint *p, const char *label)
{
    paint_line(p, DIM, "  ");
    paint_words(p, DIM, "%-8s (nothing)", label);
    paint_end(p);
}

static void place_at(struct paint *p, const char *vantage, const char *sid,
                     const struct diff_excerpt *e)
{
    paint_words(p, DIM, "%s %s", vantage, sid);
    if (e->record == 0)
        return;
    paint_words(p, DIM, ", record %u", e->record);
    if (e->len > 0 || e->at > 0)
        paint_words(p, DIM, ", byte %llu", (unsigned long long)e->at);
}

static void place(struct paint *p, const struct diff_finding *f, const struct diff_pair *pair)
{
    bool reply = f->way == WAY_REPLY;

    paint_line(p, DIM, "           ");
    place_at(p, reply ? "FAR" : "NEAR", reply ? pair->far.sid : pair->near.sid, &f->sent);
    paint_words(p, DIM, "; ");
    place_at(p, reply ? "NEAR" : "FAR", reply ? pair->near.sid : pair->far.sid, &f->received);
    if (pair->near.sid[0] != '\0' && pair->far.sid[0] != '\0' &&
        pair->confidence != CONFIDENCE_CERTAIN)
        paint_words(p, DIM, "; paired by %s, confidence %s", pair->how,
                    confidence_name(pair->confidence));
    paint_end(p);
}

static void evidence(struct paint *p, const struct diff_finding *f,
                     const struct diff_pair *pair)
{
    if (f->way == WAY_COMMAND || f->way == WAY_REPLY || f->sent.octets.len > 0) {
        if (f->sent.octets.len > 0)
            excerpt(p, "sent", &f->sent);
        else
            nothing(p, "sent");
        if (f->received.octets.len > 0)
            excerpt(p, "arrived", &f->received);
        else
            nothing(p, "arrived");
    }
    place(p, f, pair);
}

/* The same boxes as in a group before; NULL: there is none. */
static const struct diff_group *same_products(const struct diff_result *r, size_t before)
{
    const struct finding *f = &r->groups[before].examples[0]->f;

    for (size_t i = 0; i < before && f->products[0] != NULL; i++)
        if (memcmp(r->groups[i].examples[0]->f.products, f->products, sizeof f->products) == 0)
            return &r->groups[i];
    return NULL;
}

static void products(struct paint *p, const struct diff_command *c,
                     const struct diff_finding *f)
{
    for (unsigned i = 0; i < FINDING_PRODUCTS_MAX && f->f.products[i] != NULL; i++) {
        const struct catalogue_entry *e = catalogue_find(c->run.catalogue, f->f.products[i]);
        if (e == NULL)
            continue;
        paint_line(p, DIM, "  ");
        paint_words(p, DIM, "%-8s ", i == 0 ? "fits" : "");
        paint_words(p, PLAIN, "%s", e->product);
        if (e->fix != NULL && e->fix[0] != '\0')
            paint_words(p, GREEN, ": %s", e->fix);
        paint_end(p);
    }
}

static void headline(struct paint *p, const struct diff_finding *f)
{
    paint_line(p, colors[f->f.severity], severity_name(f->f.severity));
    paint_words(p, BOLD, " %s %s", f->f.id, f->f.name);
    paint_words(p, DIM, " (%s, confidence %s)", f->sub, confidence_name(f->f.confidence));
}

void diff_text_pair(const struct diff_command *c, const struct diff_pair *pair,
                    const struct diff_finding *list, size_t len)
{
    struct paint p = { .out = stdout, .color = c->color, .prefix = "" };

    for (size_t i = 0; i < len; i++) {
        headline(&p, &list[i]);
        paint_words(&p, PLAIN, " %s", list[i].f.text);
        paint_end(&p);
        evidence(&p, &list[i], pair);
    }
    if (len > 0)
        paint_end(&p);
}

static void how_many(struct paint *p, const struct diff_group *g)
{
    char some[NUMBER], all[NUMBER], times[NUMBER];

    paint_words(p, BOLD, " %s of %s session%s", number(some, g->sessions),
                number(all, g->could), g->could == 1 ? "" : "s");
    if (g->findings > g->sessions)
        paint_words(p, PLAIN, ", %s times", number(times, g->findings));
    paint_words(p, PLAIN, ": %s",
                g->others ? "differs from session to session" : g->examples[0]->f.text);
    if (g->same_bytes && g->findings > 1)
        paint_words(p, DIM, "; the same bytes every time");
}

static void group(struct paint *p, const struct diff_command *c, const struct diff_result *r,
                  size_t number)
{
    const struct diff_group *g = &r->groups[number], *before = same_products(r, number);

    headline(p, g->examples[0]);
    how_many(p, g);
    paint_end(p);
    for (unsigned i = 0; i < g->example_count && i < (unsigned)c->examples; i++)
        evidence(p, g->examples[i], &g->example_pairs[i]);
    if (before != NULL) {
        paint_line(p, DIM, "  ");
        paint_words(p, DIM, "%-8s the boxes of %s above", "fits", before->examples[0]->f.id);
        paint_end(p);
    } else if (c->run.catalogue != NULL) {
        products(p, c, g->examples[0]);
    }
    paint_line(p, DIM, "  ");
    paint_words(p, DIM, "%-8s %s", "next", g->examples[0]->f.next_test);
    paint_end(p);
    paint_end(p);
}

static void clock_line(struct paint *p, const struct diff_clock *k)
{
    char ahead[32], error[32];

    if (!k->known)
        return;
    paint_time(ahead, (uint64_t)llabs(k->ahead_us));
    paint_time(error, k->error_us);
    paint_line(p, DIM, "");
    paint_words(p, DIM, "FAR's clock is %s %s (+- %s).", ahead,
                k->ahead_us < 0 ? "behind" : "ahead", error);
    paint_end(p);
}

static void pairs_line(struct paint *p, const struct diff_result *r)
{
    const struct diff_totals *t = &r->totals;
    char a[NUMBER], b[NUMBER], n[NUMBER];
    bool first = true;

    paint_line(p, PLAIN, "");
    paint_words(p, PLAIN, "NEAR is \"%s\", %s session%s; FAR is \"%s\", %s; %s pair%s",
                r->vantage[0], number(a, t->sessions[NEAR]), t->sessions[NEAR] == 1 ? "" : "s",
                r->vantage[1], number(b, t->sessions[FAR]), number(n, t->pairs),
                t->pairs == 1 ? "" : "s");
    for (int i = CONFIDENCE_CERTAIN; i >= CONFIDENCE_LOW; i--) {
        if (t->pairs_by[i] == 0)
            continue;
        paint_words(p, DIM, "%s%s %s", first ? " (" : ", ", number(n, t->pairs_by[i]),
                    confidence_name((enum confidence)i));
        first = false;
    }
    paint_words(p, PLAIN, "%s.", first ? "" : ")");
    paint_end(p);
    clock_line(p, &r->clock);
}

static void apart_line(struct paint *p, const struct diff_totals *t)
{
    char a[NUMBER], b[NUMBER];

    if (t->apart[NEAR] + t->apart[FAR] == 0)
        return;
    paint_line(p, DIM, "");
    paint_words(p, DIM,
                "%s sessions of NEAR and %s of FAR lie outside the time of the other one.",
                number(a, t->apart[NEAR]), number(b, t->apart[FAR]));
    paint_end(p);
}

void diff_text_result(const struct diff_command *c, const struct diff_result *r)
{
    struct paint p = { .out = stdout, .color = c->color, .prefix = "" };
    const struct diff_totals *t = &r->totals;
    char damaged[NUMBER], pairs[NUMBER];

    pairs_line(&p, r);
    apart_line(&p, t);
    if (t->findings > 0)
        paint_end(&p);
    size_t shown = c->all || r->group_count < GROUPS_SHOWN ? r->group_count : GROUPS_SHOWN;
    for (size_t i = 0; i < shown; i++)
        group(&p, c, r, i);
    if (shown < r->group_count) {
        paint_line(&p, DIM, "");
        paint_words(&p, DIM, "... and %zu other kinds of differences: --all or --json.",
                    r->group_count - shown);
        paint_end(&p);
    }
    paint_line(&p, PLAIN, "");
    if (t->findings == 0)
        paint_words(&p, GREEN, "Nothing was changed between the two.");
    else
        paint_words(&p, diff_is_damaged(r) ? RED : GREEN,
                    "%s of %s pairs were changed on the way.", number(damaged, t->damaged),
                    number(pairs, t->pairs));
    paint_end(&p);
}
