#include "smtp/exchange.h"

#include <stdlib.h>

struct exchange *exchange_new(struct pool *pool, size_t *total)
{
    struct exchange *ex = pool_take(pool);

    if (ex == NULL)
        return NULL;
    memset(ex, 0, offsetof(struct exchange, room));
    ex->own = ex->room;
    ex->own_size = EXCHANGE_ROOM;
    ex->total = total;
    *total += sizeof *ex;
    return ex;
}

void exchange_free(struct pool *pool, struct exchange *ex)
{
    *ex->total -= sizeof *ex;
    if (ex->own != ex->room) {
        *ex->total -= ex->own_size;
        free(ex->own);
    }
    pool_give(pool, ex);
}

/* The views of the event that may show its own memory. */
static void move_views(struct exchange *ex, unsigned char *to)
{
    struct event *e = &ex->event;
    struct span *views[] = { &e->received,  &e->word,  &e->arg,     &e->secret,
                             &e->forwarded, &e->reply, &e->replied, &e->enhanced };

    for (unsigned i = 0; i < ARRAY_LEN(views); i++)
        if (views[i]->len > 0 && views[i]->ptr >= ex->own &&
            views[i]->ptr < ex->own + ex->own_len)
            views[i]->ptr = to + (views[i]->ptr - ex->own);
}

/* text may point into what the exchange holds already. */
static bool append(struct exchange *ex, struct span text, struct span ending, struct span *kept)
{
    size_t need = ex->own_len + text.len + ending.len;
    unsigned char *p = ex->own, *old = NULL;

    if (need > ex->own_size) {
        p = malloc(need);
        if (p == NULL)
            return false;
        memcpy(p, ex->own, ex->own_len);
        move_views(ex, p);
        old = ex->own != ex->room ? ex->own : NULL;
        *ex->total += need - (old != NULL ? ex->own_size : 0);
        ex->own_size = need;
    }
    *kept = span_of(p + ex->own_len, text.len + ending.len);
    if (text.len > 0)
        memcpy(p + ex->own_len, text.ptr, text.len);
    if (ending.len > 0)
        memcpy(p + ex->own_len + text.len, ending.ptr, ending.len);
    ex->own = p;
    ex->own_len = need;
    free(old);
    return true;
}

bool exchange_store(struct exchange *ex, struct span line)
{
    ex->event.received_octets = line.len;
    return append(ex, line, SPAN_LIT(""), &ex->event.received);
}

bool exchange_rewrite(struct exchange *ex, struct span text)
{
    return append(ex, text, SPAN_LIT("\r\n"), &ex->event.forwarded);
}

bool exchange_keep(struct exchange *ex, struct span text, struct span *kept)
{
    return append(ex, text, SPAN_LIT(""), kept);
}

bool exchange_keep_reply(struct exchange *ex, const struct reply *r, struct span *kept)
{
    struct event *e = &ex->event;

    e->code = r->code;
    e->enhanced = SPAN_LIT("");
    if (!exchange_keep(ex, r->received, kept))
        return false;
    if (r->enhanced.len > 0)
        e->enhanced = span_of(kept->ptr + (r->enhanced.ptr - r->received.ptr), r->enhanced.len);
    return true;
}
