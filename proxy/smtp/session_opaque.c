/*
 * session_opaque - the stream when it is not ours to read any more: relayed and counted.
 * After STARTTLS it is watched until the handshake is over; then nothing of that is left.
 */
#include "smtp/session_private.h"

#include "smtp/sasl.h"
#include "tlswatch/watch.h"

#include <stdlib.h>

/* The next octets of a side, up to the first that are missing. */
static void sample_add(struct session *s, enum side from, struct span in)
{
    struct opaque_sample *sample = s->opaque.sample;

    if (sample == NULL || s->opaque.missing[from] > 0)
        return;
    in = span_first(in, OPAQUE_SAMPLE_MAX - sample->len[from]);
    if (in.len > 0)
        memcpy(sample->octets[from] + sample->len[from], in.ptr, in.len);
    sample->len[from] += in.len;
}

void session_become_opaque(struct session *s, const char *why)
{
    s->opaque.why = why;
    s->opaque.us = s->now_us;
    for (int side = CLIENT; side <= SERVER; side++)
        s->opaque.at[side] = s->at[side];
    if (strcmp(why, "starttls") == 0 || strcmp(why, "implicit-tls") == 0)
        s->watch = tls_watch_new(); /* without memory: not watched */
    else if (strcmp(why, "not-smtp") == 0)
        s->opaque.sample = calloc(1, sizeof *s->opaque.sample); /* the same */
    session_enter(s, STATE_OPAQUE);
}

bool opaque_layer_begins(struct session *s, enum side from)
{
    if ((s->auth.layer_due & 1u << from) == 0 || input_is_empty(s, from))
        return false;
    s->auth.layer_due = 0; /* both sides have a layer or none */
    if (!sasl_begins_layer(input_view(s, from).ptr[0]))
        return false;
    session_become_opaque(s, "sasl-layer");
    if (!s->env->observe)
        session_close(s, CLOSE_SASL_LAYER);
    return true;
}

void session_lose_track(struct session *s)
{
    if (s->content != NULL && !s->content->ended)
        content_end(s, false);
    session_become_opaque(s, "lost-track");
}

void session_opaque(struct session *s, const char *why, uint64_t now_us)
{
    session_set_time(s, now_us);
    if (!s->closing && s->state != STATE_OPAQUE)
        session_become_opaque(s, why);
}

void session_gap(struct session *s, enum side from, uint64_t octets, uint64_t now_us)
{
    session_opaque(s, "capture-gap", now_us);
    if (s->closing)
        return;
    tls_watch_free(&s->watch); /* what it saw is not the whole handshake */
    s->received[from] += octets;
    s->opaque.missing[from] += octets;
    if (s->content != NULL && !s->content->ended)
        content_end(s, false);
}

enum close_reason opaque_close(const struct session *s)
{
    if (strcmp(s->opaque.why, "starttls") == 0)
        return CLOSE_OPAQUE_END;
    return strcmp(s->opaque.why, "not-smtp") == 0 ? CLOSE_NOT_SMTP : CLOSE_UNREAD_END;
}

/* An end counts once what came before it was seen. */
static bool watch_is_over(struct session *s)
{
    for (int side = CLIENT; side <= SERVER; side++)
        if (s->ended[side] && input_is_empty(s, (enum side)side))
            tls_watch_end(s->watch, (enum side)side, s->ended[side] == END_RESET);
    return tls_watch_done(s->watch);
}

/* What was seen of the handshake. The watch is freed when it was reported. */
static enum step watch_report(struct session *s)
{
    struct exchange *ex = exchange_new(s->env->exchanges, &s->exchange_octets);

    if (ex == NULL) {
        tls_watch_free(&s->watch);
        return STEP_IDLE;
    }
    ex->event.kind = EVENT_TLS;
    ex->event.t_us = s->opaque.us;
    ex->event.at = s->opaque.at[CLIENT];
    ex->event.tls = tls_watch_facts(s->watch);
    ex->event.tls_us = s->now_us - s->opaque.us;
    session_report(s, ex);
    return STEP_AGAIN;
}

/* The session ends: so does the watching. */
static enum step watch_stop(struct session *s)
{
    if (!watch_is_over(s))
        tls_watch_stop(s->watch, s->reason == CLOSE_CLIENT_TIMEOUT ? TLS_FAILURE_TIMEOUT
                                                                   : TLS_FAILURE_EOF);
    return watch_report(s);
}

enum step opaque_step(struct session *s, enum side from, struct action *action)
{
    struct span in = input_view(s, from);

    if (s->watch != NULL && watch_is_over(s) && watch_report(s) == STEP_AGAIN)
        return STEP_AGAIN;
    if (in.len == 0)
        return STEP_IDLE;
    if (s->watch != NULL)
        tls_watch_bytes(s->watch, from, in);
    sample_add(s, from, in);
    input_use(s, from, in.len);
    if (s->env->observe)
        return STEP_AGAIN; /* the octets went ahead */
    return session_send(s, action, from == CLIENT ? SERVER : CLIENT, in);
}

enum step opaque_report(struct session *s)
{
    struct exchange *ex;

    if (s->watch != NULL && watch_stop(s) == STEP_AGAIN)
        return STEP_AGAIN;
    if (s->opaque.why == NULL || s->opaque.reported || (ex = session_new_exchange(s)) == NULL)
        return STEP_IDLE;
    s->opaque.reported = true;
    ex->event.kind = EVENT_OPAQUE;
    ex->event.t_us = s->opaque.us;
    ex->event.at = s->opaque.at[CLIENT];
    ex->event.opaque_why = s->opaque.why;
    if (strcmp(s->opaque.why, "sasl-layer") == 0)
        notes_add(&ex->event.notes, NOTE_SASL_LAYER_BEGUN, s->opaque.at[CLIENT]);
    for (int side = CLIENT; side <= SERVER; side++) {
        ex->event.opaque_octets[side] = s->received[side] - s->opaque.at[side];
        ex->event.opaque_missing[side] = s->opaque.missing[side];
    }
    if (s->opaque.sample != NULL)
        secrecy_sample(&s->secrecy, &ex->event, s->opaque.sample);
    session_report(s, ex);
    return STEP_AGAIN;
}
