/*
 * simulator - plays a middlebox of the catalogue: a relay that damages SMTP on purpose.
 *
 * For tests of the detectors and for teaching. A preset is a list of rules over one engine:
 * bytes of a direction in, bytes out, plus what a box does to a connection (answer by itself,
 * swallow, hold, reset, delay). Reads and writes keep their boundaries unless a rule says
 * otherwise; with preset `clean` it is a wire.
 *
 *   preset_*     the rules of a preset: preset.h, rules.h
 *   box_*        one connection's damage, sans-IO: box.h
 *   simulator_*  sockets around it
 *
 * Limits: SIMULATOR_SESSIONS_MAX connections; further ones are reset.
 */
#ifndef LAB_SIMULATOR_SIMULATOR_H
#define LAB_SIMULATOR_SIMULATOR_H

#include "base/attributes.h"
#include "transport/addr.h"

#include <stddef.h>
#include <stdint.h>

enum { SIMULATOR_SESSIONS_MAX = 1000 };

struct simulator_config {
    struct addr listen, upstream;
    const char *preset;            /* "asa-default", "idle(30)" */
    const char *certificate, *key; /* of presets that intercept TLS; NULL: none */
    uint64_t seed;                 /* of presets that choose: equal seeds, equal choices */
};

/* What --list says beside the presets: what is not simulated. */
extern const char simulator_note[];

/* Serves in this thread until SIGINT or SIGTERM; `ready` is told where it listens. */
MUST_CHECK bool simulator_run(const struct simulator_config *c,
                              void (*ready)(const struct addr *bound), char *error,
                              size_t size);

/* False: there is no such preset; `error` says what is wrong, and which name is near. */
MUST_CHECK bool simulator_check(const char *preset, char *error, size_t size);
/* Name, one line, and the detectors it must trigger ("SV-01 SV-02"); false past the end. */
bool simulator_preset(unsigned i, const char **name, const char **line, const char **triggers);
/* What may be between the parentheses behind its name; NULL: nothing. */
const char *simulator_parameter(unsigned i);

#endif
