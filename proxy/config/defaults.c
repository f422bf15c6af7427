#include "config/schema.h"

#include <stdlib.h>
#include <string.h>

char *config_copy(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        abort();
    return copy;
}

void *config_grow(void *items, unsigned count, size_t size)
{
    void *grown = realloc(items, (count + 1) * size);

    if (grown == NULL)
        abort();
    memset((char *)grown + count * size, 0, size);
    return grown;
}

struct config *config_defaults(void)
{
    struct config *c = calloc(1, sizeof *c);

    if (c == NULL)
        abort();
    c->vantage = config_copy("");
    c->user = config_copy("");
    c->drain_timeout_ms = 30000;
    c->memory_octets = UINT64_C(512) << 20;
    c->log_level = config_copy("info");
    c->findings = true;
    c->catalogue = config_copy("");
    c->transcript = (struct writer_config){
        .file = config_copy("-"),
        .fd = -1,
        .content = CONTENT_LEVEL_DIGEST,
        .redact = REDACT_SECRETS,
        .dkim = DKIM_LEVEL_CHECK,
        .spool = config_copy(""),
        .flush_ms = 1000,
        .on_full = ON_FULL_PAUSE,
        .queue_octets = UINT64_C(16) << 20,
        .file_mode = 0640,
    };
    return c;
}

struct config_listener *config_listener_add(struct config *c)
{
    struct config_listener *l;

    c->listeners = config_grow(c->listeners, c->listener_count, sizeof *c->listeners);
    l = &c->listeners[c->listener_count++];
    l->settings = settings_new();
    l->tls.ca = config_copy("");
    l->tls.client_ca = config_copy("");
    l->tls.keylog = config_copy("");
    return l;
}

static void free_strings(struct config_strings *s)
{
    for (unsigned i = 0; i < s->count; i++)
        free(s->items[i]);
    free(s->items);
}

static void free_listener(struct config_listener *l)
{
    free(l->listen);
    free_strings(&l->tls.certificates);
    free_strings(&l->tls.keys);
    free_strings(&l->tls.pins);
    free(l->tls.ca);
    free(l->tls.client_ca);
    free(l->tls.keylog);
    settings_unref(&l->settings);
}

void config_free(struct config **cp)
{
    struct config *c = *cp;

    *cp = NULL;
    if (c == NULL)
        return;
    for (unsigned i = 0; i < c->listener_count; i++)
        free_listener(&c->listeners[i]);
    free(c->listeners);
    free(c->file);
    free(c->vantage);
    free(c->user);
    free(c->log_level);
    free(c->catalogue);
    free((char *)c->transcript.file);
    free((char *)c->transcript.spool);
    free(c);
}
