#include "config/check.h"

#include "base/escape.h"

#include <string.h>

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

static struct config_place find_option(const struct config_where *w, const char *path,
                                       unsigned index)
{
    static const struct {
        const char *path, *option;
    } options[] = {
        { "listeners.intercept", "--intercept" },
        { "listeners.tls.certificate", "--tls-certificate" },
        { "listeners.tls.key", "--tls-key" },
        { "listeners.tls.upstream", "--tls-upstream" },
    };

    (void)w;
    (void)index;
    for (size_t i = 0; path != NULL && i < ARRAY_LEN(options); i++) {
        if (strcmp(options[i].path, path) == 0)
            return (struct config_place){ options[i].option, 0 };
    }
    return (struct config_place){ "--upstream", 0 };
}

static void set_given(struct config_report *r, struct config_target *t, const char *option,
                      const char *path, const char *text)
{
    if (text != NULL)
        set(r, t, option, path, text);
}

struct config *config_from_options(const struct config_options *o, enum config_purpose purpose,
                                   FILE *errors)
{
    static const struct config_where where = { find_option };
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
    set_given(&r, &t, "--mode", "listeners.mode", o->mode);
    set_given(&r, &t, "--intercept", "listeners.intercept", o->intercept);
    set_given(&r, &t, "--tls-certificate", "listeners.tls.certificate", o->tls_certificate);
    set_given(&r, &t, "--tls-key", "listeners.tls.key", o->tls_key);
    set_given(&r, &t, "--tls-upstream", "listeners.tls.upstream", o->tls_upstream);
    set_given(&r, &t, "--transcript", "transcript.file", o->transcript);
    set_given(&r, &t, "--vantage", "vantage", o->vantage);
    set_given(&r, &t, "--workers", "workers", o->workers);
    if (r.errors == 0)
        config_check_listener(&r, &t, &where, purpose);
    if (r.errors == 0)
        config_finish(&r, &t, (struct config_place){ "run", 0 });
    if (r.errors > 0)
        config_free(&t.config);
    return t.config;
}
