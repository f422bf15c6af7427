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

/* Where the contents of captures are kept while they are compared. */
struct source_import {
    const char *program; /* NULL: captures are refused */
    char spool[256];     /* a temporary folder; "": none was needed yet */
};

MUST_CHECK bool source_file_open(struct source_file *f, const char *name,
                                 struct source_import *import, char error[SOURCE_ERROR_MAX]);
/* Removes the folder and what is in it. */
void source_import_end(struct source_import *import);

#endif
