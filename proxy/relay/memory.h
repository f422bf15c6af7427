/*
 * memory - how much the sessions of the process may hold, all workers together.
 *
 * Counted is what a session holds besides its own block: input not yet understood, commands
 * without a reply, mail data under way, octets queued for either side. The answer to too much
 * is not to read; nothing is dropped. Up to half of the limit everybody reads as the session's
 * own limits allow; from there on a session that holds more than an eighth of what is left
 * waits, so that who holds most waits first.
 *
 * A client is held only while somebody else can free what its session holds: the upstream by
 * its replies, a peer by taking what is queued for it. Those are always read and waited for
 * with a timeout, so that all of it is freed some day, whatever the limit: nobody waits for
 * one who waits. That costs what the rest needs to go on: the limit may be passed by one line
 * or reply of each session, and what answers it.
 *
 * Each worker has a share, which takes from the process in steps of a 1024th of the limit, at
 * most 64 KiB: an input costs additions and hardly ever an atomic operation. A share that waits
 * is told whenever the use falls below another sixteenth of the limit, whoever gave it back. It
 * says that it waits before it looks, and who gives back looks for the waiting after: one of
 * the two sees the other.
 *
 * Owns: nothing but the counters. Limit and use in octets.
 */
#ifndef RELAY_MEMORY_H
#define RELAY_MEMORY_H

#include "base/attributes.h"
#include "base/list.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct memory_share;

struct memory {
    atomic_size_t used; /* taken by the shares */
    atomic_size_t limit;
    pthread_mutex_t lock;
    struct list shares; /* under the lock */
};

/* Of one worker; no other thread touches anything but `waiting`, and calls on_room. */
struct memory_share {
    struct memory *memory; /* NULL: no limit */
    size_t used, taken;    /* held by its sessions; taken from the process, never less */
    atomic_bool waiting;
    void (*on_room)(void *arg); /* any thread */
    void *arg;
    struct list in_memory; /* under its lock */
};

void memory_init(struct memory *m, size_t limit);
void memory_deinit(struct memory *m);
/* For all from now on; any thread. */
void memory_set_limit(struct memory *m, size_t limit);

/* on_room(arg): look again who may read. `m` may be NULL. */
void memory_join(struct memory_share *s, struct memory *m, void (*on_room)(void *), void *arg);
/* Its sessions are gone: what was taken is given back. */
void memory_leave(struct memory_share *s);

/* A session that held *held holds `now`. */
void memory_count(struct memory_share *s, size_t *held, size_t now);

/* May a session that holds `octets` hold more? False: on_room follows when there is more room
 * (but for less than a sixteenth of the limit). */
MUST_CHECK bool memory_allows(struct memory_share *s, size_t octets);
/* Octets that a session may hold at the moment, SIZE_MAX: no matter how many. */
size_t memory_allowed(const struct memory_share *s);

#endif
