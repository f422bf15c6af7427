#include "transcript/content.h"
#include "transcript/record_dkim.h"
#include "transcript/record_writer.h"
#include "transcript/spool.h"

#include <stdio.h>

enum {
    BLOCK_OCTETS = 8 + 2 * HASH_OCTETS + 6, /* of one block in the record, at most */
    SPOOL_NAME = SID_TEXT + 16,
    CONTENT_FIXED = 2048, /* beyond RECORD_FIXED: the list of reads */
};

/* Stands for a content whose digest could not be made: memory was out. */
static struct content_digest no_digest;

static struct content_digest *digest_begin(struct recorder *r)
{
    char name[SPOOL_NAME];
    bool full = r->stream->config->content == CONTENT_LEVEL_FULL;

    r->contents++;
    if (full)
        snprintf(name, sizeof name, "%s-%u.eml", r->sid, (unsigned)r->contents);
    struct content_digest *d = content_digest_begin(r->stream, full ? name : NULL);
    return d != NULL ? d : &no_digest;
}

static void add(struct recorder *r, enum content_mark mark, struct span bytes, bool stuffed)
{
    if (mark == CONTENT_NONE || !stream_is_on(r->stream) ||
        r->stream->config->content == CONTENT_LEVEL_NONE)
        return;
    if (r->digest == NULL)
        r->digest = digest_begin(r);
    if (r->digest != &no_digest)
        content_add(r->digest, mark, bytes, stuffed);
}

void record_content(struct recorder *r, enum content_mark mark, struct span bytes)
{
    add(r, mark, bytes, true);
}

void record_chunk(struct recorder *r, enum content_mark mark, struct span bytes)
{
    add(r, mark, bytes, false);
}

static struct dkim *dkim_of(const struct recorder *r)
{
    return r->digest != NULL ? r->digest->dkim : NULL; /* no_digest has none */
}

const struct dkim_verdict *record_content_dkim(struct recorder *r, bool complete)
{
    return dkim_of(r) != NULL ? dkim_finish(dkim_of(r), complete) : NULL;
}

bool record_content_body(const struct recorder *r, struct span *body)
{
    return dkim_of(r) != NULL && dkim_body(dkim_of(r), body);
}

void record_content_damage(struct recorder *r, unsigned i, const char *damage, const char *text)
{
    if (dkim_of(r) != NULL)
        dkim_set_damage(dkim_of(r), i, damage, text);
}

void record_content_end(struct recorder *r)
{
    if (r->digest == &no_digest)
        r->digest = NULL;
    content_digest_free(&r->digest, r->stream);
}

static void put_figures(struct json *j, const struct data_stats *s)
{
    PUT_U64(j, content_octets, s->octets);
    if (s->altered)
        PUT_U64(j, content_octets_sent, s->octets_sent);
    PUT_U64(j, content_lines, s->lines);
    PUT_U64(j, content_longest_line, s->longest_line);
    PUT_OBJECT(j, content_endings);
    PUT_FIRST(j, endings_crlf);
    json_u64(j, s->crlf);
    PUT_U64(j, endings_bare_lf, s->bare_lf);
    PUT_U64(j, endings_crcrlf, s->crcrlf);
    PUT_U64(j, endings_bare_cr, s->bare_cr);
    *j->p++ = '}';
    PUT_U64(j, content_nul, s->nul);
    PUT_U64(j, content_eight_bit, s->eight_bit);
    PUT_U64(j, content_leading_dots, s->leading_dots);
    PUT_U64(j, content_header_octets, s->header_octets);
    PUT_BOOL(j, content_signed_headers, s->signed_headers);
}

static void put_reads(struct json *j, const struct event *e)
{
    uint64_t n = e->content_reads < DATA_READS_MAX ? e->content_reads : DATA_READS_MAX;

    PUT_OBJECT(j, content_reads);
    PUT_FIRST(j, reads_n);
    json_u64(j, e->content_reads);
    PUT_LIST(j, reads_at);
    for (uint64_t i = 0; i < n && e->content_read_at != NULL; i++) {
        if (i > 0)
            *j->p++ = ',';
        json_u64(j, e->content_read_at[i]);
    }
    JSON_LIT(j, "]}");
}

