#include "analysis/catalogue.h"
#include "app/server.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "app/privileges.h"
#include "app/worker.h"
#include "base/log.h"
#include "lab/reflector.h"
#include "relay/admission.h"
#include "transport/listener.h"
#include "transport/resolver.h"

enum { OTHER_FILES = 64 }; /* descriptors that are not of sessions: files, loops, pipes */

static bool fail(char *error, size_t size, const char *text)
{
    snprintf(error, size, "%s", text);
    return false;
}

void server_set_log_level(const struct config *c)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };

    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (c->log_level != NULL && strcmp(c->log_level, names[i]) == 0)
            log_set_level((enum log_level)i);
}

/* ---- sockets ---- */

static unsigned addresses_of(const struct config *c)
{
    unsigned count = 0;

    for (unsigned i = 0; i < c->listener_count; i++)
        count += c->listeners[i].listen_count;
    return count;
}

/* Which listener the socket is of: they come in the order of the file. */
static unsigned listener_of(const struct config *c, unsigned index)
{
    unsigned i = 0;

    for (; index >= c->listeners[i].listen_count; i++)
        index -= c->listeners[i].listen_count;
    return i;
}

/* One socket of each address for each worker. */
static bool bind_address(struct server *s, unsigned index, const struct addr *a, char *error,
                         size_t size)
{
    unsigned workers = s->config->workers, listener = listener_of(s->config, index);
    unsigned how = workers > 1 ? LISTENER_SHARED : 0;

    if (s->config->listeners[listener].settings->intercept == INTERCEPT_TPROXY)
        how |= LISTENER_TRANSPARENT;
    for (unsigned w = 0; w < workers; w++) {
        int fd = w == 0 ? listener_bind(a, how, &s->bound[index], error, size)
                        : listener_bind_again(&s->bound[index], how, error, size);
        if (fd < 0)
            return false;
        s->sockets[w * s->socket_count + index] = (struct worker_socket){ fd, listener };
    }
    return true;
}

static bool bind_all(struct server *s, char *error, size_t size)
{
    const struct config *c = s->config;
    unsigned index = 0;

    for (unsigned i = 0; i < c->listener_count; i++) {
        for (unsigned k = 0; k < c->listeners[i].listen_count; k++, index++) {
            if (!bind_address(s, index, &c->listeners[i].listen[k], error, size))
                return false;
        }
    }
    return true;
}

static bool allocate(struct server *s)
{
    const struct config *c = s->config;

    s->socket_count = addresses_of(c);
    size_t all = (size_t)s->socket_count * c->workers;
    s->bound = calloc(s->socket_count, sizeof *s->bound);
    s->sockets = calloc(all, sizeof *s->sockets);
    s->workers = calloc(c->workers, sizeof *s->workers);
    s->admission = calloc(c->listener_count, sizeof *s->admission);
    s->settings = calloc(c->listener_count, sizeof *s->settings);
    if (s->bound == NULL || s->sockets == NULL || s->workers == NULL || s->admission == NULL ||
        s->settings == NULL)
        return false;
    for (size_t i = 0; i < all; i++)
        s->sockets[i].fd = -1;
    for (unsigned i = 0; i < c->listener_count; i++) {
        s->settings[i] = c->listeners[i].settings;
        s->admission[i] = admission_new();
        if (s->admission[i] == NULL)
            return false;
    }
    return true;
}

/* ---- what runs beside the workers ---- */

/* Before the settings are shared: they are immutable from then on. */
static bool fill_reflector(struct server *s, const struct config *c, char *error, size_t size)
{
    const struct reflector_config config = {
        .listen = { .ip = { 127, 0, 0, 1 }, .family = AF_INET },
    };

    for (unsigned i = 0; i < c->listener_count; i++) {
        struct relay_settings *settings = c->listeners[i].settings;
        for (unsigned k = 0; k < settings->upstream_count; k++) {
            if (!settings->upstreams[k].reflect)
                continue;
            if (s->reflector == NULL)
                s->reflector = reflector_start(&config, &s->reflector_addr, error, size);
            if (s->reflector == NULL)
                return false;
            settings->upstreams[k].addr = s->reflector_addr;
        }
    }
    return true;
}

static bool start_transcript(struct server *s, char *error, size_t size)
{
    struct writer_config *c = &s->config->transcript;

    *error = '\0';
    c->fd = s->follow.fd;
    s->writer = writer_start(c, error, size);
    return s->writer != NULL || *error == '\0';
}

