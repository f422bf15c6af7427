/*
 * report - the page that is sent to those who run the firewall, and its summary as text.
 *
 * Records of one or more transcripts go in, in the order of the files; the page comes out: the
 * verdict, what was found and how sure that is, the octets that show it, which product does
 * this and the setting to change, sessions as diagrams, figures over all.
 *
 * Findings are those of the transcript and those the detectors make of it, each told once.
 * The page is one file without scripts; text of peers in it is escaped. Secrets are as the
 * transcript has them: replaced.
 *
 * Owns:   all it keeps; nothing of a record.
 * Limits: those of group.h and story.h; at most STORIES_KEPT_MAX sessions in detail, the
 *         first of each kind of finding. 512 MiB are enough for transcripts of any size.
 */
#ifndef ANALYSIS_REPORT_REPORT_H
#define ANALYSIS_REPORT_REPORT_H

#include "analysis/catalogue.h"
#include "base/attributes.h"
#include "transcript/read/reader.h"

#include <stdbool.h>
#include <stdio.h>

struct report;
struct diff_result; /* analysis/diff/diff.h */

struct report_options {
    const struct catalogue *catalogue; /* NULL: products are told by their ids */
    const char *title;                 /* NULL: one is made */
    const char *session; /* in detail only these: beginning or end of a sid; NULL: the first */
};

/* NULL when memory is out. The options are borrowed. */
MUST_CHECK struct report *report_new(const struct report_options *o);
void report_free(struct report **r);

/* The file whose records follow: the page names it. */
void report_source(struct report *r, const char *name);
void report_see(struct report *r, const struct record *record);
/* A line that could not be read. */
void report_bad_line(struct report *r);
/* No more records: before anything is written. */
void report_end(struct report *r);

/* Severity low or above was found. */
bool report_is_damaged(const struct report *r);
/* Whoever opened the stream looks at ferror(). */
void report_write_html(struct report *r, FILE *out);
void report_write_text(struct report *r, FILE *out);

/*
 * The same page of two vantage points: what was sent at one, what was received at the other.
 * Of the options `session` means nothing. False: out of memory, nothing was written.
 */
MUST_CHECK bool report_write_diff(FILE *out, const struct diff_result *d,
                                  const struct report_options *o);

#endif
