/* stored_event - greeting, command, content, opaque. */
#include "analysis/stored/stored_private.h"

#include <stdio.h>
#include <stdlib.h>

static void take_notes(struct stored *s, const json_t *o)
{
    const json_t *list = json_object_get(o, "notes");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *note = json_array_get(list, i);
        const char *id = record_text(note, "id");
        for (unsigned k = 0; k < NOTE_COUNT; k++)
            if (strcmp(note_name((enum note_id)k), id) == 0)
                notes_add(&s->event.notes, (enum note_id)k, record_count(note, "at"));
    }
}

static void take_reply(struct stored *s, const json_t *o)
{
    static const char *const origins[] = { "upstream", "proxy", "none" };
    struct event *e = &s->event;

    e->origin = (enum origin)stored_word(origins, 3, record_text(o, "origin"), ORIGIN_NONE);
    e->reply = stored_text(s, o, "reply");
    e->replied = stored_text(s, o, "replied");
    e->code = (unsigned)record_count(o, "code");
    e->enhanced = span_str(record_text(o, "enhanced"));
    e->reply_us = record_count(o, "reply_us");
    e->at = record_count(o, "at");
    take_notes(s, o);
}

void stored_take_greeting(struct stored *s, const json_t *o)
{
    s->event.kind = EVENT_GREETING;
    s->seen.event = &s->event;
    take_reply(s, o);
}

static enum verb verb_of(const char *name)
{
    return strcmp(name, ".") == 0 ? VERB_DOT : verb_lookup(span_str(name));
}

static void take_reads(struct event *e, const json_t *o)
{
    const json_t *list = json_object_get(o, "reads");

    for (size_t i = 0; i < json_array_size(list) && i < EVENT_READS_MAX; i++)
        e->reads[e->reads_len++] = (uint16_t)json_integer_value(json_array_get(list, i));
    e->reads_more = record_flag(o, "reads_more");
}

void stored_take_command(struct stored *s, const json_t *o)
{
    static const char *const actions[] = { "relayed",  "rewritten", "refused",
                                           "stripped", "swallowed", "added" };
    struct event *e = &s->event;

    e->kind = EVENT_COMMAND;
    s->seen.event = e;
    e->verb = verb_of(record_text(o, "verb"));
    e->auth_line = record_flag(o, "auth_line");
    e->arg = stored_text(s, o, "arg");
    e->received = stored_text(s, o, "received");
    if (json_object_get(o, "redacted") != NULL)
        e->secret = e->received; /* which part of it does not matter here */
    e->forwarded = stored_text(s, o, "forwarded");
    e->received_octets = record_count(o, "received_octets");
    if (e->received_octets == 0)
        e->received_octets = e->received.len;
    e->disposition = (enum disposition)stored_word(
        actions, ARRAY_LEN(actions), record_text(o, "action"), DISPOSITION_SWALLOWED);
    e->forwarded_us = record_count(o, "forward_us");
    take_reads(e, o);
    take_reply(s, o);
}

static void take_figures(struct data_stats *f, const json_t *o)
{
    const json_t *endings = json_object_get(o, "endings");

    f->octets = record_count(o, "octets");
    f->octets_sent = record_count(o, "octets_sent");
    f->lines = record_count(o, "lines");
    f->longest_line = record_count(o, "longest_line");
    f->crlf = record_count(endings, "crlf");
    f->bare_lf = record_count(endings, "bare_lf");
    f->crcrlf = record_count(endings, "crcrlf");
    f->bare_cr = record_count(endings, "bare_cr");
    f->nul = record_count(o, "nul");
    f->eight_bit = record_count(o, "eight_bit");
    f->leading_dots = record_count(o, "leading_dots");
    f->header_octets = record_count(o, "header_octets");
    f->signed_headers = record_flag(o, "signed_headers");
    f->altered = record_flag(o, "altered");
}

