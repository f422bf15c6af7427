/*
 * align - two sequences laid side by side at the least cost: what is equal, what became what,
 * what is missing and what is new.
 *
 * What is equal at both ends is taken off first; the rest by dynamic programming, in windows
 * when it is too long for one, so that time and memory stay bounded.
 */
#ifndef ANALYSIS_DIFF_ALIGN_H
#define ANALYSIS_DIFF_ALIGN_H

#include "analysis/diff/arena.h"

enum {
    ALIGN_GAP = 10,   /* cost of one that has no partner */
    ALIGN_NEVER = 99, /* these two are no partners */
    ALIGN_WINDOW = 512,
};

struct align {
    /* 0: equal; up to 2 * ALIGN_GAP: rather these two than two without a partner. */
    unsigned (*cost)(void *arg, size_t a, size_t b);
    void *arg;
    size_t a_len, b_len;
};

/* partner[a] is the index in b, or ALIGN_NONE. False: memory is out. */
#define ALIGN_NONE SIZE_MAX
MUST_CHECK bool align_run(const struct align *g, struct scratch *mem, size_t *partner);

#endif
