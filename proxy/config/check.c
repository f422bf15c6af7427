#include "config/check.h"
#include "config/tls.h"

#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    FILES_PER_SESSION = 2,
    FILES_PER_WORKER = 16, /* loop, wake-ups, a listener for each address */
    FILES_OF_ITS_OWN = 64,
    SESSIONS_FEW = 1000, /* a default below this deserves a word */
};

static void check_addresses(struct config_report *r, const struct config_target *t,
                            struct config_place at)
{
    const struct config_listener *l = t->listener;
    const struct relay_settings *s = l->settings;

    if (!t->listen_given)
        config_error(r, at, "listener \"%s\" has no address: add listen = \"0.0.0.0:25\";",
                     s->name);
    if (!t->upstream_given)
        config_error(r, at,
                     "listener \"%s\" has no upstream: add upstream = \"10.0.0.5:25\"; or "
                     "\"reflect\"",
                     s->name);
    for (unsigned i = 0; i < l->listen_count; i++) {
        for (unsigned j = 0; j < s->upstream_count; j++) {
            if (addr_equal(&l->listen[i], &s->upstreams[j].addr))
                config_error(r, at,
                             "listener \"%s\" has its own address as upstream: it would "
                             "connect to itself",
                             s->name);
        }
    }
}

static void check_name(struct config_report *r, const struct config_target *t,
                       struct config_place at)
{
    const struct config *c = t->config;
    const char *name = t->listener->settings->name;

    for (unsigned i = 0; i + 1 < c->listener_count; i++) {
        if (strcmp(c->listeners[i].settings->name, name) == 0) {
            config_error(
                r, at, "two listeners have the name \"%s\": give each a name of its own", name);
            return;
        }
    }
}

static bool has_upstream(const struct relay_settings *s, bool original)
{
    for (unsigned i = 0; i < s->upstream_count; i++) {
        if (original ? s->upstreams[i].original : s->upstreams[i].reflect)
            return true;
    }
    return false;
}

static void check_intercept(struct config_report *r, const struct relay_settings *s,
                            const struct config_where *w)
{
    if (!has_upstream(s, true))
        return;
    if (s->upstream_count > 1)
        config_error(r, w->find(w, "listeners.upstream", 0),
                     "listeners.upstream: \"original\" stands alone; remove the others");
    if (s->intercept == INTERCEPT_NO)
        config_error(r, w->find(w, "listeners.upstream", 0),
                     "listeners.upstream = \"original\" needs connections that are brought "
                     "here: add intercept = \"redirect\"; or \"tproxy\"");
}

/* The reflector is a plain server on the loopback interface. */
static void check_reflector(struct config_report *r, const struct relay_settings *s,
                            const struct config_where *w)
{
    if (!has_upstream(s, false))
        return;
    if (s->source_client)
        config_error(r, w->find(w, "listeners.source", 0),
                     "listeners.source = \"client\": the upstream \"reflect\" could not "
                     "answer to another host's address; name a server");
    if (s->send_proxy != 0)
        config_error(r, w->find(w, "listeners.send_proxy", 0),
                     "listeners.send_proxy: the upstream \"reflect\" takes no PROXY header; "
                     "name a server, or remove send_proxy");
}

static bool is_reached_by_others(const struct config_listener *l)
{
    for (unsigned i = 0; i < l->listen_count; i++)
        if (!addr_is_loopback(&l->listen[i]))
            return true;
    return false;
}

/* What an upstream trusts its own network with, everybody gets who comes under our address. */
static void check_open_relay(struct config_report *r, const struct config_listener *l,
                             const struct config_where *w)
{
    const struct relay_settings *s = l->settings;
    bool servers = s->upstream_count > 0 && !has_upstream(s, true) && !has_upstream(s, false);

    if (!servers || !is_reached_by_others(l) || s->send_proxy != 0 || s->xclient ||
        s->source_client)
        return;
    config_warn(r, w->find(w, "listeners.upstream", 0),
                "listener \"%s\": the upstream sees every client as this proxy's address; if "
                "that address is in its mynetworks (or what it calls those it relays for), the "
                "whole world may send mail through it: tell it who the client is by %ssource = "
                "\"client\", or take the address out of mynetworks",
                s->name, s->observe ? "send_proxy or " : "send_proxy, xclient or ");
}

/* Who is offered a keyword will use its verb. */
static void check_policy(struct config_report *r, const struct relay_settings *s,
                         const struct config_where *w)
{
    if (!s->observe && policy_get(&s->policy, RULE_EHLO_UNKNOWN) == WORD_PASS &&
        policy_get(&s->policy, RULE_CMD_UNKNOWN) == WORD_REJECT)
        config_error(r, w->find(w, "listeners.policy.ehlo_unknown", 0),
                     "listeners.policy.ehlo_unknown = \"pass\" offers clients extensions whose "
                     "commands cmd.unknown = \"reject\" then refuses: set cmd = { unknown = "
                     "\"pass\"; }, or ehlo_unknown = \"strip\"");
}

