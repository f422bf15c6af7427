/*
 * envelope - the arguments of MAIL, RCPT and BDAT, read as a modern MTA reads them.
 *
 * Sans-IO, no memory; views point into the argument given. Apart from smtp/path on
 * purpose: see received.h.
 */
#ifndef LAB_ENVELOPE_H
#define LAB_ENVELOPE_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdint.h>

struct envelope {
    struct span path;   /* between the angle brackets */
    struct span params; /* what follows them */
};

/* keyword: "FROM:" or "TO:". False: not "keyword<path>" and what may follow. */
MUST_CHECK bool envelope_parse(struct span arg, struct span keyword, struct envelope *out);

/* The next of "KEYWORD[=VALUE] ..."; false when there is none. */
bool envelope_param(struct span *params, struct span *keyword, struct span *value);

/* 1*20DIGIT (RFC 1870 3); a value beyond 64 bits is UINT64_MAX. */
MUST_CHECK bool envelope_number(struct span digits, uint64_t *out);

/* "1*DIGIT [SP LAST]" (RFC 3030 2). */
MUST_CHECK bool envelope_chunk(struct span arg, uint64_t *octets, bool *last);

#endif
