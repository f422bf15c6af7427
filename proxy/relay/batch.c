#include "relay/batch.h"

/* Longer the last piece by bytes that follow it in memory. */
static bool batch_extend(struct batch *b, struct span bytes)
{
    if (b->count == 0)
        return false;
    uv_buf_t *last = &b->piece[b->count - 1];
    if (last->base + last->len != (const char *)bytes.ptr)
        return false;
    last->len += bytes.len;
    return true;
}

static bool batch_refer(struct batch *b, struct span bytes)
{
    if (batch_extend(b, bytes))
        return true;
    if (b->count == BATCH_PIECES)
        return false;
    b->piece[b->count++] = (uv_buf_t){ .base = (char *)(uintptr_t)bytes.ptr, .len = bytes.len };
    return true;
}

bool batch_add(struct batch *b, struct span bytes, bool lasting)
{
    if (bytes.len == 0)
        return true;
    if (lasting)
        return batch_refer(b, bytes);
    if (bytes.len > sizeof b->scratch - b->used)
        return false;
    char *copy = b->scratch + b->used;
    memcpy(copy, bytes.ptr, bytes.len);
    if (!batch_refer(b, span_of(copy, bytes.len)))
        return false;
    b->used += bytes.len;
    return true;
}
