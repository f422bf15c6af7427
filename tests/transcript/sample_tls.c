/*
 * sample_tls - a transcript of six sessions with TLS, two of them interleaved: for the
 * schema, show and the reader.
 *
 *   both      behind a balancer; TLS on both legs, EHLO, STARTTLS and XCLIENT of our own
 *   through   at the same time: STARTTLS passes through, the server's certificate has expired
 *   starttls  TLS on both legs by the client's STARTTLS
 *   upstream  the upstream's certificate is not taken; in the clear to the client
 *   client    the client resets in the middle of an implicit handshake
 *   pin       behind a balancer that speaks for itself; the wrong key
 */
#include "transcript/record.h"
#include "transcript/writer.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t now = (uint64_t)1795424641 * 1000000;

static struct tls_facts facts(const char *version, const char *cipher, const char *server_name)
{
    struct tls_facts f = { .alert_received = TLS_ALERT_UNKNOWN,
                           .alert_sent = TLS_ALERT_UNKNOWN,
                           .hello_client = true,
                           .hello_server = true };

    snprintf(f.version, sizeof f.version, "%s", version);
    snprintf(f.cipher, sizeof f.cipher, "%s", cipher);
    snprintf(f.server_name, sizeof f.server_name, "%s", server_name);
    return f;
}

static void certify(struct tls_facts *f, const char *not_after, const char *verify)
{
    snprintf(f->subject, sizeof f->subject, "CN=mx.example.org");
    snprintf(f->issuer, sizeof f->issuer, "O=Example,CN=Test CA");
    snprintf(f->not_before, sizeof f->not_before, "2026-01-01T00:00:00Z");
    snprintf(f->not_after, sizeof f->not_after, "%s", not_after);
    snprintf(f->verify, sizeof f->verify, "%s", verify);
    for (unsigned i = 0; i < 64; i++) {
        f->sha256[i] = "0123456789abcdef"[i % 16];
        f->spki_sha256[i] = "fedcba9876543210"[i % 16];
    }
}

static void opened(struct recorder *r, struct stream *s, const char *client,
                   struct record_open o)
{
    recorder_init(r, s, now);
    o.t_us = now;
    o.listener = SPAN_LIT("mx");
    o.mode = SPAN_LIT("enforce");
    o.client = span_str(client);
    o.server = SPAN_LIT("192.0.2.2:25");
    record_open(r, &o);
}

static void connected(struct recorder *r)
{
    struct record_connect c = { .t_us = now += 100,
                                .upstream = SPAN_LIT("10.0.0.5:25"),
                                .us = 210 };

    record_connect(r, &c);
}

static void shaken(struct recorder *r, enum side side, bool starttls, const struct tls_facts *f)
{
    struct record_tls t = {
        .t_us = now += 100, .us = 3200, .side = side, .starttls = starttls, .facts = f
    };

    record_tls(r, &t);
}

/* `replied`: in the place of what the upstream had said. */
static void greeted(struct recorder *r, const char *replied)
{
    struct event g = { .kind = EVENT_GREETING,
                       .t_us = now += 100,
                       .origin = ORIGIN_UPSTREAM,
                       .reply = SPAN_LIT("220 mx.example.org ESMTP\r\n"),
                       .replied = span_str(replied),
                       .code = 220,
                       .reply_us = 350 };

    record_event(r, &g);
}

static struct event line(enum verb verb, const char *received, const char *reply)
{
    return (struct event){ .kind = EVENT_COMMAND,
                           .verb = verb,
                           .t_us = now += 100,
                           .received = span_str(received),
                           .received_octets = strlen(received),
                           .disposition = DISPOSITION_RELAYED,
                           .origin = ORIGIN_UPSTREAM,
                           .forwarded_us = 20,
                           .reply = span_str(reply),
                           .code = (unsigned)strtoul(reply, NULL, 10),
                           .reply_us = 400 };
}

static void relayed(struct recorder *r, enum verb verb, const char *received, const char *reply)
{
    struct event e = line(verb, received, reply);

    record_event(r, &e);
}

