#include "transcript/record_writer.h"

/* What stands in the record beside the facts. */
struct head {
    struct span side, how;
    uint64_t t_us, us;
    const struct notes *notes;
};

enum {
    TEXTS_MAX = sizeof(struct tls_facts), /* all of them, with whatever else is in there */
    SAID_KEPT = 4,                        /* octets: EHLO, GET, AUTH */
};

static void put_certificate(struct json *j, const struct tls_facts *f)
{
    if (f->subject[0] == '\0' && f->issuer[0] == '\0' && f->not_before[0] == '\0' &&
        f->not_after[0] == '\0' && f->sha256[0] == '\0' && f->spki_sha256[0] == '\0' &&
        f->verify[0] == '\0')
        return;
    PUT_OBJECT(j, tls_certificate);
    PUT_NEXT_TEXT_IF(j, certificate_subject, span_str(f->subject));
    PUT_NEXT_TEXT_IF(j, certificate_issuer, span_str(f->issuer));
    PUT_NEXT_TEXT_IF(j, certificate_not_before, span_str(f->not_before));
    PUT_NEXT_TEXT_IF(j, certificate_not_after, span_str(f->not_after));
    PUT_NEXT_TEXT_IF(j, certificate_sha256, span_str(f->sha256));
    PUT_NEXT_TEXT_IF(j, certificate_spki_sha256, span_str(f->spki_sha256));
    PUT_NEXT_TEXT_IF(j, certificate_verify, span_str(f->verify));
    *j->p++ = '}';
}

static void put_alert(struct json *j, int alert)
{
    *j->p++ = '{';
    PUT_FIRST(j, alert_number);
    json_u64(j, (uint64_t)alert);
    PUT_TEXT_IF(j, alert_name, span_str(tls_alert_name(alert)));
    *j->p++ = '}';
}

static void put_alerts(struct json *j, const struct tls_facts *f)
{
    if (f->alert_received < 0 && f->alert_sent < 0)
        return;
    PUT_OBJECT(j, tls_alert);
    if (f->alert_received >= 0) {
        PUT_NEXT(j, alerts_received);
        put_alert(j, f->alert_received);
    }
    if (f->alert_sent >= 0) {
        PUT_NEXT(j, alerts_sent);
        put_alert(j, f->alert_sent);
    }
    *j->p++ = '}';
}

static struct span hello_name(const struct tls_facts *f)
{
    if (f->hello_client)
        return f->hello_server ? SPAN_LIT("both") : SPAN_LIT("client");
    return f->hello_server ? SPAN_LIT("server") : SPAN_LIT("none");
}

/*
 * What came in the place of TLS may be a line with a password or an address: of what the
 * engine quotes only the first letters are written. The watcher keeps no more of the client's.
 */
static void put_detail(struct json *j, const struct tls_facts *f, bool redact)
{
    struct span detail = span_str(f->detail);
    size_t quote = span_find(detail, '"');
    struct span said = span_first(span_drop(detail, quote + 1), SAID_KEPT);

    if (!redact || f->failure != TLS_FAILURE_PLAINTEXT || quote == detail.len) {
        PUT_TEXT_IF(j, tls_detail, detail);
        return;
    }
    said.len = span_find(said, ' ');
    PUT_KEY(j, tls_detail);
    *j->p++ = '"';
    json_octets(j, span_first(detail, quote));
    json_octets(j, span_first(said, span_find(said, '"')));
    JSON_LIT(j, " ...\"");
}

static void put_failure(struct json *j, const struct tls_facts *f, bool redact)
{
    if (f->failure == TLS_FAILURE_NONE)
        return;
    PUT_TEXT(j, tls_failure, span_str(tls_failure_name(f->failure)));
    PUT_TEXT(j, tls_text, span_str(tls_failure_text(f->failure)));
    put_detail(j, f, redact);
    PUT_TEXT(j, tls_hello, hello_name(f));
}

static void put_facts(struct json *j, const struct tls_facts *f, bool redact)
{
    PUT_TEXT_IF(j, tls_version, span_str(f->version));
    PUT_TEXT_IF(j, tls_cipher, span_str(f->cipher));
    PUT_TEXT_IF(j, tls_server_name, span_str(f->server_name));
    PUT_TEXT_IF(j, tls_alpn, span_str(f->alpn));
    PUT_TEXT_IF(j, tls_alpn_offered, span_str(f->alpn_offered));
    if (f->resumed)
        PUT_BOOL(j, tls_resumed, true);
    put_certificate(j, f);
    put_failure(j, f, redact);
    put_alerts(j, f);
}

static void put_record(struct recorder *r, const struct head *h, const struct tls_facts *f)
{
    struct json j;

    if (!stream_is_on(r->stream) || !record_begin(&j, r, RECORD_TLS, h->t_us, TEXTS_MAX))
        return;
    PUT_TEXT(&j, tls_side, h->side);
    PUT_TEXT(&j, tls_how, h->how);
    PUT_BOOL(&j, tls_ok, f->failure == TLS_FAILURE_NONE);
    PUT_U64(&j, tls_us, h->us);
    put_facts(&j, f, r->stream->config->redact != REDACT_NONE);
    if (h->notes != NULL)
        put_notes(&j, h->notes);
    record_end(&j, r);
}

void record_tls(struct recorder *r, const struct record_tls *info)
{
    struct head h = { .side = info->side == CLIENT ? SPAN_LIT("client") : SPAN_LIT("server"),
                      .how = info->starttls ? SPAN_LIT("starttls") : SPAN_LIT("implicit"),
                      .t_us = info->t_us,
                      .us = info->us };

    put_record(r, &h, info->facts);
}

void record_tls_event(struct recorder *r, const struct event *e)
{
    struct head h = { .side = SPAN_LIT("through"),
                      .how = SPAN_LIT("passthrough"),
                      .t_us = e->t_us,
                      .us = e->tls_us,
                      .notes = &e->notes };

    put_record(r, &h, e->tls);
}
