#include "relay/settings.h"

#include "base/number.h"
#include "smtp/command.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SECONDS(n) (UINT32_C(1000) * (n))

enum { SMTP_PORT = 25, HOST_MAX = 253, LABEL_MAX = 63 };

/* RFC 5321 4.5.3.2 and five seconds more: a peer's own 421 comes first. */
static const struct timeouts default_timeouts = {
    .connect = SECONDS(30),
    .greeting = SECONDS(305),
    .command = SECONDS(305),
    .reply = SECONDS(305),
    .data_start = SECONDS(125),
    .data_block = SECONDS(185),
    .data_end = SECONDS(605),
    .lookalike = SECONDS(10),
    .opaque = SECONDS(605), /* inside TLS the longest of these may apply */
    .tls = SECONDS(60),
    .proxy = SECONDS(10),
};

static char *copy(struct span s)
{
    char *text = malloc(s.len + 1);

    if (text == NULL)
        abort();
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return text;
}

/* A host's own name may be anything; what is sent in an EHLO may not. */
static char *host_name(void)
{
    char name[HOST_MAX + 1] = "";

    if (gethostname(name, sizeof name - 1) != 0 || !command_is_domain(span_str(name)))
        return copy(SPAN_LIT("localhost"));
    return copy(span_str(name));
}

struct relay_settings *settings_new(void)
{
    struct relay_settings *s = calloc(1, sizeof *s);

    if (s == NULL)
        abort();
    atomic_init(&s->references, 1);
    s->name = copy(SPAN_LIT("smtp"));
    s->helo_name = host_name();
    policy_init(&s->policy, PRESET_DEFAULT);
    s->timeouts = default_timeouts;
    s->sessions = 10000;
    s->per_client = 100;
    s->prefix4 = 32;
    s->prefix6 = 64;
    s->error_limit = 20;
    s->min_rate = 100;
    s->tls.upstream = UPSTREAM_TLS_MAY;
    return s;
}

struct relay_settings *settings_ref(struct relay_settings *s)
{
    atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    return s;
}

void settings_unref(struct relay_settings **sp)
{
    struct relay_settings *s = *sp;

    *sp = NULL;
    if (s == NULL || atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) > 1)
        return;
    for (unsigned i = 0; i < s->upstream_count; i++) {
        free(s->upstreams[i].text);
        free(s->upstreams[i].host);
    }
    free(s->upstreams);
    free(s->trusted.list);
    free(s->trusted_newlines.list);
    tls_context_unref(&s->tls.server);
    tls_context_unref(&s->tls.client);
    free(s->tls.verify_name);
    free(s->helo_name);
    free(s->name);
    free(s);
}

static bool fail(const char **why, const char *text)
{
    *why = text;
    return false;
}

static bool is_host_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_';
}

static bool is_host_name(struct span host)
{
    if (host.len == 0 || host.len > HOST_MAX)
        return false;
    for (struct span rest = host; rest.len > 0;) {
        size_t label = span_find(rest, '.');
        bool last = label == rest.len;

        if (label == 0 || label > LABEL_MAX)
            return false;
        for (size_t i = 0; i < label; i++) {
            if (!is_host_char(rest.ptr[i]))
                return false;
        }
        rest = span_drop(rest, last ? label : label + 1);
    }
    return true;
}

/* A last label of digits only was meant to be an address. */
static bool looks_numeric(struct span host)
{
    size_t i = host.len;

    while (i > 0 && host.ptr[i - 1] >= '0' && host.ptr[i - 1] <= '9')
        i--;
    return i < host.len && (i == 0 || host.ptr[i - 1] == '.');
}

bool host_is_name(struct span text)
{
    return is_host_name(text) && !looks_numeric(text);
}

static bool parse_address(struct upstream *u, struct span text, bool has_port, const char **why)
{
    char with_port[ADDR_TEXT_MAX + 4];

    if (text.len >= ADDR_TEXT_MAX)
        return fail(why, "not an address");
    memcpy(with_port, text.ptr, text.len);
    memcpy(with_port + text.len, ":25", sizeof ":25");
    if (has_port)
        with_port[text.len] = '\0';
    if (!addr_parse(&u->addr, with_port, why))
        return false;
    if (u->addr.port == 0)
        return fail(why, "the port is not a number from 1 to 65535");
    u->port = u->addr.port;
    return true;
}