static void changed(struct recorder *r, struct event e, const char *forwarded,
                    const char *replied)
{
    e.disposition = forwarded[0] != '\0' ? DISPOSITION_REWRITTEN : DISPOSITION_RELAYED;
    e.forwarded = span_str(forwarded);
    e.replied = span_str(replied);
    record_event(r, &e);
}

static void added(struct recorder *r, enum verb verb, const char *sent, const char *reply)
{
    struct event e = line(verb, "", reply);

    e.received = (struct span){ NULL, 0 };
    e.disposition = DISPOSITION_ADDED;
    e.forwarded = span_str(sent);
    record_event(r, &e);
}

static void answered(struct recorder *r, enum verb verb, const char *received,
                     enum disposition action, const char *replied)
{
    struct event e = line(verb, received, replied);

    e.disposition = action;
    e.origin = ORIGIN_PROXY;
    e.replied = e.reply;
    e.reply = (struct span){ NULL, 0 };
    record_event(r, &e);
}

static void closed(struct recorder *r, enum close_reason why)
{
    struct record_close c = { .t_us = now += 100, .us = 9000, .reason = why, .first = CLIENT };

    record_close(r, &c);
}

/* Everything but its end. */
static void both(struct recorder *r, struct stream *s)
{
    struct tls_facts client = facts("TLSv1.3", "TLS_AES_256_GCM_SHA384", "mx.example.org");
    struct tls_facts server = facts("TLSv1.3", "TLS_AES_128_GCM_SHA256", "mx.example.org");

    opened(r, s, "198.51.100.9:41234",
           (struct record_open){ .original = SPAN_LIT("198.51.100.7:25"),
                                 .proxy_version = 2,
                                 .proxy_peer = SPAN_LIT("10.0.0.9:5000") });
    snprintf(client.alpn, sizeof client.alpn, "smtp");
    snprintf(client.alpn_offered, sizeof client.alpn_offered, "smtp");
    client.resumed = true;
    shaken(r, CLIENT, false, &client);
    connected(r);
    added(r, VERB_EHLO, "EHLO scope.example.org\r\n", "250-mx.example.org\r\n250 STARTTLS\r\n");
    added(r, VERB_STARTTLS, "STARTTLS\r\n", "220 2.0.0 go on\r\n");
    certify(&server, "2026-12-31T23:59:59Z", "ok");
    shaken(r, SERVER, true, &server);
    added(r, VERB_XCLIENT, "XCLIENT ADDR=198.51.100.9\r\n", "220 mx for you\r\n");
    greeted(r, "220 mx for you\r\n");
}

static void both_goes_on(struct recorder *r)
{
    struct data d = { .stats = { .octets = 5, .octets_sent = 6, .lines = 1, .altered = true } };
    struct event e = { .kind = EVENT_CONTENT, .t_us = now, .data = &d, .complete = true };

    changed(r, line(VERB_EHLO, "EHLO client\r\n", "250-mx.example.org\r\n250 XCLIENT ADDR\r\n"),
            "", "250 mx.example.org\r\n");
    changed(r, line(VERB_MAIL, "MAIL FROM:<a@x.test>\n", "250 Ok\r\n"),
            "MAIL FROM:<a@x.test>\r\n", "");
    answered(r, VERB_VRFY, "VRFY a\r\n", DISPOSITION_STRIPPED, "252 2.5.0 Cannot verify\r\n");
    record_event(r, &e);
    relayed(r, VERB_QUIT, "QUIT\r\n", "221 Bye\r\n");
    closed(r, CLOSE_QUIT);
}

static void through(struct recorder *r)
{
    struct tls_facts f = facts("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", "mx.example.org");
    struct event tls = { .kind = EVENT_TLS, .t_us = now, .tls = &f, .tls_us = 5000 };
    struct event opaque = { .kind = EVENT_OPAQUE,
                            .t_us = now,
                            .opaque_octets = { 1000, 2000 },
                            .opaque_why = "starttls" };

    relayed(r, VERB_STARTTLS, "STARTTLS\r\n", "220 go on\r\n");
    certify(&f, "2026-03-01T12:00:00Z", "");
    record_event(r, &tls);
    record_event(r, &opaque);
    closed(r, CLOSE_OPAQUE_END);
}

