#include "analysis/diff/index.h"

#include "analysis/diff/fingerprint.h"
#include "analysis/diff/raw.h"
#include "base/escape.h"

#include <stdio.h>
#include <stdlib.h>

enum { PLACE_OCTETS = 12, TABLE_FIRST = 4096, VARINT_MAX = 10, TELL_EVERY = 1 << 20 };

/* Differences between offsets, seven bits an octet; an octet of 0 ends the block. */
struct place {
    uint32_t next;
    unsigned char delta[PLACE_OCTETS];
};

/* Of an entry, by its number, as long as records may be added. */
struct growing {
    uint64_t last; /* offset of the record read last */
    uint32_t next; /* in the table by id */
    uint32_t last_place;
};

static struct growing *growing_of(const struct index *x, uint32_t number)
{
    return arena_get(&x->growing, number);
}

void index_init(struct index *x, enum diff_vantage side)
{
    *x = (struct index){ .side = side, .first_us = UINT64_MAX };
    arena_init(&x->entries, sizeof(struct entry));
    arena_init(&x->places, sizeof(struct place));
    arena_init(&x->growing, sizeof(struct growing));
}

/* No more records will be added. */
static void index_close(struct index *x)
{
    arena_deinit(&x->growing);
    free(x->table);
    x->table = NULL;
}

void index_deinit(struct index *x)
{
    arena_deinit(&x->entries);
    arena_deinit(&x->places);
    index_close(x);
}

/* ---- places ------------------------------------------------------------------------ */

static unsigned varint(unsigned char out[VARINT_MAX], uint64_t v)
{
    unsigned n = 0;

    for (; v >= 0x80; v >>= 7)
        out[n++] = (unsigned char)(v | 0x80);
    out[n++] = (unsigned char)v;
    return n;
}

static unsigned place_used(const struct place *p)
{
    unsigned n = PLACE_OCTETS;

    while (n > 0 && p->delta[n - 1] == 0)
        n--;
    return n;
}

static bool place_add(struct index *x, uint32_t entry, uint64_t offset)
{
    unsigned char text[VARINT_MAX];
    struct entry *e = index_entry(x, entry);
    struct growing *g = growing_of(x, entry);
    /* Counted from 1: neither a difference nor its last octet is 0. */
    unsigned n = varint(text, offset + 1 - (e->records > 0 ? g->last + 1 : 0));
    struct place *p = g->last_place != 0 ? arena_get(&x->places, g->last_place) : NULL;
    unsigned used = p != NULL ? place_used(p) : PLACE_OCTETS;

    if (used + n > PLACE_OCTETS) {
        uint32_t number = arena_add(&x->places);
        if (number == 0)
            return false;
        if (p != NULL)
            p->next = number;
        else
            e->first_place = number;
        g->last_place = number;
        p = arena_get(&x->places, number);
        used = 0;
    }
    memcpy(p->delta + used, text, n);
    g->last = offset;
    e->records++;
    return true;
}

void places_begin(struct places *p, const struct index *x, const struct entry *e)
{
    *p = (struct places){ .index = x, .block = e->first_place };
}

bool places_next(struct places *p, uint64_t *offset)
{
    uint64_t delta = 0;

    while (p->block != 0) {
        const struct place *block = arena_get(&p->index->places, p->block);
        if (p->at == PLACE_OCTETS || block->delta[p->at] == 0) {
            p->block = block->next;
            p->at = 0;
            continue;
        }
        for (unsigned shift = 0;; shift += 7) {
            unsigned char c = block->delta[p->at++];
            delta |= (uint64_t)(c & 0x7f) << shift;
            if (c < 0x80)
                break;
        }
        p->offset += delta;
        *offset = p->offset - 1;
        return true;
    }
    return false;
}

/* ---- entries by id ------------------------------------------------------------------ */

static uint32_t slot(const struct index *x, const struct sid *s)
{
    uint64_t h = (s->low ^ s->high) * 0x9e3779b97f4a7c15u;

    return (uint32_t)(h >> 32) & (x->table_size - 1);
}

static bool table_grow(struct index *x)
{
    uint32_t size = x->table_size > 0 ? 4 * x->table_size : TABLE_FIRST;
    uint32_t *table = calloc(size, sizeof *table);

    if (table == NULL)
        return false;
    free(x->table);
    x->table = table;
    x->table_size = size;
    for (uint32_t i = 1; i <= index_count(x); i++) {
        uint32_t *at = &table[slot(x, &index_entry(x, i)->sid)];
        growing_of(x, i)->next = *at;
        *at = i;
    }
    return true;
}

