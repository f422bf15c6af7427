#include "analysis/stored/stored.h"

#include "transcript/read/decode.h"

#include <stdlib.h>

struct stored {
    struct decoded *decoded;
    struct record_view view;
};

struct stored *stored_new(void)
{
    struct stored *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->decoded = decoded_new();
    if (s->decoded == NULL)
        stored_free(&s);
    return s;
}

void stored_free(struct stored **s)
{
    if (*s != NULL)
        decoded_free(&(*s)->decoded);
    free(*s);
    *s = NULL;
}

static bool view_kind_of(enum record_kind record, enum view_kind *kind)
{
    static const struct {
        enum record_kind record;
        enum view_kind kind;
    } kinds[] = {
        { RECORD_OPEN, VIEW_OPEN },       { RECORD_CONNECT, VIEW_CONNECT },
        { RECORD_TLS, VIEW_TLS },         { RECORD_GREETING, VIEW_GREETING },
        { RECORD_COMMAND, VIEW_COMMAND }, { RECORD_CONTENT, VIEW_CONTENT },
        { RECORD_OPAQUE, VIEW_OPAQUE },   { RECORD_CLOSE, VIEW_CLOSE },
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        *kind = kinds[i].kind;
        if (kinds[i].record == record)
            return true;
    }
    return false;
}

const struct record_view *stored_see(struct stored *s, const struct record *r)
{
    const struct decoded *d = s->decoded;
    enum view_kind kind;

    if (!view_kind_of(r->kind, &kind) || !decode(s->decoded, r))
        return NULL;
    s->view = (struct record_view){ .kind = kind,
                                    .t_us = d->t_us,
                                    .n = d->n,
                                    .open = &d->open,
                                    .connect = &d->connect,
                                    .tls = &d->tls_facts,
                                    .tls_side = d->tls.side,
                                    .tls_through = d->tls_through,
                                    .tls_us = d->tls.us,
                                    .event = &d->event,
                                    .dkim = d->dkim,
                                    .headers = d->headers,
                                    .close = &d->close };
    return &s->view;
}
