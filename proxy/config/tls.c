#include "config/tls.h"

#include "base/escape.h"
#include "base/trusted_open.h"
#include "transport/tls_expiry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_SECONDS = 86400, SOON_DAYS = 14, SHOWN_MAX = 2 * TLS_CONTEXT_ERROR_MAX };

struct maker {
    struct config_report *report;
    const struct config_where *where;
    struct config_listener *listener;
    bool strict; /* what is out of date is an error */
};

bool config_ends_tls(const struct config_listener *l)
{
    return l->settings->tls.implicit ||
           policy_get(&l->settings->policy, RULE_STARTTLS) == WORD_TERMINATE;
}

bool config_begins_tls(const struct config_listener *l)
{
    uint8_t upstream = l->settings->tls.upstream;

    return upstream == UPSTREAM_TLS_IMPLICIT ||
           (upstream != UPSTREAM_TLS_NO && config_ends_tls(l));
}

static const char *or_null(const char *path)
{
    return path[0] != '\0' ? path : NULL;
}

static void tell(const struct maker *m, const char *path, unsigned index, const char *text)
{
    char shown[SHOWN_MAX];

    escape(shown, sizeof shown, span_str(text));
    config_error(m->report, m->where->find(m->where, path, index), "%s: %s", path, shown);
}

/* ---- dates ---- */

static void check_dates(const struct maker *m, unsigned index)
{
    static const char path[] = "listeners.tls.certificate";
    const char *file = m->listener->tls.certificates.items[index];
    struct config_place at = m->where->find(m->where, path, index);
    char shown[SHOWN_MAX];
    struct tls_expiry e;

    if (!tls_expiry_read(&e, file))
        return; /* the context told of worse */
    escape(shown, sizeof shown, span_str(file));
    void (*say)(struct config_report *, struct config_place, const char *, ...) =
        m->strict ? config_error : config_warn;
    if (e.seconds_left < 0)
        say(m->report, at, "%s: %s has expired on %s; renew it", path, shown, e.not_after);
    else if (e.seconds_since < 0)
        say(m->report, at, "%s: %s is not valid before %s", path, shown, e.not_before);
    else if (e.seconds_left < SOON_DAYS * DAY_SECONDS)
        config_warn(m->report, at, "%s: %s expires on %s, in %" PRId64 " days; renew it", path,
                    shown, e.not_after, e.seconds_left / DAY_SECONDS);
}

/* ---- the side of clients ---- */

static void tell_server(const struct maker *m, const struct tls_config_error *e, unsigned index)
{
    const struct config_strings *keys = &m->listener->tls.keys;
    bool key = e->part == TLS_PART_KEY && keys->count > 0 && keys->items[index][0] != '\0';

    if (e->part == TLS_PART_CA)
        tell(m, "listeners.tls.client_ca", 0, e->text);
    else
        tell(m, key ? "listeners.tls.key" : "listeners.tls.certificate", index, e->text);
}

/* tls_context_server() stops at the first pair that is wrong. */
static void tell_each(const struct maker *m, const struct tls_server_config *all,
                      const struct tls_config_error *first)
{
    tell_server(m, first, first->index);
    for (unsigned i = first->index + 1; i < all->pair_count; i++) {
        struct tls_server_config one = { .pairs = &all->pairs[i], .pair_count = 1 };
        struct tls_config_error error;
        struct tls_context *ctx = tls_context_server(&one, &error);

        if (ctx == NULL)
            tell_server(m, &error, i);
        tls_context_unref(&ctx);
    }
}

static void make_server(const struct maker *m)
{
    const struct config_tls *tls = &m->listener->tls;
    struct tls_key_pair *pairs = calloc(tls->certificates.count, sizeof *pairs);
    struct tls_server_config c = { .pairs = pairs,
                                   .pair_count = tls->certificates.count,
                                   .ask_client = tls->ask_client,
                                   .client_ca = or_null(tls->client_ca) };
    struct tls_config_error error;

    if (pairs == NULL)
        abort();
    for (unsigned i = 0; i < c.pair_count; i++) {
        const char *key = tls->keys.count > 0 ? tls->keys.items[i] : "";

        pairs[i].certificate = tls->certificates.items[i];
        pairs[i].key = key[0] != '\0' ? key : pairs[i].certificate;
    }
    m->listener->settings->tls.server = tls_context_server(&c, &error);
    if (m->listener->settings->tls.server == NULL)
        tell_each(m, &c, &error);
    free(pairs);
    for (unsigned i = 0; i < c.pair_count; i++)
        check_dates(m, i);
}

/* ---- the side of the upstream ---- */

static void make_client(const struct maker *m)
{
    const struct config_tls *tls = &m->listener->tls;
    uint8_t(*pins)[TLS_PIN_OCTETS] = calloc(tls->pins.count + 1, sizeof *pins);
    struct tls_client_config c = { .verify = (enum tls_verify)tls->verify,
                                   .ca = or_null(tls->ca),
                                   .pins = (const uint8_t(*)[TLS_PIN_OCTETS])pins,
                                   .pin_count = tls->pins.count };
    struct tls_config_error error;

    if (pins == NULL)
        abort();
    for (unsigned i = 0; i < tls->pins.count; i++) {
        if (!tls_pin_parse(pins[i], tls->pins.items[i]))
            abort(); /* set.c saw to it */
    }
    m->listener->settings->tls.client = tls_context_client(&c, &error);
    if (m->listener->settings->tls.client == NULL)
        tell(m, error.part == TLS_PART_CA ? "listeners.tls.ca" : "listeners.tls.verify", 0,
             error.text);
    free(pins);
}

void config_make_contexts(struct config_report *r, struct config_listener *l,
                          const struct config_where *w, enum config_purpose purpose)
{
    struct maker m = { r, w, l, purpose == CONFIG_CHECK };

    if (purpose == CONFIG_TEXT)
        return;
    if (config_ends_tls(l))
        make_server(&m);
    if (config_begins_tls(l))
        make_client(&m);
}

/* ---- secrets ---- */

bool config_open_keylogs(const struct config *c, char *error, size_t size)
{
    for (unsigned i = 0; i < c->listener_count; i++) {
        const struct config_listener *l = &c->listeners[i];
        struct tls_context *const contexts[] = { l->settings->tls.server,
                                                 l->settings->tls.client };

        for (size_t k = 0; l->tls.keylog[0] != '\0' && k < ARRAY_LEN(contexts); k++) {
            if (contexts[k] == NULL || tls_context_keylog(contexts[k], l->tls.keylog))
                continue;
            snprintf(error, size, "listener \"%s\": tls.keylog: cannot write to %s: %s",
                     l->settings->name, l->tls.keylog, trusted_open_reason(errno));
            return false;
        }
    }
    return true;
}
