#include "config/value.h"

#include <stdlib.h>
#include <string.h>

/* The value as text; the caller frees. */
static char *value_text(const struct config_key *key, const struct config *c,
                        const struct config_listener *l)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        abort();
    config_print_value(key, c, l, out);
    if (fclose(out) != 0)
        abort();
    return text;
}

static void tell(FILE *why, const char *what, const char *listener)
{
    if (why == NULL)
        return;
    if (listener != NULL)
        fprintf(why, "%s of listener \"%s\"\n", what, listener);
    else
        fprintf(why, "%s\n", what);
}

static const struct config_listener *listener_named(const struct config *c, const char *name)
{
    for (unsigned i = 0; i < c->listener_count; i++) {
        if (strcmp(c->listeners[i].settings->name, name) == 0)
            return &c->listeners[i];
    }
    return NULL;
}

static bool key_differs(const struct config_key *key, const struct config *a,
                        const struct config_listener *la, const struct config *b,
                        const struct config_listener *lb)
{
    char *x = value_text(key, a, la), *y = value_text(key, b, lb);
    bool differs = strcmp(x, y) != 0;

    free(x);
    free(y);
    return differs;
}

/* Listeners of the same name. */
static bool listener_differs(const struct config *old, const struct config_listener *a,
                             const struct config *new, const struct config_listener *b,
                             FILE *why)
{
    const struct config_key *key;
    bool differs = false;

    for (unsigned i = 1; (key = config_key_at(i)) != NULL; i++) {
        bool own = key->owner == OWNER_LISTENER || key->owner == OWNER_SETTINGS;

        if (key->restart && own && key_differs(key, old, a, new, b)) {
            tell(why, key->path, a->settings->name);
            differs = true;
        }
    }
    return differs;
}

static bool reflects(const struct config *c)
{
    for (unsigned i = 0; i < c->listener_count; i++) {
        const struct relay_settings *s = c->listeners[i].settings;

        for (unsigned j = 0; j < s->upstream_count; j++) {
            if (s->upstreams[j].reflect)
                return true;
        }
    }
    return false;
}

/* Listeners that came, went or moved. */
static bool listeners_differ(const struct config *old, const struct config *new, FILE *why)
{
    bool differ = false;

    for (unsigned i = 0; i < old->listener_count; i++) {
        const char *name = old->listeners[i].settings->name;
        const struct config_listener *now = listener_named(new, name);

        if (now == NULL) {
            tell(why, "removal", name);
            differ = true;
        } else if (listener_differs(old, &old->listeners[i], new, now, why)) {
            differ = true;
        }
    }
    for (unsigned i = 0; i < new->listener_count; i++) {
        if (listener_named(old, new->listeners[i].settings->name) == NULL) {
            tell(why, "addition", new->listeners[i].settings->name);
            differ = true;
        }
    }
    return differ;
}

bool config_needs_restart(const struct config *old, const struct config *new, FILE *why)
{
    const struct config_key *key;
    bool needed = false;

    for (unsigned i = 1; (key = config_key_at(i)) != NULL; i++) {
        if (key->restart && key->owner == OWNER_CONFIG &&
            key_differs(key, old, NULL, new, NULL)) {
            tell(why, key->path, NULL);
            needed = true;
        }
    }
    if (listeners_differ(old, new, why))
        needed = true;
    if (reflects(new) && !reflects(old)) {
        tell(why, "first use of the upstream \"reflect\"", NULL);
        needed = true;
    }
    return needed;
}