static void take_content_reads(struct stored *s, const json_t *o)
{
    const json_t *reads = json_object_get(o, "reads"), *at = json_object_get(reads, "at");

    memset(s->read_at, 0, sizeof s->read_at);
    for (size_t i = 0; i < json_array_size(at) && i < DATA_READS_MAX; i++)
        s->read_at[i] = (uint64_t)json_integer_value(json_array_get(at, i));
    s->event.content_reads = record_count(reads, "n");
    s->event.content_read_at = s->read_at;
}

static void take_hash(unsigned char *out, uint8_t *len, const char *hex)
{
    size_t n = strlen(hex) / 2;

    *len = (uint8_t)(n < DKIM_HASH_MAX ? n : DKIM_HASH_MAX);
    for (unsigned i = 0; i < *len; i++) {
        char octet[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
        out[i] = (unsigned char)strtoul(octet, NULL, 16);
    }
}

static void take_signature(struct dkim_signature *d, const json_t *o)
{
#define X(id, name) name,
    static const char *const results[] = { DKIM_RESULTS(X) };
#undef X
    const char *damage = record_text(o, "damage");
    uint8_t computed;

    *d = (struct dkim_signature){
        .result = (enum dkim_result)stored_word(results, ARRAY_LEN(results),
                                                record_text(o, "result"), DKIM_UNKNOWN),
        .arc = strcmp(record_text(o, "header"), "arc") == 0,
        .instance = (uint8_t)record_count(o, "instance"),
        .relaxed = strcmp(record_text(o, "canonicalization"), "relaxed") == 0,
        .sha1 = strstr(record_text(o, "algorithm"), "sha1") != NULL,
        .limited = json_object_get(o, "length") != NULL,
        .length = record_count(o, "length"),
        .damage = damage[0] != '\0' ? damage : NULL,
    };
    snprintf(d->algorithm, sizeof d->algorithm, "%s", record_text(o, "algorithm"));
    snprintf(d->domain, sizeof d->domain, "%s", record_text(o, "domain"));
    snprintf(d->selector, sizeof d->selector, "%s", record_text(o, "selector"));
    snprintf(d->damage_text, sizeof d->damage_text, "%s", record_text(o, "damage_text"));
    take_hash(d->computed, &computed, record_text(o, "computed"));
    take_hash(d->expected, &d->hash_len, record_text(o, "expected"));
}

static void take_dkim(struct stored *s, const json_t *o)
{
    const json_t *list = json_object_get(o, "dkim");

    if (list == NULL)
        return;
    s->dkim.count = 0;
    s->dkim.more = record_flag(o, "dkim_more");
    for (size_t i = 0; i < json_array_size(list) && i < DKIM_SIGNATURES_MAX; i++)
        take_signature(&s->dkim.signatures[s->dkim.count++], json_array_get(list, i));
    s->seen.dkim = &s->dkim;
}

void stored_take_content(struct stored *s, const json_t *o)
{
    struct event *e = &s->event;

    memset(&s->data, 0, offsetof(struct data, scratch));
    e->kind = EVENT_CONTENT;
    s->seen.event = e;
    e->data = &s->data;
    e->at = record_count(o, "at");
    e->bdat = strcmp(record_text(o, "via"), "bdat") == 0;
    e->complete = record_flag(o, "complete");
    e->content_us = record_count(o, "us");
    s->data.refused = record_flag(o, "refused");
    s->seen.headers = stored_text(s, o, "headers");
    take_dkim(s, o);
    take_figures(&s->data.stats, o);
    take_content_reads(s, o);
    take_notes(s, o);
    s->data.notes = e->notes;
}

void stored_take_opaque(struct stored *s, const json_t *o)
{
    const json_t *octets = json_object_get(o, "octets");

    s->event.kind = EVENT_OPAQUE;
    s->seen.event = &s->event;
    s->event.opaque_why = record_text(o, "why");
    s->event.opaque_octets[CLIENT] = record_count(octets, "client");
    s->event.opaque_octets[SERVER] = record_count(octets, "server");
    take_notes(s, o);
}
