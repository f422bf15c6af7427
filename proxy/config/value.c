#include "config/value.h"
#include "config/unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const void *member(const struct config_key *key, const struct config *c,
                          const struct config_listener *l)
{
    switch (key->owner) {
    case OWNER_CONFIG:
        return (const char *)c + key->offset;
    case OWNER_LISTENER:
        return (const char *)l + key->offset;
    case OWNER_SETTINGS:
        return (const char *)l->settings + key->offset;
    case OWNER_NONE:
        break;
    }
    abort();
}

static uint64_t number(const struct config_key *key, const void *from)
{
    uint64_t eight = 0;
    uint32_t four = 0;
    uint8_t one = 0;

    if (key->size == sizeof eight) {
        memcpy(&eight, from, sizeof eight);
        return eight;
    }
    if (key->size == sizeof four) {
        memcpy(&four, from, sizeof four);
        return four;
    }
    memcpy(&one, from, sizeof one);
    return one;
}

static void measure_text(enum key_type type, uint64_t value, char out[UNIT_TEXT_MAX])
{
    if (type == KEY_TIME)
        unit_time_text(value, out);
    else if (type == KEY_SIZE)
        unit_size_text(value, out);
    else if (type == KEY_MODE)
        unit_mode_text((unsigned)value, out);
    else
        snprintf(out, UNIT_TEXT_MAX, "%" PRIu64, value);
}

bool config_range_text(const struct config_key *key, char *out, size_t size)
{
    char least[UNIT_TEXT_MAX], most[UNIT_TEXT_MAX];

    if (key->max == 0)
        return false;
    measure_text(key->type, key->min, least);
    measure_text(key->type, key->max, most);
    snprintf(out, size, "%s to %s%s", least, most,
             key->type == KEY_WORKERS            ? " or \"auto\""
             : key->zero != NULL && key->min > 0 ? " or 0"
                                                 : "");
    return true;
}

bool config_words_text(const struct config_key *key, char *out, size_t size)
{
    const char *word;
    size_t len = 0;

    for (unsigned i = 0; (word = config_key_word(key, i)) != NULL && len < size; i++) {
        const char *join = i == 0 ? "" : config_key_word(key, i + 1) != NULL ? ", " : " or ";

        len += (size_t)snprintf(out + len, size - len, "%s\"%s\"", join, word);
    }
    return len > 0;
}

void config_print_string(const char *text, FILE *out)
{
    putc('"', out);
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\x%02x", c);
        else
            putc(c, out);
    }
    putc('"', out);
}

static void print_listen(const struct config_listener *l, FILE *out)
{
    char text[ADDR_TEXT_MAX];

    fputs("[", out);
    for (unsigned i = 0; i < l->listen_count; i++) {
        addr_text(&l->listen[i], text);
        fprintf(out, "%s\"%s\"", i > 0 ? ", " : " ", text);
    }
    fputs(" ]", out);
}

static void print_upstreams(const struct relay_settings *s, FILE *out)
{
    fputs("[", out);
    for (unsigned i = 0; i < s->upstream_count; i++) {
        fputs(i > 0 ? ", " : " ", out);
        config_print_string(s->upstreams[i].text, out);
    }
    fputs(" ]", out);
}

static void print_networks(const struct networks *n, FILE *out)
{
    char text[NETWORK_TEXT_MAX];

    fputs("[", out);
    for (unsigned i = 0; i < n->count; i++) {
        network_text(&n->list[i], text);
        fprintf(out, "%s\"%s\"", i > 0 ? ", " : " ", text);
    }
    fputs(" ]", out);
}

static void print_strings(const struct config_strings *s, FILE *out)
{
    fputs("[", out);
    for (unsigned i = 0; i < s->count; i++) {
        fputs(i > 0 ? ", " : " ", out);
        config_print_string(s->items[i], out);
    }
    fputs(" ]", out);
}

static void print_text(const char *text, FILE *out)
{
    config_print_string(text != NULL ? text : "", out);
}

static void print_rule(const struct config_key *key, const struct policy *p, FILE *out)
{
    enum policy_word word = policy_get(p, key->rule);

    if (word == WORD_FIXED)
        fprintf(out, "\"fixed:%" PRIu32 "\"", p->limit_fixed);
    else
        fprintf(out, "\"%s\"", policy_word_text(word));
}

static void print_measure(const struct config_key *key, const void *from, FILE *out)
{
    uint64_t value = number(key, from) * (key->scale != 0 ? key->scale : 1);
    char text[UNIT_TEXT_MAX];

    measure_text(key->type, value, text);
    fprintf(out, "\"%s\"", text);
}

void config_print_value(const struct config_key *key, const struct config *c,
                        const struct config_listener *l, FILE *out)
{
    switch (key->type) {
    case KEY_NAME:
    case KEY_HOST:
    case KEY_TEXT:
    case KEY_PATH:
    case KEY_LEVEL:
        print_text(*(char *const *)member(key, c, l), out);
        break;
    case KEY_BOOL:
        fputs(number(key, member(key, c, l)) != 0 ? "true" : "false", out);
        break;
    case KEY_INT:
        fprintf(out, "%" PRIu64, number(key, member(key, c, l)));
        break;
    case KEY_SIZE:
    case KEY_OCTETS:
    case KEY_TIME:
    case KEY_MODE:
        print_measure(key, member(key, c, l), out);
        break;
    case KEY_WORD:
        fprintf(out, "\"%s\"", key->words[number(key, member(key, c, l))]);
        break;
    case KEY_WORKERS:
        if (c->workers == 0)
            fputs("\"auto\"", out);
        else
            fprintf(out, "%u", c->workers);
        break;
    case KEY_LISTEN:
        print_listen(l, out);
        break;
    case KEY_UPSTREAM:
        print_upstreams(l->settings, out);
        break;
    case KEY_NETWORKS:
        print_networks(member(key, c, l), out);
        break;
    case KEY_PATHS:
    case KEY_PINS:
        print_strings(member(key, c, l), out);
        break;
    case KEY_PRESET:
        fprintf(out, "\"%s\"", policy_preset_name(PRESET_DEFAULT));
        break;
    case KEY_RULE:
    case KEY_LIMIT_MODE:
        print_rule(key, &l->settings->policy, out);
        break;
    case KEY_GROUP:
    case KEY_LIST:
        break;
    }
}
