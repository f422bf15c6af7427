#include "analysis/report/page.h"

/* ---- small tables --------------------------------------------------------------------- */

static void put_figure(FILE *out, const char *name, uint64_t n)
{
    html_markupf(out, "<tr><th scope=\"row\">%s</th><td class=\"number\">", name);
    html_count(out, n);
    html_markup(out, "</td></tr>\n");
}

/* Only when there are some. */
static void put_some(FILE *out, const char *name, uint64_t n)
{
    if (n > 0)
        put_figure(out, name, n);
}

static void put_octets(FILE *out, const char *name, uint64_t n)
{
    html_markupf(out, "<tr><th scope=\"row\">%s</th><td class=\"number\">", name);
    html_size(out, n);
    html_markup(out, "</td></tr>\n");
}

static void begin_table(FILE *out, const char *caption)
{
    html_markupf(out, "<table>\n<caption>%s</caption>\n<tbody>\n", caption);
}

static void end_table(FILE *out)
{
    html_markup(out, "</tbody>\n</table>\n");
}

static void put_tallies(FILE *out, const char *caption, const struct tallies *given)
{
    struct tallies t = *given;

    if (t.count == 0)
        return;
    tallies_sort(&t);
    begin_table(out, caption);
    for (unsigned i = 0; i < t.count; i++) {
        html_markup(out, t.list[i].bad ? "<tr class=\"bad\"><th scope=\"row\">"
                                       : "<tr><th scope=\"row\">");
        html_text(out, t.list[i].name);
        html_markup(out, t.list[i].bad ? " (error)</th><td class=\"number\">"
                                       : "</th><td class=\"number\">");
        html_count(out, t.list[i].count);
        html_markup(out, "</td></tr>\n");
    }
    end_table(out);
}

static void put_traffic(FILE *out, const struct figures *f)
{
    begin_table(out, "Traffic");
    put_figure(out, "Sessions", f->sessions);
    put_some(out, "Sessions that ended in an error", f->failed);
    put_some(out, "Sessions whose end is not there",
             f->sessions > f->closed ? f->sessions - f->closed : 0);
    put_figure(out, "Mails", f->contents);
    put_some(out, "Mails refused by smtpscope", f->contents_refused);
    put_some(out, "Mails altered by smtpscope", f->contents_altered);
    put_some(out, "Mails cut off", f->contents_cut);
    put_octets(out, "Mail data", f->content_octets);
    put_some(out, "Longest line of mail, bytes", f->content_longest_line);
    put_octets(out, "From clients", f->octets_from_client);
    put_octets(out, "From upstreams", f->octets_from_server);
    put_some(out, "Streams relayed unread", f->opaque);
    put_figure(out, "Records", f->records);
    put_some(out, "Records that are missing", f->missing + f->lost);
    put_some(out, "Lines that could not be read", f->bad_lines);
    end_table(out);
}

/* ---- findings ------------------------------------------------------------------------- */

void page_severities(FILE *out, const struct groups *g)
{
    uint64_t kinds[SEVERITY_CRITICAL + 1] = { 0 }, all[SEVERITY_CRITICAL + 1] = { 0 };

    for (unsigned i = 0; i < g->count; i++) {
        kinds[g->list[i]->example.severity]++;
        all[g->list[i]->example.severity] += g->list[i]->findings;
    }
    html_markup(out,
                "<table>\n<caption>Findings by severity</caption>\n<thead><tr>"
                "<th scope=\"col\">Severity</th>"
                "<th scope=\"col\" class=\"number\">Kinds</th>"
                "<th scope=\"col\" class=\"number\">Findings</th></tr></thead>\n<tbody>\n");
    for (unsigned i = SEVERITY_CRITICAL + 1; i-- > 0;) {
        html_markup(out, "<tr><th scope=\"row\">");
        page_badge(out, (enum severity)i);
        html_markup(out, "</th><td class=\"number\">");
        html_count(out, kinds[i]);
        html_markup(out, "</td><td class=\"number\">");
        html_count(out, all[i]);
        html_markup(out, "</td></tr>\n");
    }
    end_table(out);
}

/* ---- verbs ---------------------------------------------------------------------------- */

static void put_cell(FILE *out, uint64_t n)
{
    html_markup(out, "<td class=\"number\">");
    if (n > 0)
        html_count(out, n);
    html_markup(out, "</td>");
}

static void put_lapse(FILE *out, const struct lapses *l, uint64_t us)
{
    html_markup(out, "<td class=\"number\">");
    if (l->count > 0)
        html_lapse(out, us);
    html_markup(out, "</td>");
}

static void put_verb(FILE *out, const struct verb_figures *v)
{
    html_markup(out, "<tr><th scope=\"row\">");
    html_text(out, strcmp(v->name, ".") == 0 ? "end of mail" : v->name);
    html_markup(out, "</th>");
    put_cell(out, v->commands);
    put_cell(out, v->good);
    put_cell(out, v->later);
    put_cell(out, v->refused);
    put_cell(out, v->unanswered);
    put_cell(out, v->ours);
    put_lapse(out, &v->lapses, lapses_percentile(&v->lapses, 50));
    put_lapse(out, &v->lapses, lapses_percentile(&v->lapses, 90));
    put_lapse(out, &v->lapses, lapses_percentile(&v->lapses, 99));
    put_lapse(out, &v->lapses, v->lapses.longest_us);
    html_markup(out, "</tr>\n");
}

static void put_verbs(FILE *out, const struct figures *f)
{
    static const char *const heads[] = { "Number", "2xx 3xx", "4xx",  "5xx",  "No reply",
                                         "Ours",   "Median",  "90 %", "99 %", "Longest" };

    if (f->verb_count == 0)
        return;
    html_markup(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
                     "aria-label=\"Commands and how long their replies took\">\n"
                     "<table class=\"verbs\">\n<caption>Commands, their replies, and how long "
                     "the upstream took (ours: answered by smtpscope)</caption>\n"
                     "<thead><tr><th scope=\"col\">Command</th>");
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        html_markupf(out, "<th scope=\"col\" class=\"number\">%s</th>", heads[i]);
    html_markup(out, "</tr></thead>\n<tbody>\n");
    for (unsigned i = 0; i < f->verb_count; i++)
        put_verb(out, &f->verbs[i]);
    html_markup(out, "</tbody>\n</table>\n</div>\n");
}

void page_figures(FILE *out, const struct figures *f, const struct groups *g)
{
    html_markup(out, "<section aria-labelledby=\"figures\">\n"
                     "<h2 id=\"figures\" tabindex=\"-1\">Figures</h2>\n"
                     "<div class=\"tables\">\n");
    put_traffic(out, f);
    page_severities(out, g);
    put_tallies(out, "TLS handshakes", &f->tls);
    put_tallies(out, "How sessions ended", &f->closes);
    put_tallies(out, "Signatures of mail bodies (DKIM, ARC)", &f->dkim);
    if (f->vantages.count > 1)
        put_tallies(out, "Sessions by point of observation", &f->vantages);
    html_markup(out, "</div>\n");
    chart_lapses(out, f);
    put_verbs(out, f);
    html_markup(out, "</section>\n");
}
