/* source_open - one file of a source: opened so that it can be read twice. Private to source.
 */
#ifndef ANALYSIS_DIFF_SOURCE_OPEN_H
#define ANALYSIS_DIFF_SOURCE_OPEN_H

#include "analysis/diff/source.h"

struct source_file {
    const char *name; /* borrowed */
    int fd;           /* its owner closes it */
    uint64_t base;    /* its place in the source */
    uint64_t size;
};

MUST_CHECK bool source_file_open(struct source_file *f, const char *name, const char *importer,
                                 char error[SOURCE_ERROR_MAX]);

#endif
