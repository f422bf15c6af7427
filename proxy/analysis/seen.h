/*
 * seen - one record as a detector sees it: live, before it is written, or read back.
 *
 * Exactly what the record holds, so that a stored transcript gives the same findings as the
 * live session did. Texts are borrowed for the call.
 */
#ifndef ANALYSIS_SEEN_H
#define ANALYSIS_SEEN_H

#include "smtp/event.h"
#include "transcript/record.h"

enum seen_kind {
    SEEN_OPEN,
    SEEN_CONNECT,
    SEEN_TLS,
    SEEN_GREETING,
    SEEN_COMMAND,
    SEEN_CONTENT,
    SEEN_OPAQUE,
    SEEN_CLOSE,
};

struct seen {
    enum seen_kind kind;
    uint64_t t_us;
    uint32_t n;                           /* the record's place in the session */
    const struct record_open *open;       /* SEEN_OPEN */
    const struct record_connect *connect; /* SEEN_CONNECT */
    const struct tls_facts *tls;          /* SEEN_TLS */
    enum side tls_side;
    bool tls_through;                 /* the handshake passed through; tls_side means nothing */
    uint64_t tls_us;                  /* it took */
    const struct event *event;        /* SEEN_GREETING, _COMMAND, _CONTENT, _OPAQUE */
    const struct dkim_verdict *dkim;  /* SEEN_CONTENT: NULL where it was not looked at */
    struct span headers;              /* SEEN_CONTENT: where they are recorded, else empty */
    const struct record_close *close; /* SEEN_CLOSE */
};

#endif
