#include "analysis/diff/arena.h"

#include <stdlib.h>

enum { PER_BLOCK = 8192, SCRATCH_BLOCK = 256 * 1024 };

void arena_init(struct arena *a, size_t object)
{
    *a = (struct arena){ .object = object };
}

void arena_deinit(struct arena *a)
{
    for (uint32_t i = 0; i < a->block_count; i++)
        free(a->blocks[i]);
    free(a->blocks);
    *a = (struct arena){ .object = a->object };
}

static bool arena_grow(struct arena *a)
{
    unsigned char **list = realloc(a->blocks, (a->block_count + 1u) * sizeof *list);

    if (list == NULL)
        return false;
    a->blocks = list;
    list[a->block_count] = calloc(PER_BLOCK, a->object);
    if (list[a->block_count] == NULL)
        return false;
    a->block_count++;
    return true;
}

uint32_t arena_add(struct arena *a)
{
    if (a->len == UINT32_MAX - 1)
        return 0;
    if (a->len == a->block_count * PER_BLOCK && !arena_grow(a))
        return 0;
    return ++a->len;
}

void *arena_get(const struct arena *a, uint32_t number)
{
    uint32_t at = number - 1;

    return a->blocks[at / PER_BLOCK] + at % PER_BLOCK * a->object;
}

struct scratch_block {
    struct scratch_block *next;
    size_t size;
    _Alignas(16) unsigned char octets[];
};

void scratch_init(struct scratch *s, size_t max)
{
    *s = (struct scratch){ .max = max };
}

static void scratch_free(struct scratch *s, struct scratch_block *keep)
{
    while (s->blocks != NULL) {
        struct scratch_block *next = s->blocks->next;
        if (s->blocks != keep)
            free(s->blocks);
        s->blocks = next;
    }
    s->blocks = keep;
    s->used = s->total = 0;
}

void scratch_deinit(struct scratch *s)
{
    scratch_free(s, NULL);
}

void scratch_reset(struct scratch *s)
{
    struct scratch_block *keep = s->blocks;

    if (keep != NULL && keep->size > SCRATCH_BLOCK)
        keep = NULL;
    scratch_free(s, keep);
    if (keep != NULL)
        keep->next = NULL;
}

static bool scratch_grow(struct scratch *s, size_t octets)
{
    size_t size = octets > SCRATCH_BLOCK ? octets : SCRATCH_BLOCK;
    struct scratch_block *b = malloc(sizeof *b + size);

    if (b == NULL)
        return false;
    *b = (struct scratch_block){ .next = s->blocks, .size = size };
    s->blocks = b;
    s->used = 0;
    return true;
}

void *scratch_take(struct scratch *s, size_t octets)
{
    size_t need = (octets + 15) & ~(size_t)15;

    if (octets > s->max || need > s->max - s->total)
        return NULL;
    if ((s->blocks == NULL || need > s->blocks->size - s->used) && !scratch_grow(s, need))
        return NULL;
    void *p = s->blocks->octets + s->used;
    s->used += need;
    s->total += need;
    return memset(p, 0, octets);
}
