/*
 * server - the running proxy: sockets, privileges, writer, reflector, workers.
 *
 * Started in that order, stopped in the reverse one; a failure on the way up says what and
 * where, and leaves nothing behind.
 *
 * Owns: the configuration it was started with, and everything else here.
 */
#ifndef APP_SERVER_H
#define APP_SERVER_H

#include "config/config.h"
#include "app/follow.h"
#include "base/attributes.h"
#include "relay/memory.h"

#include <stdbool.h>

struct admission;
struct catalogue;
struct reflector;
struct resolver;
struct worker;
struct worker_socket;
struct writer;

struct server {
    struct config *config;
    struct follow follow;
    struct writer *writer;
    struct resolver *resolver;
    struct catalogue *catalogue; /* NULL: findings name no product */
    struct reflector *reflector;
    struct addr reflector_addr;
    struct memory memory;             /* of all sessions */
    struct admission **admission;     /* by listener */
    struct relay_settings **settings; /* by listener; borrowed from the configuration */
    struct addr *bound;               /* by socket of one worker */
    struct worker_socket *sockets;    /* of one worker after the other */
    unsigned socket_count;            /* of one worker */
    unsigned opened;                  /* sockets not yet handed to a worker: from here on */
    struct worker **workers;
    unsigned worker_count;
    void (*on_done)(void *);
    void *on_done_arg;
};

/* Takes the configuration over. on_done(arg): from a worker's thread, when it has drained. */
void server_init(struct server *s, struct config *c, void (*on_done)(void *), void *arg);
/* False: `error` says why; server_stop() is due in both cases. */
MUST_CHECK bool server_start(struct server *s, char *error, size_t size);
/* Workers must be done, or were never started; `ms`: how long the transcript may take. */
void server_stop(struct server *s, unsigned ms);

/* Reads the file again; what cannot be applied is said, what is wrong changes nothing. */
void server_reload(struct server *s);
bool server_is_done(const struct server *s);
/* Where it listens and what it does, for a person and for tests. */
void server_announce(const struct server *s);
void server_set_log_level(const struct config *c);

#endif
