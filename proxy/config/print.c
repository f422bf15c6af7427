#include "config/value.h"

#include <string.h>

struct printer {
    FILE *out;
    const struct config *config;
    const struct config_listener *listener;
    int depth;
};

static void indent(const struct printer *p)
{
    fprintf(p->out, "%*s", 2 * p->depth, "");
}

static void print_group(struct printer *p, const struct config_key *group);

static void print_listeners(struct printer *p, const struct config_key *key)
{
    const struct config *c = p->config;

    fprintf(p->out, "\n%s = (\n", key->path);
    p->depth++;
    for (unsigned i = 0; i < c->listener_count; i++) {
        p->listener = &c->listeners[i];
        indent(p);
        fputs("{\n", p->out);
        p->depth++;
        print_group(p, key);
        p->depth--;
        indent(p);
        fputs(i + 1 < c->listener_count ? "},\n" : "}\n", p->out);
    }
    p->depth--;
    p->listener = NULL;
    fputs(");\n", p->out);
}

/* In mode observe no rule acts; the preset is told by its rules. */
static bool is_left_out(const struct printer *p, const struct config_key *key)
{
    bool observe = p->listener != NULL && p->listener->settings->observe;

    return key->type == KEY_PRESET ||
           (observe && strncmp(key->path, "listeners.policy", strlen("listeners.policy")) == 0);
}

static void print_key(struct printer *p, const struct config_key *key)
{
    if (is_left_out(p, key))
        return;
    if (key->type == KEY_LIST) {
        print_listeners(p, key);
        return;
    }
    if (p->depth == 0 && key->type == KEY_GROUP)
        putc('\n', p->out);
    indent(p);
    fprintf(p->out, "%s = ", config_key_name(key));
    if (key->type == KEY_GROUP) {
        fputs("{\n", p->out);
        p->depth++;
        print_group(p, key);
        p->depth--;
        indent(p);
        fputs("};\n", p->out);
        return;
    }
    config_print_value(key, p->config, p->listener, p->out);
    fputs(";\n", p->out);
}

static void print_group(struct printer *p, const struct config_key *group)
{
    const struct config_key *key;

    for (unsigned i = 1; (key = config_key_at(i)) != NULL; i++) {
        if (config_key_is_child(key, group))
            print_key(p, key);
    }
}

void config_print(const struct config *c, FILE *out)
{
    struct printer p = { .out = out, .config = c };

    print_group(&p, config_key_at(0));
}
