/*
 * page - the parts of the HTML page.
 *
 * One file, no script; its style and drawings are in it, and its content security policy
 * allows that one style, by its hash, and nothing else.
 */
#ifndef ANALYSIS_REPORT_PAGE_H
#define ANALYSIS_REPORT_PAGE_H

#include "analysis/report/figures.h"
#include "analysis/report/group.h"
#include "analysis/report/html.h"
#include "analysis/report/match.h"
#include "analysis/report/story.h"

/* Everything before and behind <main>; the header is left open. */
void page_begin(FILE *out, const char *title);
void page_end(FILE *out);

void page_verdict(FILE *out, const struct verdict *v, const struct match *m);
void page_badge(FILE *out, enum severity s);

struct page_findings {
    const struct groups *groups;
    uint64_t of;      /* sessions, or pairs, in all */
    const char *unit; /* "sessions" */
    const char *where;
};

/* Table, then each with what shows it. */
void page_findings(FILE *out, const struct page_findings *f);
void page_products(FILE *out, const struct match *m);

/* Number: from 1, for its anchors. */
void page_session(FILE *out, const struct story *s, unsigned number);
/* The diagram of the session. */
void sequence_draw(FILE *out, const struct story *s, unsigned number);
/* The same as rows of a table. */
void page_steps(FILE *out, const struct story *s, unsigned number);
/* Findings of the session that point to this step; NULL: no more. */
const struct story_finding *page_next_finding(const struct story *s, const struct step *step,
                                              const struct story_finding *after);

/*
 * One or two panels of octets, hexadecimal and text. Compare: what differs between the two is
 * marked, else what each panel points at.
 */
void octets_show(FILE *out, const struct panel *left, const struct panel *right, bool compare);

void page_figures(FILE *out, const struct figures *f, const struct groups *g);
void page_severities(FILE *out, const struct groups *g);
/* Bars of how long replies took. */
void chart_lapses(FILE *out, const struct figures *f);

/* "2026-11-23 09:00:01.000017" */
void page_time(FILE *out, uint64_t us);

/* style.css, made part of the program by the build. */
extern const unsigned char page_style[];
extern const size_t page_style_len;

#endif
