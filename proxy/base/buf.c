#include "base/buf.h"

#include <assert.h>
#include <stdlib.h>

#define BUF_FIRST_SIZE 256u

void buf_init(struct buf *b, uint32_t max)
{
    *b = (struct buf){ .max = max };
}

void buf_release(struct buf *b)
{
    free(b->ptr);
    b->ptr = NULL;
    b->len = 0;
    b->size = 0;
}

static bool buf_grow(struct buf *b, size_t need)
{
    size_t size = b->size ? b->size : BUF_FIRST_SIZE;

    while (size < need)
        size *= 2;
    if (size > b->max)
        size = b->max;
    unsigned char *p = realloc(b->ptr, size);
    if (p == NULL)
        return false;
    b->ptr = p;
    b->size = (uint32_t)size;
    return true;
}

bool buf_append(struct buf *b, struct span s)
{
    if (s.len == 0)
        return true;
    if (s.len > b->max - b->len)
        return false;
    if (s.len > b->size - b->len && !buf_grow(b, b->len + s.len))
        return false;
    memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += (uint32_t)s.len;
    return true;
}

/* Memory that is mostly empty goes back; when that cannot be, it stays. */
static void buf_shrink(struct buf *b)
{
    size_t size = b->size;

    while (size > BUF_FIRST_SIZE && b->len <= size / 4)
        size /= 2;
    if (size == b->size)
        return;
    unsigned char *p = realloc(b->ptr, size);
    if (p == NULL)
        return;
    b->ptr = p;
    b->size = (uint32_t)size;
}

void buf_drop(struct buf *b, size_t n)
{
    assert(n <= b->len);
    if (n >= b->len) {
        buf_release(b);
        return;
    }
    if (n == 0)
        return;
    b->len -= (uint32_t)n;
    memmove(b->ptr, b->ptr + n, b->len);
    buf_shrink(b);
}
