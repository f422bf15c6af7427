#include "analysis/report/diff_page.h"

#include "analysis/report/report.h"

#include <stdlib.h>

struct diff_page {
    const struct diff_result *d;
    struct groups groups;
    const struct diff_group *from[GROUPS_MAX]; /* by index of the group */
    struct pair_shown *pairs;                  /* PAIRS_SHOWN_MAX of them */
    unsigned pair_count;
    struct match match;
    struct verdict verdict;
    char where[2 * GROUP_VANTAGE_MAX + 8];
};

/* ---- groups --------------------------------------------------------------------------- */

static void fill_panel(struct panel *p, const char *label, const struct diff_excerpt *e)
{
    panel_fill(p, label, e->octets, 0);
    p->missing = !excerpt_is_there(e);
    p->from = e->from;
    p->at = e->at;
    p->at_len = e->len;
}

static void fill_group(struct diff_page *page, struct group *g, const struct diff_group *from)
{
    const struct diff_finding *f = from->examples[0];
    bool back = f->way == WAY_REPLY;

    found_copy(&g->example, &f->f);
    snprintf(g->subject, sizeof g->subject, "%s%s%s", f->subject,
             f->subject[0] != '\0' && f->sub != NULL ? " " : "", f->sub != NULL ? f->sub : "");
    memcpy(g->sid, from->example_pairs[0].near.sid, SID_TEXT);
    g->findings = from->findings;
    g->sessions = from->sessions;
    g->could = from->could;
    g->same_bytes = from->same_bytes;
    g->index = page->groups.count;
    page->from[g->index] = from;
    if (f->way == WAY_SESSION && f->sent.octets.len == 0 && f->received.octets.len == 0)
        return;
    fill_panel(&g->left, back ? "Near: received" : "Near: sent", excerpt_near(f));
    fill_panel(&g->right, back ? "Far: sent" : "Far: received", excerpt_far(f));
}

static void take_groups(struct diff_page *page)
{
    for (size_t i = 0; i < page->d->group_count; i++) {
        const struct diff_group *from = &page->d->groups[i];
        struct group *g = NULL;
        if (from->example_count > 0 && page->groups.count < GROUPS_MAX)
            g = calloc(1, sizeof *g);
        if (g == NULL) {
            page->groups.beyond += from->findings;
            continue;
        }
        fill_group(page, g, from);
        page->groups.list[page->groups.count++] = g;
    }
    groups_sort(&page->groups);
}

/* ---- pairs ---------------------------------------------------------------------------- */

static bool same_pair(const struct diff_pair *a, const struct diff_pair *b)
{
    return strcmp(a->near.sid, b->near.sid) == 0 && strcmp(a->far.sid, b->far.sid) == 0;
}

static uint32_t place_of(const struct pair_row *row)
{
    const struct diff_excerpt *near = excerpt_near(row->finding);

    return near->record != 0 ? near->record : row->finding->f.record;
}

static int compare_rows(const void *a, const void *b)
{
    const struct pair_row *x = a, *y = b;
    uint32_t p = place_of(x), q = place_of(y);

    if (p != q)
        return p > q ? 1 : -1;
    return x->group->number > y->group->number ? 1 : -1;
}

/* All that is known of the pair: the examples of every group. */
static void take_rows(struct diff_page *page, struct pair_shown *shown)
{
    for (unsigned i = 0; i < page->groups.count; i++) {
        const struct group *g = page->groups.list[i];
        const struct diff_group *from = page->from[g->index];
        for (unsigned k = 0; k < from->example_count; k++) {
            if (shown->row_count < PAIR_ROWS_MAX &&
                same_pair(&from->example_pairs[k], shown->pair))
                shown->rows[shown->row_count++] = (struct pair_row){ from->examples[k], g };
        }
    }
    if (shown->row_count > 0)
        qsort(shown->rows, shown->row_count, sizeof shown->rows[0], compare_rows);
}

static void take_pairs(struct diff_page *page)
{
    for (unsigned i = 0; i < page->groups.count; i++) {
        struct group *g = page->groups.list[i];
        const struct diff_pair *pair = &page->from[g->index]->example_pairs[0];
        unsigned k = 0;
        while (k < page->pair_count && !same_pair(page->pairs[k].pair, pair))
            k++;
        if (k == PAIRS_SHOWN_MAX || pair->near.sid[0] == '\0' || pair->far.sid[0] == '\0')
            continue;
        if (k == page->pair_count)
            page->pairs[page->pair_count++].pair = pair;
        g->detail = k + 1;
    }
    for (unsigned k = 0; k < page->pair_count; k++)
        take_rows(page, &page->pairs[k]);
}

