/*
 * reflector_session - one client of the reflector: a socket, a timer, a responder.
 *
 * Replies are written before more is read, so a client that does not read stops being
 * read. One timer serves all waits: a script's delay, the gap between pieces, and the
 * time without progress.
 *
 * Owns: itself; freed when both handles have closed.
 */
#ifndef LAB_REFLECTOR_SESSION_H
#define LAB_REFLECTOR_SESSION_H

#include "base/list.h"
#include "lab/script.h"

#include <uv.h>

struct reflector_session;

/* All sessions of one loop. */
struct reflector_sessions {
    uv_loop_t *loop;
    const char *hostname;
    const struct script *script;
    bool verbose;
    struct list sessions;
    unsigned count, accepted;
    char input[65536]; /* of the read under way; sessions copy what they cannot use */
};

void reflector_sessions_init(struct reflector_sessions *all, uv_loop_t *loop,
                             const char *hostname, const struct script *script, bool verbose);
/* Closes every session; the loop frees them. */
void reflector_sessions_close(struct reflector_sessions *all);
void reflector_session_accept(struct reflector_sessions *all, uv_stream_t *listener);

#endif
