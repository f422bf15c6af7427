/*
 * html - markup into a stream, one small function for each kind of text.
 *
 * Three kinds of text, never mixed: markup is ours and constant; words are ours with numbers
 * and names in them; what a peer or a file said goes through html_octets() or html_text() and
 * can neither end an element or attribute nor steer a terminal or the direction of writing.
 *
 * Nothing is checked here while writing: whoever opened the stream looks at ferror() once.
 */
#ifndef ANALYSIS_REPORT_HTML_H
#define ANALYSIS_REPORT_HTML_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdint.h>
#include <stdio.h>

/* Our own markup, as it is. */
void html_markup(FILE *out, const char *markup);
/* The same with numbers and constant words of ours: no text of peers. */
void html_markupf(FILE *out, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Octets of the wire, as escape() shows them. */
void html_octets(FILE *out, struct span s);
/* At most `max` characters of it, "..." where something was left out. */
void html_octets_cut(FILE *out, struct span s, size_t max);
/*
 * Text that should be fit to read: UTF-8 as it is, but controls, marks that change the
 * direction of writing and what is no UTF-8 are shown as escapes.
 */
void html_text(FILE *out, const char *text);
void html_text_cut(FILE *out, const char *text, size_t max);

/* 12,345,678 */
void html_count(FILE *out, uint64_t n);
/* "12.3 MB": for eyes. */
void html_size(FILE *out, uint64_t octets);
/* "250.1 ms" */
void html_lapse(FILE *out, uint64_t us);

#endif
