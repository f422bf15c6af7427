/*
 * spool - content octets to a file of their own (content = full), by the writer's
 * thread.
 *
 * The worker adds octets, the writer's thread opens, writes and closes the file, a sink
 * (sink.h); the chunks between them count in the queue like records. When the queue is at
 * its hard limit the rest of the content is left out: spool_octets() tells.
 *
 * Owns: the file. Lives until the content and all its chunks are done with it.
 */
#ifndef TRANSCRIPT_SPOOL_H
#define TRANSCRIPT_SPOOL_H

#include "transcript/stream.h"

struct spool;

/* Of the stream's thread; `dir` must outlive it. NULL when memory is out. */
MUST_CHECK struct spool *spool_new(struct stream *s, const char *dir, const char *name);
void spool_add(struct spool *s, struct span octets);
/* No more octets; what is left is handed over. */
void spool_end(struct spool *s);
const char *spool_name(const struct spool *s);
uint64_t spool_octets(const struct spool *s);
/* The content's reference; ends it if that was not done. */
void spool_free(struct spool **s);
/* Hands over what the spools of this stream have begun to fill: a full queue is not to wait for
 * clients that are not read because it is full. */
void spool_flush_all(struct stream *s);

#endif
