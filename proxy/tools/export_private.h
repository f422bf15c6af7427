/* export_private - what the files of export_session share; nobody else includes it. */
#ifndef TOOLS_EXPORT_PRIVATE_H
#define TOOLS_EXPORT_PRIVATE_H

#include "export_session.h"

/* The order of what one record tells, where times are equal. */
enum phase { PHASE_COMMAND, PHASE_FORWARDED, PHASE_CHUNK, PHASE_REPLY, PHASE_REPLIED };

/* Microseconds since 1970. */
uint64_t export_time(const struct record *r);
/* Takes the octets over; what is said on a leg that is not there is dropped. */
void export_add(struct export_session *s, const struct utterance *u);

/* ---- export_frame.c ---- */
void export_open(struct export_session *s, const struct record *r);
void export_connect(struct export_session *s, const struct record *r);
void export_tls(struct export_session *s, const struct record *r);
void export_opaque(struct export_session *s, const struct record *r);
void export_finding(struct export_session *s, const struct record *r);
void export_close(struct export_session *s, const struct record *r);

#endif
