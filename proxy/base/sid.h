/*
 * sid - session ids that are unique across machines and sort by time: ULIDs.
 *
 * 48 bits of milliseconds since 1970, 80 bits of chance. Within one source ids
 * only rise, also when the clock is set back. The chance is seeded by the kernel;
 * ids are names, not secrets.
 */
#ifndef BASE_SID_H
#define BASE_SID_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { SID_OCTETS = 16, SID_TEXT = 26 };

struct sid_source {
    uint64_t seed[2];
    uint64_t ms;   /* of the last id */
    uint64_t low;  /* its chance: 64 bits, */
    uint16_t high; /* and 16 before them */
};

void sid_source_init(struct sid_source *s);
void sid_next(struct sid_source *s, uint64_t t_us, uint8_t out[SID_OCTETS]);

/* An id as two numbers, the upper half first: for tables. */
struct sid {
    uint64_t high, low;
};

/* False: not the 26 characters of an id. */
MUST_CHECK bool sid_parse(struct span text, struct sid *out);
void sid_text(const struct sid *s, char out[SID_TEXT + 1]);

/* 26 characters of Crockford's base 32 and a NUL. */
void sid_format(const uint8_t sid[SID_OCTETS], char out[SID_TEXT + 1]);
/* Whether an id begins or ends with what a user gave; case is ignored. */
bool sid_fits(const char *sid, const char *part);

#endif
