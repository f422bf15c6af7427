#include "smtp/exchange.h"

#include <stdlib.h>

struct exchange *exchange_new(struct pool *pool)
{
    struct exchange *ex = pool_take(pool);

    if (ex == NULL)
        return NULL;
    memset(ex, 0, offsetof(struct exchange, text));
    ex->own = ex->room;
    return ex;
}

void exchange_free(struct pool *pool, struct exchange *ex)
{
    if (ex->own != ex->room)
        free(ex->own);
    pool_give(pool, ex);
}

bool exchange_store(struct exchange *ex, struct span line, size_t extra)
{
    if (line.len + extra > EXCHANGE_ROOM) {
        ex->own = malloc(line.len + extra);
        if (ex->own == NULL) {
            ex->own = ex->room;
            return false;
        }
    }
    if (line.len > 0)
        memcpy(ex->own, line.ptr, line.len);
    ex->event.received = span_of(ex->own, line.len);
    ex->event.received_octets = line.len;
    return true;
}

bool exchange_rewrite(struct exchange *ex, struct span text)
{
    struct event *e = &ex->event;
    size_t len = e->received.len, need = len + text.len + 2;
    size_t word = e->word.len ? (size_t)(e->word.ptr - ex->own) : 0;
    size_t arg = e->arg.len ? (size_t)(e->arg.ptr - ex->own) : 0;
    unsigned char *p = malloc(need);

    if (p == NULL)
        return false;
    memcpy(p, ex->own, len);
    memcpy(p + len, text.ptr, text.len); /* text may point into ex->own */
    memcpy(p + len + text.len, "\r\n", 2);
    if (ex->own != ex->room)
        free(ex->own);
    ex->own = p;
    e->received.ptr = p;
    e->word.ptr = p + word;
    e->arg.ptr = p + arg;
    e->forwarded = span_of(p + len, text.len + 2);
    return true;
}
