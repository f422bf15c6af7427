#include "app/config_check.h"

#include "base/escape.h"

static void set(struct config_report *r, struct config_target *t, const char *option,
                const char *path, const char *text)
{
    const struct config_key *key = config_key_by_path(path);
    char why[WHY_MAX], shown[80];

    if (config_set_text(key, t, text, why))
        return;
    escape(shown, sizeof shown, span_str(text));
    config_error(r, (struct config_place){ option, 0 }, "\"%s\": %s", shown, why);
}

struct config *config_from_options(const struct config_options *o, FILE *errors)
{
    static const char *const listen[] = { "127.0.0.1:2525" }, *const upstream[] = { "reflect" };
    struct config_report r = { .out = errors };
    struct config_target t = { .config = config_defaults() };
    const char *const *listens = o->listen_count > 0 ? o->listen : listen;
    const char *const *upstreams = o->upstream_count > 0 ? o->upstream : upstream;

    t.listener = config_listener_add(t.config);
    for (unsigned i = 0; i < (o->listen_count > 0 ? o->listen_count : 1); i++)
        set(&r, &t, "--listen", "listeners.listen", listens[i]);
    for (unsigned i = 0; i < (o->upstream_count > 0 ? o->upstream_count : 1); i++)
        set(&r, &t, "--upstream", "listeners.upstream", upstreams[i]);
    if (o->mode != NULL)
        set(&r, &t, "--mode", "listeners.mode", o->mode);
    if (o->transcript != NULL)
        set(&r, &t, "--transcript", "transcript.file", o->transcript);
    if (o->vantage != NULL)
        set(&r, &t, "--vantage", "vantage", o->vantage);
    if (o->workers != NULL)
        set(&r, &t, "--workers", "workers", o->workers);
    if (r.errors == 0)
        config_check_listener(&r, &t, (struct config_place){ "--upstream", 0 });
    if (r.errors == 0)
        config_finish(&r, &t, (struct config_place){ "run", 0 });
    if (r.errors > 0)
        config_free(&t.config);
    return t.config;
}
