/*
 * duo - two vantage points in memory: a client, NEAR, a wire that may change what passes, FAR
 * and a server, all without a socket; both write transcripts.
 *
 *   client  ->  near session  ->  wire  ->  far session  ->  server
 */
#ifndef TESTS_DIFF_DUO_H
#define TESTS_DIFF_DUO_H

#include "smtp/session.h"
#include "transcript/record.h"
#include "transcript/writer.h"

enum { DUO_STREAM_MAX = 1 << 18 };

struct duo_octets {
    unsigned char bytes[DUO_STREAM_MAX];
    size_t len;
};

/* What the wire does to octets on their way to a side; `at`: of the first in its stream. */
typedef void duo_wire(void *arg, enum side to, uint64_t at, struct span in,
                      struct duo_octets *out);

struct duo_config {
    const char *file[2]; /* of NEAR and FAR */
    bool observe;
    enum content_level content;
    const char *spool[2];
    enum redact_level redact[2];
    int64_t ahead_us; /* FAR's clock before NEAR's */
    bool nat;         /* no address is the same on both sides */
};

struct duo;

struct duo *duo_new(const struct duo_config *c);
void duo_free(struct duo **d);

/*
 * One session of these steps: each is sent when the reply to the one before is complete. A step
 * behind DATA is left out when the reply was no 354. The wire may be NULL.
 */
void duo_session(struct duo *d, const char *const *steps, size_t count, duo_wire *wire,
                 void *arg);

/* Of the session that was last: what left, before the wire changed it. */
const struct duo_octets *duo_sent(const struct duo *d, enum side to);
const char *duo_near_sid(const struct duo *d);

#endif
