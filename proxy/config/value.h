/*
 * value - one value on its way into the configuration, and back out.
 *
 * A value is checked and stored through its key; what is stored can be printed as a
 * libconfig value that stores the same again.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/schema.h"

enum { WHY_MAX = 512, LISTENERS_MAX = 64 };

/* Where values go. */
struct config_target {
    struct config *config;
    struct config_listener *listener;  /* NULL outside of listeners */
    uint64_t rules_given;              /* bit RULE_x: set by its own key, presets leave it */
    bool policy_given;                 /* any word that the mode observe ignores */
    bool listen_given, upstream_given; /* right or wrong */
    bool trusted_broken;               /* a network was not understood */
    uint64_t sessions_given;           /* bit n: listener n has its own limits.sessions */
};

/* False: `why` says what was expected. Text of the file is escaped in it. */
MUST_CHECK bool config_set_text(const struct config_key *key, struct config_target *t,
                                const char *text, char why[WHY_MAX]);
MUST_CHECK bool config_set_number(const struct config_key *key, struct config_target *t,
                                  uint64_t value, char why[WHY_MAX]);
void config_set_bool(const struct config_key *key, struct config_target *t, bool value);

/* The value as it stands in a file. `l` may be NULL for keys outside of listeners. */
void config_print_value(const struct config_key *key, const struct config *c,
                        const struct config_listener *l, FILE *out);
/* In quotes, escaped as libconfig reads it. */
void config_print_string(const char *text, FILE *out);
/* "1 to 100", "100ms to 1d or 0"; returns false when the key has no range. */
bool config_range_text(const struct config_key *key, char *out, size_t size);
/* "a", "b" or "c"; false where any text may stand. */
bool config_words_text(const struct config_key *key, char *out, size_t size);

#endif
