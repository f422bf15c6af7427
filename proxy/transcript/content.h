/*
 * content - the digest of one message's content as it passes.
 *
 * XXH3-128 of all that was received, of each block of it (cutter.h), and, from the
 * first difference on, of what was sent; SHA-256, the header section, the spool
 * file and a look at DKIM signatures if the configuration asks for them.
 *
 * Owns:   its hash states, the list of blocks, the header text. Lives while a
 *         content is under way, in the stream's pool.
 * Limits: 20000 blocks are listed (about 80 MiB), so that the record stays below
 *         1 MiB; 64 KiB of header text.
 */
#ifndef TRANSCRIPT_CONTENT_H
#define TRANSCRIPT_CONTENT_H

#include "base/buf.h"
#include "smtp/session.h"
#include "transcript/cutter.h"
#include "dkim/dkim.h"
#include "transcript/hash.h"
#include "transcript/stream.h"

#include <openssl/evp.h>

enum {
    CONTENT_BLOCKS_MAX = 20000,
    CONTENT_HEADER_MAX = 65536,
};

struct content_block {
    uint32_t octets;
    unsigned char hash[HASH_OCTETS];
};

struct content_digest {
    const struct hash_ops *hash;
    void *whole, *block, *sent; /* states, inside this object's memory */
    struct cutter cutter;
    bool block_open; /* `block` holds the block's first octets */
    bool forked;     /* `sent` differs from `whole` */
    bool blocks_full;
    uint64_t octets; /* received */
    uint64_t listed; /* of them in blocks */
    struct content_block *blocks;
    uint32_t block_count, block_size;
    EVP_MD_CTX *sha256;
    struct buf header; /* its first octets, until the empty line */
    bool header_open;
    struct spool *spool;
    struct dkim *dkim;
    unsigned char states[];
};

size_t content_digest_size(void);

/* NULL when memory is out. spool: the name of the spool file, NULL for none. */
MUST_CHECK struct content_digest *content_digest_begin(struct stream *s, const char *spool);
/* stuffed: of DATA, its dots as they came. */
void content_add(struct content_digest *d, enum content_mark mark, struct span bytes,
                 bool stuffed);
/* No more octets: closes the last block. */
void content_finish(struct content_digest *d);
void content_digest_free(struct content_digest **d, struct stream *s);

#endif
