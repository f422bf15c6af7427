#include "transcript/draft.h"

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
    const struct {
        const char *key, *text;
    } members[] = {
        { "\"subject\":", f->subject },       { "\"issuer\":", f->issuer },
        { "\"not_before\":", f->not_before }, { "\"not_after\":", f->not_after },
        { "\"sha256\":", f->sha256 },         { "\"spki_sha256\":", f->spki_sha256 },
        { "\"verify\":", f->verify },
    };
    bool any = false;

    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (members[i].text[0] == '\0')
            continue;
        if (any)
            *j->p++ = ',';
        else
            JSON_LIT(j, ",\"certificate\":{");
        any = true;
        json_raw(j, members[i].key, strlen(members[i].key));
        json_text(j, span_str(members[i].text));
    }
    if (any)
        *j->p++ = '}';
}

static void put_alert(struct json *j, int alert)
{
    JSON_LIT(j, ":{\"number\":");
    json_u64(j, (uint64_t)alert);
    if (tls_alert_name(alert)[0] != '\0')
        JSON_TEXT(j, "name", span_str(tls_alert_name(alert)));
    *j->p++ = '}';
}

static void put_alerts(struct json *j, const struct tls_facts *f)
{
    bool received = f->alert_received >= 0, sent = f->alert_sent >= 0;

    if (!received && !sent)
        return;
    JSON_LIT(j, ",\"alert\":{");
    if (received) {
        JSON_LIT(j, "\"received\"");
        put_alert(j, f->alert_received);
    }
    if (received && sent)
        *j->p++ = ',';
    if (sent) {
        JSON_LIT(j, "\"sent\"");
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
        DRAFT_TEXT(j, "detail", detail);
        return;
    }
    said.len = span_find(said, ' ');
    JSON_LIT(j, ",\"detail\":\"");
    json_octets(j, span_first(detail, quote));
    json_octets(j, span_first(said, span_find(said, '"')));
    JSON_LIT(j, " ...\"");
}

static void put_failure(struct json *j, const struct tls_facts *f, bool redact)
{
    if (f->failure == TLS_FAILURE_NONE)
        return;
    JSON_TEXT(j, "failure", span_str(tls_failure_name(f->failure)));
    JSON_TEXT(j, "text", span_str(tls_failure_text(f->failure)));
    put_detail(j, f, redact);
    JSON_TEXT(j, "hello", hello_name(f));
}

static void put_facts(struct json *j, const struct tls_facts *f, bool redact)
{
    DRAFT_TEXT(j, "version", span_str(f->version));
    DRAFT_TEXT(j, "cipher", span_str(f->cipher));
    DRAFT_TEXT(j, "server_name", span_str(f->server_name));
    DRAFT_TEXT(j, "alpn", span_str(f->alpn));
    DRAFT_TEXT(j, "alpn_offered", span_str(f->alpn_offered));
    if (f->resumed)
        JSON_BOOL(j, "resumed", true);
    put_certificate(j, f);
    put_failure(j, f, redact);
    put_alerts(j, f);
}

static void put_record(struct recorder *r, const struct head *h, const struct tls_facts *f)
{
    struct json j;

    if (!stream_is_on(r->stream) || !draft_begin(&j, r, SPAN_LIT("tls"), h->t_us, TEXTS_MAX))
        return;
    JSON_TEXT(&j, "side", h->side);
    JSON_TEXT(&j, "how", h->how);
    JSON_BOOL(&j, "ok", f->failure == TLS_FAILURE_NONE);
    JSON_U64(&j, "us", h->us);
    put_facts(&j, f, r->stream->config->redact != REDACT_NONE);
    if (h->notes != NULL)
        draft_notes(&j, h->notes);
    draft_end(&j, r);
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
