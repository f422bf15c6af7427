/*
 * schema - the one table of all configuration keys.
 *
 * A key is a path ("listeners.limits.sessions"), a type, the member it sets, a range
 * and a meaning. Loading, checking, printing, the reference and the example are walks
 * over this table. Defaults are not in it: they are what config_defaults() and
 * settings_new() make, read back through the same table.
 *
 * The rules of the policy come from smtp/policy.def.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include "config/config.h"

#define KEY_TYPES(X)                                                                           \
    X(GROUP, "a group")                                                                        \
    X(LIST, "a list of groups")                                                                \
    X(NAME, "a name") /* printable ASCII */                                                    \
    X(HOST, "a host name")                                                                     \
    X(TEXT, "a string")                                                                        \
    X(PATH, "a path")                                                                          \
    X(BOOL, "true or false")                                                                   \
    X(INT, "a whole number")                                                                   \
    X(SIZE, "a size")              /* "10M" */                                                 \
    X(OCTETS, "a number of bytes") /* a size printed without a unit */                         \
    X(TIME, "a time")              /* "5m" */                                                  \
    X(MODE, "a file mode")         /* "0640" */                                                \
    X(WORD, "a word")              /* index in `words`, stored as a number */                  \
    X(LEVEL, "a word")             /* one of `words`, stored as a string */                    \
    X(WORKERS, "a number or \"auto\"")                                                         \
    X(LISTEN, "an address or an array of addresses")                                           \
    X(UPSTREAM, "an address or an array of addresses")                                         \
    X(NETWORKS, "a network or an array of networks")                                           \
    X(PATHS, "a path or an array of paths")                                                    \
    X(PINS, "a pin or an array of pins")                                                       \
    X(PRESET, "a preset")                                                                      \
    X(RULE, "a word")                                                                          \
    X(LIMIT_MODE, "a limit")

enum key_type {
#define X(id, text) KEY_##id,
    KEY_TYPES(X)
#undef X
};

enum key_owner { OWNER_NONE, OWNER_CONFIG, OWNER_LISTENER, OWNER_SETTINGS };

struct config_key {
    const char *path; /* "" is the file itself */
    enum key_type type;
    enum key_owner owner;
    size_t offset, size;      /* of the member in its owner */
    uint64_t min, max;        /* of numbers, sizes (bytes), times (ms) */
    const char *zero;         /* what 0 means, if 0 is allowed below min */
    const char *const *words; /* ends with NULL */
    enum policy_rule rule;
    uint32_t scale;    /* of times: milliseconds in one unit of the member */
    bool restart;      /* a running proxy cannot take a change over */
    const char *empty; /* what "" means; it is the default then */
    const char *
        about; /* sentences, with `values` and `keys` marked up; the first stands in the example file */
};

/* In the order of the reference; NULL past the end. */
const struct config_key *config_key_at(unsigned i);
/* The key `name` of the group, or NULL. */
const struct config_key *config_key_find(const struct config_key *group, const char *name);
bool config_key_is_child(const struct config_key *key, const struct config_key *group);
const struct config_key *config_key_by_path(const char *path);
/* The last part of the path. */
const char *config_key_name(const struct config_key *key);
/* One string or an array of them. */
bool config_key_is_array(const struct config_key *key);
/* "a time"; for messages. */
const char *config_key_type_name(const struct config_key *key);

const char *config_key_about(const struct config_key *key);
/* The i-th word the key may be set to; NULL past the end, and where any text may stand. */
const char *config_key_word(const struct config_key *key, unsigned i);

/* All values at their defaults, no listener. Aborts without memory. */
struct config *config_defaults(void);
struct config_listener *config_listener_add(struct config *c);
/* malloc'ed copy; aborts without memory. */
char *config_copy(const char *text);
/* `items` with room for one more, zeroed; aborts without memory. */
void *config_grow(void *items, unsigned count, size_t size);

#endif
