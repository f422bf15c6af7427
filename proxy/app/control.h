/*
 * control - the main thread: signals in, orders to the workers out.
 *
 *   TERM, INT   stop accepting, end sessions, let messages in transfer finish until
 *               drain_timeout; a second one ends at once
 *   HUP         reads the configuration again, for new sessions
 *   USR1        opens the transcript again and logs every live session
 */
#ifndef APP_CONTROL_H
#define APP_CONTROL_H

#include "config/config.h"
#include "base/attributes.h"

/* Runs the proxy until a signal ends it; takes the configuration over. The exit status. */
MUST_CHECK int control_run(struct config *c);

#endif
