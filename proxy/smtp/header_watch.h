/*
 * header_watch - where the header of a message ends, and whether it is signed.
 *
 * Signed: a field DKIM-Signature or ARC-Seal, or Content-Type multipart/signed.
 * Altering such content breaks the signature, which is worth a note. Looks at the
 * octets as received; a line ends at LF, the header at the first empty line.
 *
 * Sans-IO, constant memory; any cut of the input gives the same answer.
 */
#ifndef SMTP_HEADER_WATCH_H
#define SMTP_HEADER_WATCH_H

#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct header_watch {
    uint8_t state;
    uint8_t field;   /* which name is being matched */
    uint8_t matched; /* octets of it */
    bool ended;
    bool is_signed;
};

/* {0} is the start of a message. Returns how many of the octets are header. */
size_t header_watch(struct header_watch *h, struct span octets);

#endif
