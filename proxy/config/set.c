#include "config/near.h"
#include "config/unit.h"
#include "config/value.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX_OCTETS = 64,
    TEXT_MAX_OCTETS = 255,
    ADDRESSES_MAX = 64,
    NETWORKS_MAX = 256,
    STRINGS_MAX = 64
};

_Static_assert(RULE_COUNT <= 64, "rules_given is 64 bits");

static bool PRINTF_LIKE(2, 3) fail(char why[WHY_MAX], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, WHY_MAX, fmt, ap);
    va_end(ap);
    return false;
}

static void *member(const struct config_key *key, struct config_target *t)
{
    switch (key->owner) {
    case OWNER_CONFIG:
        return (char *)t->config + key->offset;
    case OWNER_LISTENER:
        return (char *)t->listener + key->offset;
    case OWNER_SETTINGS:
        return (char *)t->listener->settings + key->offset;
    case OWNER_NONE:
        break;
    }
    abort();
}

static void store(const struct config_key *key, struct config_target *t, uint64_t value)
{
    void *to = member(key, t);
    uint32_t four = (uint32_t)value;
    uint8_t one = (uint8_t)value;

    if (key->size == sizeof value)
        memcpy(to, &value, sizeof value);
    else if (key->size == sizeof four)
        memcpy(to, &four, sizeof four);
    else
        memcpy(to, &one, sizeof one);
}

static void store_text(const struct config_key *key, struct config_target *t, const char *text)
{
    char **to = member(key, t);

    free(*to);
    *to = config_copy(text);
}

static bool store_in_range(const struct config_key *key, struct config_target *t,
                           uint64_t value, char why[WHY_MAX])
{
    char range[64];
    uint64_t scale = key->scale != 0 ? key->scale : 1;

    if ((value < key->min && !(value == 0 && key->zero != NULL)) || value > key->max) {
        config_range_text(key, range, sizeof range);
        return fail(why, "expected %s", range);
    }
    if (value % scale != 0)
        return fail(why, "expected whole seconds");
    store(key, t, value / scale);
    return true;
}

static bool unknown_word(const struct config_key *key, const char *text, char why[WHY_MAX])
{
    const char *word, *near = NULL;
    char words[WHY_MAX / 2];

    for (unsigned i = 0; (word = config_key_word(key, i)) != NULL && near == NULL; i++) {
        if (config_is_near(text, word))
            near = word;
    }
    config_words_text(key, words, sizeof words);
    if (near != NULL)
        return fail(why, "expected %s; did you mean \"%s\"?", words, near);
    return fail(why, "expected %s", words);
}

static bool set_word(const struct config_key *key, struct config_target *t, const char *text,
                     char why[WHY_MAX])
{
    const char *word;

    for (unsigned i = 0; (word = config_key_word(key, i)) != NULL; i++) {
        if (strcmp(word, text) != 0)
            continue;
        if (key->type == KEY_LEVEL)
            store_text(key, t, text);
        else
            store(key, t, i);
        return true;
    }
    return unknown_word(key, text, why);
}

static bool set_preset(const struct config_key *key, struct config_target *t, const char *text,
                       char why[WHY_MAX])
{
    struct policy *policy = &t->listener->settings->policy;
    unsigned preset = 0;

    while (preset < PRESET_COUNT &&
           strcmp(policy_preset_name((enum policy_preset)preset), text) != 0)
        preset++;
    if (preset == PRESET_COUNT)
        return unknown_word(key, text, why);
    for (unsigned r = 0; r < RULE_COUNT; r++) {
        if ((t->rules_given >> r & 1) == 0)
            policy->word[r] =
                (uint8_t)policy_preset_word((enum policy_preset)preset, (enum policy_rule)r);
    }
    t->policy_given = true;
    return true;
}

static bool set_rule(const struct config_key *key, struct config_target *t, const char *text,
                     char why[WHY_MAX])
{
    if (!policy_set(&t->listener->settings->policy, key->rule, span_str(text)))
        return unknown_word(key, text, why);
    t->rules_given |= UINT64_C(1) << key->rule;
    /* To pass STARTTLS through is what mode observe does; to terminate it is an error there. */
    if (key->rule != RULE_STARTTLS || strcmp(text, "refuse") == 0)
        t->policy_given = true;
    return true;
}