/* The number of the session's entry, made when there is none; 0: no memory. */
static uint32_t entry_of(struct index *x, const struct sid *sid)
{
    if (index_count(x) >= x->table_size && !table_grow(x))
        return 0;
    uint32_t *at = &x->table[slot(x, sid)];
    for (uint32_t i = *at; i != 0; i = growing_of(x, i)->next) {
        struct entry *e = index_entry(x, i);
        if (e->sid.low == sid->low && e->sid.high == sid->high)
            return i;
    }
    uint32_t number = arena_add(&x->entries);
    if (number == 0 || arena_add(&x->growing) != number)
        return 0;
    index_entry(x, number)->sid = *sid;
    growing_of(x, number)->next = *at;
    *at = number;
    return number;
}

/* ---- the pass ------------------------------------------------------------------------ */

static void bad_line(struct index *x, struct source *s, const struct index_watch *w,
                     const char *why)
{
    char text[DIFF_ERROR_MAX];

    x->bad_lines++;
    if (w->trouble == NULL)
        return;
    snprintf(text, sizeof text, "%s: %s", source_place(s), why);
    w->trouble(w->arg, text);
}

static void note_vantage(struct index *x, const struct fields *f)
{
    if (x->vantage[0] == '\0')
        escape(x->vantage, sizeof x->vantage, fields_text(f, MEMBER_VANTAGE));
}

/* NULL, or what is wrong with the line. */
static const char *take_line(struct index *x, struct span line, uint64_t offset)
{
    struct fields f;
    struct sid sid;
    const char *why;

    if (!fields_parse(&f, line, &why))
        return why;
    if (!fields_sid(&f, &sid))
        return "field \"sid\" is no ULID";
    enum diff_kind kind = fields_kind(&f);
    uint64_t t = raw_time(f.v[MEMBER_T]);
    if (t == 0)
        return "field \"t\" is no time like 2026-11-23T09:00:00.000000Z";
    x->records++;
    note_vantage(x, &f);
    if (kind == KIND_LOST || kind == KIND_OTHER)
        return NULL;
    x->first_us = t < x->first_us ? t : x->first_us;
    x->last_us = t > x->last_us ? t : x->last_us;
    uint32_t number = entry_of(x, &sid);
    if (number == 0)
        return "out of memory";
    struct entry *e = index_entry(x, number);
    if (e->records >= DIFF_RECORDS_MAX) {
        e->flags |= ENTRY_CUT;
        return NULL;
    }
    if (!place_add(x, number, offset))
        return "out of memory";
    fingerprint_add(e, x->side, kind, &f, t);
    return NULL;
}

static bool too_many(const struct index *x, struct source *s, char error[DIFF_ERROR_MAX])
{
    if (index_count(x) <= DIFF_SESSIONS_MAX)
        return false;
    snprintf(error, DIFF_ERROR_MAX,
             "%s: more than %u sessions; compare a shorter stretch of time", source_place(s),
             (unsigned)DIFF_SESSIONS_MAX);
    return true;
}

bool index_build(struct index *x, struct source *s, const struct index_watch *w,
                 char error[DIFF_ERROR_MAX])
{
    uint64_t offset = 0, told = 0;
    struct span line;

    for (;;) {
        const char *why = NULL;
        switch (source_next(s, &line, &offset)) {
        case SOURCE_LINE:
            why = take_line(x, line, offset);
            break;
        case SOURCE_LONG:
            why = "the line is longer than 4 MiB";
            break;
        case SOURCE_CUT:
            why = "the last line is cut short";
            break;
        case SOURCE_END:
            x->octets = source_size(s);
            index_close(x);
            return true;
        case SOURCE_FAILED:
            snprintf(error, DIFF_ERROR_MAX, "%s", source_error(s));
            return false;
        }
        if (why != NULL)
            bad_line(x, s, w, why);
        if (too_many(x, s, error))
            return false;
        if (w->progress != NULL && offset - told >= TELL_EVERY) {
            w->progress(w->arg, offset, source_size(s));
            told = offset;
        }
    }
}
