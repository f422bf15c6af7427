#include "transcript/read/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Fields of an object by their row. */
#define KEY(row)        (record_rows[ROW_##row].key)
#define COUNT(o, row)   record_count((o), KEY(row))
#define FLAG(o, row)    record_flag((o), KEY(row))
#define TEXT(o, row)    record_text((o), KEY(row))
#define SPAN(o, row)    span_str(TEXT(o, row))
#define GET(o, row)     json_object_get((o), KEY(row))
#define WIRE(d, o, row) wire((d), (o), KEY(row))
/* Its place in the row's list of words, which are in the order of their enum. */
#define WORD_OF(o, row, otherwise)                                                             \
    word_of(TEXT(o, row), record_rows[ROW_##row].words, (otherwise))
#define COPY(to, o, row) snprintf((to), sizeof(to), "%s", TEXT(o, row))

struct decoded *decoded_new(void)
{
    return calloc(1, sizeof(struct decoded));
}

static void forget(struct decoded *d)
{
    while (d->text_count > 0)
        free(d->texts[--d->text_count]);
}

void decoded_free(struct decoded **d)
{
    if (*d != NULL)
        forget(*d);
    free(*d);
    *d = NULL;
}

static struct span wire(struct decoded *d, const json_t *o, const char *key)
{
    size_t len;

    if (d->text_count == DECODED_TEXTS_MAX || json_object_get(o, key) == NULL)
        return SPAN_LIT("");
    unsigned char *text = record_wire(o, key, &len);
    if (text == NULL) {
        d->failed = true;
        return SPAN_LIT("");
    }
    d->texts[d->text_count++] = text;
    return span_of(text, len);
}

static int word_of(const char *word, const char *words, int otherwise)
{
    size_t len = strlen(word);

    for (int i = 0; *words != '\0'; i++) {
        size_t next = strcspn(words, " ");
        if (next == len && memcmp(words, word, len) == 0)
            return i;
        words += next + (words[next] == ' ');
    }
    return otherwise;
}

static int digits(const char *t, int count)
{
    int n = 0;

    while (count-- > 0)
        n = n * 10 + (*t++ - '0');
    return n;
}

/* 2026-11-23T09:00:00.000000Z, as the reader has checked. */
uint64_t decode_time(const char *t)
{
    struct tm tm = { .tm_year = digits(t, 4) - 1900,
                     .tm_mon = digits(t + 5, 2) - 1,
                     .tm_mday = digits(t + 8, 2),
                     .tm_hour = digits(t + 11, 2),
                     .tm_min = digits(t + 14, 2),
                     .tm_sec = digits(t + 17, 2) };
    time_t seconds = timegm(&tm);

    return seconds < 0 ? 0 : (uint64_t)seconds * 1000000 + (uint64_t)digits(t + 20, 6);
}

static void take_open(struct decoded *d, const json_t *o)
{
    const json_t *proxy = GET(o, open_proxy), *syn = GET(o, open_syn);

    d->open = (struct record_open){ .t_us = d->t_us,
                                    .listener = SPAN(o, open_listener),
                                    .mode = SPAN(o, open_mode),
                                    .client = SPAN(o, open_client),
                                    .server = SPAN(o, open_server),
                                    .original = SPAN(o, open_original),
                                    .proxy_version = (unsigned)COUNT(proxy, proxy_version),
                                    .proxy_local = WORD_OF(proxy, proxy_command, 0) == 1,
                                    .proxy_peer = SPAN(proxy, proxy_peer),
                                    .above_per_client = FLAG(o, open_above_per_client),
                                    .syn = { SPAN(syn, syn_client), SPAN(syn, syn_server) } };
}

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static void take_connect(struct decoded *d, const json_t *o)
{
    d->connect = (struct record_connect){ .t_us = d->t_us,
                                          .upstream = SPAN(o, connect_upstream),
                                          .local = SPAN(o, connect_local),
                                          .us = COUNT(o, connect_us),
                                          .error = or_null(TEXT(o, connect_error)) };
}

static void take_certificate(struct tls_facts *f, const json_t *o)
{
    COPY(f->subject, o, certificate_subject);
    COPY(f->issuer, o, certificate_issuer);
    COPY(f->not_before, o, certificate_not_before);
    COPY(f->not_after, o, certificate_not_after);
    COPY(f->sha256, o, certificate_sha256);
    COPY(f->spki_sha256, o, certificate_spki_sha256);
    COPY(f->verify, o, certificate_verify);
}

static enum tls_failure failure_of(const char *name)
{
#define X(id, name, text) name,
    static const char *const names[] = { TLS_FAILURES(X) };
#undef X
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return (enum tls_failure)i;
    return TLS_FAILURE_PROTOCOL;
}

static int16_t alert_of(const json_t *alert)
{
    return (int16_t)(alert != NULL ? (int)COUNT(alert, alert_number) : TLS_ALERT_UNKNOWN);
}

static void take_facts(struct tls_facts *f, const json_t *o)
{
    enum { NO_HELLO, CLIENT_HELLO, SERVER_HELLO, BOTH_HELLOS };
    const json_t *alerts = GET(o, tls_alert);
    int hello = FLAG(o, tls_ok) ? BOTH_HELLOS : WORD_OF(o, tls_hello, NO_HELLO);

    *f = (struct tls_facts){ .failure = failure_of(TEXT(o, tls_failure)),
                             .alert_received = alert_of(GET(alerts, alerts_received)),
                             .alert_sent = alert_of(GET(alerts, alerts_sent)),
                             .resumed = FLAG(o, tls_resumed),
                             .hello_client = hello == CLIENT_HELLO || hello == BOTH_HELLOS,
                             .hello_server = hello == SERVER_HELLO || hello == BOTH_HELLOS };
    COPY(f->detail, o, tls_detail);
    COPY(f->version, o, tls_version);
    COPY(f->cipher, o, tls_cipher);
    COPY(f->server_name, o, tls_server_name);
    COPY(f->alpn, o, tls_alpn);
    COPY(f->alpn_offered, o, tls_alpn_offered);
    take_certificate(f, GET(o, tls_certificate));
}

static void take_notes(struct decoded *d, const json_t *list)
{
    struct notes *notes = &d->event.notes;

    for (size_t i = 0; i < json_array_size(list) && notes->len < NOTES_MAX; i++) {
        const json_t *o = json_array_get(list, i);
        unsigned id = 0;
        while (id < NOTE_COUNT && strcmp(note_name((enum note_id)id), TEXT(o, note_id)) != 0)
            id++;
        if (id < NOTE_COUNT)
            notes->list[notes->len++] = (struct note){ .at = COUNT(o, note_at),
                                                       .count = (uint32_t)COUNT(o, note_count),
                                                       .id = (uint8_t)id };
    }
}

static void take_tls(struct decoded *d, const json_t *o)
{
    enum { WITH_CLIENT, WITH_SERVER, THROUGH };
    int side = WORD_OF(o, tls_side, WITH_CLIENT);

    take_facts(&d->tls_facts, o);
    d->tls = (struct record_tls){ .t_us = d->t_us,
                                  .us = COUNT(o, tls_us),
                                  .side = side == WITH_SERVER ? SERVER : CLIENT,
                                  .starttls = WORD_OF(o, tls_how, 0) == 0,
                                  .facts = &d->tls_facts };
    d->tls_through = side == THROUGH;
    if (d->tls_through) {
        d->event.kind = EVENT_TLS;
        d->event.tls = d->tls.facts;
        d->event.tls_us = d->tls.us;
        take_notes(d, GET(o, tls_notes));
    }
}

static void take_reply(struct decoded *d, const json_t *o)
{
    struct event *e = &d->event;

    e->origin = (enum origin)WORD_OF(o, reply_origin, ORIGIN_NONE);
    e->reply = WIRE(d, o, reply_reply);
    e->replied = WIRE(d, o, reply_replied);
    e->code = (unsigned)COUNT(o, reply_code);
    e->enhanced = SPAN(o, reply_enhanced);
    e->reply_us = COUNT(o, reply_reply_us);
}

static void take_greeting(struct decoded *d, const json_t *o)
{
    d->event.kind = EVENT_GREETING;
    d->event.at = COUNT(o, greeting_at);
    take_reply(d, o);
    take_notes(d, GET(o, greeting_notes));
}

static enum verb verb_of(const char *name)
{
    return strcmp(name, ".") == 0 ? VERB_DOT : verb_lookup(span_str(name));
}

static void take_reads(struct event *e, const json_t *o)
{
    const json_t *list = GET(o, command_reads);

    for (size_t i = 0; i < json_array_size(list) && i < EVENT_READS_MAX; i++)
        e->reads[e->reads_len++] = (uint16_t)json_integer_value(json_array_get(list, i));
    e->reads_more = FLAG(o, command_reads_more);
}

/* The record holds the argument twice; the writer is given a view of the line. */
static struct span arg_in(struct span line, struct span arg)
{
    for (size_t i = 0; !span_is_empty(arg) && i + arg.len <= line.len; i++)
        if (memcmp(line.ptr + i, arg.ptr, arg.len) == 0 && i > 0)
            return span_of(line.ptr + i, arg.len);
    return arg;
}

static void take_command(struct decoded *d, const json_t *o)
{
    struct event *e = &d->event;

    e->kind = EVENT_COMMAND;
    e->at = COUNT(o, command_at);
    e->verb = verb_of(TEXT(o, command_verb));
    e->auth_line = FLAG(o, command_auth_line);
    e->received = WIRE(d, o, command_received);
    e->arg = arg_in(e->received, WIRE(d, o, command_arg));
    if (GET(o, command_redacted) != NULL)
        e->secret = e->received; /* a part of it */
    e->forwarded = WIRE(d, o, command_forwarded);
    e->received_octets = COUNT(o, command_received_octets);
    if (e->received_octets == 0)
        e->received_octets = e->received.len;
    e->disposition = (enum disposition)WORD_OF(o, command_action, DISPOSITION_SWALLOWED);
    e->forwarded_us = COUNT(o, command_forward_us);
    take_reads(e, o);
    take_reply(d, o);
    take_notes(d, GET(o, command_notes));
}

static void take_figures(struct data_stats *f, const json_t *o)
{
    const json_t *endings = GET(o, content_endings);

    f->octets = COUNT(o, content_octets);
    f->octets_sent = COUNT(o, content_octets_sent);
    f->lines = COUNT(o, content_lines);
    f->longest_line = COUNT(o, content_longest_line);
    f->crlf = COUNT(endings, endings_crlf);
    f->bare_lf = COUNT(endings, endings_bare_lf);
    f->crcrlf = COUNT(endings, endings_crcrlf);
    f->bare_cr = COUNT(endings, endings_bare_cr);
    f->nul = COUNT(o, content_nul);
    f->eight_bit = COUNT(o, content_eight_bit);
    f->leading_dots = COUNT(o, content_leading_dots);
    f->header_octets = COUNT(o, content_header_octets);
    f->signed_headers = FLAG(o, content_signed_headers);
    f->altered = FLAG(o, content_altered);
}

static void take_content_reads(struct decoded *d, const json_t *reads)
{
    const json_t *at = GET(reads, reads_at);

    memset(d->read_at, 0, sizeof d->read_at);
    for (size_t i = 0; i < json_array_size(at) && i < DATA_READS_MAX; i++)
        d->read_at[i] = (uint64_t)json_integer_value(json_array_get(at, i));
    d->event.content_reads = COUNT(reads, reads_n);
    d->event.content_read_at = d->read_at;
}

static uint8_t take_hash(unsigned char out[DKIM_HASH_MAX], const char *hex)
{
    size_t len = strlen(hex) / 2 < DKIM_HASH_MAX ? strlen(hex) / 2 : DKIM_HASH_MAX;

    for (size_t i = 0; i < len; i++) {
        char octet[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
        out[i] = (unsigned char)strtoul(octet, NULL, 16);
    }
    return (uint8_t)len;
}

static void take_signature(struct dkim_signature *s, const json_t *o)
{
    *s = (struct dkim_signature){
        .result = (enum dkim_result)WORD_OF(o, signature_result, DKIM_UNKNOWN),
        .arc = WORD_OF(o, signature_header, 0) == 1,
        .instance = (uint8_t)COUNT(o, signature_instance),
        .relaxed = WORD_OF(o, signature_canonicalization, 0) == 1,
        .sha1 = strstr(TEXT(o, signature_algorithm), "sha1") != NULL,
        .limited = GET(o, signature_length) != NULL,
        .length = COUNT(o, signature_length),
        .damage = or_null(TEXT(o, signature_damage)),
    };
    COPY(s->algorithm, o, signature_algorithm);
    COPY(s->domain, o, signature_domain);
    COPY(s->selector, o, signature_selector);
    COPY(s->damage_text, o, signature_damage_text);
    take_hash(s->computed, TEXT(o, signature_computed));
    s->hash_len = take_hash(s->expected, TEXT(o, signature_expected));
}

static void take_dkim(struct decoded *d, const json_t *o)
{
    const json_t *list = GET(o, content_dkim);

    d->dkim = NULL;
    if (list == NULL)
        return;
    d->verdict.count = 0;
    d->verdict.more = FLAG(o, content_dkim_more);
    for (size_t i = 0; i < json_array_size(list) && i < DKIM_SIGNATURES_MAX; i++)
        take_signature(&d->verdict.signatures[d->verdict.count++], json_array_get(list, i));
    d->dkim = &d->verdict;
}

static uint8_t refused_by(const char *name)
{
    unsigned id = 0;

    while (id < NOTE_COUNT && strcmp(note_name((enum note_id)id), name) != 0)
        id++;
    return (uint8_t)id;
}

static void take_content(struct decoded *d, const json_t *o)
{
    struct event *e = &d->event;

    memset(&d->data, 0, offsetof(struct data, scratch));
    e->kind = EVENT_CONTENT;
    e->data = &d->data;
    e->at = COUNT(o, content_at);
    e->bdat = WORD_OF(o, content_via, 0) == 1;
    e->complete = FLAG(o, content_complete);
    e->content_us = COUNT(o, content_us);
    d->data.refused = FLAG(o, content_refused);
    d->data.refused_by = refused_by(TEXT(o, content_refused_by));
    d->headers = WIRE(d, o, content_headers);
    take_dkim(d, o);
    take_figures(&d->data.stats, o);
    take_content_reads(d, GET(o, content_reads));
    take_notes(d, GET(o, content_notes));
    d->data.notes = e->notes;
}

static void take_both(uint64_t out[2], const json_t *o)
{
    out[CLIENT] = COUNT(o, both_client);
    out[SERVER] = COUNT(o, both_server);
}

static void take_sample_side(struct decoded *d, enum side side, struct span bytes)
{
    bytes = span_first(bytes, OPAQUE_SAMPLE_MAX);
    if (bytes.len > 0)
        memcpy(d->sample.octets[side], bytes.ptr, bytes.len);
    d->sample.len[side] = bytes.len;
}

static void take_opaque(struct decoded *d, const json_t *o)
{
    const json_t *sample = GET(o, opaque_sample);
    struct event *e = &d->event;

    e->kind = EVENT_OPAQUE;
    e->opaque_why = TEXT(o, opaque_why);
    take_both(e->opaque_octets, GET(o, opaque_octets));
    take_both(e->opaque_missing, GET(o, opaque_missing));
    if (sample != NULL) {
        take_sample_side(d, CLIENT, WIRE(d, sample, sample_client));
        take_sample_side(d, SERVER, WIRE(d, sample, sample_server));
        d->sample.secret[CLIENT] = d->sample.secret[SERVER] = SPAN_LIT("");
        e->opaque_sample = &d->sample;
    }
    take_notes(d, GET(o, opaque_notes));
}

static void take_finding(struct decoded *d, const json_t *o)
{
    const json_t *products = GET(o, finding_products);
    struct finding *f = &d->finding;

    *f = (struct finding){
        .id = TEXT(o, finding_id),
        .name = TEXT(o, finding_name),
        .severity = (enum severity)WORD_OF(o, finding_severity, SEVERITY_INFO),
        .confidence = (enum confidence)WORD_OF(o, finding_confidence, CONFIDENCE_LOW),
        .side = (enum blame)WORD_OF(o, finding_side, BLAME_UNKNOWN),
        .record = (uint32_t)COUNT(o, finding_record),
        .field = or_null(TEXT(o, finding_field)),
        .at = COUNT(o, finding_at),
        .bytes = span_first(WIRE(d, o, finding_bytes), FINDING_BYTES_MAX),
        .next_test = or_null(TEXT(o, finding_next_test)),
    };
    COPY(f->text, o, finding_text);
    for (size_t i = 0; i < json_array_size(products) && i < FINDING_PRODUCTS_MAX; i++)
        f->products[i] = json_string_value(json_array_get(products, i));
}

static enum close_reason reason_of(const char *name)
{
    for (unsigned i = 0; i < CLOSE_COUNT; i++)
        if (strcmp(close_name((enum close_reason)i), name) == 0)
            return (enum close_reason)i;
    return CLOSE_INTERNAL;
}

static struct record_tcp leg_of(const json_t *o)
{
    return (struct record_tcp){ .valid = o != NULL,
                                .rtt_us = (uint32_t)COUNT(o, leg_rtt_us),
                                .retransmits = (uint32_t)COUNT(o, leg_retransmits),
                                .unacked = (uint32_t)COUNT(o, leg_unacked),
                                .pmtu = (uint32_t)COUNT(o, leg_pmtu),
                                .acked = COUNT(o, leg_acked),
                                .received = COUNT(o, leg_received) };
}

/* "good", or "good/all" when they differ. */
static void take_commands(struct decoded *d, const json_t *o)
{
    for (unsigned i = 0; i < TALLY_COUNT; i++) {
        char *rest;
        d->good[i] = (uint32_t)strtoul(record_text(o, verb_tally_name(i)), &rest, 10);
        d->all[i] = *rest == '/' ? (uint32_t)strtoul(rest + 1, NULL, 10) : d->good[i];
    }
}

static void take_close(struct decoded *d, const json_t *o)
{
    static const int firsts[] = { CLIENT, SERVER, -1, -2 };
    const json_t *octets = GET(o, close_octets), *tcp = GET(o, close_tcp);

    d->close = (struct record_close){
        .t_us = d->t_us,
        .us = COUNT(o, close_us),
        .reason = reason_of(TEXT(o, close_reason)),
        .first = firsts[WORD_OF(o, close_first, 2)],
        .how = (enum close_kind)WORD_OF(o, close_how, END_NONE),
        .first_us = COUNT(o, close_first_us),
        .octets_in = { COUNT(octets, octets_client_in), COUNT(octets, octets_server_in) },
        .octets_out = { COUNT(octets, octets_client_out), COUNT(octets, octets_server_out) },
        .tcp = { leg_of(GET(tcp, legs_client)), leg_of(GET(tcp, legs_server)) },
    };
    d->findings = (uint32_t)COUNT(o, close_findings);
    if (GET(o, close_commands) != NULL) {
        take_commands(d, GET(o, close_commands));
        d->close.good = d->good;
        d->close.all = d->all;
    }
}

static void take_lost(struct decoded *d, const json_t *o)
{
    d->lost = COUNT(o, lost_records);
}

bool decode(struct decoded *d, const struct record *r)
{
    static void (*const takes[RECORD_KIND_COUNT])(struct decoded *, const json_t *) = {
#define RECORD(id, ID, text) [RECORD_##ID] = take_##id,
#define OBJECT(id, text)
#define FIELD(of, key, type, need, text)
#include "transcript/records.def"
    };

    forget(d);
    d->failed = false;
    d->kind = r->kind;
    d->t_us = decode_time(r->t);
    d->n = (uint32_t)r->n;
    d->event = (struct event){ .t_us = d->t_us };
    takes[r->kind](d, r->root);
    return !d->failed;
}
