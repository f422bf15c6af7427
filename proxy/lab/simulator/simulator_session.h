/*
 * simulator_session - the sockets of one box: input to it, its actions carried out.
 *
 * Owns: itself, freed when its last handle is closed.
 */
#ifndef LAB_SIMULATOR_SIMULATOR_SESSION_H
#define LAB_SIMULATOR_SIMULATOR_SESSION_H

#include "base/list.h"
#include "lab/simulator/box.h"
#include "transport/conn.h"

struct simulator_session;

/* What sessions share; set up by the simulator. */
struct simulator_sessions {
    uv_loop_t *loop;
    const struct rules *rules;
    struct addr upstream;
    uint64_t seed;
    struct tls_context *server, *client; /* of presets that end TLS; else NULL */
    struct list sessions;
    unsigned count, accepted;
};

extern const struct conn_events simulator_session_events;

void simulator_session_accept(struct simulator_sessions *all, uv_stream_t *listener);
/* All connections; the loop then runs until they are closed. */
void simulator_sessions_close(struct simulator_sessions *all);

#endif
