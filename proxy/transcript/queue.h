/*
 * queue - chunks of whole lines on their way from the workers to the writer's
 * thread, in bounded memory.
 *
 * Private to transcript. A chunk is filled by one worker and may be handed over
 * more than once, each time a bit further, so that a flush gives no memory away.
 * It is closed when it takes no more; when it is closed and written it comes back
 * here. The order of a stream's octets is the order in which it handed them over.
 *
 * Memory: what is handed over and closed counts against the limit; besides it
 * every stream has at most one open chunk. With on_full = pause reaching the
 * limit makes the queue `full`, which stops the workers' reading; records of what
 * they already read are still taken, up to twice the limit. With on_full = drop
 * the limit is hard.
 *
 * Rejected: one ring per worker without locks. A chunk holds about a hundred
 * records, so the lock is taken rarely and never held over a system call.
 *
 * Owns: all closed chunks, the free list. An open chunk is its stream's.
 */
#ifndef TRANSCRIPT_QUEUE_H
#define TRANSCRIPT_QUEUE_H

#include "base/attributes.h"
#include "base/list.h"
#include "transcript/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink;

enum {
    CHUNK_OCTETS = 65536 - 64, /* with its head a round number for malloc */
    CHUNK_SLACK = 4096,        /* behind them: a record that does not fit ends there */
    QUEUE_KEEP = 8,            /* free chunks kept */
    QUEUE_MIN = 4 * 65536,     /* smallest limit */
};

struct chunk {
    struct chunk *next;
    struct sink *sink;            /* a reference; NULL: lines of the transcript */
    size_t size;                  /* octets of bytes[] */
    size_t done, ready;           /* see stream.h; under the lock */
    bool queued, closed, counted; /* under the lock */
    unsigned char bytes[];
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* of the writer's thread */
    struct chunk *first, *last;
    struct chunk *free_list;
    unsigned free_count;
    uint64_t octets; /* counted */
    uint64_t limit, hard;
    atomic_bool full; /* workers shall stop reading; never with drop */
    bool pause;       /* on_full = pause */
    bool failing;     /* the writer cannot write */
    bool sleeping, stop, reopen;
    struct list streams;
    struct writer_stats stats;
};

void queue_init(struct queue *q, const struct writer_config *c);
/* No thread uses it any more; frees what is left in it. */
void queue_deinit(struct queue *q);

/*
 * For the workers. An open chunk of at least `octets`, or NULL: over the limit or
 * memory is out. One that names a sink counts from the start.
 */
MUST_CHECK struct chunk *queue_take(struct queue *q, size_t octets, struct sink *sink);
/* Hands the octets before `ready` over; `closed`: the chunk is the queue's from now on. */
void queue_put(struct queue *q, struct chunk *c, size_t ready, bool closed);

/*
 * For the writer's thread, under the lock. queue_written says how far the first
 * chunk was written; queue_set_failing says that nothing can be written, or can again.
 * Both wake the streams when there is room.
 */
void queue_written(struct queue *q, size_t done);
void queue_set_failing(struct queue *q, bool failing);
/* Sleeps until there is something to do, or for `ms`; 0: as long as it takes. */
void queue_sleep(struct queue *q, unsigned ms);

#endif
