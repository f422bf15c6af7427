/* stored_facts - open, connect, tls, close. */
#include "analysis/stored/stored_private.h"

#include <stdio.h>

static struct span plain(const json_t *o, const char *name)
{
    return span_str(record_text(o, name));
}

void stored_take_open(struct stored *s, const json_t *o)
{
    s->open = (struct record_open){ .t_us = s->seen.t_us,
                                    .listener = plain(o, "listener"),
                                    .mode = plain(o, "mode"),
                                    .client = plain(o, "client"),
                                    .server = plain(o, "server"),
                                    .original = plain(o, "original") };
    s->seen.open = &s->open;
}

void stored_take_connect(struct stored *s, const json_t *o)
{
    const char *error = record_text(o, "error");

    s->connect = (struct record_connect){ .t_us = s->seen.t_us,
                                          .upstream = plain(o, "upstream"),
                                          .local = plain(o, "local"),
                                          .us = record_count(o, "us"),
                                          .error = error[0] != '\0' ? error : NULL };
    s->seen.connect = &s->connect;
}

static void copy(char *out, size_t size, const json_t *o, const char *name)
{
    snprintf(out, size, "%s", record_text(o, name));
}

static void take_certificate(struct tls_facts *f, const json_t *o)
{
    copy(f->subject, sizeof f->subject, o, "subject");
    copy(f->issuer, sizeof f->issuer, o, "issuer");
    copy(f->not_before, sizeof f->not_before, o, "not_before");
    copy(f->not_after, sizeof f->not_after, o, "not_after");
    copy(f->sha256, sizeof f->sha256, o, "sha256");
    copy(f->spki_sha256, sizeof f->spki_sha256, o, "spki_sha256");
    copy(f->verify, sizeof f->verify, o, "verify");
}

static enum tls_failure failure_of(const char *name)
{
#define X(id, name, text) name,
    static const char *const names[] = { TLS_FAILURES(X) };
#undef X
    return (enum tls_failure)stored_word(names, ARRAY_LEN(names), name, TLS_FAILURE_PROTOCOL);
}

static int16_t alert_of(const json_t *o, const char *which)
{
    const json_t *alert = json_object_get(json_object_get(o, "alert"), which);

    return (int16_t)(alert != NULL ? (int)record_count(alert, "number") : TLS_ALERT_UNKNOWN);
}

void stored_take_tls(struct stored *s, const json_t *o)
{
    struct tls_facts *f = &s->tls;
    const char *hello = record_text(o, "hello");
    bool ok = record_flag(o, "ok"), both = ok || strcmp(hello, "both") == 0;

    *f = (struct tls_facts){ .failure = failure_of(record_text(o, "failure")),
                             .alert_received = alert_of(o, "received"),
                             .alert_sent = alert_of(o, "sent"),
                             .resumed = record_flag(o, "resumed"),
                             .hello_client = both || strcmp(hello, "client") == 0,
                             .hello_server = both || strcmp(hello, "server") == 0 };
    copy(f->detail, sizeof f->detail, o, "detail");
    copy(f->version, sizeof f->version, o, "version");
    copy(f->cipher, sizeof f->cipher, o, "cipher");
    copy(f->server_name, sizeof f->server_name, o, "server_name");
    copy(f->alpn, sizeof f->alpn, o, "alpn");
    copy(f->alpn_offered, sizeof f->alpn_offered, o, "alpn_offered");
    take_certificate(f, json_object_get(o, "certificate"));
    s->seen.tls = f;
    s->seen.tls_us = record_count(o, "us");
    s->seen.tls_through = strcmp(record_text(o, "side"), "through") == 0;
    s->seen.tls_side = strcmp(record_text(o, "side"), "server") == 0 ? SERVER : CLIENT;
}

static enum close_reason reason_of(const char *name)
{
    for (unsigned i = 0; i < CLOSE_COUNT; i++)
        if (strcmp(close_name((enum close_reason)i), name) == 0)
            return (enum close_reason)i;
    return CLOSE_INTERNAL;
}

static struct record_tcp leg_of(const json_t *o, const char *side)
{
    const json_t *leg = json_object_get(json_object_get(o, "tcp"), side);

    return (struct record_tcp){ .valid = leg != NULL,
                                .rtt_us = (uint32_t)record_count(leg, "rtt_us"),
                                .retransmits = (uint32_t)record_count(leg, "retransmits"),
                                .unacked = (uint32_t)record_count(leg, "unacked"),
                                .pmtu = (uint32_t)record_count(leg, "pmtu"),
                                .acked = record_count(leg, "acked"),
                                .received = record_count(leg, "received") };
}

void stored_take_close(struct stored *s, const json_t *o)
{
    static const char *const firsts[] = { "client", "server" };
    static const char *const hows[] = { "none", "fin", "reset", "timeout" };
    const json_t *octets = json_object_get(o, "octets");

    s->close = (struct record_close){
        .t_us = s->seen.t_us,
        .us = record_count(o, "us"),
        .reason = reason_of(record_text(o, "reason")),
        .first = stored_word(firsts, 2, record_text(o, "first"), -1),
        .how = (enum close_kind)stored_word(hows, 4, record_text(o, "how"), END_NONE),
        .octets_in = { record_count(octets, "client_in"), record_count(octets, "server_in") },
        .octets_out = { record_count(octets, "client_out"),
                        record_count(octets, "server_out") },
        .tcp = { leg_of(o, "client"), leg_of(o, "server") },
    };
    s->seen.close = &s->close;
}
