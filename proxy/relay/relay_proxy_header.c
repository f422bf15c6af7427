/* relay_proxy_header - the PROXY header of a balancer, before a session is one. */
#include "relay/relay_private.h"

#include "base/log.h"

#include <stdlib.h>

bool relay_keep_early(struct relay *r, struct span bytes)
{
    size_t before = r->early != NULL ? r->early->len : 0;
    struct early *grown = realloc(r->early, sizeof *grown + before + bytes.len);

    if (grown == NULL)
        return false;
    memcpy(grown->bytes + before, bytes.ptr, bytes.len);
    grown->len = before + bytes.len;
    r->early = grown;
    return true;
}

void relay_proxy_header(struct relay *r)
{
    r->phase = RELAY_PREFACE;
    r->end_due_ms = relay_now_ms(r) + r->service->settings->timeouts.proxy;
    tcp_read(&r->leg[CLIENT].tcp);
    relay_update(r);
}

/* The balancer is not what it should be: that is worth a record, with what it sent. */
static void preface_failed(struct relay *r, struct span bytes, enum close_reason why)
{
    struct early *early = r->early; /* bytes may be its */

    r->early = NULL;
    relay_record_open(r, NULL, false);
    session_reject(&r->session, bytes, why, relay_now_us(r));
    relay_refuse(r, why);
    free(early);
}

static struct span preface_kept(const struct relay *r)
{
    return r->early == NULL ? SPAN_LIT("") : span_of(r->early->bytes, r->early->len);
}

void relay_proxy_header_bytes(struct relay *r, struct span bytes)
{
    enum proxy_versions allowed = (enum proxy_versions)r->service->settings->proxy_protocol;
    size_t before = r->early != NULL ? r->early->len : 0;
    struct proxy_header header;

    if (before > 0 && !relay_keep_early(r, span_first(bytes, PROXY_HEADER_MAX))) {
        preface_failed(r, bytes, CLOSE_NO_MEMORY);
        return;
    }
    struct span whole = before > 0 ? span_of(r->early->bytes, r->early->len) : bytes;
    switch (proxy_header_read(whole, allowed, &header)) {
    case PROXY_MORE:
        if (before == 0 && !relay_keep_early(r, bytes))
            preface_failed(r, bytes, CLOSE_NO_MEMORY);
        return;
    case PROXY_BAD:
        log_warn("listener %s: a trusted load balancer sent no valid PROXY header: %s",
                 r->service->settings->name, header.why);
        preface_failed(r, whole, CLOSE_PROXY_HEADER);
        return;
    case PROXY_OK:
        break;
    }
    free(r->early);
    r->early = NULL;
    relay_begin(r, &header, span_drop(bytes, header.used - before));
}

/* Balancers look whether somebody listens: without an octet that is no session. */
void relay_proxy_header_end(struct relay *r, enum close_kind how)
{
    if (r->early == NULL) {
        relay_shared(r)->health_checks++;
        r->unrecorded = true;
    }
    if (r->unrecorded)
        relay_close(r);
    else
        preface_failed(r, preface_kept(r),
                       how == END_FIN ? CLOSE_PROXY_HEADER : CLOSE_CLIENT_RESET);
}

void relay_proxy_header_due(struct relay *r)
{
    preface_failed(r, preface_kept(r),
                   r->early == NULL ? CLOSE_NO_PROXY_HEADER : CLOSE_PROXY_HEADER);
}
