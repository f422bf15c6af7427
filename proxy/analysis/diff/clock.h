/*
 * clock - how far FAR's clock is ahead of NEAR's, from what both saw, as NTP does it.
 *
 * A command leaves NEAR, arrives at FAR, its reply leaves FAR and arrives at NEAR: four times,
 * of which the way there and back is known to the difference of the two clocks. The exchange
 * that took least is the best.
 */
#ifndef ANALYSIS_DIFF_CLOCK_H
#define ANALYSIS_DIFF_CLOCK_H

#include "analysis/diff/diff.h"
#include "analysis/diff/talk.h"

struct clock_guess {
    bool known;
    int64_t ahead_us;
    uint64_t way_us; /* there and back */
};

void clock_learn(struct clock_guess *g, const struct talk *near, const struct talk *far);
struct diff_clock clock_of(const struct clock_guess *g);

#endif
