/*
 * settings - what a listener's sessions need to know, as one immutable value.
 *
 * Built from the configuration (or in a test), shared by all workers, counted:
 * a session keeps the settings it began with, a reload gives new sessions new ones.
 */
#ifndef RELAY_SETTINGS_H
#define RELAY_SETTINGS_H

#include "smtp/policy.h"
#include "smtp/session.h"
#include "transport/addr.h"
#include "transport/origin.h"
#include "transport/proxy_header.h"
#include "transport/tls_context.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One upstream: a numeric address, a name to be resolved when it is needed, the built-in
 * reflector, or where the client was going to. */
struct upstream {
    char *text; /* as configured, for logs and records: "mx.example.org:25" */
    char *host; /* NULL when `addr` is known from the start */
    uint16_t port;
    struct addr addr;
    bool reflect;  /* addr is filled in when the reflector listens */
    bool original; /* the intercepted connection's destination */
};

/* Milliseconds; 0 would mean at once, so the schema asks for at least 100. */
struct timeouts {
    uint32_t connect;    /* per upstream address tried */
    uint32_t greeting;   /* 305 s */
    uint32_t command;    /* 305 s: the client's next command */
    uint32_t reply;      /* 305 s: EHLO, MAIL, RCPT, ... */
    uint32_t data_start; /* 125 s: reply to DATA */
    uint32_t data_block; /* 185 s: progress of the content, either way */
    uint32_t data_end;   /* 605 s: reply to the end of data */
    uint32_t lookalike;  /* 10 s */
    uint32_t opaque;     /* after STARTTLS: silence on both sides */
    uint32_t tls;        /* 60 s: a handshake */
    uint32_t proxy;      /* 10 s: the PROXY header of a trusted balancer */
};

/* A network: the first `bits` of an address. */
struct network {
    struct addr addr;
    uint8_t bits;
};

struct networks {
    struct network *list;
    unsigned count;
};

/* TLS ended here. The contexts are NULL where they are not needed. */
struct relay_tls {
    struct tls_context *server; /* towards clients: certificates are configured */
    struct tls_context *client; /* towards the upstream */
    bool implicit;              /* clients begin with TLS */
    uint8_t upstream;           /* enum upstream_tls */
    char *verify_name;          /* name to send and check; NULL: the upstream's host name */
};

struct relay_settings {
    atomic_uint references;
    char *name;      /* of the listener */
    char *helo_name; /* of this host, a domain of RFC 5321: for an EHLO of our own */
    bool observe;
    struct policy policy;
    struct timeouts timeouts;
    uint32_t sessions;          /* at a time, of all workers together */
    uint32_t per_client;        /* per client network; 0: no limit */
    uint8_t prefix4, prefix6;   /* what a client network is: 32 and 64 */
    uint32_t error_limit;       /* refused commands before 421; 0: no limit */
    uint32_t min_rate;          /* of mail data, octets a second; 0: no limit */
    struct upstream *upstreams; /* tried in this order */
    unsigned upstream_count;
    struct relay_tls tls;
    uint8_t intercept;                /* enum intercept */
    bool source_client;               /* the upstream sees the client's address */
    uint8_t proxy_protocol;           /* enum proxy_versions accepted from `trusted`; 0: none */
    uint8_t send_proxy;               /* version sent to the upstream; 0: none */
    bool xclient;                     /* tell the upstream by XCLIENT, if it offers that */
    struct networks trusted;          /* believed: their PROXY headers, XCLIENT and XFORWARD */
    struct networks trusted_newlines; /* their mail may end in LF.LF */
};

struct relay_settings *settings_new(void); /* defaults, one reference; aborts without memory */
struct relay_settings *settings_ref(struct relay_settings *s);
void settings_unref(struct relay_settings **s); /* any thread */

/* May the text stand for a host in the DNS? An address may not. */
bool host_is_name(struct span text);

/* Does the client come from one of these networks? */
bool networks_have(const struct networks *n, const struct addr *client);
/* "192.0.2.0/24", "2001:db8::/32", "192.0.2.1". False: *why says what is wrong. */
MUST_CHECK bool network_parse(struct network *n, const char *text, const char **why);
enum { NETWORK_TEXT_MAX = ADDR_TEXT_MAX + 4 };
/* As network_parse() reads it; returns its length. */
size_t network_text(const struct network *n, char out[NETWORK_TEXT_MAX]);

/* "192.0.2.1:25", "[::1]:25", "mx.example.org:25", "mx.example.org" (port 25), "reflect",
 * "original".
 * False: *why says what is wrong. Owns copies of the text. */
MUST_CHECK bool upstream_parse(struct upstream *u, const char *text, const char **why);

#endif
