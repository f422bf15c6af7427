/*
 * writer - records to a file, on a thread of its own, in bounded memory.
 *
 * Every worker has a stream: records are formatted into its current chunk on the
 * worker's thread; full chunks, and at each flush interval unfinished ones, go to
 * the writer's thread through a queue that is bounded in octets. Whole lines only
 * cross it. When the queue is full:
 *
 *   on_full = pause   stream_is_blocked() is true and on_room() is called later:
 *                     the worker stops reading clients; nothing is lost
 *   on_full = drop    records are dropped and counted; a record of kind "lost"
 *                     says how many, as soon as there is room
 *
 * A full or failing disk counts as a full queue: the writer says so once in the
 * log, tries again each second, and never leaves half a line behind.
 *
 * Failing, the writer stops clients at once with pause, because what is queued would
 * not survive a crash; with drop the queue fills first.
 *
 * The path is a strftime() template, in UTC like the records' times. SIGUSR1 ends in
 * writer_reopen(). All signals are blocked in the writer's thread.
 */
#ifndef TRANSCRIPT_WRITER_H
#define TRANSCRIPT_WRITER_H

#include "base/attributes.h"
#include "base/span.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum content_level {
    CONTENT_LEVEL_NONE,
    CONTENT_LEVEL_DIGEST,
    CONTENT_LEVEL_HEADERS,
    CONTENT_LEVEL_FULL
};
enum redact_level { REDACT_SECRETS, REDACT_NONE, REDACT_ALL };
enum dkim_level { DKIM_LEVEL_NO, DKIM_LEVEL_CHECK, DKIM_LEVEL_REPAIR };
enum on_full { ON_FULL_PAUSE, ON_FULL_DROP };

struct writer_config {
    const char *file; /* strftime template; "-": standard output; NULL or "": no transcript */
    int fd;           /* >= 0: write here, `file` is its name (a pipe to the reader); else -1 */
    const char *vantage;
    enum content_level content;
    enum redact_level redact;
    bool sha256; /* also SHA-256 of each content */
    enum dkim_level dkim;
    const char *spool; /* directory for content = full */
    uint32_t flush_ms; /* 0: each record at once */
    enum on_full on_full;
    uint64_t queue_octets;   /* bound of the queue */
    uint64_t rotate_octets;  /* 0: never */
    uint64_t rotate_seconds; /* 0: never */
    unsigned file_mode;      /* permissions, 0640 */
};

struct writer_stats {
    uint64_t records, octets, dropped, write_errors, rotations;
};

struct writer;
struct stream;

/*
 * Copies what it needs of the config; a descriptor given stays the caller's. NULL:
 * `error` says what, where and what to do; it is empty when no file is named: then
 * there is no transcript, and a NULL writer is what streams are made of.
 */
MUST_CHECK struct writer *writer_start(const struct writer_config *c, char *error, size_t size);
/*
 * Takes the streams' last records, writes all that is queued (waits at most `ms` for
 * a failing disk), ends the thread. The streams' threads must have ended or have
 * closed their sessions; stream_free() is still due, before or after. Returns how many octets
 * are lost.
 */
uint64_t writer_stop(struct writer **w, unsigned ms);
void writer_reopen(struct writer *w);
/* What the template names at a time; false when it does not fit. */
MUST_CHECK bool writer_file_name(const char *template, time_t now, char out[PATH_MAX]);
void writer_get_stats(struct writer *w, struct writer_stats *out);

/*
 * A stream belongs to one thread. on_room is called from the writer's thread after
 * stream_is_blocked() was true and there is room again; it must only wake the
 * stream's thread (uv_async_send), and call nothing of the writer. A stream of a NULL writer is
 * legal: it drops everything at the least cost.
 */
MUST_CHECK struct stream *stream_new(struct writer *w, void (*on_room)(void *), void *arg);
void stream_free(struct stream **s);
bool stream_is_blocked(const struct stream *s);
/* Hands the unfinished chunk over, of a blocked stream also those of contents under way: call
 * it each flush interval, and when it is found blocked. */
void stream_flush(struct stream *s);

#endif
