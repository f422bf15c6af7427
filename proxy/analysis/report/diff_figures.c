#include "analysis/report/diff_page.h"

static void put_both(FILE *out, const char *name, const uint64_t n[2])
{
    html_markupf(out, "<tr><th scope=\"row\">%s</th><td class=\"number\">", name);
    html_count(out, n[NEAR]);
    html_markup(out, "</td><td class=\"number\">");
    html_count(out, n[FAR]);
    html_markup(out, "</td></tr>\n");
}

static void put_points(FILE *out, const struct diff_result *d)
{
    html_markup(out, "<table>\n<caption>What was read</caption>\n<thead><tr>"
                     "<th scope=\"col\">Of</th><th scope=\"col\" class=\"number\">Near</th>"
                     "<th scope=\"col\" class=\"number\">Far</th></tr></thead>\n<tbody>\n");
    put_both(out, "Sessions", d->totals.sessions);
    put_both(out, "Without a partner", d->totals.unpaired);
    put_both(out, "While the other was not watching", d->totals.apart);
    put_both(out, "Records", d->totals.records);
    put_both(out, "Lines that could not be read", d->totals.bad_lines);
    html_markup(out, "</tbody>\n</table>\n");
}

static void put_one(FILE *out, const char *name, uint64_t n)
{
    html_markupf(out, "<tr><th scope=\"row\">%s</th><td class=\"number\">", name);
    html_count(out, n);
    html_markup(out, "</td></tr>\n");
}

static void put_clock(FILE *out, const struct diff_clock *c)
{
    uint64_t us = (uint64_t)(c->ahead_us < 0 ? -c->ahead_us : c->ahead_us);

    if (!c->known)
        return;
    html_markupf(out, "<tr><th scope=\"row\">Clock of far is %s</th><td class=\"number\">",
                 c->ahead_us < 0 ? "behind by" : "ahead by");
    html_lapse(out, us);
    html_markup(out, "</td></tr>\n");
}

static void put_pairs(FILE *out, const struct diff_result *d)
{
    html_markup(out, "<table>\n<caption>Pairs of sessions</caption>\n<tbody>\n");
    put_one(out, "Pairs", d->totals.pairs);
    for (unsigned i = CONFIDENCE_CERTAIN + 1; i-- > 0;) {
        html_markupf(out, "<tr><th scope=\"row\">that are %s</th><td class=\"number\">",
                     confidence_words((enum confidence)i));
        html_count(out, d->totals.pairs_by[i]);
        html_markup(out, "</td></tr>\n");
    }
    put_one(out, "with damage", d->totals.damaged);
    put_one(out, "without", d->totals.clean);
    put_clock(out, &d->clock);
    html_markup(out, "</tbody>\n</table>\n");
}

void page_diff_figures(FILE *out, const struct diff_result *d, const struct groups *g)
{
    html_markup(out, "<section aria-labelledby=\"figures\">\n"
                     "<h2 id=\"figures\" tabindex=\"-1\">Figures</h2>\n"
                     "<div class=\"tables\">\n");
    put_points(out, d);
    put_pairs(out, d);
    page_severities(out, g);
    html_markup(out, "</div>\n</section>\n");
}
