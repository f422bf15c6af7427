/* tls_watch_message - the handshake messages that are looked into. */
#include "tlswatch/watch_private.h"

#include "tlswatch/octets.h"
#include "tlswatch/certificate.h"

#include <stdio.h>

enum message_type {
    MESSAGE_CLIENT_HELLO = 1,
    MESSAGE_SERVER_HELLO = 2,
    MESSAGE_CERTIFICATE = 11,
    MESSAGE_SERVER_HELLO_DONE = 14,
};

static void client_hello(struct tls_watch *w, struct span body)
{
    struct tls_client_hello h;

    if (!tls_client_hello_parse(body, &h)) {
        watch_refuse(w, CLIENT, "a malformed ClientHello");
        return;
    }
    tls_client_hello_facts(&h, &w->facts);
    w->facts.hello_client = true;
    w->lane[CLIENT].hello = true;
    w->offered = h.version;
    w->last = w->retry ? "the second ClientHello" : "the ClientHello";
}

static void server_hello(struct tls_watch *w, struct span body)
{
    struct tls_server_hello h;

    if (!tls_server_hello_parse(body, &h) || (h.retry && w->retry)) {
        watch_refuse(w, SERVER, "a malformed ServerHello");
        return;
    }
    tls_server_hello_facts(&h, &w->facts);
    if (h.retry) {
        w->retry = true;
        w->lane[CLIENT].hello = false; /* another one is to come, of both */
        w->last = "the HelloRetryRequest";
        return;
    }
    w->facts.hello_server = true;
    w->lane[SERVER].hello = true;
    w->version = h.version;
    w->last = "the ServerHello";
}

/* Its first is the server's own; it may be longer than what was kept. */
static void certificate(struct tls_watch *w, struct span body, uint32_t len)
{
    struct span first;
    uint32_t list;

    w->last = "the server's certificate";
    if (!octets_number(&body, 3, &list) || list + 3 != len)
        watch_refuse(w, SERVER, "a malformed Certificate");
    else if (octets_vector(&body, 3, &first))
        tls_certificate_facts(first, &w->facts);
}

static uint32_t message_octets(const struct lane *l)
{
    return (uint32_t)l->message[1] << 16 | (uint32_t)l->message[2] << 8 | l->message[3];
}

static void message_end(struct tls_watch *w, enum side from)
{
    struct lane *l = &w->lane[from];

    if (l->keeps && from == CLIENT)
        client_hello(w, buf_span(&l->body));
    else if (l->keeps && l->message[0] == MESSAGE_SERVER_HELLO)
        server_hello(w, buf_span(&l->body));
    else if (l->keeps)
        certificate(w, buf_span(&l->body), message_octets(l));
    else if (l->message[0] == MESSAGE_SERVER_HELLO_DONE && from == SERVER)
        w->hello_done = true;
    buf_release(&l->body);
    l->message_len = 0;
}

/* A hello is the first of each side, and there is one (RFC 5246 7.4, RFC 8446 4). */
static void message_begin(struct tls_watch *w, enum side from)
{
    struct lane *l = &w->lane[from];
    unsigned type = l->message[0];
    unsigned hello = from == CLIENT ? MESSAGE_CLIENT_HELLO : MESSAGE_SERVER_HELLO;
    char what[64];

    l->message_left = message_octets(l);
    if (watch_is_tls13(w) || (type == hello) == l->hello ||
        (type == MESSAGE_SERVER_HELLO && !w->lane[CLIENT].hello)) {
        snprintf(what, sizeof what, "handshake message %u out of order", type);
        watch_refuse(w, from, what);
    } else if (type == hello && l->message_left > TLS_WATCH_HELLO_MAX) {
        watch_refuse(w, from, "a hello that is too long");
    }
    l->keeps = type == hello || (type == MESSAGE_CERTIFICATE && from == SERVER);
    buf_init(&l->body, type == hello ? TLS_WATCH_HELLO_MAX : TLS_WATCH_CERTIFICATE_MAX);
    if (l->message_left == 0 && !w->done)
        message_end(w, from);
}

static struct span message_head(struct tls_watch *w, enum side from, struct span in)
{
    struct lane *l = &w->lane[from];

    l->message[l->message_len++] = in.ptr[0];
    if (l->message_len == MESSAGE_HEAD)
        message_begin(w, from);
    return span_drop(in, 1);
}

static struct span message_body(struct tls_watch *w, enum side from, struct span in)
{
    struct lane *l = &w->lane[from];
    struct span part = span_first(in, l->message_left);

    if (l->keeps && !buf_append(&l->body, span_first(part, l->body.max - l->body.len))) {
        w->facts.failure = TLS_FAILURE_MEMORY;
        w->done = true;
    }
    l->message_left -= (uint32_t)part.len;
    if (l->message_left == 0 && !w->done)
        message_end(w, from);
    return span_drop(in, part.len);
}

void watch_handshake(struct tls_watch *w, enum side from, struct span in)
{
    while (in.len > 0 && !w->done)
        in = w->lane[from].message_len < MESSAGE_HEAD ? message_head(w, from, in)
                                                      : message_body(w, from, in);
}
