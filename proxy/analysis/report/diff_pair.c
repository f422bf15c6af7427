#include "analysis/report/diff_page.h"

#include "analysis/report/canvas.h"
#include "analysis/report/found.h"

enum { CELL_SHOWN = 300 };

const struct diff_excerpt *excerpt_near(const struct diff_finding *f)
{
    return f->way == WAY_REPLY ? &f->received : &f->sent;
}

const struct diff_excerpt *excerpt_far(const struct diff_finding *f)
{
    return f->way == WAY_REPLY ? &f->sent : &f->received;
}

bool excerpt_is_there(const struct diff_excerpt *e)
{
    return e->record != 0 || e->octets.len > 0;
}

/* ---- diagram ------------------------------------------------------------------------- */

/* What was sent, from its pole to the box; what came out, from the box to the other. */
static void draw_way(struct canvas *c, const struct diff_finding *f, unsigned from, unsigned to)
{
    bool mail = f->way == WAY_CONTENT;

    canvas_row(c);
    if (excerpt_is_there(&f->sent)) {
        canvas_arrow(c, from, POLE_MIDDLE, mail ? ARROW_PASSED " mail" : ARROW_PASSED);
        if (f->sent.octets.len > 0)
            canvas_octets(c, from, POLE_MIDDLE, "said", f->sent.octets);
        else
            canvas_text(c, from, POLE_MIDDLE, "said", mail ? "mail data" : f->subject);
    } else {
        canvas_text(c, from, POLE_MIDDLE, "said bad", "never sent");
    }
    if (!excerpt_is_there(&f->received)) {
        canvas_text(c, POLE_MIDDLE, to, "said bad", "does not arrive");
        return;
    }
    bool made = !excerpt_is_there(&f->sent);
    canvas_arrow(c, POLE_MIDDLE, to,
                 made   ? ARROW_OURS
                 : mail ? ARROW_ALTERED " mail"
                        : ARROW_ALTERED);
    if (f->received.octets.len > 0)
        canvas_octets(c, POLE_MIDDLE, to, "ours", f->received.octets);
    else
        canvas_text(c, POLE_MIDDLE, to, "ours", mail ? "mail data, altered" : f->subject);
}

static void draw_row(struct canvas *c, const struct pair_row *row)
{
    const struct diff_finding *f = row->finding;
    struct found found;

    switch (f->way) {
    case WAY_COMMAND:
    case WAY_CONTENT:
        draw_way(c, f, POLE_LEFT, POLE_RIGHT);
        break;
    case WAY_REPLY:
        draw_way(c, f, POLE_RIGHT, POLE_LEFT);
        break;
    case WAY_SESSION:
        break;
    }
    found_copy(&found, &f->f);
    found.len = 0; /* the octets are in the row above */
    canvas_finding(c, &found);
}

static void draw_rows(struct canvas *c, const struct pair_shown *p)
{
    for (unsigned i = 0; i < p->row_count; i++)
        draw_row(c, &p->rows[i]);
}

void pair_draw(FILE *out, const struct pair_shown *p, unsigned number)
{
    static const char *const poles[] = { "near", "box", "far" };
    struct canvas counted = { .out = NULL }, c = { .out = out };

    draw_rows(&counted, p);
    canvas_begin(&c, counted.rows, number, poles);
    draw_rows(&c, p);
    canvas_end(&c);
    html_markup(out, "<p class=\"legend\">Only what differs is drawn. Thin: as it was sent. "
                     "Thick: as it arrived, altered. Dashed: made by the box. [+]: more lines "
                     "follow.</p>\n");
}

/* ---- table ---------------------------------------------------------------------------- */

static void put_excerpt(FILE *out, const struct diff_excerpt *e)
{
    if (!excerpt_is_there(e)) {
        html_markup(out, "<td>nothing</td>");
        return;
    }
    html_markup(out, "<td class=\"said\">");
    if (e->record != 0)
        html_markupf(out, "<span class=\"who\">record %u</span> ", (unsigned)e->record);
    html_markup(out, "<code>");
    html_octets_cut(out, e->octets, CELL_SHOWN);
    html_markup(out, "</code></td>");
}

static void put_row(FILE *out, const struct pair_row *row)
{
    const struct diff_finding *f = row->finding;

    html_markupf(out, "<tr><th scope=\"row\">%s ", diff_way_name(f->way));
    html_text(out, f->subject);
    html_markup(out, "</th>");
    put_excerpt(out, excerpt_near(f));
    put_excerpt(out, excerpt_far(f));
    html_markup(out, "<td>");
    page_badge(out, f->f.severity);
    html_markupf(out, " <a href=\"#f%u\">", row->group->number);
    html_text(out, f->f.id);
    html_markup(out, "</a> ");
    html_text(out, f->f.text);
    html_markup(out, "</td></tr>\n");
}

void pair_table(FILE *out, const struct pair_shown *p, unsigned number)
{
    html_markupf(out,
                 "<details class=\"steps\">\n<summary>The same as a table</summary>\n"
                 "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"What "
                 "differs in pair %u\">\n<table>\n<caption>What differs</caption>\n"
                 "<thead><tr><th scope=\"col\">What</th><th scope=\"col\">Near</th>"
                 "<th scope=\"col\">Far</th><th scope=\"col\">Finding</th></tr></thead>\n"
                 "<tbody>\n",
                 number);
    for (unsigned i = 0; i < p->row_count; i++)
        put_row(out, &p->rows[i]);
    html_markup(out, "</tbody>\n</table>\n</div>\n</details>\n");
}
