/*
 * relay_findings - what records mean, told while the session lives: each record is shown to the
 * detectors as it is written, and what they find follows it.
 */
#include "relay/relay_private.h"

#include "transcript/stream.h"

/* Findings of the end stand before the close record, which is the last: its number is known
 * only when they are counted. */
enum { LATE_MAX = 8, RECORD_CLOSE = UINT32_MAX };

struct late {
    struct finding finding[LATE_MAX];
    unsigned char bytes[LATE_MAX][FINDING_BYTES_MAX];
    unsigned count;
};

static void on_found(void *arg, const struct finding *f)
{
    struct relay *r = arg;

    record_finding(&r->recorder, f, relay_clock_us());
}

static void on_found_late(void *arg, const struct finding *f)
{
    struct late *late = arg;
    struct finding *kept = &late->finding[late->count];

    if (late->count == LATE_MAX)
        return;
    *kept = *f;
    if (f->bytes.len > 0)
        memcpy(late->bytes[late->count], f->bytes.ptr, f->bytes.len);
    kept->bytes = span_of(late->bytes[late->count], f->bytes.len);
    late->count++;
}

static bool relay_detects(const struct relay *r)
{
    const struct relay_loop *l = relay_shared(r);

    return l->memory != NULL && stream_is_on(l->stream) && !r->unrecorded;
}

void relay_show(struct relay *r, struct seen *s)
{
    const struct relay_loop *l = relay_shared(r);
    struct detect_env env = {
        .catalogue = l->catalogue, .memory = l->memory, .found = on_found, .arg = r
    };

    if (!relay_detects(r))
        return;
    s->n = r->recorder.n;
    detect_see(&r->detect, &env, s);
}

void relay_show_event(struct relay *r, const struct event *e, const struct dkim_verdict *dkim)
{
    struct seen s = { .t_us = e->t_us, .event = e, .dkim = dkim };

    switch (e->kind) {
    case EVENT_GREETING:
        s.kind = SEEN_GREETING;
        break;
    case EVENT_COMMAND:
        s.kind = SEEN_COMMAND;
        break;
    case EVENT_CONTENT:
        s.kind = SEEN_CONTENT;
        break;
    case EVENT_TLS:
        s.kind = SEEN_TLS;
        s.tls = e->tls;
        s.tls_through = true;
        s.tls_us = e->tls_us;
        break;
    case EVENT_OPAQUE:
        s.kind = SEEN_OPAQUE;
        break;
    }
    relay_show(r, &s);
}

void relay_show_close(struct relay *r, const struct record_close *info)
{
    const struct relay_loop *l = relay_shared(r);
    struct late late = { .count = 0 };
    struct detect_env env = {
        .catalogue = l->catalogue, .memory = l->memory, .found = on_found_late, .arg = &late
    };
    struct seen s = {
        .kind = SEEN_CLOSE, .t_us = info->t_us, .n = RECORD_CLOSE, .close = info
    };

    if (!relay_detects(r))
        return;
    detect_see(&r->detect, &env, &s);
    uint32_t close_n = r->recorder.n + late.count + 1;
    for (unsigned i = 0; i < late.count; i++) {
        if (late.finding[i].record == RECORD_CLOSE)
            late.finding[i].record = close_n;
        record_finding(&r->recorder, &late.finding[i], info->t_us);
    }
}