static void check_client(struct config_report *r, const struct config_target *t,
                         const struct config_where *w)
{
    const struct relay_settings *s = t->listener->settings;

    check_intercept(r, s, w);
    check_reflector(r, s, w);
    check_open_relay(r, t->listener, w);
    if (s->proxy_protocol != 0 && s->trusted.count == 0 && !t->trusted_broken)
        config_error(r, w->find(w, "listeners.proxy_protocol", 0),
                     "listeners.proxy_protocol believes nobody: add the addresses of the "
                     "balancer, as in trusted = [ \"192.0.2.0/24\" ];");
    if (s->send_proxy != 0 && s->xclient)
        config_error(r, w->find(w, "listeners.xclient", 0),
                     "listeners.xclient and send_proxy tell the upstream the same twice: "
                     "choose one of them");
    if (s->observe && s->xclient)
        config_error(r, w->find(w, "listeners.xclient", 0),
                     "listeners.xclient adds commands, mode observe does not: use send_proxy, "
                     "or mode = \"enforce\"");
}

static void observe(struct config_report *r, const struct config_target *t,
                    struct config_place at)
{
    struct relay_settings *s = t->listener->settings;

    if (t->policy_given)
        config_warn(r, at, "listener \"%s\" is in mode observe: its policy does not act",
                    s->name);
    policy_init(&s->policy, PRESET_OBSERVE);
}

void config_check_listener(struct config_report *r, const struct config_target *t,
                           const struct config_where *w, enum config_purpose purpose)
{
    unsigned errors = r->errors;

    check_name(r, t, w->find(w, NULL, 0));
    check_addresses(r, t, w->find(w, NULL, 0));
    check_client(r, t, w);
    check_policy(r, t->listener->settings, w);
    config_check_tls(r, t, w);
    if (t->listener->settings->observe)
        observe(r, t, w->find(w, NULL, 0));
    if (r->errors == errors)
        config_make_contexts(r, t->listener, w, purpose);
}

void config_check_transcript(struct config_report *r, const struct config *c,
                             struct config_place at)
{
    if (c->transcript.content == CONTENT_LEVEL_FULL && c->transcript.redact == REDACT_ALL)
        config_error(r, at,
                     "transcript.content = \"full\" keeps what redact = \"all\" hides: choose "
                     "one of them");
    if (c->transcript.content == CONTENT_LEVEL_FULL && c->transcript.spool[0] == '\0')
        config_error(r, at,
                     "transcript.content = \"full\" needs a folder: add transcript.spool");
}

static uint64_t files_without_sessions(const struct config *c)
{
    uint64_t addresses = 0;

    for (unsigned i = 0; i < c->listener_count; i++)
        addresses += c->listeners[i].listen_count;
    return FILES_OF_ITS_OWN + (uint64_t)c->workers * (FILES_PER_WORKER + addresses);
}

uint64_t config_files_needed(const struct config *c)
{
    uint64_t files = files_without_sessions(c);

    for (unsigned i = 0; i < c->listener_count; i++)
        files += (uint64_t)c->listeners[i].settings->sessions * FILES_PER_SESSION;
    return files;
}

static bool sessions_given(const struct config_target *t, unsigned listener)
{
    return (t->sessions_given >> listener & 1) != 0;
}

/* Gives listeners without a number of their own what the others leave of `room`. */
static void share_sessions(struct config_report *r, struct config_target *t, uint64_t room,
                           struct config_place at)
{
    const struct config *c = t->config;
    uint64_t asked = 0, others = 0;

    for (unsigned i = 0; i < c->listener_count; i++) {
        asked += sessions_given(t, i) ? c->listeners[i].settings->sessions : 0;
        others += !sessions_given(t, i);
    }
    if (asked + others > room) {
        config_error(r, at,
                     "%" PRIu64 " sessions need 2 file descriptors each, the limit of this "
                     "process leaves room for %" PRIu64 ": raise the limit (LimitNOFILE= of "
                     "systemd, ulimit -Hn) or lower limits.sessions",
                     asked + others, room);
        return;
    }
    for (unsigned i = 0; i < c->listener_count; i++) {
        uint32_t *sessions = &c->listeners[i].settings->sessions;

        if (!sessions_given(t, i) && *sessions > (room - asked) / others)
            *sessions = (uint32_t)((room - asked) / others);
    }
    if (others > 0 && (room - asked) / others < SESSIONS_FEW)
        config_warn(r, at,
                    "limits.sessions is %" PRIu64
                    " only: the limit of file descriptors allows no "
                    "more (LimitNOFILE= of systemd, ulimit -Hn)",
                    (room - asked) / others);
}

/* Sessions a user asked for must fit; the default gives way. */
static void check_files(struct config_report *r, struct config_target *t,
                        struct config_place at)
{
    uint64_t own = files_without_sessions(t->config);
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max == RLIM_INFINITY ||
        config_files_needed(t->config) <= limit.rlim_max)
        return;
    share_sessions(r, t, limit.rlim_max > own ? (limit.rlim_max - own) / FILES_PER_SESSION : 0,
                   at);
}

static unsigned processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

    return n < 1 ? 1 : n > 256 ? 256 : (unsigned)n;
}

static char *host_name(void)
{
    char name[256] = "";

    if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0')
        return config_copy("localhost");
    return config_copy(name);
}

void config_finish(struct config_report *r, struct config_target *t, struct config_place at)
{
    struct config *c = t->config;

    if (c->workers == 0)
        c->workers = processors();
    if (c->vantage[0] == '\0') {
        free(c->vantage);
        c->vantage = host_name();
    }
    c->transcript.vantage = c->vantage;
    if (r->errors == 0)
        check_files(r, t, at);
}
