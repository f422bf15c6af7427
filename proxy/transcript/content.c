#include "transcript/content.h"

#include "transcript/spool.h"

#include <assert.h>
#include <stdlib.h>

enum { BLOCKS_FIRST = 16 };

static size_t state_stride(void)
{
    return (hash_state_size() + HASH_STATE_ALIGN - 1) / HASH_STATE_ALIGN * HASH_STATE_ALIGN;
}

size_t content_digest_size(void)
{
    return sizeof(struct content_digest) + 3 * state_stride() + HASH_STATE_ALIGN;
}

static EVP_MD_CTX *sha256_begin(void)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1)
        return ctx;
    EVP_MD_CTX_free(ctx);
    return NULL;
}

struct content_digest *content_digest_begin(struct stream *s, const char *spool)
{
    struct content_digest *d = pool_take(&s->digests);

    if (d == NULL)
        return NULL;
    *d = (struct content_digest){ .hash = hash_ops() };
    unsigned char *p = d->states;
    p += (HASH_STATE_ALIGN - (uintptr_t)p % HASH_STATE_ALIGN) % HASH_STATE_ALIGN;
    d->whole = p;
    d->block = p + state_stride();
    d->sent = p + 2 * state_stride();
    d->hash->reset(d->whole);
    buf_init(&d->header, CONTENT_HEADER_MAX);
    d->header_open =
        s->config->content >= CONTENT_LEVEL_HEADERS && s->config->redact != REDACT_ALL;
    if (s->config->sha256)
        d->sha256 = sha256_begin();
    if (s->config->dkim != DKIM_LEVEL_NO)
        d->dkim = dkim_new(s->config->dkim == DKIM_LEVEL_REPAIR);
    if (spool != NULL)
        d->spool = spool_new(s, s->config->spool, spool);
    return d;
}

static bool blocks_grow(struct content_digest *d)
{
    uint32_t size = d->block_size ? 2 * d->block_size : BLOCKS_FIRST;

    if (d->block_count >= CONTENT_BLOCKS_MAX)
        return false;
    struct content_block *list = realloc(d->blocks, size * sizeof *list);
    if (list == NULL)
        return false;
    d->blocks = list;
    d->block_size = size;
    return true;
}

/* Where the next block's hash goes, or NULL: no more are listed. */
static struct content_block *block_next(struct content_digest *d)
{
    if ((d->block_count == d->block_size || d->block_count >= CONTENT_BLOCKS_MAX) &&
        !blocks_grow(d)) {
        d->blocks_full = true;
        return NULL;
    }
    return &d->blocks[d->block_count];
}

static void block_close(struct content_digest *d, struct span last, uint32_t octets)
{
    struct content_block *b = block_next(d);

    if (b == NULL)
        return;
    if (d->block_open) {
        d->hash->update(d->block, last);
        d->hash->digest(d->block, b->hash);
    } else {
        d->hash->whole(last, b->hash);
    }
    b->octets = octets;
    d->block_count++;
    d->listed += octets;
    d->block_open = false;
}

static void block_begin(struct content_digest *d, struct span first)
{
    if (!d->block_open)
        d->hash->reset(d->block);
    d->block_open = true;
    d->hash->update(d->block, first);
}

static void blocks_add(struct content_digest *d, struct span in)
{
    while (in.len > 0 && !d->blocks_full) {
        uint32_t before = d->cutter.octets;
        bool ends;
        struct span part = span_first(in, cutter_take(&d->cutter, in, &ends));

        if (ends)
            block_close(d, part, before + (uint32_t)part.len);
        else
            block_begin(d, part);
        in = span_drop(in, part.len);
    }
}

/* An empty line at or after `from`: LF LF or LF CR LF. Returns the end, or 0. */
static size_t header_end(struct span text, size_t from)
{
    for (size_t at = from; at < text.len; at++) {
        at += span_find(span_drop(text, at), '\n');
        if (at + 1 < text.len && text.ptr[at + 1] == '\n')
            return at + 2;
        if (at + 2 < text.len && text.ptr[at + 1] == '\r' && text.ptr[at + 2] == '\n')
            return at + 3;
    }
    return 0;
}

static void header_add(struct content_digest *d, struct span in)
{
    size_t before = d->header.len;
    struct span part = span_first(in, CONTENT_HEADER_MAX - before);

    if (!buf_append(&d->header, part)) {
        d->header_open = false;
        return;
    }
    size_t end = header_end(buf_span(&d->header), before > 2 ? before - 2 : 0);
    if (end != 0)
        d->header.len = (uint32_t)end;
    if (end != 0 || d->header.len == CONTENT_HEADER_MAX)
        d->header_open = false;
}

static void received_add(struct content_digest *d, struct span in)
{
    d->hash->update(d->whole, in);
    d->octets += in.len;
    blocks_add(d, in);
    if (d->header_open)
        header_add(d, in);
    if (d->sha256 != NULL)
        EVP_DigestUpdate(d->sha256, in.ptr, in.len);
    if (d->spool != NULL)
        spool_add(d->spool, in);
}

void content_add(struct content_digest *d, enum content_mark mark, struct span bytes,
                 bool stuffed)
{
    if (bytes.len == 0)
        return;
    if (mark != CONTENT_SAME && !d->forked) {
        memcpy(d->sent, d->whole, hash_state_size());
        d->forked = true;
    }
    if (mark == CONTENT_SENT || (mark == CONTENT_SAME && d->forked))
        d->hash->update(d->sent, bytes);
    if (mark == CONTENT_SENT)
        return;
    received_add(d, bytes);
    if (d->dkim != NULL)
        dkim_add(d->dkim, bytes, stuffed);
}

void content_finish(struct content_digest *d)
{
    if (d->block_open && !d->blocks_full)
        block_close(d, (struct span){ NULL, 0 }, d->cutter.octets);
    if (d->spool != NULL)
        spool_end(d->spool);
}

void content_digest_free(struct content_digest **dp, struct stream *s)
{
    struct content_digest *d = *dp;

    *dp = NULL;
    if (d == NULL)
        return;
    spool_free(&d->spool);
    dkim_free(&d->dkim);
    EVP_MD_CTX_free(d->sha256);
    buf_release(&d->header);
    free(d->blocks);
    pool_give(&s->digests, d);
}
