#include "analysis/report/page.h"

/* "EHLO STARTTLS masked" is id, name and subject. */
static void put_name(FILE *out, const struct group *g)
{
    html_text(out, g->example.id);
    html_markup(out, " ");
    html_text(out, g->example.name);
    if (g->subject[0] == '\0')
        return;
    html_markup(out, ": ");
    html_text(out, g->subject);
}

static void put_share(FILE *out, const struct page_findings *f, const struct group *g)
{
    html_count(out, g->sessions);
    html_markup(out, " of ");
    html_count(out, g->could > 0 ? g->could : f->of > g->sessions ? f->of : g->sessions);
}

/* ---- table ---------------------------------------------------------------------------- */

static void put_row(FILE *out, const struct page_findings *f, const struct group *g)
{
    html_markup(out, "<tr><td>");
    page_badge(out, g->example.severity);
    html_markupf(out, "</td><th scope=\"row\"><a href=\"#f%u\">", g->number);
    put_name(out, g);
    html_markup(out, "</a></th><td class=\"wide\">");
    html_text(out, g->example.text);
    html_markupf(out, "</td><td>%s</td><td class=\"number\">",
                 confidence_words(g->example.confidence));
    put_share(out, f, g);
    html_markup(out, "</td></tr>\n");
}

static void put_table(FILE *out, const struct page_findings *f)
{
    html_markup(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
                     "aria-label=\"Table of findings\">\n"
                     "<table class=\"findings\">\n<caption>What was found, the worst "
                     "first</caption>\n"
                     "<thead><tr><th scope=\"col\">Severity</th>"
                     "<th scope=\"col\">Finding</th><th scope=\"col\">What was seen</th>"
                     "<th scope=\"col\">How sure</th><th scope=\"col\" class=\"number\">");
    html_markupf(out, "In so many %s</th></tr></thead>\n<tbody>\n", f->unit);
    for (unsigned i = 0; i < f->groups->count; i++)
        put_row(out, f, f->groups->list[i]);
    html_markup(out, "</tbody>\n</table>\n</div>\n");
}

/* ---- each ----------------------------------------------------------------------------- */

static void put_facts(FILE *out, const struct page_findings *f, const struct group *g)
{
    html_markup(out, "<p class=\"facts\">");
    html_markupf(out, "How sure: %s. Where: %s", confidence_words(g->example.confidence),
                 side_words(g->example.side));
    html_text(out, g->example.side == BLAME_BETWEEN ? f->where : g->vantage);
    html_markup(out, ". In ");
    put_share(out, f, g);
    html_markupf(out, " %s, ", f->unit);
    html_count(out, g->findings);
    html_markup(out, g->findings == 1 ? " time."
                     : g->same_bytes  ? " times, each time the same bytes."
                                      : " times.");
    if (g->first_us != 0) {
        html_markup(out, " Seen ");
        page_time(out, g->first_us);
        if (g->last_us != g->first_us) {
            html_markup(out, " to ");
            page_time(out, g->last_us);
        }
        html_markup(out, ".");
    }
    html_markup(out, "</p>\n");
}

static void put_other_texts(FILE *out, const struct group *g)
{
    if (g->text_count == 0)
        return;
    html_markup(out, "<details>\n<summary>Also seen</summary>\n<ul>\n");
    for (unsigned i = 0; i < g->text_count; i++) {
        html_markup(out, "<li>");
        html_text(out, g->texts[i]);
        html_markup(out, "</li>\n");
    }
    if (g->more_texts)
        html_markup(out, "<li>and others</li>\n");
    html_markup(out, "</ul>\n</details>\n");
}

static void put_products(FILE *out, const struct group *g)
{
    if (g->example.products[0][0] == '\0')
        return;
    html_markup(out, "<p>Fits: ");
    for (size_t i = 0; i < FINDING_PRODUCTS_MAX && g->example.products[i][0] != '\0'; i++) {
        html_markup(out, i > 0 ? ", <code>" : "<code>");
        html_text(out, g->example.products[i]);
        html_markup(out, "</code>");
    }
    html_markup(out, ".</p>\n");
}

static void put_pointer(FILE *out, const struct group *g)
{
    if (g->sid[0] == '\0')
        return;
    html_markup(out, "<p>First seen in ");
    if (g->detail > 0)
        html_markupf(out, "<a href=\"#s%u\">session ", g->detail);
    else
        html_markup(out, "session ");
    html_text(out, g->sid);
    html_markup(out, g->detail > 0 ? "</a>" : "");
    if (g->example.record > 0) {
        html_markupf(out, ", record %llu", (unsigned long long)g->example.record);
        html_markup(out, g->example.field[0] != '\0' ? ", <code>" : "");
        html_text(out, g->example.field);
        html_markup(out, g->example.field[0] != '\0' ? "</code>" : "");
    }
    html_markup(out, ".</p>\n");
}

static void put_group(FILE *out, const struct page_findings *f, const struct group *g)
{
    html_markupf(out,
                 "<article class=\"finding %s\" id=\"f%u\" aria-labelledby=\"f%u-name\">\n",
                 severity_name(g->example.severity), g->number, g->number);
    html_markupf(out, "<h3 id=\"f%u-name\">", g->number);
    page_badge(out, g->example.severity);
    html_markup(out, " ");
    put_name(out, g);
    html_markup(out, "</h3>\n<p class=\"text\">");
    html_text(out, g->example.text);
    html_markup(out, "</p>\n");
    octets_show(out, &g->left, &g->right, g->example.side == BLAME_BETWEEN);
    put_facts(out, f, g);
    put_other_texts(out, g);
    if (g->example.next_test[0] != '\0') {
        html_markup(out, "<p><b>To confirm:</b> ");
        html_text(out, g->example.next_test);
        html_markup(out, "</p>\n");
    }
    put_products(out, g);
    put_pointer(out, g);
    html_markup(out, "</article>\n");
}

void page_findings(FILE *out, const struct page_findings *f)
{
    html_markup(out, "<section aria-labelledby=\"findings\">\n"
                     "<h2 id=\"findings\" tabindex=\"-1\">Findings</h2>\n");
    if (f->groups->count == 0) {
        html_markup(out, "<p>None.</p>\n</section>\n");
        return;
    }
    put_table(out, f);
    for (unsigned i = 0; i < f->groups->count; i++)
        put_group(out, f, f->groups->list[i]);
    if (f->groups->beyond > 0) {
        html_markup(out, "<p>");
        html_count(out, f->groups->beyond);
        html_markup(out, " more findings are of too many kinds to be listed.</p>\n");
    }
    html_markup(out, "</section>\n");
}
