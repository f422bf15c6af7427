/*
 * privileges - what the process may do: descriptors up, everything else down.
 *
 * Transparent sockets (transport/origin.h) need CAP_NET_RAW or CAP_NET_ADMIN: at the start
 * for listeners with intercept = "tproxy", for good where source = "client".
 */
#ifndef APP_PRIVILEGES_H
#define APP_PRIVILEGES_H

#include "config/config.h"
#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>

/* Raises RLIMIT_NOFILE to what is allowed; returns the limit in force. */
unsigned raise_fd_limit(void);

/*
 * May the process do what the configuration asks for? started: listeners are bound already.
 * False: `error` names the listener, the key, what is missing and how to give it.
 */
MUST_CHECK bool privileges_suffice(const struct config *c, bool started, char *error,
                                   size_t size);

/*
 * Becomes c->user with its groups, for good, and keeps no capability but the one that
 * source = "client" needs; before any thread is started. Without a user: stays who it is;
 * root keeps everything then, and is warned once. False: `error` says why.
 */
MUST_CHECK bool privileges_drop(const struct config *c, char *error, size_t size);

#endif
