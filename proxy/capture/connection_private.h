/* connection_private - what the parts of connection share; nobody else includes it. */
#ifndef CAPTURE_CONNECTION_PRIVATE_H
#define CAPTURE_CONNECTION_PRIVATE_H

#include "capture/connection.h"

static inline enum side side_other(enum side side)
{
    return side == CLIENT ? SERVER : CLIENT;
}

/* What is first in line of this side: octets, or the FIN. */
void connection_pass_first(struct connection *c, enum side from);
/* Octets up to `upto` are given up. */
void connection_pass_gap(struct connection *c, enum side from, uint32_t upto);
/* All that can be passed on, in the order of the file. */
void connection_drain(struct connection *c);

/* ---- connection_gaps.c ---- */

/* After each segment: is there a hole that is due? */
void connection_look_at_waiting(struct connection *c);
/* Nothing more will come: what was acknowledged is missing, what was not never arrived. */
void connection_settle(struct connection *c);

#endif
