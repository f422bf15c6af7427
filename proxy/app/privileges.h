/* privileges - what the process may do: descriptors up, everything else down. */
#ifndef APP_PRIVILEGES_H
#define APP_PRIVILEGES_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>

/* Raises RLIMIT_NOFILE to what is allowed; returns the limit in force. */
unsigned privileges_raise_files(void);

/*
 * Becomes `user` with its groups, for good; before any thread is started. NULL or "": stays
 * who it is, and warns once when that is root. False: `error` says why.
 */
MUST_CHECK bool privileges_drop(const char *user, char *error, size_t size);

#endif
