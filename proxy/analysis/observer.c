#include "analysis/observer.h"

#include "dkim/repair.h"
#include "transcript/redact.h"

/* The number of the close record is known only when the findings before it are counted. */
enum { LATE_MAX = 8, RECORD_CLOSE = UINT32_MAX };

struct late {
    struct finding finding[LATE_MAX];
    unsigned char bytes[LATE_MAX][FINDING_BYTES_MAX];
    unsigned count;
};

void observer_init(struct observer *w, const struct observer_env *env, struct recorder *r)
{
    *w = (struct observer){ .env = env, .recorder = r };
}

void observer_deinit(struct observer *w)
{
    detect_free(&w->detect);
}

static void on_found(void *arg, const struct finding *f)
{
    struct observer *w = arg;

    record_finding(w->recorder, f, w->now_us);
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

static bool is_looking(const struct observer *w)
{
    return w->env->memory != NULL && recorder_config(w->recorder) != NULL;
}

/* The record just written. */
static void show(struct observer *w, struct record_view *s)
{
    const struct detect_env env = {
        .catalogue = w->env->catalogue, .memory = w->env->memory, .found = on_found, .arg = w
    };

    if (!is_looking(w))
        return;
    s->n = w->recorder->n;
    detect_see(&w->detect, &env, s);
}

void observer_open(struct observer *w, const struct record_open *info)
{
    struct record_view s = { .kind = VIEW_OPEN, .t_us = info->t_us, .open = info };

    record_open(w->recorder, info);
    show(w, &s);
}

void observer_connect(struct observer *w, const struct record_connect *info)
{
    struct record_view s = { .kind = VIEW_CONNECT, .t_us = info->t_us, .connect = info };

    record_connect(w->recorder, info);
    show(w, &s);
}

void witness_tls(struct observer *w, const struct record_tls *info)
{
    struct record_view s = { .kind = VIEW_TLS,
                             .t_us = info->t_us,
                             .tls = info->facts,
                             .tls_side = info->side,
                             .tls_us = info->us };

    record_tls(w->recorder, info);
    show(w, &s);
}

static void see_content(struct observer *w, struct record_view *s)
{
    bool complete = s->event->complete;
    const struct dkim_verdict *dkim;
    struct dkim_verdict verdict;
    struct buf headers;

    record_content_repair(w->recorder, complete, DKIM_REPAIR_LIVE);
    dkim = record_content_dkim(w->recorder, complete);
    if (dkim != NULL) { /* it goes with the record */
        verdict = *dkim;
        s->dkim = &verdict;
    }
    record_content_event(w->recorder, s->event, &headers);
    s->headers = buf_span(&headers);
    show(w, s);
    buf_release(&headers);
}

/* The detectors quote replies: they see no more of them than the record shows. */
static void show_reply(struct observer *w, struct record_view *s)
{
    struct event as_told;
    struct buf reply;

    if (!is_looking(w))
        return;
    if (redact_reply_copy(s->event, recorder_config(w->recorder)->redact, &reply)) {
        as_told = *s->event;
        as_told.reply = buf_span(&reply);
        s->event = &as_told;
    }
    show(w, s);
    buf_release(&reply);
}

void observer_event(struct observer *w, const struct event *e)
{
    static const enum view_kind kinds[] = {
        [EVENT_GREETING] = VIEW_GREETING, [EVENT_COMMAND] = VIEW_COMMAND,
        [EVENT_CONTENT] = VIEW_CONTENT,   [EVENT_TLS] = VIEW_TLS,
        [EVENT_OPAQUE] = VIEW_OPAQUE,
    };
    struct record_view s = { .kind = kinds[e->kind], .t_us = e->t_us, .event = e };

    if (e->kind == EVENT_CONTENT) {
        see_content(w, &s);
        return;
    }
    s.tls = e->kind == EVENT_TLS ? e->tls : NULL;
    s.tls_through = e->kind == EVENT_TLS;
    s.tls_us = e->tls_us;
    record_event(w->recorder, e);
    show_reply(w, &s);
}

void observer_close(struct observer *w, const struct record_close *info)
{
    struct late late = { .count = 0 };
    const struct detect_env env = { .catalogue = w->env->catalogue,
                                    .memory = w->env->memory,
                                    .found = on_found_late,
                                    .arg = &late };
    struct record_view s = {
        .kind = VIEW_CLOSE, .t_us = info->t_us, .n = RECORD_CLOSE, .close = info
    };

    if (is_looking(w))
        detect_see(&w->detect, &env, &s);
    uint32_t close_n = w->recorder->n + late.count + 1;
    for (unsigned i = 0; i < late.count; i++) {
        if (late.finding[i].record == RECORD_CLOSE)
            late.finding[i].record = close_n;
        record_finding(w->recorder, &late.finding[i], info->t_us);
    }
    record_close(w->recorder, info);
}
