/*
 * text - octets of the wire, some of which were replaced before they were written down.
 *
 * "***" stands for octets that are not known. Where the record says how many they were, the
 * text has as many unknown octets, so that offsets are those of the wire; else it is one
 * unknown stretch of any length. Unknown is equal to anything.
 */
#ifndef ANALYSIS_DIFF_TEXT_H
#define ANALYSIS_DIFF_TEXT_H

#include "analysis/diff/arena.h"
#include "base/span.h"

#include <stdint.h>

enum text_mark { TEXT_KNOWN, TEXT_UNKNOWN, TEXT_STRETCH /* of the "***" */ };

struct text {
    struct span s;
    const unsigned char *marks; /* enum text_mark of each octet; NULL: all are known */
};

enum text_redaction {
    REDACTION_NONE,    /* "***" is what was on the wire */
    REDACTION_SECRET,  /* any "***" */
    REDACTION_MAILBOX, /* "***@" */
};

/*
 * From a JSON text as written. cuts: value of "redacted", which tells of this text; empty: it
 * does not. False: no memory.
 */
MUST_CHECK bool text_read(struct text *out, struct scratch *mem, struct span json,
                          enum text_redaction r, struct span cuts);

bool text_equal(struct text a, struct text b);

/* Where two texts differ: what is before `at` is equal, and what is behind the stretches. */
struct delta {
    size_t at;
    size_t sent, received; /* octets that differ */
};

struct delta text_delta(struct text sent, struct text received);

/* Octets of the longer one that are equal at the beginning and at the end, in percent. */
unsigned text_likeness(struct text a, struct text b);

#endif
