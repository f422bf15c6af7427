/*
 * number - decimal numbers that travel: the size of a chunk, of a message, a time.
 *
 * Who receives a number may keep it in 32 bits, signed or not, and wrap around or saturate:
 * Exim 4.96 reads "BDAT 4294967301" as a chunk of 5 octets, and what follows as commands.
 * So a number is passed on only when all of them read the same: at most 2^31-1, written
 * with at most as many digits as that has.
 *
 * Sans-IO, no memory.
 */
#ifndef SMTP_NUMBER_H
#define SMTP_NUMBER_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdint.h>

enum { NUMBER_DIGITS_MAX = 10 };
#define NUMBER_MAX UINT64_C(2147483647)

/* How many octets at the start of s are digits. */
size_t number_digits(struct span s);

/*
 * Reads a number that is nothing but digits. *value is set whenever there is one, UINT64_MAX
 * when it does not fit. False: no number, or one that receivers may read differently.
 */
MUST_CHECK bool number_parse(struct span s, uint64_t *value);

#endif