static bool set_limit_mode(const struct config_key *key, struct config_target *t,
                           const char *text, char why[WHY_MAX])
{
    static const char fixed[] = "fixed:";
    const char *wrong;
    uint64_t octets;

    if (strncmp(text, fixed, sizeof fixed - 1) != 0)
        return strcmp(text, "fixed") == 0 ? unknown_word(key, "fixed:N", why)
                                          : set_rule(key, t, text, why);
    if (!unit_parse_size(&octets, text + sizeof fixed - 1, &wrong))
        return fail(why, "after \"fixed:\", %s", wrong);
    if (octets < key->min || octets > key->max) {
        char range[64];

        config_range_text(key, range, sizeof range);
        return fail(why, "expected %s bytes after \"fixed:\"", range);
    }
    t->listener->settings->policy.limit_fixed = (uint32_t)octets;
    return set_rule(key, t, "fixed", why);
}

static bool set_workers(const struct config_key *key, struct config_target *t, const char *text,
                        char why[WHY_MAX])
{
    const char *wrong;
    uint64_t count;

    if (strcmp(text, "auto") == 0) {
        store(key, t, 0); /* resolved when all is read */
        return true;
    }
    if (!unit_parse_size(&count, text, &wrong) || strspn(text, "0123456789") != strlen(text))
        return fail(why, "expected 1 to 256 or \"auto\"");
    return store_in_range(key, t, count, why);
}

static const struct config_listener *listener_at(const struct config *c, const struct addr *a)
{
    for (unsigned i = 0; i < c->listener_count; i++) {
        for (unsigned j = 0; j < c->listeners[i].listen_count; j++) {
            if (a->port != 0 && addr_equal(&c->listeners[i].listen[j], a))
                return &c->listeners[i];
        }
    }
    return NULL;
}

static bool add_listen(struct config_target *t, const char *text, char why[WHY_MAX])
{
    const struct config_listener *other;
    struct config_listener *l = t->listener;
    struct addr a;
    const char *wrong;

    t->listen_given = true;
    if (!addr_parse(&a, text, &wrong))
        return fail(why, "%s", wrong);
    if (l->listen_count == ADDRESSES_MAX)
        return fail(why, "a listener has at most %d addresses", ADDRESSES_MAX);
    other = listener_at(t->config, &a);
    if (other == l)
        return fail(why, "this listener has the address already");
    if (other != NULL)
        return fail(why,
                    "listener \"%s\" has the address already; choose another port or address",
                    other->settings->name);
    l->listen = config_grow(l->listen, l->listen_count, sizeof *l->listen);
    l->listen[l->listen_count++] = a;
    return true;
}

static bool add_upstream(struct config_target *t, const char *text, char why[WHY_MAX])
{
    struct relay_settings *s = t->listener->settings;
    struct upstream u;
    const char *wrong;

    t->upstream_given = true;
    if (s->upstream_count == ADDRESSES_MAX)
        return fail(why, "a listener has at most %d upstreams", ADDRESSES_MAX);
    if (!upstream_parse(&u, text, &wrong))
        return fail(why, "%s%s", wrong,
                    config_is_near(text, "reflect")    ? "; did you mean \"reflect\"?"
                    : config_is_near(text, "original") ? "; did you mean \"original\"?"
                                                       : "");
    s->upstreams = config_grow(s->upstreams, s->upstream_count, sizeof *s->upstreams);
    s->upstreams[s->upstream_count++] = u;
    return true;
}

static bool add_network(const struct config_key *key, struct config_target *t, const char *text,
                        char why[WHY_MAX])
{
    struct networks *to = member(key, t);
    struct network n;
    const char *wrong;

    if (to->count == NETWORKS_MAX)
        return fail(why, "a listener has at most %d networks", NETWORKS_MAX);
    if (!network_parse(&n, text, &wrong)) {
        t->trusted_broken = true;
        return fail(why, "%s", wrong);
    }
    to->list = config_grow(to->list, to->count, sizeof *to->list);
    to->list[to->count++] = n;
    return true;
}

static bool set_host(const struct config_key *key, struct config_target *t, const char *text,
                     char why[WHY_MAX])
{
    if (text[0] != '\0' && !host_is_name(span_str(text)))
        return fail(why, "not a host name, as in mx.example.org");
    char **to = member(key, t);
    free(*to);
    *to = text[0] != '\0' ? config_copy(text) : NULL;
    return true;
}

