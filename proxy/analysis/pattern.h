/*
 * pattern - one regular expression of the catalogue, safe and quick on what peers send.
 *
 * POSIX extended, letter case ignored, tried on escaped text (base/escape.h) of at most
 * PATTERN_TEXT_MAX octets. Most texts fit nothing: a pattern knows a literal that every text
 * it fits must hold, and looks for that first.
 *
 * Refused are back references, which may take exponential time, and repetitions that unfold
 * to more than PATTERN_UNFOLDED_MAX octets.
 */
#ifndef ANALYSIS_PATTERN_H
#define ANALYSIS_PATTERN_H

#include "base/attributes.h"
#include "base/span.h"

#include <regex.h>

enum { PATTERN_MAX = 1000, PATTERN_TEXT_MAX = 2048, PATTERN_UNFOLDED_MAX = 20000 };

struct pattern {
    regex_t regex;
    char *must; /* lower case; "": nothing is known */
};

/* False: `error` says why; nothing is to be freed then. */
MUST_CHECK bool pattern_compile(struct pattern *p, const char *text, char *error, size_t size);
void pattern_free(struct pattern *p);

/* A text that several patterns are tried on. */
struct pattern_text {
    size_t len;
    char escaped[PATTERN_TEXT_MAX + 1];
    char lower[PATTERN_TEXT_MAX]; /* the same, for the literals */
};

void pattern_text_init(struct pattern_text *t, struct span raw);
bool pattern_fits(const struct pattern *p, const struct pattern_text *t);

#endif
