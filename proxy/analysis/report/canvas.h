/*
 * canvas - what diagrams are drawn with: three poles, arrows between them, rows of time.
 *
 *     0        T         L               M               R        W
 *     |  time  |         |    left lane  |   right lane  |        |
 *
 * One row for each arrow, its label above it. Rows must be known before the first is drawn:
 * what draws them runs twice, the first time with `out` NULL, which only counts.
 */
#ifndef ANALYSIS_REPORT_CANVAS_H
#define ANALYSIS_REPORT_CANVAS_H

#include "analysis/report/html.h"
#include "transcript/finding.h"

enum { POLE_LEFT = 110, POLE_MIDDLE = 430, POLE_RIGHT = 750 };

/* How an arrow looks; names of classes. */
#define ARROW_PASSED  "arrow"
#define ARROW_ALTERED "arrow altered"
#define ARROW_OURS    "arrow ours"
#define ARROW_FAILED  "arrow failed"

struct canvas {
    FILE *out; /* NULL: only counted */
    unsigned rows;
};

struct found;

/* The frame with room for so many rows, and the names of its poles, which are constant. */
void canvas_begin(struct canvas *c, unsigned rows, unsigned number, const char *const poles[3]);
void canvas_end(struct canvas *c);

void canvas_row(struct canvas *c);
void canvas_arrow(struct canvas *c, unsigned from, unsigned to, const char *class);
/* The first line of octets, words; between two poles, in the row that is drawn. */
void canvas_octets(struct canvas *c, unsigned from, unsigned to, const char *class,
                   struct span s);
void canvas_text(struct canvas *c, unsigned from, unsigned to, const char *class,
                 const char *text);
/* At the left of the row, behind `sign`. */
void canvas_time(struct canvas *c, uint64_t us, const char *sign);
/* A row of its own. */
void canvas_band(struct canvas *c, unsigned from, unsigned to, const char *class,
                 const char *text);
/* A row for a finding: between the poles it points to. */
void canvas_finding(struct canvas *c, const struct found *f);

#endif
