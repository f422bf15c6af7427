/*
 * script_text - the words, numbers, times and strings of a reflector script.
 *
 * Reads one line at a time from a text held by the caller; the octets of strings
 * go to `strings`. The first error is kept as "name:line: what was expected".
 */
#ifndef LAB_SCRIPT_TEXT_H
#define LAB_SCRIPT_TEXT_H

#include "base/attributes.h"
#include "base/buf.h"
#include "base/span.h"

#include <stdint.h>

/*
 * 0 .. at    understood
 * at .. len  the rest of the text
 */
struct script_text {
    struct span text;
    size_t at;
    unsigned line;
    struct buf *strings;
    const char *name;
    char *error;
    size_t error_size;
};

/* Always false, so that a caller can return it. */
MUST_CHECK bool text_fail(struct script_text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Goes to the next line; false at the end of the text. */
bool text_next_line(struct script_text *t);
/* Nothing but blanks and a comment are left of the line. */
bool text_at_line_end(struct script_text *t);
/* The next octet is a digit. */
bool text_at_number(struct script_text *t);
/* Letters, digits and "-"; empty when the next octet is none of these. */
struct span text_word(struct script_text *t);
bool text_is(struct span word, const char *name);
/* 1 to max. */
MUST_CHECK bool text_number(struct span word, uint32_t max, uint32_t *out);
MUST_CHECK bool text_time(struct script_text *t, uint32_t *ms);
/* "..." ["..."*N ...], appended to the strings from *at on. */
MUST_CHECK bool text_string(struct script_text *t, uint32_t *at, uint32_t *octets);

#endif
