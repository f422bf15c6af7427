/*
 * wheel - many deadlines of one loop behind one uv_timer.
 *
 * A hashed wheel of WHEEL_TICK_MS buckets. Moving a deadline to a later time is a store:
 * the entry is looked at when its old bucket comes up, and put into the next one then.
 * Deadlines beyond the horizon are looked at once a turn. The timer runs only while there
 * are entries. A deadline fires at most one tick (and one turn of the loop) late, never early.
 *
 * Rejected: a uv_timer for each session; it is 152 octets and a heap operation per command.
 *
 * Owns nothing: entries lie in their owners and leave with wheel_cancel().
 */
#ifndef TRANSPORT_WHEEL_H
#define TRANSPORT_WHEEL_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { WHEEL_TICK_MS = 100, WHEEL_BUCKETS = 512 };

struct wheel_entry {
    struct list in_bucket;
    uint64_t due_ms;
    uint64_t tick; /* of its bucket */
};

struct wheel {
    uv_timer_t timer;
    void (*on_due)(struct wheel_entry *e); /* e has left the wheel */
    uint64_t tick;                         /* the last one looked at */
    unsigned entries;
    struct list bucket[WHEEL_BUCKETS];
};

void wheel_init(struct wheel *w, uv_loop_t *loop, void (*on_due)(struct wheel_entry *e));
/* Closes the timer: w must stay until the loop has run once more. No entry may be left. */
void wheel_deinit(struct wheel *w);

/* due_ms: on the clock of uv_now(). */
void wheel_set(struct wheel *w, struct wheel_entry *e, uint64_t due_ms);
void wheel_cancel(struct wheel *w, struct wheel_entry *e);

#endif
