#include "transport/resolver_private.h"

#include "base/log.h"

#include <assert.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static uint64_t clock_ms(void *arg)
{
    (void)arg;
    return uv_hrtime() / 1000000;
}

static void system_lookup(void *arg, const char *host, struct resolved *out)
{
    static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, NULL, &hints, &found);

    (void)arg;
    for (struct addrinfo *i = found; i != NULL && out->count < RESOLVED_MAX; i = i->ai_next) {
        if (i->ai_family == AF_INET || i->ai_family == AF_INET6)
            addr_from_sockaddr(&out->list[out->count++], i->ai_addr);
    }
    if (found != NULL)
        freeaddrinfo(found);
    if (out->count > 0)
        return;
    out->denied = error == 0 || error == EAI_NONAME || error == EAI_NODATA;
    out->error = error != 0 ? gai_strerror(error) : "no usable address";
}

/* ---- names ---- */

static struct resolver_name **name_find(struct resolver *r, const char *host)
{
    struct resolver_name **at = &r->names;

    while (*at != NULL && strcasecmp((*at)->host, host) != 0)
        at = &(*at)->next;
    return at;
}

static struct resolver_name *name_add(struct resolver *r, const char *host)
{
    size_t size = strlen(host) + 1;
    struct resolver_name *n = calloc(1, sizeof *n + size);

    if (n == NULL)
        return NULL;
    memcpy(n->host, host, size);
    n->resolver = r;
    n->next = r->names;
    r->names = n;
    return n;
}

static void name_drop_unused(struct resolver_name **at)
{
    struct resolver_name *n = *at;

    if (!n->unused || n->asking || n->waiting > 0)
        return;
    *at = n->next;
    free(n);
}

static bool has_addresses(const struct resolver_name *n, uint64_t now_ms)
{
    return n->good.count > 0 && now_ms - n->good_ms < RESOLVER_STALE_MS;
}

static void name_learn(struct resolver_name *n, const struct resolved *got, uint64_t now_ms)
{
    bool quick = now_ms - n->asked_ms < RESOLVER_MOMENT_MS;

    if (n->told && got->count > 0 && quick)
        log_info("%s can be resolved again", n->host);
    n->asking = false;
    n->rounds++;
    n->error = got->count > 0 ? NULL : got->error;
    n->due_ms = now_ms + (got->count > 0 ? RESOLVER_FRESH_MS : RESOLVER_FAILED_MS);
    if (got->count > 0 || got->denied) {
        n->good = *got;
        n->good_ms = now_ms;
        n->told = n->told && !quick && got->count > 0;
    }
}

/* ---- lookups ---- */

static void resolver_destroy(struct resolver *r)
{
    while (r->names != NULL) {
        struct resolver_name *next = r->names->next;
        free(r->names);
        r->names = next;
    }
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static void *lookup_thread(void *arg)
{
    struct resolver_name *n = arg;
    struct resolver *r = n->resolver;
    struct resolved got = { .count = 0 };

    r->config.lookup(r->config.arg, n->host, &got);
    pthread_mutex_lock(&r->lock);
    name_learn(n, &got, resolver_now(r));
    name_drop_unused(name_find(r, n->host));
    LIST_EACH (l, &r->loops, struct resolver_loop, in_resolver)
        uv_async_send(&l->answered);
    bool last = --r->lookups == 0 && r->closed;
    pthread_mutex_unlock(&r->lock);
    if (last)
        resolver_destroy(r);
    return NULL;
}

/* Signals are the main thread's. */
static bool start_detached(struct resolver_name *n)
{
    sigset_t all, before;
    pthread_t thread;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool started = pthread_create(&thread, NULL, lookup_thread, n) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started)
        pthread_detach(thread);
    return started;
}

static void name_ask(struct resolver_name *n, uint64_t now_ms)
{
    static const struct resolved no_thread = { .error = "no thread for the lookup" };

    n->asking = true;
    n->asked_ms = now_ms;
    n->resolver->lookups++;
    if (start_detached(n))
        return;
    n->resolver->lookups--;
    name_learn(n, &no_thread, now_ms);
}

struct resolver_name *resolver_ask(struct resolver *r, const char *host, uint64_t now_ms)
{
    struct resolver_name *n = *name_find(r, host);

    if (n == NULL)
        n = name_add(r, host);
    if (n == NULL)
        return NULL;
    n->unused = false;
    if (!n->asking && now_ms >= n->due_ms)
        name_ask(n, now_ms);
    return n;
}

/* ---- answers ---- */

uint64_t resolver_stale_due(const struct resolver_name *n, uint64_t now_ms)
{
    if (!has_addresses(n, now_ms))
        return UINT64_MAX;
    return n->error != NULL ? now_ms : n->asked_ms + RESOLVER_MOMENT_MS;
}

void resolver_answer(struct resolver_name *n, uint64_t now_ms, struct resolved *out)
{
    const char *why = n->error;

    if (!has_addresses(n, now_ms)) {
        *out = (struct resolved){ .error = why != NULL ? why : "not resolved in time" };
        return;
    }
    *out = n->good;
    if (why == NULL && n->asking)
        why = "no answer yet";
    if (why == NULL || n->told)
        return;
    n->told = true;
    log_warn("%s: %s; its last known addresses are kept", n->host, why);
}

void resolver_leave(struct resolver_name *n)
{
    assert(n->waiting > 0);
    n->waiting--;
    name_drop_unused(name_find(n->resolver, n->host));
}

/* ---- the whole ---- */

struct resolver *resolver_new(const struct resolver_config *config)
{
    struct resolver *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->config = *config;
    if (r->config.lookup == NULL)
        r->config.lookup = system_lookup;
    if (r->config.now_ms == NULL)
        r->config.now_ms = clock_ms;
    int error = pthread_mutex_init(&r->lock, NULL);
    assert(error == 0);
    (void)error;
    return r;
}

void resolver_free(struct resolver **rp)
{
    struct resolver *r = *rp;

    *rp = NULL;
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    assert(list_is_empty(&r->loops));
    r->closed = true;
    bool last = r->lookups == 0;
    pthread_mutex_unlock(&r->lock);
    if (last)
        resolver_destroy(r);
}

void resolver_reload(struct resolver *r, bool (*used)(void *arg, const char *host), void *arg)
{
    pthread_mutex_lock(&r->lock);
    for (struct resolver_name **at = &r->names; *at != NULL;) {
        struct resolver_name *n = *at;

        n->due_ms = 0;
        n->unused = !used(arg, n->host);
        name_drop_unused(at);
        if (*at == n)
            at = &n->next;
    }
    pthread_mutex_unlock(&r->lock);
}

unsigned resolver_names(struct resolver *r)
{
    unsigned count = 0;

    pthread_mutex_lock(&r->lock);
    for (const struct resolver_name *n = r->names; n != NULL; n = n->next)
        count++;
    pthread_mutex_unlock(&r->lock);
    return count;
}

unsigned resolver_lookups(struct resolver *r)
{
    pthread_mutex_lock(&r->lock);
    unsigned count = r->lookups;
    pthread_mutex_unlock(&r->lock);
    return count;
}
