/*
 * file - the transcript's file: opened by template, rotated, never with half a line.
 *
 * Private to transcript, a sink (sink.h). The path is expanded with strftime() in UTC, as
 * the records' times are; when the name changes, the new file is opened. A rotated file is
 * renamed to the first free NAME.1, NAME.2, ...; nothing is ever overwritten. A line that a
 * crash has cut short at the end of an existing file is removed when it is opened, so that
 * every line is whole. After an error a regular file ends with a whole line. Links that
 * others made are not followed (base/trusted_open.h).
 *
 * Owns: the descriptor, unless it is standard output or was given.
 */
#ifndef TRANSCRIPT_FILE_H
#define TRANSCRIPT_FILE_H

#include "transcript/sink.h"

/* `c` must outlive it. NULL when memory is out. */
MUST_CHECK struct sink *file_new(const struct writer_config *c);

#endif
