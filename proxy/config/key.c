#include "config/schema.h"

#include <string.h>

bool config_key_is_child(const struct config_key *key, const struct config_key *group)
{
    size_t n = strlen(group->path);

    if (key == group || strncmp(key->path, group->path, n) != 0)
        return false;
    if (n == 0)
        return strchr(key->path, '.') == NULL;
    return key->path[n] == '.' && strchr(key->path + n + 1, '.') == NULL;
}

const char *config_key_name(const struct config_key *key)
{
    const char *dot = strrchr(key->path, '.');

    return dot != NULL ? dot + 1 : key->path;
}

const struct config_key *config_key_find(const struct config_key *group, const char *name)
{
    const struct config_key *key;

    for (unsigned i = 0; (key = config_key_at(i)) != NULL; i++) {
        if (config_key_is_child(key, group) && strcmp(config_key_name(key), name) == 0)
            return key;
    }
    return NULL;
}

const struct config_key *config_key_by_path(const char *path)
{
    const struct config_key *key;

    for (unsigned i = 0; (key = config_key_at(i)) != NULL; i++) {
        if (strcmp(key->path, path) == 0)
            return key;
    }
    return NULL;
}

const char *config_key_type_name(const struct config_key *key)
{
    static const char *const names[] = {
#define X(id, text) text,
        KEY_TYPES(X)
#undef X
    };

    return names[key->type];
}

bool config_key_is_array(const struct config_key *key)
{
    return key->type == KEY_LISTEN || key->type == KEY_UPSTREAM || key->type == KEY_NETWORKS ||
           key->type == KEY_PATHS || key->type == KEY_PINS;
}

/* The i-th word of the policy rule. */
static const char *rule_word(enum policy_rule rule, unsigned i)
{
    for (unsigned w = 0; w < WORD_COUNT; w++) {
        if ((policy_rule_choices(rule) >> w & 1) == 0)
            continue;
        if (i == 0)
            return w == WORD_FIXED ? "fixed:N" : policy_word_text((enum policy_word)w);
        i--;
    }
    return NULL;
}

const char *config_key_word(const struct config_key *key, unsigned i)
{
    switch (key->type) {
    case KEY_WORD:
    case KEY_LEVEL:
        return key->words[i];
    case KEY_PRESET:
        return i < PRESET_COUNT ? policy_preset_name((enum policy_preset)i) : NULL;
    case KEY_RULE:
    case KEY_LIMIT_MODE:
        return rule_word(key->rule, i);
    case KEY_GROUP:
    case KEY_LIST:
    case KEY_NAME:
    case KEY_HOST:
    case KEY_TEXT:
    case KEY_PATH:
    case KEY_BOOL:
    case KEY_INT:
    case KEY_SIZE:
    case KEY_OCTETS:
    case KEY_TIME:
    case KEY_MODE:
    case KEY_WORKERS:
    case KEY_LISTEN:
    case KEY_UPSTREAM:
    case KEY_NETWORKS:
    case KEY_PATHS:
    case KEY_PINS:
        break;
    }
    return NULL;
}
