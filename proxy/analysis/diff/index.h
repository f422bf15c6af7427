/*
 * index - all sessions of one vantage point, small: what pairs them, and where they stand.
 *
 * One pass over the text. Of a session are kept its id, time, fingerprints of what was said,
 * figures, and the place of each record as a difference to the one before: about 130 octets in
 * all for a usual session.
 *
 * Owns: entries, places, the table by id. Entries are numbered from 1 in the order they began.
 */
#ifndef ANALYSIS_DIFF_INDEX_H
#define ANALYSIS_DIFF_INDEX_H

#include "analysis/diff/arena.h"
#include "analysis/diff/diff.h"
#include "analysis/diff/fields.h"
#include "analysis/diff/source.h"

enum entry_flags {
    ENTRY_CONNECTED = 1, /* an upstream was reached */
    ENTRY_REFUSED = 2,   /* one was tried and not reached */
    ENTRY_CLOSED = 4,    /* its close record is there */
    ENTRY_SPOKE = 8,     /* a greeting or a reply came from upstream */
    ENTRY_CUT = 16,      /* it has more records than are kept */
    ENTRY_PAIRED = 32,
    ENTRY_REDACTED = 64, /* names were replaced: redact = "all" */
    ENTRY_RCPT = 128,    /* `first` is complete */
};

/* Fingerprints are 0 when there is nothing to take one of. */
struct entry {
    struct sid sid;
    uint64_t t_us;
    uint64_t contents;     /* of all contents, in any order */
    uint32_t octets;       /* of them, capped */
    uint32_t outer, inner; /* addresses: of the client's connection; of the one to upstream */
    uint32_t ms;           /* it lasted */
    uint32_t envelope, domains; /* domains: without what is before the "@" */
    uint32_t first;             /* the first sender and the first recipient */
    uint16_t greeting, helo;
    uint32_t first_place;
    uint32_t records;
    uint16_t commands, messages; /* capped */
    uint16_t server; /* address: NEAR: of its upstream; FAR: to which its client connected */
    uint8_t flags;
};

struct index {
    enum diff_vantage side;
    struct arena entries, places;
    struct arena growing; /* of each entry, while the text is read: see index.c */
    uint32_t *table;
    uint32_t table_size; /* a power of two */
    uint64_t records, octets, bad_lines;
    uint64_t first_us, last_us; /* of all records */
    char vantage[64];           /* escaped */
};

void index_init(struct index *x, enum diff_vantage side);
void index_deinit(struct index *x);

struct index_watch {
    void (*progress)(void *arg, uint64_t done, uint64_t of);
    void (*trouble)(void *arg, const char *what);
    void *arg;
};

/* False: `error` says why. What only the pass needs is gone afterwards. */
MUST_CHECK bool index_build(struct index *x, struct source *s, const struct index_watch *w,
                            char error[DIFF_ERROR_MAX]);

static inline uint32_t index_count(const struct index *x)
{
    return x->entries.len;
}

static inline struct entry *index_entry(const struct index *x, uint32_t number)
{
    return arena_get(&x->entries, number);
}

/* The places of a session's records, in order. */
struct places {
    const struct index *index;
    uint32_t block;
    unsigned at;
    uint64_t offset;
};

void places_begin(struct places *p, const struct index *x, const struct entry *e);
bool places_next(struct places *p, uint64_t *offset);

#endif
