#include "transcript/spool.h"

#include "base/trusted_open.h"
#include "transcript/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPOOL_NAME_MAX = 64 };

struct spool {
    struct sink sink;
    struct queue *queue;
    struct list in_stream; /* until it has ended */
    const char *dir;
    unsigned mode; /* permissions */
    char name[SPOOL_NAME_MAX];
    atomic_uint references; /* the content's, and one for each chunk */
    struct chunk *chunk;    /* being filled; the worker's */
    size_t used;
    uint64_t octets; /* taken; the worker's */
    bool cut;        /* the queue took no more */
    int fd;          /* the writer's thread's */
};

static void spool_unref(struct sink *sink)
{
    struct spool *s = (struct spool *)sink;

    if (atomic_fetch_sub(&s->references, 1) > 1)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

static void spool_put_chunk(struct spool *s)
{
    if (s->chunk != NULL)
        queue_put(s->queue, s->chunk, s->used, true);
    s->chunk = NULL;
    s->used = 0;
}

static bool spool_next_chunk(struct spool *s)
{
    spool_put_chunk(s);
    s->chunk = queue_take(s->queue, CHUNK_OCTETS, &s->sink);
    if (s->chunk == NULL)
        return false;
    atomic_fetch_add(&s->references, 1);
    return true;
}

void spool_add(struct spool *s, struct span octets)
{
    while (octets.len > 0 && !s->cut) {
        if ((s->chunk == NULL || s->used == s->chunk->size) && !spool_next_chunk(s)) {
            s->cut = true;
            return;
        }
        struct span part = span_first(octets, s->chunk->size - s->used);
        memcpy(s->chunk->bytes + s->used, part.ptr, part.len);
        s->used += part.len;
        s->octets += part.len;
        octets = span_drop(octets, part.len);
    }
}

void spool_end(struct spool *s)
{
    spool_put_chunk(s);
    s->cut = true;
    if (list_is_linked(&s->in_stream))
        list_remove(&s->in_stream);
}

void spool_flush_all(struct stream *stream)
{
    LIST_EACH (s, &stream->spools, struct spool, in_stream)
        spool_put_chunk(s);
}

const char *spool_name(const struct spool *s)
{
    return s->name;
}

uint64_t spool_octets(const struct spool *s)
{
    return s->octets;
}

void spool_free(struct spool **sp)
{
    struct spool *s = *sp;

    *sp = NULL;
    if (s == NULL)
        return;
    spool_end(s);
    spool_unref(&s->sink);
}

static void spool_path(const struct sink *sink, char *out, size_t size)
{
    const struct spool *s = (const struct spool *)sink;

    snprintf(out, size, "%s/%s", s->dir, s->name);
}

static int spool_open(struct sink *sink)
{
    struct spool *s = (struct spool *)sink;
    char path[4096];

    spool_path(sink, path, sizeof path);
    s->fd = trusted_open(path, O_WRONLY | O_CREAT | O_EXCL, (mode_t)s->mode);
    return s->fd >= 0 ? 0 : errno;
}

static int spool_write(struct sink *sink, struct span octets, size_t *done)
{
    const struct spool *s = (struct spool *)sink;
    int error = s->fd < 0 ? spool_open(sink) : 0;

    if (error != 0)
        return error;
    while (*done < octets.len) {
        ssize_t n = write(s->fd, octets.ptr + *done, octets.len - *done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        *done += (size_t)n;
    }
    return 0;
}

struct spool *spool_new(struct stream *stream, const char *dir, const char *name)
{
    static const struct sink_ops ops = {
        .open = spool_open, .write = spool_write, .close = spool_unref, .name = spool_path
    };
    struct spool *s = malloc(sizeof *s);

    if (s == NULL)
        return NULL;
    *s = (struct spool){ .sink = { .ops = &ops },
                         .queue = stream->queue,
                         .dir = dir,
                         .mode = stream->config->file_mode,
                         .fd = -1,
                         .references = 1 };
    snprintf(s->name, sizeof s->name, "%s", name);
    list_prepend(&stream->spools, &s->in_stream);
    return s;
}
