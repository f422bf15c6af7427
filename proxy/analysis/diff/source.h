/*
 * source - the files of one vantage point as one long text: read once from the beginning,
 * then line by line by offset.
 *
 * What cannot be read twice (standard input, pipes) is copied to a temporary file first; so is
 * what the importer makes of a capture.
 *
 * Owns:  descriptors, temporary files (unlinked; contents of captures in a folder that goes
 * with the source), one buffer. A line is valid until the next call. Limit: a line of 4 MiB;
 * longer ones are told and passed over.
 */
#ifndef ANALYSIS_DIFF_SOURCE_H
#define ANALYSIS_DIFF_SOURCE_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdint.h>

enum { SOURCE_LINE_MAX = 4 << 20, SOURCE_ERROR_MAX = 512 };

struct source;

/* NULL: `error` says which file and why. importer: NULL: captures are refused. */
MUST_CHECK struct source *source_open(const char *const *files, size_t count,
                                      const char *importer, char error[SOURCE_ERROR_MAX]);
void source_close(struct source **s);

enum source_result { SOURCE_LINE, SOURCE_LONG, SOURCE_CUT, SOURCE_END, SOURCE_FAILED };

/* The next line, without its newline, and its offset. CUT: it has no newline. */
enum source_result source_next(struct source *s, struct span *line, uint64_t *offset);
/* The line that begins at this offset of source_next(); false: it is not there any more. */
MUST_CHECK bool source_at(struct source *s, uint64_t offset, struct span *line);

/* "FILE:LINE" of the line read last by source_next(), safe for a terminal. */
const char *source_place(struct source *s);
uint64_t source_size(const struct source *s);
/* The folder with the contents of its captures; NULL: there are none. */
const char *source_spool(const struct source *s);
/* Errors of FAILED, and of a file that is read. */
const char *source_error(const struct source *s);

#endif
