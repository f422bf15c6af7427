#include "analysis/diff/blocks.h"

#include "analysis/diff/raw.h"

#include <stdlib.h>

enum { BLOCKS_MAX = 20000 };

struct block {
    struct span hash; /* as text */
    uint64_t octets;
};

struct block_list {
    struct block *list;
    size_t len;
    uint64_t octets;
};

static size_t count_items(struct span json)
{
    struct span item;
    struct raw r;
    size_t n = 0;

    if (!raw_open(&r, json, RAW_LIST))
        return 0;
    while (n < BLOCKS_MAX && raw_item(&r, &item))
        n++;
    return n;
}

static bool list_read(struct block_list *l, struct scratch *mem, struct span json)
{
    struct span item, octets, hash;
    struct raw r, one;

    *l = (struct block_list){ .len = 0 };
    l->list = scratch_take(mem, (count_items(json) + 1) * sizeof *l->list);
    if (l->list == NULL)
        return false;
    if (!raw_open(&r, json, RAW_LIST))
        return true;
    while (l->len < BLOCKS_MAX && raw_item(&r, &item) && raw_open(&one, item, RAW_LIST) &&
           raw_item(&one, &octets) && raw_item(&one, &hash)) {
        l->list[l->len] = (struct block){ raw_text(hash), raw_count(octets) };
        l->octets += l->list[l->len++].octets;
    }
    return true;
}

static bool same(const struct block *a, const struct block *b)
{
    return a->octets == b->octets && span_equal(a->hash, b->hash);
}

static int block_compare(const void *a, const void *b)
{
    const struct block *x = a, *y = b;
    size_t len = x->hash.len < y->hash.len ? x->hash.len : y->hash.len;

    if (x->hash.len != y->hash.len)
        return x->hash.len < y->hash.len ? -1 : 1;
    return len > 0 ? memcmp(x->hash.ptr, y->hash.ptr, len) : 0;
}

/* Blocks of `a` that `b` has not. Sorts b. */
static uint32_t count_missing(const struct block *a, size_t a_len, struct block *b,
                              size_t b_len)
{
    uint32_t missing = 0;

    if (b_len > 1)
        qsort(b, b_len, sizeof *b, block_compare);
    for (size_t i = 0; i < a_len; i++)
        missing += b_len == 0 || bsearch(&a[i], b, b_len, sizeof *b, block_compare) == NULL;
    return missing;
}

bool blocks_compare(struct block_range *out, struct scratch *mem,
                    const struct content_facts *near, const struct content_facts *far)
{
    struct block_list a, b;
    size_t begin = 0, end = 0;
    uint64_t tail = 0;

    *out = (struct block_range){ .known = false };
    if (!list_read(&a, mem, near->blocks) || !list_read(&b, mem, far->blocks))
        return false;
    size_t shorter = a.len < b.len ? a.len : b.len;
    bool whole = near->blocks_omitted == 0 && far->blocks_omitted == 0;
    while (begin < shorter && same(&a.list[begin], &b.list[begin]))
        out->at += a.list[begin++].octets;
    while (whole && begin + end < shorter &&
           same(&a.list[a.len - 1 - end], &b.list[b.len - 1 - end]))
        tail += a.list[a.len - 1 - end++].octets;
    out->known = near->blocks_exact && near->digest && far->digest;
    out->sent = a.octets + near->blocks_omitted - out->at - tail;
    out->received = b.octets + far->blocks_omitted - out->at - tail;
    out->first = (uint32_t)begin;
    out->of = (uint32_t)a.len;
    out->arrived = (uint32_t)(b.len - begin - end);
    out->blocks =
        count_missing(a.list + begin, a.len - begin - end, b.list + begin, b.len - begin - end);
    return true;
}
