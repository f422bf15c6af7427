/* session_opaque - the stream when it is not ours to read any more: relayed and counted. */
#include "smtp/session_private.h"

void session_become_opaque(struct session *s, const char *why)
{
    s->opaque_why = why;
    s->opaque_us = s->now_us;
    for (int side = CLIENT; side <= SERVER; side++)
        s->opaque_at[side] = s->at[side];
    session_enter(s, STATE_OPAQUE);
}

enum step opaque_step(struct session *s, enum side from, struct wish *w)
{
    struct span in = input_view(s, from);

    if (in.len == 0)
        return STEP_IDLE;
    input_use(s, from, in.len);
    if (s->env->observe)
        return STEP_AGAIN; /* the octets went ahead */
    w->kind = WISH_FORWARD;
    w->side = from == CLIENT ? SERVER : CLIENT;
    w->bytes = in;
    w->lasting = session_is_lasting(s, in);
    return STEP_WISH;
}

enum step opaque_tell(struct session *s)
{
    struct exchange *ex;

    if (s->opaque_why == NULL || s->opaque_told || (ex = session_new_exchange(s)) == NULL)
        return STEP_IDLE;
    s->opaque_told = true;
    ex->event.kind = EVENT_OPAQUE;
    ex->event.t_us = s->opaque_us;
    ex->event.at = s->opaque_at[CLIENT];
    ex->event.opaque_why = s->opaque_why;
    for (int side = CLIENT; side <= SERVER; side++)
        ex->event.opaque_octets[side] = s->received[side] - s->opaque_at[side];
    s->done = ex;
    return STEP_AGAIN;
}
