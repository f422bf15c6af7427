/* diff_page - what the parts of the page of two vantage points share. */
#ifndef ANALYSIS_REPORT_DIFF_PAGE_H
#define ANALYSIS_REPORT_DIFF_PAGE_H

#include "analysis/diff/diff.h"
#include "analysis/report/page.h"

enum { PAIRS_SHOWN_MAX = 50, PAIR_ROWS_MAX = 64 };

/* A finding of a pair, and what it is told under. */
struct pair_row {
    const struct diff_finding *finding;
    const struct group *group;
};

struct pair_shown {
    const struct diff_pair *pair;
    struct pair_row rows[PAIR_ROWS_MAX]; /* in the order of the session */
    unsigned row_count;
};

/* Near, box, far: what was sent, what was received. */
void pair_draw(FILE *out, const struct pair_shown *p, unsigned number);
/* The same as rows of a table. */
void pair_table(FILE *out, const struct pair_shown *p, unsigned number);

/* What the near and the far vantage point have of it. */
const struct diff_excerpt *excerpt_near(const struct diff_finding *f);
const struct diff_excerpt *excerpt_far(const struct diff_finding *f);
/* Something stands there. */
bool excerpt_is_there(const struct diff_excerpt *e);

void page_diff_figures(FILE *out, const struct diff_result *d, const struct groups *g);

#endif
