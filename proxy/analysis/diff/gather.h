/*
 * gather - equal findings of many sessions as one.
 *
 * Equal are findings of the same class, sub, subject and rule. A group keeps copies of its
 * first findings. When there are too many groups of one class, sub and subject, or too many at
 * all, a finding joins a group "others".
 */
#ifndef ANALYSIS_DIFF_GATHER_H
#define ANALYSIS_DIFF_GATHER_H

#include "analysis/diff/diff.h"

struct gather;

MUST_CHECK struct gather *gather_new(unsigned examples);
void gather_free(struct gather **g);

/* All findings of one pair; `session` numbers pairs. False: memory is out. */
MUST_CHECK bool gather_add(struct gather *g, const struct diff_pair *pair, uint64_t session,
                           const struct diff_finding *list, size_t len);
/* What was there in this pair that a finding could be about: "of 3,120 sessions". */
struct talk;
void gather_could(struct gather *g, uint64_t session, const struct talk *near,
                  const struct talk *far);

/*
 * In order, the worst first; the groups stay owned by `g`. sessions: of NEAR and of FAR, with
 * or without a partner.
 */
struct diff_group *gather_sorted(struct gather *g, const uint64_t sessions[2], size_t *len);

#endif
