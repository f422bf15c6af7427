#include "transport/resolve.h"

#include <stdbool.h>
#include <stdlib.h>

struct resolve {
    uv_getaddrinfo_t req;
    resolve_done *done; /* NULL once cancelled */
    void *owner;
    uint16_t port;
};

static unsigned collect(struct addr list[RESOLVE_MAX], const struct addrinfo *found,
                        uint16_t port)
{
    unsigned count = 0;

    for (; found != NULL && count < RESOLVE_MAX; found = found->ai_next) {
        if (found->ai_family != AF_INET && found->ai_family != AF_INET6)
            continue;
        addr_from_sockaddr(&list[count], found->ai_addr);
        list[count++].port = port;
    }
    return count;
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
    struct resolve *r = CONTAINER_OF(req, struct resolve, req);
    resolve_done *done = r->done;
    void *owner = r->owner;
    struct addr list[RESOLVE_MAX];
    unsigned count = collect(list, found, r->port);

    uv_freeaddrinfo(found);
    free(r);
    if (done != NULL)
        done(owner, list, count, status < 0 ? uv_strerror(status) : "no usable address");
}

struct resolve *resolve_start(uv_loop_t *loop, const char *host, uint16_t port,
                              resolve_done *done, void *owner)
{
    static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct resolve *r = malloc(sizeof *r);

    if (r == NULL)
        return NULL;
    *r = (struct resolve){ .done = done, .owner = owner, .port = port };
    if (uv_getaddrinfo(loop, &r->req, on_resolved, host, NULL, &hints) != 0) {
        free(r);
        return NULL;
    }
    return r;
}

void resolve_cancel(struct resolve **rp)
{
    struct resolve *r = *rp;

    *rp = NULL;
    if (r == NULL)
        return;
    r->done = NULL;
    (void)uv_cancel((uv_req_t *)&r->req); /* fails when it runs already: it ends by itself */
}
