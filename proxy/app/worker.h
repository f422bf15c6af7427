/*
 * worker - a thread with a loop of its own: listeners, relays, records.
 *
 * Workers share nothing but counters (admission), settings and the writer's queue. Orders
 * from the main thread are bits in an atomic word and one wake-up; the loop takes them all.
 *
 * Life: worker_new() opens everything in the caller's thread, so that errors are seen at the
 * start; worker_start(); orders; worker_is_done() once draining is complete; worker_free().
 */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include "base/attributes.h"
#include "relay/admission.h"
#include "relay/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catalogue;
struct memory;
struct resolver;
struct writer;
struct worker;

struct worker_socket {
    int fd;
    unsigned listener; /* index of its settings */
};

/* Borrowed during worker_new(), but for what the pointers in it point to. */
struct worker_config {
    struct resolver *resolver;
    struct writer *writer;
    uint32_t flush_ms;
    bool findings;                     /* look at records as they are written */
    const struct catalogue *catalogue; /* NULL: none; must outlive the worker */
    struct relay_settings **settings;  /* by listener; references are taken */
    struct admission **admission;      /* by listener; must outlive the worker */
    struct memory *memory;             /* of all workers; must outlive the worker */
    unsigned listeners;
    const struct worker_socket *sockets; /* their descriptors are the worker's now */
    unsigned socket_count;
    void (*on_done)(void *arg); /* called from the worker's thread */
    void *arg;
};

/* NULL: `error` says why; the descriptors are closed. */
MUST_CHECK struct worker *worker_new(const struct worker_config *c, char *error, size_t size);
MUST_CHECK bool worker_start(struct worker *w);
/* Waits for the thread, if there is one. */
void worker_free(struct worker **w);

/* No more connections; sessions end as session_end(CLOSE_SHUTDOWN) says. */
void worker_drain(struct worker *w);
/* Every session is closed at once. */
void worker_abort(struct worker *w);
/* When it returns, new sessions use these (by listener); references are taken. Not after
 * worker_drain(). */
void worker_reload(struct worker *w, struct relay_settings *const *settings);
/* One log line per session. */
void worker_dump(struct worker *w);
/* After worker_drain(): its thread is about to end. */
bool worker_is_done(const struct worker *w);

#endif
