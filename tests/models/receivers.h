/*
 * receivers - how servers read the stream that reaches them, the careless ones included.
 *
 * A receiver reads commands, mail data, chunks and AUTH lines octet by octet, and stops behind
 * each command until it is told its own reply, because what follows depends on that. It knows
 * what belongs to what by the letters: whoever feeds it writes commands in upper case and all
 * content (mail data, chunks, AUTH lines) in lower case. So an end that it sees too early, or
 * a size that it reads in its own way, shows: `broken` says how.
 */
#ifndef MODELS_RECEIVERS_H
#define MODELS_RECEIVERS_H

#include "models/smuggling_models.h"
#include "smtp/verb.h"

#include <stdint.h>

enum { SIZE_READINGS = 12, RECEIVER_OCTETS_MAX = 1 << 18 };

/* reading: 0 to SIZE_READINGS - 1; 0 is the strict one. */
const char *size_reading_name(unsigned reading);
/* What that receiver takes "BDAT arg" for. False: it refuses it, and no octets follow. */
bool size_reading(unsigned reading, struct span arg, uint64_t *octets);

enum receiver_mode { RECEIVER_COMMAND, RECEIVER_DATA, RECEIVER_CHUNK, RECEIVER_AUTH };

struct receiver {
    unsigned sizes; /* how it reads sizes */
    unsigned ends;  /* how it finds the end of the mail data: a model */
    bool cr_ends;   /* a bare CR ends its command lines, a LF behind it is skipped */
    bool after_cr;
    enum receiver_mode mode;
    bool stopped;       /* a command is read: receiver_reply() next */
    bool answered;      /* what comes next has its reply already: `code` */
    unsigned code;      /* of that */
    bool refuses;       /* its reply is its own: 501 */
    enum verb verb;     /* of the command read */
    uint64_t left;      /* octets of the chunk still to come */
    const char *broken; /* NULL, or what went wrong */
    size_t len, at;     /* received; understood */
    unsigned char octets[RECEIVER_OCTETS_MAX];
};

void receiver_init(struct receiver *r, unsigned sizes, unsigned ends, bool cr_ends);
/* More octets; those beyond RECEIVER_OCTETS_MAX are not looked at. */
void receiver_take(struct receiver *r, struct span bytes);
/* The reply to the command it stopped at; or, when it did not stop, to what it has not read
 * yet. */
void receiver_reply(struct receiver *r, unsigned code);
/* It believes to be done with the chunk or mail data that it is in the middle of: what comes
 * next is a command to it. */
void receiver_gives_up_content(struct receiver *r);

#endif
