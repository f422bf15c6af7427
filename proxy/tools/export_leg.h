/*
 * export_leg - one leg of a session as a TCP connection that might have been: handshake,
 * segments with correct checksums, what is missing as holes in the sequence numbers, an end.
 *
 * Octets are never invented: those a transcript does not hold leave a hole, and a comment says
 * how many.
 *
 * Owns: nothing.
 */
#ifndef TOOLS_EXPORT_LEG_H
#define TOOLS_EXPORT_LEG_H

#include "base/span.h"
#include "smtp/event.h"
#include "transport/addr.h"

#include <stdint.h>
#include <stdio.h>

enum { LEG_SEGMENT_MAX = 1448, LEG_COMMENT_MAX = 4096 };

/* Of a leg the client is whoever opened it. */
struct leg {
    FILE *out;
    struct addr addr[2];           /* by enum side */
    uint32_t first[2];             /* sequence number of the first octet */
    uint64_t octets[2];            /* of the stream, up to now */
    uint64_t t_us;                 /* of the last packet: time does not run backwards */
    bool open, closed[2];          /* a FIN or RST was sent */
    bool guessed;                  /* an address is not known */
    bool tls;                      /* what follows was inside TLS */
    char pending[LEG_COMMENT_MAX]; /* for the next packet */
};

/* seed: of the session, so that the same ends give other sequence numbers the next time. */
void leg_init(struct leg *l, FILE *out, uint32_t seed);
/* Addresses as text; what cannot be read becomes one for documentation (RFC 5737, 3849). */
void leg_set_ends(struct leg *l, const char *client, const char *server);

/* A line for the comment of the next packet. */
void leg_remark(struct leg *l, const char *text);
/* The handshake, unless it was made. */
void leg_open(struct leg *l, uint64_t t_us);
/* Nobody answered, or refused: `error`. */
void leg_refused(struct leg *l, uint64_t t_us, const char *error);
void leg_say(struct leg *l, enum side from, uint64_t t_us, struct span octets);
/* Octets that are not there. */
void leg_skip(struct leg *l, enum side from, uint64_t octets, const char *what);
/* A packet without octets that carries what was remarked. */
void leg_tell(struct leg *l, uint64_t t_us);
void leg_close(struct leg *l, enum side first, bool reset, uint64_t t_us);

#endif
