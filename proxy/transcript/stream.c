#include "transcript/stream.h"

#include "base/clock.h"
#include "base/log.h"
#include "transcript/content.h"
#include "transcript/record_writer.h"
#include "transcript/spool.h"

#include <assert.h>
#include <stdlib.h>

enum { DIGESTS_KEPT = 32 };

static char *vantage_json(const char *vantage, size_t *len)
{
    struct span name = span_first(span_str(vantage != NULL ? vantage : ""), 255);
    unsigned char *text = malloc(name.len * JSON_OCTET_MAX + 32);

    if (text == NULL)
        return NULL;
    struct json j = { .p = text };
    PUT_TEXT(&j, head_vantage, name);
    *len = (size_t)(j.p - text);
    return (char *)text;
}

static bool stream_join(struct stream *s, struct writer *w)
{
    s->config = writer_config_of(w);
    s->queue = writer_queue(w);
    s->vantage = vantage_json(s->config->vantage, &s->vantage_len);
    if (s->vantage == NULL)
        return false;
    s->writer = w;
    pthread_mutex_lock(&s->queue->lock);
    list_prepend(&s->queue->streams, &s->in_queue);
    pthread_mutex_unlock(&s->queue->lock);
    return true;
}

struct stream *stream_new(struct writer *w, void (*on_room)(void *), void *arg)
{
    struct stream *s = malloc(sizeof *s);
    uint8_t sid[SID_OCTETS];

    if (s == NULL)
        return NULL;
    *s = (struct stream){ .on_room = on_room, .arg = arg, .second = UINT64_MAX };
    sid_source_init(&s->ids);
    sid_next(&s->ids, clock_wall_us(), sid);
    sid_format(sid, s->sid);
    pool_init(&s->digests, content_digest_size(), DIGESTS_KEPT);
    if (w != NULL && !stream_join(s, w)) {
        free(s);
        return NULL;
    }
    return s;
}

/* Gives the current chunk to the writer's thread for good. */
static void stream_close_chunk(struct stream *s)
{
    if (s->chunk == NULL)
        return;
    queue_put(s->queue, s->chunk, s->used, true);
    s->chunk = NULL;
    s->used = 0;
}

static void stream_count(struct stream *s)
{
    pthread_mutex_lock(&s->queue->lock);
    s->queue->stats.records += s->records;
    pthread_mutex_unlock(&s->queue->lock);
    s->records = 0;
}

static bool stream_has_room(const struct stream *s, size_t octets)
{
    return s->chunk != NULL && octets <= s->chunk->size - s->used;
}

static bool stream_next_chunk(struct stream *s, size_t octets)
{
    stream_close_chunk(s);
    stream_count(s);
    s->chunk = queue_take(s->queue, octets, NULL);
    return s->chunk != NULL;
}

static void count_lost(struct stream *s)
{
    s->lost++;
    pthread_mutex_lock(&s->queue->lock);
    s->queue->stats.dropped++;
    pthread_mutex_unlock(&s->queue->lock);
}

/* {"kind":"lost"}: says how many records are missing before this place. */
static void stream_tell_lost(struct stream *s)
{
    struct record_head head = { .kind = RECORD_LOST, .sid = s->sid, .n = ++s->n };
    struct json j = { .p = s->chunk->bytes + s->used };

    head.t_us = clock_wall_us();
    record_begin_head(&j, s, &head);
    PUT_U64(&j, lost_records, s->lost);
    JSON_LIT(&j, "}\n");
    s->used = (size_t)(j.p - s->chunk->bytes);
    s->records++;
    s->lost = 0;
}

unsigned char *stream_reserve(struct stream *s, size_t octets)
{
    size_t lost = s->lost != 0 ? RECORD_FIXED + s->vantage_len : 0;

    if (!stream_has_room(s, octets + lost) && !stream_next_chunk(s, octets + lost)) {
        count_lost(s);
        return NULL;
    }
    if (lost != 0)
        stream_tell_lost(s);
    return s->chunk->bytes + s->used;
}

void stream_drop(struct stream *s)
{
    log_error("a record exceeds the maximum length and is omitted: internal error");
    count_lost(s);
}

void stream_commit(struct stream *s, const unsigned char *end)
{
    size_t used = (size_t)(end - s->chunk->bytes);

    assert(used > s->used && used <= s->chunk->size);
    if (used <= s->used || used > s->chunk->size) {
        stream_drop(s);
        return;
    }
    s->used = used;
    s->records++;
    if (s->config->flush_ms == 0)
        stream_flush(s);
}

void stream_flush(struct stream *s)
{
    if (!stream_is_on(s))
        return;
    if (stream_is_blocked(s))
        spool_flush_all(s);
    if (s->lost != 0) {
        size_t room = RECORD_FIXED + s->vantage_len;
        if (stream_has_room(s, room) || stream_next_chunk(s, room))
            stream_tell_lost(s);
    }
    if (s->records != 0)
        stream_count(s);
    if (s->chunk == NULL || s->used == s->chunk->ready) /* only this thread moves `ready` */
        return;
    if (s->used > s->chunk->size / 2)
        stream_close_chunk(s);
    else
        queue_put(s->queue, s->chunk, s->used, false);
}

bool stream_is_blocked(const struct stream *s)
{
    return stream_is_on(s) && atomic_load_explicit(&s->queue->full, memory_order_relaxed);
}

void stream_leave(struct stream *s)
{
    stream_flush(s);
    stream_close_chunk(s);
    pthread_mutex_lock(&s->queue->lock);
    list_remove(&s->in_queue);
    pthread_mutex_unlock(&s->queue->lock);
    s->writer = NULL;
    s->queue = NULL;
}

void stream_free(struct stream **sp)
{
    struct stream *s = *sp;

    *sp = NULL;
    if (s == NULL)
        return;
    if (stream_is_on(s))
        stream_leave(s);
    pool_deinit(&s->digests);
    free(s->vantage);
    free(s);
}
