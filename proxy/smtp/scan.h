/*
 * scan - how much of a stretch of mail data needs no thought at all.
 *
 * An octet is odd, and ends the clean stretch, when it is
 *
 *   - NUL
 *   - a CR without its LF (the last octet of the input, too), an LF without its CR
 *   - "." or NUL, bit 7 ignored, after LF, bit 7 ignored: a dot to stuff, the end
 *     of the data, or what an upstream that clears bit 7 would take for one
 *
 * Clean octets are counted on the way: ordinary mail is looked at once, 64 octets
 * at a time. AVX2, SSE2 and portable code give the same answer; the best that the
 * processor has is taken at run time. Nothing is read outside of the input.
 *
 * Sans-IO, no memory, no state.
 */
#ifndef SMTP_SCAN_H
#define SMTP_SCAN_H

#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct scan_start {
    bool line_start;      /* the octet before the input was LF, or there was none */
    uint64_t line_octets; /* of the unfinished line before the input */
};

struct scan_result {
    size_t clean;         /* octets before the first odd one */
    uint64_t lines;       /* of these: CRLF pairs */
    uint64_t eight_bit;   /* octets above 127 */
    uint64_t longest;     /* longest line that ended in them, with its CRLF */
    uint64_t line_octets; /* of the unfinished line behind them */
};

enum scan_kind { SCAN_PORTABLE, SCAN_SSE2, SCAN_AVX2, SCAN_KINDS };

struct scan_result scan_clean(struct span in, struct scan_start start);

/* For tests: one certain implementation, which must be available. */
struct scan_result scan_clean_with(enum scan_kind kind, struct span in,
                                   struct scan_start start);
bool scan_is_available(enum scan_kind kind);

#endif
