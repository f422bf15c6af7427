/*
 * file - the transcript's file: opened by template, rotated, never with half a line.
 *
 * Private to transcript, used by the writer's thread alone. The path is expanded
 * with strftime() in UTC, as the records' times are; when the name changes, the
 * new file is opened. A rotated file is renamed to the first free NAME.1, NAME.2,
 * ...; nothing is ever overwritten. A line that a crash has cut short at the end
 * of an existing file is removed when it is opened, so that every line is whole.
 * Links that others made are not followed (base/trusted_open.h).
 *
 * Owns: the descriptor, unless it is standard output or was given.
 */
#ifndef TRANSCRIPT_FILE_H
#define TRANSCRIPT_FILE_H

#include "base/attributes.h"
#include "base/span.h"
#include "transcript/writer.h"

#include <limits.h>
#include <time.h>

struct file {
    const struct writer_config *config;
    int fd;    /* -1: to be opened */
    bool ours; /* opened here */
    bool regular;
    bool middle;        /* of a line: only of a pipe, socket or terminal */
    bool cannot_rotate; /* said once per file */
    uint64_t size;
    uint64_t opened_us; /* clock_monotonic_us() */
    time_t named;       /* when the name was last made */
    unsigned number;    /* of the last rotated file */
    uint64_t rotations;
    char path[PATH_MAX];
};

void file_init(struct file *f, const struct writer_config *c);
/* 0 or an errno for trusted_open_reason(); f->path says what could not be opened. */
MUST_CHECK int file_open(struct file *f);
void file_close(struct file *f);

/*
 * Writes whole lines from *done on, opening, renaming and rotating as needed;
 * *done moves to the end of what is written for good. Returns 0 or an errno: then
 * a regular file ends with a whole line.
 */
MUST_CHECK int file_write(struct file *f, struct span lines, size_t *done);

#endif