static void put_hash(struct json *j, const unsigned char hash[HASH_OCTETS])
{
    *j->p++ = '"';
    json_hex(j, hash, HASH_OCTETS);
    *j->p++ = '"';
}

static void put_blocks(struct json *j, const struct content_digest *d)
{
    PUT_LIST(j, digest_blocks);
    for (uint32_t i = 0; i < d->block_count && !j->full; i++) {
        if (i > 0)
            *j->p++ = ',';
        *j->p++ = '[';
        json_u64(j, d->blocks[i].octets);
        *j->p++ = ',';
        put_hash(j, d->blocks[i].hash);
        *j->p++ = ']';
    }
    *j->p++ = ']';
    PUT_U64_IF(j, digest_blocks_omitted, d->octets - d->listed);
}

static void put_sha256(struct json *j, const struct content_digest *d)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (d->sha256 == NULL || EVP_DigestFinal_ex(d->sha256, hash, &len) != 1)
        return;
    PUT_HEX(j, content_sha256, hash, len);
}

static void put_digest(struct json *j, const struct content_digest *d)
{
    unsigned char hash[HASH_OCTETS];

    PUT_OBJECT(j, content_digest);
    PUT_FIRST(j, digest_alg);
    json_text(j, SPAN_LIT("xxh3-128"));
    d->hash->digest(d->whole, hash);
    PUT_HEX(j, digest_whole, hash, HASH_OCTETS);
    if (d->forked) {
        d->hash->digest(d->sent, hash);
        PUT_HEX(j, digest_sent, hash, HASH_OCTETS);
    }
    put_blocks(j, d);
    *j->p++ = '}';
    put_sha256(j, d);
    PUT_TEXT_IF(j, content_headers, buf_span(&d->header));
    if (d->spool != NULL) {
        PUT_OBJECT(j, content_spool);
        PUT_FIRST(j, spool_file);
        json_text(j, span_str(spool_name(d->spool)));
        PUT_U64(j, spool_octets, spool_octets(d->spool));
        *j->p++ = '}';
    }
}

static void put_content(struct json *j, const struct event *e)
{
    const struct data *data = e->data;

    PUT_U64(j, content_at, e->at);
    PUT_TEXT(j, content_via, e->bdat ? SPAN_LIT("bdat") : SPAN_LIT("data"));
    PUT_BOOL(j, content_complete, e->complete);
    PUT_BOOL(j, content_altered, data->stats.altered);
    PUT_BOOL(j, content_refused, data->refused);
    if (data->refused)
        PUT_TEXT(j, content_refused_by, span_str(note_name((enum note_id)data->refused_by)));
    put_figures(j, &data->stats);
    put_reads(j, e);
    PUT_U64(j, content_us, e->content_us);
    put_notes(j, e->notes.len > 0 ? &e->notes : &data->notes);
}

static void give_headers(struct content_digest *d, struct buf *headers)
{
    *headers = d->header;
    buf_init(&d->header, CONTENT_HEADER_MAX);
}

static void write_content(struct recorder *r, const struct event *e, struct buf *headers)
{
    struct content_digest *d;
    const struct dkim_verdict *dkim = record_content_dkim(r, e->complete);
    size_t octets = CONTENT_FIXED / JSON_OCTET_MAX + 1;
    struct json j;

    if (r->digest == NULL && r->stream->config->content != CONTENT_LEVEL_NONE)
        r->digest = digest_begin(r); /* an empty content */
    d = r->digest != &no_digest ? r->digest : NULL;
    if (d != NULL) {
        content_finish(d);
        octets += d->header.len + d->block_count * BLOCK_OCTETS / JSON_OCTET_MAX + 1;
        octets += dkim_record_octets(dkim);
    }
    if (record_begin(&j, r, RECORD_CONTENT, e->t_us, octets)) {
        put_content(&j, e);
        if (d != NULL)
            put_digest(&j, d);
        dkim_record(&j, dkim);
        record_end(&j, r);
        if (d != NULL)
            give_headers(d, headers);
    }
}

void record_content_event(struct recorder *r, const struct event *e, struct buf *headers)
{
    buf_init(headers, 0);
    if (stream_is_on(r->stream))
        write_content(r, e, headers);
    record_content_end(r);
}
