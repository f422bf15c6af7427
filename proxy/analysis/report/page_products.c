#include "analysis/report/page.h"

enum { PRODUCTS_SHOWN = 8 };

static bool explains_id(const struct match_entry *e, const char *id)
{
    for (unsigned i = 0; i < e->explains_count; i++)
        if (strcmp(e->explains[i]->example.id, id) == 0)
            return true;
    return false;
}

static void put_explained(FILE *out, const struct match_entry *e)
{
    html_markup(out, "<dt>What fits</dt><dd>");
    for (unsigned i = 0; i < e->explains_count; i++) {
        const struct group *g = e->explains[i];
        html_markupf(out, "%s<a href=\"#f%u\">", i > 0 ? "; " : "", g->number);
        html_text(out, g->example.id);
        html_markup(out, " ");
        html_text(out, g->example.name);
        html_markup(out, "</a>");
    }
    html_markup(out, "</dd>\n");
}

/* What it may do, too, and was not seen. */
static void put_not_seen(FILE *out, const struct match_entry *e)
{
    unsigned count = 0;

    for (const char *const *id = e->entry->findings; *id != NULL; id++) {
        /* of one point of observation, or of two: what the others see cannot be missed */
        if (explains_id(e, *id) || (*id)[0] != e->explains[0]->example.id[0])
            continue;
        html_markup(out, count++ == 0 ? "<dt>Not seen of it</dt><dd>" : ", ");
        html_text(out, *id);
    }
    html_markup(out, count > 0 ? "</dd>\n" : "");
}

static void put_fact(FILE *out, const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    html_markupf(out, "<dt>%s</dt><dd>", name);
    html_text(out, text);
    html_markup(out, "</dd>\n");
}

static void put_entry(FILE *out, const struct match_entry *e)
{
    html_markup(out, "<article class=\"product\">\n<h3>");
    html_text(out, e->entry != NULL ? e->entry->product : e->id);
    html_markup(out, "</h3>\n<dl>\n<dt>Catalogue</dt><dd><code>");
    html_text(out, e->id);
    html_markup(out, "</code></dd>\n");
    if (e->entry == NULL) {
        html_markup(out, "<dt>Note</dt><dd>not in this catalogue</dd>\n");
        put_explained(out, e);
        html_markup(out, "</dl>\n</article>\n");
        return;
    }
    put_fact(out, "What it does", e->entry->does);
    put_explained(out, e);
    put_not_seen(out, e);
    put_fact(out, "How well known", confidence_words(e->entry->confidence));
    put_fact(out, "Setting to change", e->entry->fix);
    put_fact(out, "Where that was seen", e->entry->source);
    html_markup(out, "</dl>\n</article>\n");
}

void page_products(FILE *out, const struct match *m)
{
    unsigned shown = m->count < PRODUCTS_SHOWN ? m->count : PRODUCTS_SHOWN;

    if (m->count == 0)
        return;
    html_markup(out, "<section aria-labelledby=\"products\">\n"
                     "<h2 id=\"products\" tabindex=\"-1\">Products that do this</h2>\n"
                     "<p>From the catalogue of smtpscope, the best match first. A match says "
                     "what the traffic looks like, not what stands there.</p>\n");
    for (unsigned i = 0; i < shown; i++)
        put_entry(out, &m->list[i]);
    if (shown < m->count)
        html_markupf(out, "<p>%u more entries fit less well.</p>\n", m->count - shown);
    html_markup(out, "</section>\n");
}
