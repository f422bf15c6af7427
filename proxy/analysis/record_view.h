/*
 * seen - one record as a detector sees it: live, before it is written, or read back.
 *
 * Exactly what the record holds, so that a stored transcript gives the same findings as the
 * live session did. Texts are borrowed for the call.
 */
#ifndef ANALYSIS_RECORD_VIEW_H
#define ANALYSIS_RECORD_VIEW_H

#include "smtp/event.h"
#include "transcript/record.h"

enum view_kind {
    VIEW_OPEN,
    VIEW_CONNECT,
    VIEW_TLS,
    VIEW_GREETING,
    VIEW_COMMAND,
    VIEW_CONTENT,
    VIEW_OPAQUE,
    VIEW_CLOSE,
};

struct record_view {
    enum view_kind kind;
    uint64_t t_us;
    uint32_t n;                           /* the record's place in the session */
    const struct record_open *open;       /* VIEW_OPEN */
    const struct record_connect *connect; /* VIEW_CONNECT */
    const struct tls_facts *tls;          /* VIEW_TLS */
    enum side tls_side;
    bool tls_through;                 /* the handshake passed through; tls_side means nothing */
    uint64_t tls_us;                  /* it took */
    const struct event *event;        /* VIEW_GREETING, _COMMAND, _CONTENT, _OPAQUE */
    const struct dkim_verdict *dkim;  /* VIEW_CONTENT: NULL where it was not looked at */
    struct span headers;              /* VIEW_CONTENT: where they are recorded, else empty */
    const struct record_close *close; /* VIEW_CLOSE */
};

#endif
