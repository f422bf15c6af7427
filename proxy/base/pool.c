#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>

struct free_block {
    struct free_block *next;
};

void pool_init(struct pool *p, size_t block_size, unsigned keep)
{
    assert(block_size >= sizeof(struct free_block));
    *p = (struct pool){ .block_size = block_size, .keep = keep };
}

void pool_deinit(struct pool *p)
{
    while (p->free_list != NULL) {
        struct free_block *b = p->free_list;
        p->free_list = b->next;
        free(b);
    }
    p->kept = 0;
}

void *pool_take(struct pool *p)
{
    struct free_block *b = p->free_list;

    if (b == NULL)
        return malloc(p->block_size);
    p->free_list = b->next;
    p->kept--;
    return b;
}

void pool_give(struct pool *p, void *block)
{
    struct free_block *b = block;

    if (p->kept >= p->keep) {
        free(b);
        return;
    }
    b->next = p->free_list;
    p->free_list = b;
    p->kept++;
}
