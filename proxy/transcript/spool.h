/*
 * spool - content octets to a file of their own (content = full), by the writer's
 * thread.
 *
 * The worker adds octets, the writer's thread opens, writes and closes the file;
 * the chunks between them count in the queue like records. When the queue is at
 * its hard limit the rest of the content is left out: spool_octets() tells.
 *
 * Owns: the file. Lives until the content and all its chunks are done with it.
 */
#ifndef TRANSCRIPT_SPOOL_H
#define TRANSCRIPT_SPOOL_H

#include "transcript/stream.h"

struct spool;

/* Of the stream's thread. dir must outlive it. NULL when memory is out. */
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

/* For the writer's thread: writes from *done on, returns 0 or an errno. */
MUST_CHECK int spool_write(struct spool *s, unsigned mode, struct span octets, size_t *done);
/* A chunk of it is gone. */
void spool_chunk_done(struct spool *s);
/* "DIR/NAME", for messages. */
void spool_path(const struct spool *s, char *out, size_t size);

#endif
