/* diff_private - what the steps of a comparison share. */
#ifndef ANALYSIS_DIFF_DIFF_PRIVATE_H
#define ANALYSIS_DIFF_DIFF_PRIVATE_H

#include "analysis/diff/compare.h"
#include "analysis/diff/diff.h"
#include "analysis/diff/gather.h"
#include "analysis/diff/pair.h"

struct diff_state {
    struct diff_result r; /* first: it is what the caller has */
    const struct diff_options *o;
    enum diff_phase phase;
    struct source *source[2];
    struct index index[2];
    struct pairing pairing;
    struct gather *groups;
    struct scratch scratch;
    struct compare compare;
    uint32_t *missing[2]; /* entries without a partner */
    size_t missing_len[2];
};

void diff_session_fill(struct diff_session *out, const struct entry *e);
void diff_trouble(void *arg, const char *what);
/* Sessions that one vantage point only has seen. False: memory is out. */
MUST_CHECK bool unpaired_all(struct diff_state *d);
/* Products, totals, groups: for every finding. False: memory is out. */
MUST_CHECK bool diff_take(struct diff_state *d, const struct diff_pair *pair, uint64_t number,
                          struct diff_finding *list, size_t len);

#endif
