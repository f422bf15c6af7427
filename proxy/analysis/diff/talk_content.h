/* talk_content - the figures of one content record. */
#ifndef ANALYSIS_DIFF_TALK_CONTENT_H
#define ANALYSIS_DIFF_TALK_CONTENT_H

#include "analysis/diff/talk.h"

MUST_CHECK bool content_facts_read(struct unit *u, enum diff_vantage side, struct scratch *mem,
                                   const struct fields *f);

#endif
