/*
 * relay - one live session: two connections, one smtp session, its records.
 *
 *     client <--tcp--> [ relay: session, recorder ] <--tcp--> upstream
 *
 * What a connection says becomes an input for the session; the session's actions become
 * writes, records and ends. What one input makes leaves in one write for each side.
 *
 * A relay_loop is what the relays of one worker share: pools, scratch, deadlines, the
 * stream of records. Nothing of it is touched by another thread.
 *
 * Ends. The close record is written once, last, on every path; the first reason wins.
 * How the session's ACTION_CLOSE is carried out:
 *
 *   quit        wait a little who closes first, so that the record can say so
 *   mirrored    flush both ways, close both
 *   answered    upstream closed at once; the client gets what is queued and a FIN, and is
 *               read until it closes, so that no RST destroys the reply on its way
 *   hopeless    close both now (reset, stalled, out of memory)
 *
 * Memory: one block per relay (see relay_size()); what is only needed for a while (dialling,
 * queued writes, exchanges, mail data) is allocated for that while, counted, and given back to
 * the system when most of it is free again: see memory.h.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "base/attributes.h"
#include "relay/admission.h"
#include "relay/memory.h"
#include "relay/settings.h"
#include "smtp/close_reason.h"
#include "transport/listener.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct catalogue;
struct resolver;
struct writer;
struct relay_loop;

/* NULL when memory is out. The resolver is borrowed, and shared with other threads; writer may
 * be NULL: no transcript. */
MUST_CHECK struct relay_loop *relay_loop_new(uv_loop_t *loop, struct resolver *resolver,
                                             struct writer *writer, uint32_t flush_ms);
/* Records are looked at as they are written; what looks like the work of a box on the path is
 * recorded, too. catalogue may be NULL. False: no memory. */
MUST_CHECK bool relay_loop_detect(struct relay_loop *l, const struct catalogue *catalogue);
/* What its relays hold counts there from now on; before the first of them. It must outlive the
 * loop. */
void relay_loop_share_memory(struct relay_loop *l, struct memory *memory);
/* on_empty(arg) whenever the last relay is gone. */
void relay_loop_on_empty(struct relay_loop *l, void (*on_empty)(void *), void *arg);
/* Closes its handles; no relay may live. Free it when the loop has run to its end. */
void relay_loop_close(struct relay_loop *l);
void relay_loop_free(struct relay_loop **l);

/* session_end() for all: see session.h. */
void relay_loop_end(struct relay_loop *l, enum close_reason why);
/* Everything is closed now, nothing is waited for. */
void relay_loop_abort(struct relay_loop *l, enum close_reason why);
unsigned relay_loop_live(const struct relay_loop *l);
/* One log line for each relay. */
void relay_loop_dump(const struct relay_loop *l);

/* A listener's settings as this worker serves them. */
struct service;

/* NULL when memory is out. Takes a reference of the settings; admission is borrowed. */
MUST_CHECK struct service *service_new(struct relay_loop *l, struct relay_settings *settings,
                                       struct admission *admission);
/* It lives on until its last relay is gone. */
void service_unref(struct service **s);

/*
 * Accepts one connection and relays it. False: no room just now (descriptors, memory,
 * transcript full); nothing was accepted.
 */
MUST_CHECK bool relay_accept(struct service *s, struct listener *l);

/* Octets of one relay with nothing under way. */
size_t relay_size(void);

#endif
