#include "analysis/report/html.h"
#include "analysis/report/report_private.h"

enum { WORST_SHOWN = 20, PRODUCTS_SHOWN = 5 };

/* Text that was made to be read, though a file may hold anything. */
static void put_text(FILE *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
        if (*p >= 0x20 && *p < 0x7f)
            putc(*p, out);
        else
            fprintf(out, "\\%03o", *p);
}

static void put_group(FILE *out, const struct report *r, const struct group *g)
{
    fprintf(out, "  %-8s ", severity_name(g->example.severity));
    put_text(out, g->example.id);
    putc(' ', out);
    put_text(out, g->example.name);
    fprintf(out, " (%s), ", confidence_words(g->example.confidence));
    html_count(out, g->sessions);
    fputs(" of ", out);
    html_count(out, r->figures.sessions);
    fputs(" sessions\n           ", out);
    put_text(out, g->example.text);
    fputs("\n           first in session ", out);
    put_text(out, g->sid);
    fprintf(out, ", record %llu\n", (unsigned long long)g->example.record);
    if (g->example.next_test[0] != '\0') {
        fputs("           to confirm: ", out);
        put_text(out, g->example.next_test);
        putc('\n', out);
    }
}

static void put_findings(FILE *out, const struct report *r)
{
    if (r->groups.count == 0)
        return;
    fputs("\nFindings\n", out);
    for (unsigned i = 0; i < r->groups.count && i < WORST_SHOWN; i++)
        put_group(out, r, r->groups.list[i]);
    if (r->groups.count > WORST_SHOWN)
        fprintf(out, "  and %u kinds more\n", r->groups.count - WORST_SHOWN);
}

static void put_products(FILE *out, const struct match *m)
{
    if (m->count == 0)
        return;
    fputs("\nProducts that do this\n", out);
    for (unsigned i = 0; i < m->count && i < PRODUCTS_SHOWN; i++) {
        const struct match_entry *e = &m->list[i];
        fputs("  ", out);
        put_text(out, e->entry != NULL ? e->entry->product : e->id);
        fputs(" (", out);
        put_text(out, e->id);
        fputs("): fits", out);
        for (unsigned k = 0; k < e->explains_count; k++) {
            putc(' ', out);
            put_text(out, e->explains[k]->example.id);
        }
        putc('\n', out);
    }
}

static void put_fixes(FILE *out, const struct verdict *v)
{
    for (unsigned i = 0; i < v->fix_count; i++) {
        fputs(i == 0 ? "To fix: " : "        ", out);
        put_text(out, v->fixes[i]);
        putc('\n', out);
    }
}

void report_write_text(struct report *r, FILE *out)
{
    const struct figures *f = &r->figures;

    report_end(r);
    put_text(out, r->verdict.sentence);
    putc('\n', out);
    put_fixes(out, &r->verdict);
    put_findings(out, r);
    put_products(out, &r->match);
    fputs("\nFigures\n  ", out);
    html_count(out, f->sessions);
    fputs(" sessions, ", out);
    html_count(out, r->with_damage);
    fputs(" with damage; ", out);
    html_count(out, f->failed);
    fputs(" ended in an error\n  ", out);
    html_count(out, f->contents);
    fputs(" mails, ", out);
    html_size(out, f->content_octets);
    fputs("\n  ", out);
    html_count(out, f->records);
    fputs(" records", out);
    if (f->bad_lines > 0) {
        fputs(", ", out);
        html_count(out, f->bad_lines);
        fputs(" lines could not be read", out);
    }
    putc('\n', out);
}
