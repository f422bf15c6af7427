/* report_private - what the parts of report share. */
#ifndef ANALYSIS_REPORT_REPORT_PRIVATE_H
#define ANALYSIS_REPORT_REPORT_PRIVATE_H

#include "analysis/report/figures.h"
#include "analysis/report/group.h"
#include "analysis/report/match.h"
#include "analysis/report/report.h"
#include "analysis/report/story.h"

#include "analysis/stored/stored.h"

enum { REPORT_SOURCES_MAX = 16 };

struct report {
    struct report_options o;
    struct figures figures;
    struct groups groups;
    struct stories *sessions;
    struct stored_detect *detect; /* NULL behind report_end() */
    char *sources[REPORT_SOURCES_MAX];
    unsigned source_count;               /* all, also those beyond */
    uint64_t with_findings, with_damage; /* sessions */
    bool has_clean; /* a session without findings is kept, in case there are no others */
    struct match match;
    struct verdict verdict;
};

/* The point of observation in words; many: "the points of observation". */
const char *report_where(const struct report *r);

#endif