/* Without a catalogue findings are told, too; one that was asked for must be there. */
static bool load_catalogue(struct server *s, char *error, size_t size)
{
    const struct config *c = s->config;
    char file[PATH_MAX];
    bool asked = c->catalogue[0] != '\0';

    if (!c->findings || s->writer == NULL)
        return true;
    if (asked)
        snprintf(file, sizeof file, "%s", c->catalogue);
    else if (!catalogue_default_file(file, sizeof file))
        return true;
    s->catalogue = catalogue_load(file, error, size);
    if (s->catalogue == NULL && !asked)
        log_warn("no catalogue, findings will not name products: %s", error);
    return s->catalogue != NULL || !asked;
}

static bool start_workers(struct server *s, char *error, size_t size)
{
    struct worker_config c = {
        .resolver = s->resolver,
        .writer = s->writer,
        .findings = s->config->findings && s->writer != NULL,
        .catalogue = s->catalogue,
        .flush_ms = s->config->transcript.flush_ms,
        .settings = s->settings,
        .admission = s->admission,
        .memory = &s->memory,
        .listeners = s->config->listener_count,
        .socket_count = s->socket_count,
        .on_done = s->on_done,
        .arg = s->on_done_arg,
    };

    for (unsigned i = 0; i < s->config->workers; i++) {
        c.sockets = &s->sockets[(size_t)i * s->socket_count];
        s->opened = (i + 1) * s->socket_count;
        s->workers[i] = worker_new(&c, error, size);
        if (s->workers[i] == NULL)
            return false;
        s->worker_count++;
    }
    for (unsigned i = 0; i < s->worker_count; i++)
        if (!worker_start(s->workers[i]))
            return fail(error, size, "cannot start a thread");
    return true;
}

/* ---- the whole ---- */

void server_init(struct server *s, struct config *c, void (*on_done)(void *), void *arg)
{
    *s = (struct server){
        .config = c,
        .follow = { -1, -1 },
        .on_done = on_done,
        .on_done_arg = arg,
    };
    memory_init(&s->memory, (size_t)c->memory_octets);
}

bool server_start(struct server *s, char *error, size_t size)
{
    const struct config *c = s->config;

    server_set_log_level(c);
    unsigned files = raise_fd_limit();
    s->resolver = resolver_new(&(struct resolver_config){ .lookup = NULL });
    if (s->resolver == NULL || !allocate(s))
        return fail(error, size, "out of memory");
    unsigned other = OTHER_FILES + 8 * c->workers + s->socket_count * c->workers;
    descriptors_set_limit(files > 2 * other ? files - other : files / 2);
    if (!privileges_suffice(c, false, error, size) || !bind_all(s, error, size) ||
        !privileges_drop(c, error, size) || !config_open_keylogs(c, error, size))
        return false;
    bool terminal = c->transcript.file != NULL && strcmp(c->transcript.file, "-") == 0 &&
                    isatty(STDOUT_FILENO);
    if (terminal)
        follow_start(&s->follow);
    return start_transcript(s, error, size) && fill_reflector(s, c, error, size) &&
           load_catalogue(s, error, size) && start_workers(s, error, size);
}

void server_stop(struct server *s, unsigned ms)
{
    const struct config *c = s->config;
    size_t sockets = s->sockets != NULL ? (size_t)s->socket_count * c->workers : 0;

    for (unsigned i = 0; i < s->worker_count; i++) {
        worker_abort(s->workers[i]); /* not yet done only when the start failed */
        worker_free(&s->workers[i]);
    }
    for (size_t i = s->opened; i < sockets; i++)
        if (s->sockets[i].fd >= 0)
            close(s->sockets[i].fd);
    resolver_free(&s->resolver);
    reflector_stop(&s->reflector);
    if (s->writer != NULL)
        writer_stop(&s->writer, ms);
    follow_stop(&s->follow);
    catalogue_free(&s->catalogue);
    for (unsigned i = 0; s->admission != NULL && i < c->listener_count; i++)
        admission_free(&s->admission[i]);
    memory_deinit(&s->memory);
    free(s->admission);
    free(s->settings);
    free(s->workers);
    free(s->sockets);
    free(s->bound);
    config_free(&s->config);
}

bool server_is_done(const struct server *s)
{
    for (unsigned i = 0; i < s->worker_count; i++)
        if (!worker_is_done(s->workers[i]))
            return false;
    return true;
}