static void put_sid(FILE *out, const char *which, const struct diff_session *s)
{
    html_markupf(out, "%s <code>", which);
    html_text(out, s->sid);
    html_markup(out, "</code> (");
    page_time(out, s->t_us);
    html_markup(out, ", ");
    html_count(out, s->commands);
    html_markup(out, " commands, ");
    html_size(out, s->octets);
    html_markup(out, " of mail)");
}

static void put_pair(FILE *out, const struct pair_shown *p, unsigned number)
{
    html_markupf(out,
                 "<article class=\"session\" aria-labelledby=\"s%u\">\n"
                 "<h3 id=\"s%u\" tabindex=\"-1\">Pair %u</h3>\n<p class=\"facts\">",
                 number, number, number);
    put_sid(out, "Near", &p->pair->near);
    put_sid(out, ", far", &p->pair->far);
    html_markupf(out, ". That they are one session is %s: found by %s.</p>\n",
                 confidence_words(p->pair->confidence), p->pair->how);
    pair_draw(out, p, number);
    pair_table(out, p, number);
    html_markup(out, "</article>\n");
}

static void put_pairs(FILE *out, const struct diff_page *page)
{
    html_markup(out, "<section aria-labelledby=\"sessions\">\n"
                     "<h2 id=\"sessions\" tabindex=\"-1\">Pairs of sessions in detail</h2>\n");
    html_markup(out, page->pair_count > 0 ? "<p>The first of each kind of finding.</p>\n"
                                          : "<p>None: nothing differs.</p>\n");
    for (unsigned i = 0; i < page->pair_count; i++)
        put_pair(out, &page->pairs[i], i + 1);
    html_markup(out, "</section>\n");
}

/* ---- page ----------------------------------------------------------------------------- */

static void put_facts(FILE *out, const struct diff_page *page)
{
    const struct diff_totals *t = &page->d->totals;

    html_markup(out, "<p>");
    html_count(out, t->pairs);
    html_markup(out, t->pairs == 1 ? " pair" : " pairs");
    html_markup(out, " of sessions, seen near the client at <code>");
    html_text(out, page->d->vantage[NEAR]);
    html_markup(out, "</code> and near the server at <code>");
    html_text(out, page->d->vantage[FAR]);
    html_markup(out, "</code>. ");
    html_count(out, t->damaged);
    html_markup(out, t->damaged == 1 ? " of them shows damage." : " of them show damage.");
    if (t->unpaired[NEAR] + t->unpaired[FAR] > 0) {
        html_markup(out, " Without a partner: ");
        html_count(out, t->unpaired[NEAR]);
        html_markup(out, " near, ");
        html_count(out, t->unpaired[FAR]);
        html_markup(out, " far.");
    }
    html_markup(out, "</p>\n</header>\n<main>\n");
}

static void put_page(FILE *out, struct diff_page *page, const struct report_options *o)
{
    struct page_findings findings = { .groups = &page->groups,
                                      .of = page->d->totals.pairs,
                                      .unit = "pairs",
                                      .where = page->where };

    page_begin(out, o->title != NULL ? o->title : "What the path does to mail");
    put_facts(out, page);
    page_verdict(out, &page->verdict, &page->match);
    page_findings(out, &findings);
    page_products(out, &page->match);
    put_pairs(out, page);
    page_diff_figures(out, page->d, &page->groups);
    html_markup(out, "</main>\n");
    page_end(out);
}

bool report_write_diff(FILE *out, const struct diff_result *d, const struct report_options *o)
{
    struct diff_page *page = calloc(1, sizeof *page);
    struct pair_shown *pairs = calloc(PAIRS_SHOWN_MAX, sizeof *pairs);
    bool made = page != NULL && pairs != NULL;

    if (made) {
        page->d = d;
        page->pairs = pairs;
        snprintf(page->where, sizeof page->where, "%.*s and %.*s", GROUP_VANTAGE_MAX,
                 d->vantage[NEAR], GROUP_VANTAGE_MAX, d->vantage[FAR]);
        take_groups(page);
        take_pairs(page);
        match_make(&page->match, &page->groups, o->catalogue);
        verdict_make(&page->verdict, &page->groups, &page->match, page->where);
        put_page(out, page, o);
        groups_free(&page->groups);
    }
    free(pairs);
    free(page);
    return made;
}
