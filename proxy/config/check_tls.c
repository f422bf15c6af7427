#include "config/check.h"
#include "config/tls.h"

#include <stdlib.h>
#include <string.h>

struct check {
    struct config_report *report;
    const struct config_where *where;
    struct config_listener *listener;
    struct relay_settings *settings;
};

static struct config_place at(const struct check *c, const char *path)
{
    return c->where->find(c->where, path, 0);
}

static bool terminates(const struct check *c)
{
    return policy_get(&c->settings->policy, RULE_STARTTLS) == WORD_TERMINATE;
}

static void clear(struct config_strings *s)
{
    while (s->count > 0)
        free(s->items[--s->count]);
}

/* "" as the only certificate is none; "" for every key is what no key means. */
static void drop_empty(struct config_tls *tls)
{
    bool key = false;

    if (tls->certificates.count == 1 && tls->certificates.items[0][0] == '\0')
        clear(&tls->certificates);
    for (unsigned i = 0; i < tls->keys.count; i++)
        key |= tls->keys.items[i][0] != '\0';
    if (!key && (tls->certificates.count == 0 || tls->keys.count == tls->certificates.count))
        clear(&tls->keys);
}

static void choose_starttls(const struct check *c, const struct config_target *t)
{
    bool given = (t->rules_given >> RULE_STARTTLS & 1) != 0;
    bool here = c->listener->tls.certificates.count > 0 && !c->settings->observe;

    if (!given)
        c->settings->policy.word[RULE_STARTTLS] = here ? WORD_TERMINATE : WORD_PASSTHROUGH;
}

static void check_certificates(const struct check *c)
{
    static const char add[] = "add certificate = \"/etc/ssl/mx.pem\"; to tls";
    const struct config_tls *tls = &c->listener->tls;
    unsigned count = tls->certificates.count;

    if (count == 0 && terminates(c))
        config_error(c->report, at(c, "listeners.tls.starttls"),
                     "listeners.tls.starttls = \"terminate\" needs a certificate: %s", add);
    if (count == 0 && c->settings->tls.implicit)
        config_error(c->report, at(c, "listeners.tls.implicit"),
                     "listeners.tls.implicit needs a certificate: %s", add);
    if (count == 0 && tls->keys.count > 0)
        config_error(c->report, at(c, "listeners.tls.key"),
                     "listeners.tls.key is of no certificate: %s", add);
    else if (tls->keys.count > 0 && tls->keys.count != count)
        config_error(c->report, at(c, "listeners.tls.key"),
                     "listeners.tls.key names %u, listeners.tls.certificate %u: give a key for "
                     "each certificate, \"\" where it stands in the same file",
                     tls->keys.count, count);
    for (unsigned i = 0; i < count; i++) {
        if (tls->certificates.items[i][0] == '\0')
            config_error(c->report, c->where->find(c->where, "listeners.tls.certificate", i),
                         "listeners.tls.certificate: expected a path, not nothing");
    }
}

static void check_observe(const struct check *c)
{
    if (!c->settings->observe)
        return;
    if (terminates(c))
        config_error(c->report, at(c, "listeners.tls.starttls"),
                     "listeners.tls.starttls = \"terminate\" alters the session, mode observe "
                     "does not: set starttls = \"passthrough\", or mode = \"enforce\"");
    if (c->settings->tls.upstream == UPSTREAM_TLS_REQUIRE)
        config_error(c->report, at(c, "listeners.tls.upstream"),
                     "listeners.tls.upstream = \"require\" refuses mail, mode observe does "
                     "not: set upstream = \"may\" or \"implicit\", or mode = \"enforce\"");
}

static void check_upstream(const struct check *c)
{
    bool reflect = false;

    for (unsigned i = 0; i < c->settings->upstream_count; i++)
        reflect |= c->settings->upstreams[i].reflect;
    if (c->settings->tls.upstream == UPSTREAM_TLS_REQUIRE && !config_ends_tls(c->listener))
        config_error(c->report, at(c, "listeners.tls.upstream"),
                     "listeners.tls.upstream = \"require\": no mail could ever pass, as TLS of "
                     "clients does not end here; set starttls = \"terminate\" or implicit = "
                     "true, with a certificate");
    if (reflect && c->settings->tls.upstream >= UPSTREAM_TLS_REQUIRE)
        config_error(c->report, at(c, "listeners.tls.upstream"),
                     "listeners.tls.upstream: the upstream \"reflect\" has no TLS; name a "
                     "server, or set upstream = \"may\"");
}

static void check_verify(const struct check *c)
{
    static const char *const words[] = { "no", "ca", "pin" };
    const struct config_tls *tls = &c->listener->tls;

    if (tls->verify != TLS_VERIFY_NO && c->settings->tls.upstream == UPSTREAM_TLS_NO)
        config_error(c->report, at(c, "listeners.tls.verify"),
                     "listeners.tls.verify = \"%s\" checks nothing with upstream = \"no\": set "
                     "upstream = \"require\"",
                     words[tls->verify]);
    else if (tls->verify != TLS_VERIFY_NO && !config_begins_tls(c->listener))
        config_error(c->report, at(c, "listeners.tls.verify"),
                     "listeners.tls.verify = \"%s\" checks nothing, as TLS does not end here: "
                     "add a certificate, or set upstream = \"implicit\"",
                     words[tls->verify]);
    if (tls->verify == TLS_VERIFY_PIN && tls->pins.count == 0)
        config_error(c->report, at(c, "listeners.tls.verify"),
                     "listeners.tls.verify = \"pin\" needs the pin of a key: add pins = [ "
                     "\"sha256:...\" ];");
    if (tls->verify != TLS_VERIFY_PIN && tls->pins.count > 0)
        config_error(c->report, at(c, "listeners.tls.pins"),
                     "listeners.tls.pins check nothing without verify = \"pin\": add it");
}

static void check_client_certificate(const struct check *c)
{
    const struct config_tls *tls = &c->listener->tls;

    if (tls->client_ca[0] != '\0' && !tls->ask_client)
        config_error(c->report, at(c, "listeners.tls.client_ca"),
                     "listeners.tls.client_ca: clients are not asked for a certificate; add "
                     "ask_client_certificate = true;");
}

/* Harmless, but hardly what was meant. */
static void warn_unused(const struct check *c)
{
    const struct config_tls *tls = &c->listener->tls;
    const char *path = tls->certificates.count > 0 ? "listeners.tls.certificate"
                       : tls->ask_client           ? "listeners.tls.ask_client_certificate"
                                                   : NULL;

    if (path != NULL && !config_ends_tls(c->listener))
        config_warn(c->report, at(c, path),
                    "%s is not used: TLS of clients does not end here%s", path,
                    c->settings->observe ? " in mode observe, but with implicit = true" : "");
    if (tls->keylog[0] != '\0' && !config_ends_tls(c->listener) &&
        !config_begins_tls(c->listener))
        config_warn(c->report, at(c, "listeners.tls.keylog"),
                    "listeners.tls.keylog is not used: TLS does not end here");
}

void config_check_tls(struct config_report *r, const struct config_target *t,
                      const struct config_where *w)
{
    struct check c = { r, w, t->listener, t->listener->settings };
    unsigned errors = r->errors;

    drop_empty(&t->listener->tls);
    choose_starttls(&c, t);
    check_certificates(&c);
    check_observe(&c);
    check_upstream(&c);
    check_verify(&c);
    check_client_certificate(&c);
    if (r->errors == errors)
        warn_unused(&c);
}
