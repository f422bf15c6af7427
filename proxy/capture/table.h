/*
 * table - the connections of a capture by their two ends, bounded.
 *
 * Connections that are over stay for a while, so that what comes late finds them and does not
 * look like a new one. When there are too many, the one silent for longest goes; one that is
 * over before one that is not.
 *
 * Owns: the connections.
 */
#ifndef CAPTURE_TABLE_H
#define CAPTURE_TABLE_H

#include "capture/connection.h"

enum { TABLE_MAX = 65536, TABLE_BUCKETS = 65536 };

/* By the time of their last packet. */
struct table_list {
    struct list oldest_first;
    unsigned count;
};

struct table {
    struct connection **buckets;
    struct table_list live, dead;
    uint64_t seed;
    unsigned max;
};

/* False: memory is out. */
MUST_CHECK bool table_init(struct table *t, unsigned max);
/* All of them end: "capture-end". */
void table_deinit(struct table *t);

/* NULL when there is none between these ends, in whichever direction. */
struct connection *table_find(struct table *t, const struct segment *s);
/* A new one, to be initialised; NULL: memory is out. May end another. */
MUST_CHECK struct connection *table_add(struct table *t, struct connection_env *env,
                                        const struct segment *s, enum side from, bool on_port);
/* A packet was given to it. */
void table_touch(struct table *t, struct connection *c, bool was_dead);
void table_remove(struct table *t, struct connection *c);
/* Ends what is not over, then removes it. */
void table_end(struct table *t, struct connection *c, enum close_reason why);

#endif
