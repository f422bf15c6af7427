/*
 * sink - where chunks of bytes end up: the transcript's file, a spool file.
 *
 * Private to transcript; used by the writer's thread alone. The writer and the queue know this
 * table and nothing of what is on the other side of it. The transcript's records are whole lines
 * and go to the one sink that sink_of() makes of the configuration; a chunk of anything else names
 * its own (queue_take()).
 *
 *   open     0 or an errno for trusted_open_reason(). Failing is no end: a later write tries again
 *   write    takes bytes from *done on, opening what is not open, and moves *done to the end of
 *            what is taken for good: those bytes are not offered again. 0: all of them, else an
 *            errno; the writer then says so once and comes again each second, so it need not try
 *            for long itself (a second at most: a stop waits for it). Where it can, what is
 *            kept after an error ends with a whole line; where it cannot, `middle` says so
 *   reopen   of the transcript's sink alone, SIGUSR1 (log rotation): as open, after letting go of
 *            what is open. Not called while `middle`
 *   close    the caller's reference is given back: that of sink_of(), or that of a chunk which is
 *            written or given up. The last one frees the sink
 *   name     for messages: a path, an address
 *
 * None of them runs under the queue's lock, but `close` of a chunk's sink: it must not wait.
 *
 * Another one (a socket, segments): a file with its table and `struct sink` as first member, and a
 * line in sink_of(). Neither writer.c nor queue.c changes.
 */
#ifndef TRANSCRIPT_SINK_H
#define TRANSCRIPT_SINK_H

#include "base/attributes.h"
#include "base/span.h"
#include "transcript/writer.h"

struct sink;

struct sink_ops {
    int (*open)(struct sink *s);
    int (*write)(struct sink *s, struct span bytes, size_t *done);
    int (*reopen)(struct sink *s);
    void (*close)(struct sink *s);
    void (*name)(const struct sink *s, char *out, size_t size);
};

struct sink {
    const struct sink_ops *ops;
    bool middle;        /* of a line: a pipe, a socket or a terminal took a part */
    uint64_t rotations; /* for the statistics */
};

/* The transcript's, not opened yet; `c` must outlive it. NULL when memory is out. */
MUST_CHECK struct sink *sink_of(const struct writer_config *c);

#endif
