/*
 * reflector - an SMTP server for demonstrations and tests, around responder.
 *
 * Listens on one address, answers every client as responder does and keeps nothing.
 * In process it runs in a thread of its own, for `run --upstream reflect`; as a command
 * it runs in the caller's thread until SIGINT or SIGTERM.
 *
 * Owns:   its loop, listener and sessions; nothing is shared with other threads.
 * Limits: REFLECTOR_SESSIONS_MAX at a time (beyond, 421 and close); a session holds one
 *         read of input and one batch of replies at most, and reads nothing while replies
 *         wait; 305 s without progress end it (RFC 5321 4.5.3.2.7).
 */
#ifndef LAB_REFLECTOR_H
#define LAB_REFLECTOR_H

#include "base/attributes.h"
#include "lab/script.h"
#include "transport/addr.h"

enum {
    REFLECTOR_SESSIONS_MAX = 10000,
    REFLECTOR_IDLE_MS = 305000,
    REFLECTOR_HOSTNAME_MAX = 255,
};

struct reflector;

/* What is pointed to must outlive the reflector. */
struct reflector_config {
    struct addr listen;          /* port 0: any free one */
    const char *hostname;        /* NULL: this machine's */
    const struct script *script; /* NULL: answers as usual */
    bool verbose;                /* logs every command and reply */
};

/* Starts a thread; *bound is where it listens. NULL: `error` says why. */
MUST_CHECK struct reflector *reflector_start(const struct reflector_config *c,
                                             struct addr *bound, char *error, size_t size);
/* Closes all sessions and waits for the thread. */
void reflector_stop(struct reflector **rp);

/*
 * Serves in this thread until SIGINT or SIGTERM. `ready` is told where, once it listens.
 * False: it could not start and `error` says why.
 */
MUST_CHECK bool reflector_run(const struct reflector_config *c,
                              void (*ready)(const struct addr *bound), char *error,
                              size_t size);

#endif
