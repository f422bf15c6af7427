/*
 * admission - how many sessions there may be: of a listener, of one client network, and of
 * the process as far as its descriptors go.
 *
 * Shared by all workers. The counters are atomic; client networks are counted in a table of
 * shards with a lock each, held for a look-up.
 *
 * Owns: the table. Limit: one entry of 40 octets per network that has sessions.
 */
#ifndef RELAY_ADMISSION_H
#define RELAY_ADMISSION_H

#include "base/attributes.h"
#include "relay/settings.h"
#include "transport/addr.h"

#include <stdbool.h>

struct admission;

enum admit {
    ADMIT_YES,
    ADMIT_ABOVE, /* counted in, though its network has per_client sessions: observe mode */
    ADMIT_SESSION_LIMIT,
    ADMIT_CLIENT_LIMIT,
};

/* NULL when memory is out. */
MUST_CHECK struct admission *admission_new(void);
void admission_free(struct admission **a);

/* Counts the session in when the answer is ADMIT_YES or ADMIT_ABOVE. Memory out is
 * ADMIT_SESSION_LIMIT: `sessions` protects this process, in observe mode, too. */
MUST_CHECK enum admit admission_enter(struct admission *a, const struct addr *client,
                                      const struct relay_settings *s);
/* With the settings it was counted in with. */
void admission_leave(struct admission *a, const struct addr *client,
                     const struct relay_settings *s);
unsigned admission_sessions(const struct admission *a);

/*
 * Descriptors of sockets, of all listeners together. Take before accepting; false: none left,
 * let the connection wait.
 */
void descriptors_set_limit(unsigned limit);
MUST_CHECK bool descriptors_take(unsigned count);
void descriptors_give(unsigned count);

#endif