static bool parse_target(struct upstream *u, struct span text, const char **why)
{
    size_t colon = span_find(text, ':');
    bool has_port = colon < text.len;
    struct span host = span_first(text, colon);

    if (!span_is_empty(text) && text.ptr[0] == '[')
        return parse_address(u, text, text.ptr[text.len - 1] != ']', why);
    if (has_port && span_find(span_drop(text, colon + 1), ':') < text.len - colon - 1)
        return fail(why, "an IPv6 address stands in brackets, as in [::1]:25");
    if (span_is_empty(host))
        return fail(why, "the host is missing, as in mx.example.org:25");
    if (looks_numeric(host))
        return parse_address(u, text, has_port, why);
    if (!is_host_name(host))
        return fail(why, "not a host name or address");
    u->port = SMTP_PORT;
    if (has_port && (!number_port(span_drop(text, colon + 1), &u->port) || u->port == 0))
        return fail(why, "the port is not a number from 1 to 65535");
    u->host = copy(host);
    return true;
}

bool upstream_parse(struct upstream *u, const char *text, const char **why)
{
    struct upstream got = { 0 };

    if (strcmp(text, "reflect") == 0)
        got.reflect = true;
    else if (strcmp(text, "original") == 0)
        got.original = true;
    else if (!parse_target(&got, span_str(text), why))
        return false;
    got.text = copy(span_str(text));
    *u = got;
    return true;
}

/* ---- networks ---- */

/* The mapped ones are kept as IPv4, as every address is (transport/addr.h). */
static void unmap(struct network *n)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    if (n->addr.family != AF_INET6 || n->bits < 96 ||
        memcmp(n->addr.ip, mapped, sizeof mapped) != 0)
        return;
    memmove(n->addr.ip, n->addr.ip + 12, 4);
    memset(n->addr.ip + 4, 0, 12);
    n->addr.family = AF_INET;
    n->bits = (uint8_t)(n->bits - 96);
}

static bool parse_bits(uint8_t *bits, const char *digits, unsigned most)
{
    unsigned value = 0;

    if (digits[0] == '\0' || strlen(digits) > 3)
        return false;
    for (; *digits != '\0'; digits++) {
        if (*digits < '0' || *digits > '9')
            return false;
        value = value * 10 + (unsigned)(*digits - '0');
    }
    *bits = (uint8_t)value;
    return value <= most;
}

bool network_parse(struct network *n, const char *text, const char **why)
{
    struct network got = { 0 };
    char ip[ADDR_TEXT_MAX];
    size_t len = strcspn(text, "/");
    bool v6 = memchr(text, ':', len) != NULL;
    unsigned most = v6 ? 128 : 32;

    if (len >= sizeof ip)
        return fail(why, "not a network, as in 192.0.2.0/24");
    memcpy(ip, text, len);
    ip[len] = '\0';
    got.addr.family = v6 ? AF_INET6 : AF_INET;
    if (inet_pton(got.addr.family, ip, got.addr.ip) != 1)
        return fail(why, v6 ? "not an IPv6 network, as in 2001:db8::/32"
                            : "not an IPv4 network, as in 192.0.2.0/24");
    got.bits = (uint8_t)most;
    if (text[len] == '/' && !parse_bits(&got.bits, text + len + 1, most))
        return fail(why, v6 ? "expected 0 to 128 after the /" : "expected 0 to 32 after the /");
    unmap(&got);
    struct addr first = addr_network(&got.addr, got.bits, got.bits);
    if (!addr_equal(&first, &got.addr))
        return fail(why, "the address has bits behind those the / counts: write the first "
                         "address of the network, or leave the / out");
    *n = got;
    return true;
}

size_t network_text(const struct network *n, char out[NETWORK_TEXT_MAX])
{
    char ip[ADDR_TEXT_MAX];

    (void)addr_ip_text(&n->addr, ip);
    return (size_t)snprintf(out, NETWORK_TEXT_MAX, "%s/%u", ip, n->bits);
}

bool networks_have(const struct networks *n, const struct addr *client)
{
    for (unsigned i = 0; i < n->count; i++) {
        const struct network *one = &n->list[i];
        struct addr own = addr_network(client, one->bits, one->bits);

        if (addr_equal(&own, &one->addr))
            return true;
    }
    return false;
}