static bool is_printable(const char *text, unsigned char last)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7f || c > last)
            return false;
    }
    return true;
}

static bool add_string(const struct config_key *key, struct config_target *t, const char *text,
                       char why[WHY_MAX])
{
    struct config_strings *s = member(key, t);
    size_t most = key->type == KEY_PATHS ? PATH_MAX - 1 : TEXT_MAX_OCTETS;
    uint8_t pin[TLS_PIN_OCTETS];

    if (s->count == STRINGS_MAX)
        return fail(why, "expected at most %d", STRINGS_MAX);
    if (strlen(text) > most)
        return fail(why, "expected at most %zu characters", most);
    if (!is_printable(text, 0xff))
        return fail(why, "expected printable characters");
    if (key->type == KEY_PINS && !tls_pin_parse(pin, text))
        return fail(why, "expected \"sha256:BASE64\", 64 hexadecimal digits or \"3 1 1 HEX\"");
    s->items = config_grow(s->items, s->count, sizeof *s->items);
    s->items[s->count++] = config_copy(text);
    return true;
}

static bool set_string(const struct config_key *key, struct config_target *t, const char *text,
                       char why[WHY_MAX])
{
    size_t len = strlen(text), most = key->type == KEY_PATH   ? PATH_MAX - 1
                                      : key->type == KEY_NAME ? NAME_MAX_OCTETS
                                                              : TEXT_MAX_OCTETS;

    if (len == 0 && key->empty == NULL)
        return fail(why, "expected %s, not nothing", config_key_type_name(key));
    if (len > most)
        return fail(why, "expected at most %zu characters", most);
    if (!is_printable(text, key->type == KEY_NAME ? 0x7e : 0xff))
        return fail(why, "expected printable %scharacters",
                    key->type == KEY_NAME ? "ASCII " : "");
    store_text(key, t, text);
    return true;
}

static bool set_measure(const struct config_key *key, struct config_target *t, const char *text,
                        char why[WHY_MAX])
{
    const char *wrong;
    uint64_t value;
    unsigned mode = 0;
    bool good;

    if (key->type == KEY_MODE) {
        good = unit_parse_mode(&mode, text, &wrong);
        value = mode;
    } else if (key->type == KEY_TIME) {
        good = unit_parse_time(&value, text, &wrong);
    } else {
        good = unit_parse_size(&value, text, &wrong);
    }
    if (!good)
        return fail(why, "%s", wrong);
    if (key->type != KEY_MODE)
        return store_in_range(key, t, value, why);
    store(key, t, value);
    return true;
}

bool config_set_text(const struct config_key *key, struct config_target *t, const char *text,
                     char why[WHY_MAX])
{
    switch (key->type) {
    case KEY_NAME:
    case KEY_TEXT:
    case KEY_PATH:
        return set_string(key, t, text, why);
    case KEY_HOST:
        return set_host(key, t, text, why);
    case KEY_SIZE:
    case KEY_OCTETS:
    case KEY_TIME:
    case KEY_MODE:
        return set_measure(key, t, text, why);
    case KEY_WORD:
    case KEY_LEVEL:
        return set_word(key, t, text, why);
    case KEY_WORKERS:
        return set_workers(key, t, text, why);
    case KEY_LISTEN:
        return add_listen(t, text, why);
    case KEY_UPSTREAM:
        return add_upstream(t, text, why);
    case KEY_NETWORKS:
        return add_network(key, t, text, why);
    case KEY_PATHS:
    case KEY_PINS:
        return add_string(key, t, text, why);
    case KEY_PRESET:
        return set_preset(key, t, text, why);
    case KEY_RULE:
        return set_rule(key, t, text, why);
    case KEY_LIMIT_MODE:
        return set_limit_mode(key, t, text, why);
    case KEY_GROUP:
    case KEY_LIST:
    case KEY_BOOL:
    case KEY_INT:
        break;
    }
    return fail(why, "expected %s", config_key_type_name(key));
}

bool config_set_number(const struct config_key *key, struct config_target *t, uint64_t value,
                       char why[WHY_MAX])
{
    return store_in_range(key, t, value, why);
}

void config_set_bool(const struct config_key *key, struct config_target *t, bool value)
{
    store(key, t, value);
}
