/* content_tell - findings of what became of a content, as change_find() found it. */
#ifndef ANALYSIS_DIFF_CONTENT_TELL_H
#define ANALYSIS_DIFF_CONTENT_TELL_H

#include "analysis/diff/change.h"
#include "analysis/diff/compare.h"

/* How many findings were made. They show octets of both texts: see compare_keep(). */
size_t content_tell_change(struct compare *c, const struct unit *near, const struct unit *far,
                           struct span sent, struct span received, const struct change *change);

#endif
