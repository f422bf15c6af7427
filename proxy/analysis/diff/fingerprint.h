/* fingerprint - what one record adds to the small picture of its session. */
#ifndef ANALYSIS_DIFF_FINGERPRINT_H
#define ANALYSIS_DIFF_FINGERPRINT_H

#include "analysis/diff/index.h"

/* What NEAR sent on and what FAR received give the same fingerprints. */
void fingerprint_add(struct entry *e, enum diff_vantage v, enum diff_kind kind,
                     const struct fields *f, uint64_t t);

#endif
