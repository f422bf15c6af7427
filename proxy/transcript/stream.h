/*
 * stream - the worker's side of the writer: room for the next record.
 *
 * Private to transcript. A record is written in place: reserve its upper bound,
 * write, commit what was used; committed octets are whole lines.
 *
 *   0 .. done     written to the file
 *   done .. ready handed to the writer's thread
 *   ready .. used committed, not handed over
 *   used .. size  free
 *
 * Owns: the current chunk, its unfinished part and the digests of the contents
 * under way. Everything else of a chunk is the writer's (see queue.h).
 */
#ifndef TRANSCRIPT_STREAM_H
#define TRANSCRIPT_STREAM_H

#include "base/list.h"
#include "base/pool.h"
#include "transcript/json.h"
#include "transcript/queue.h"
#include "base/sid.h"
#include "transcript/writer.h"

struct spool;

struct stream {
    struct writer *writer; /* NULL: no transcript */
    struct queue *queue;   /* of the writer */
    struct list spools;    /* of contents under way */
    struct chunk *chunk;   /* NULL until there is something to write */
    size_t used;           /* octets of the chunk */
    uint64_t records;      /* committed since the last hand-over */
    uint64_t lost;         /* dropped and not yet told */
    struct sid_source ids;
    struct pool digests;                /* content.h */
    const struct writer_config *config; /* NULL without a writer */
    char *vantage;                      /* `,"vantage":"..."`, as JSON */
    size_t vantage_len;
    uint64_t second; /* what `second_text` says */
    unsigned char second_text[JSON_SECOND_LEN];
    char sid[SID_TEXT + 1]; /* of this stream: names its "lost" records */
    uint32_t n;
    void (*on_room)(void *);
    void *arg;
    struct list in_queue; /* under its lock */
};

/* Is anything written at all? */
static inline bool stream_is_on(const struct stream *s)
{
    return s->writer != NULL;
}

/* Room for a record of at most `octets`, or NULL: it is dropped, and counted. */
unsigned char *stream_reserve(struct stream *s, size_t octets);
/* No record of it is written any more; its writer may go. */
void stream_leave(struct stream *s);
/* What streams need of their writer. */
struct queue *writer_queue(struct writer *w);
const struct writer_config *writer_config_of(const struct writer *w);

/* What was written at the place reserved is no record: it is dropped, counted and logged. */
void stream_drop(struct stream *s);
/* The record ends at `end`; hands it over at once if the config says so. */
void stream_commit(struct stream *s, const unsigned char *end);

#endif
