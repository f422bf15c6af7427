#include "analysis/report/page.h"
#include "analysis/report/report_private.h"

#include <stdlib.h>

static const char *title_of(const struct report *r)
{
    return r->o.title != NULL ? r->o.title : "What the path does to mail";
}

static void put_sources(FILE *out, const struct report *r)
{
    for (unsigned i = 0; i < r->source_count && i < REPORT_SOURCES_MAX; i++) {
        html_markup(out, i > 0 ? ", <code>" : "<code>");
        html_text(out, r->sources[i] != NULL ? r->sources[i] : "?");
        html_markup(out, "</code>");
    }
    if (r->source_count > REPORT_SOURCES_MAX)
        html_markupf(out, " and %u more", r->source_count - REPORT_SOURCES_MAX);
}

static void put_points(FILE *out, const struct tallies *t)
{
    for (unsigned i = 0; i < t->count; i++) {
        html_markup(out, i > 0 ? ", <code>" : ", seen at <code>");
        html_text(out, t->list[i].name);
        html_markup(out, "</code>");
    }
}

static void put_facts(FILE *out, const struct report *r)
{
    html_markup(out, "<p>");
    html_count(out, r->figures.sessions);
    html_markup(out, r->figures.sessions == 1 ? " session" : " sessions");
    put_points(out, &r->figures.vantages);
    if (r->figures.first_us != 0) {
        html_markup(out, ", from ");
        page_time(out, r->figures.first_us);
        html_markup(out, " to ");
        page_time(out, r->figures.last_us);
        html_markup(out, " UTC");
    }
    html_markup(out, ". ");
    if (r->figures.sessions > 0) {
        html_count(out, r->with_damage);
        html_markup(out,
                    r->with_damage == 1 ? " of them shows damage. " : " of them show damage. ");
    }
    html_markup(out, "Read from ");
    put_sources(out, r);
    html_markup(out, ".</p>\n</header>\n<main>\n");
}

/* The session kept in case there are no findings is of no use beside those that have some. */
static bool is_shown(const struct report *r, const struct story *s)
{
    return r->o.session != NULL || s->is_example || r->groups.count == 0;
}

/* Where a finding says it was first seen. */
static void point_to_sessions(struct report *r)
{
    const struct story *s;

    for (unsigned i = 0; stories_kept(r->sessions, i, &s); i++)
        for (unsigned k = 0; k < r->groups.count; k++)
            if (is_shown(r, s) && strcmp(r->groups.list[k]->sid, s->node.sid) == 0)
                r->groups.list[k]->detail = i + 1;
}

static void put_sessions(FILE *out, const struct report *r)
{
    const struct story *s;
    unsigned shown = 0;

    html_markup(out, "<section aria-labelledby=\"sessions\">\n"
                     "<h2 id=\"sessions\" tabindex=\"-1\">Sessions in detail</h2>\n");
    if (r->o.session == NULL && r->groups.count > 0)
        html_markup(out, "<p>The first session of each kind of finding.</p>\n");
    if (r->o.session == NULL && r->groups.count == 0)
        html_markup(out, "<p>No session has findings; this is the first one.</p>\n");
    for (unsigned i = 0; stories_kept(r->sessions, i, &s); i++) {
        if (!is_shown(r, s))
            continue;
        page_session(out, s, i + 1);
        shown++;
    }
    if (shown == 0)
        html_markup(out, "<p>None.</p>\n");
    html_markup(out, "</section>\n");
}

void report_write_html(struct report *r, FILE *out)
{
    struct page_findings findings = { .groups = &r->groups,
                                      .of = r->figures.sessions,
                                      .unit = "sessions",
                                      .where = report_where(r) };

    report_end(r);
    point_to_sessions(r);
    page_begin(out, title_of(r));
    put_facts(out, r);
    page_verdict(out, &r->verdict, &r->match);
    page_findings(out, &findings);
    page_products(out, &r->match);
    put_sessions(out, r);
    page_figures(out, &r->figures, &r->groups);
    html_markup(out, "</main>\n");
    page_end(out);
}