/* The client's STARTTLS goes on to the upstream; its 220 is ours. */
static void upgrading(struct recorder *r, const struct tls_facts *f, const char *replied)
{
    struct event e = line(VERB_STARTTLS, "STARTTLS\r\n", "220 2.0.0 go on\r\n");

    shaken(r, SERVER, true, f);
    e.origin = ORIGIN_PROXY;
    e.replied = span_str(replied);
    e.code = (unsigned)strtoul(replied, NULL, 10);
    record_event(r, &e);
}

static void starttls(struct recorder *r, struct stream *s)
{
    struct tls_facts f = facts("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", "");

    opened(r, s, "192.0.2.1:5", (struct record_open){ 0 });
    connected(r);
    greeted(r, "");
    upgrading(r, &f, "220 2.0.0 Ready to start TLS\r\n");
    shaken(r, CLIENT, true, &f);
    changed(r, line(VERB_NOOP, "NOOP\r\n", "250\r\n"), "", "250 \r\n");
    closed(r, CLOSE_QUIT);
}

static void upstream(struct recorder *r, struct stream *s)
{
    struct tls_facts f = facts("TLSv1.3", "", "mx.example.org");
    const char *why = "unable to get local issuer certificate";

    opened(r, s, "192.0.2.1:3", (struct record_open){ 0 });
    connected(r);
    greeted(r, "");
    f.failure = TLS_FAILURE_UNKNOWN_CA;
    f.alert_sent = 48;
    snprintf(f.detail, sizeof f.detail, "%s", why);
    certify(&f, "2026-12-31T23:59:59Z", why);
    upgrading(r, &f, "454 4.7.0 no TLS\r\n");
    closed(r, CLOSE_UPSTREAM_TLS);
}

static void client(struct recorder *r, struct stream *s)
{
    struct tls_facts f = facts("", "", "mx.example.org");

    opened(r, s, "192.0.2.1:4", (struct record_open){ 0 });
    f.failure = TLS_FAILURE_RESET;
    f.hello_server = false;
    snprintf(f.detail, sizeof f.detail, "after the ClientHello");
    snprintf(f.alpn_offered, sizeof f.alpn_offered, "h2 http/1.1");
    shaken(r, CLIENT, false, &f);
    closed(r, CLOSE_CLIENT_TLS);
}

static void pin(struct recorder *r, struct stream *s)
{
    struct tls_facts f = facts("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", "");

    opened(r, s, "10.0.0.9:5001",
           (struct record_open){ .proxy_version = 1,
                                 .proxy_local = true,
                                 .proxy_peer = SPAN_LIT("10.0.0.9:5001") });
    f.failure = TLS_FAILURE_PIN;
    f.alert_received = 255;
    snprintf(f.detail, sizeof f.detail, "1 expected");
    certify(&f, "2027-01-01T00:00:00Z", "");
    snprintf(f.not_before, sizeof f.not_before, "2026-12-01T00:00:00Z");
    shaken(r, SERVER, false, &f);
    closed(r, CLOSE_UPSTREAM_TLS);
}

int main(int argc, char **argv)
{
    struct writer_config c = { .file = argc > 1 ? argv[1] : "-", .fd = -1, .vantage = "dmz" };
    struct recorder a, b;
    char error[256];

    struct writer *w = writer_start(&c, error, sizeof error);
    struct stream *s = stream_new(w, NULL, NULL);
    if (w == NULL || s == NULL) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    both(&a, s);
    opened(&b, s, "192.0.2.1:2", (struct record_open){ 0 });
    connected(&b);
    greeted(&b, "");
    both_goes_on(&a);
    through(&b);
    starttls(&a, s);
    upstream(&a, s);
    client(&a, s);
    pin(&a, s);
    stream_free(&s);
    writer_stop(&w, 1000);
    return 0;
}