static const struct config_listener *listener_named(const struct config *c, const char *name)
{
    for (unsigned i = 0; i < c->listener_count; i++)
        if (strcmp(c->listeners[i].settings->name, name) == 0)
            return &c->listeners[i];
    return NULL;
}

/* Its sockets cannot do what the settings ask for. */
static bool needs_new_sockets(const struct config_listener *old,
                              const struct config_listener *fresh)
{
    if (old->settings->intercept == fresh->settings->intercept)
        return false;
    log_warn("listener %s keeps all its settings until the restart", old->settings->name);
    return true;
}

static bool is_upstream(void *arg, const char *host)
{
    const struct server *s = arg;

    for (unsigned i = 0; i < s->config->listener_count; i++) {
        const struct relay_settings *settings = s->settings[i];
        for (unsigned k = 0; k < settings->upstream_count; k++) {
            const char *name = settings->upstreams[k].host;
            if (name != NULL && strcasecmp(name, host) == 0)
                return true;
        }
    }
    return false;
}

/* Listeners that are not in the new file keep their settings. */
static void adopt(struct server *s, const struct config *fresh)
{
    struct config *c = s->config;

    for (unsigned i = 0; i < c->listener_count; i++) {
        const struct config_listener *l = listener_named(fresh, c->listeners[i].settings->name);
        if (l == NULL || needs_new_sockets(&c->listeners[i], l))
            continue;
        settings_unref(&c->listeners[i].settings);
        c->listeners[i].settings = settings_ref(l->settings);
        s->settings[i] = l->settings;
    }
    c->drain_timeout_ms = fresh->drain_timeout_ms;
    c->memory_octets = fresh->memory_octets;
    memory_set_limit(&s->memory, (size_t)fresh->memory_octets);
    server_set_log_level(fresh);
    for (unsigned i = 0; i < s->worker_count; i++)
        worker_reload(s->workers[i], s->settings);
    resolver_reload(s->resolver, is_upstream, s);
}

static void warn_keylogs(const struct config *c)
{
    for (unsigned i = 0; i < c->listener_count; i++) {
        const struct config_listener *l = &c->listeners[i];
        bool used = l->settings->tls.server != NULL || l->settings->tls.client != NULL;

        if (used && l->tls.keylog[0] != '\0')
            log_warn(
                "listener %s: anyone who can read %s can decrypt its TLS sessions (tls.keylog)",
                l->settings->name, l->tls.keylog);
    }
}

void server_reload(struct server *s)
{
    char error[512];

    if (s->config->file == NULL) {
        log_warn("nothing to reload: started without a configuration file");
        return;
    }
    struct config *fresh = config_load(s->config->file, CONFIG_RUN, stderr);
    if (fresh == NULL) {
        log_error("%s not reloaded; the running configuration is kept", s->config->file);
        return;
    }
    if (config_needs_restart(s->config, fresh, stderr))
        log_warn("the changes above require a restart");
    if (privileges_suffice(fresh, true, error, sizeof error) &&
        fill_reflector(s, fresh, error, sizeof error) &&
        config_open_keylogs(fresh, error, sizeof error)) {
        adopt(s, fresh);
        warn_keylogs(fresh);
        log_info("configuration reloaded from %s; it applies to new sessions", s->config->file);
    } else {
        log_error("%s not reloaded: %s", s->config->file, error);
    }
    config_free(&fresh);
}

static void announce_listener(const struct server *s, unsigned index)
{
    const struct relay_settings *settings = s->settings[index];
    char upstreams[256] = "";
    size_t at = 0;

    for (unsigned i = 0; i < settings->upstream_count && at < sizeof upstreams; i++)
        at += (size_t)snprintf(upstreams + at, sizeof upstreams - at, "%s%s", i > 0 ? ", " : "",
                               settings->upstreams[i].text);
    log_info("listener %s: mode %s, upstream %s", settings->name,
             settings->observe ? "observe" : "enforce", upstreams);
}

void server_announce(const struct server *s)
{
    const struct config *c = s->config;
    char text[ADDR_TEXT_MAX];

    for (unsigned i = 0; i < c->listener_count; i++)
        announce_listener(s, i);
    warn_keylogs(c);
    log_info("transcript %s, vantage %s, workers %u",
             s->writer != NULL ? c->transcript.file : "none", c->vantage, c->workers);
    for (unsigned i = 0; i < s->socket_count; i++) {
        (void)addr_text(&s->bound[i], text);
        log_info("listening on %s (listener %s)", text,
                 s->settings[s->sockets[i].listener]->name);
    }
}
