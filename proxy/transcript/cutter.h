/*
 * cutter - where a block of content ends: at a line's end that the content itself
 * chooses.
 *
 * After 3 KiB the first line whose last 16 octets hash to the chosen value ends
 * the block; after 16 KiB any line does; at 64 KiB it ends anywhere. So blocks are
 * about 4 KiB, and two observers who see the same text cut it alike, also after a
 * place where one of them saw something else. A CR before the LF is not hashed:
 * a changed line ending moves no cut.
 *
 * Depends on the content only, never on how it came in reads.
 */
#ifndef TRANSCRIPT_CUTTER_H
#define TRANSCRIPT_CUTTER_H

#include "base/span.h"

#include <stdint.h>

enum {
    CUT_MIN = 3 * 1024, /* no line ends a block before */
    CUT_ANY_LINE = 16 * 1024,
    CUT_ANYWHERE = 64 * 1024,
    CUT_HASHED = 16,
    CUT_TAIL = CUT_HASHED + 1, /* and a CR */
};

struct cutter {
    uint32_t octets;              /* of the block so far */
    unsigned char tail[CUT_TAIL]; /* the last octets before the input, once there are so many */
};

/*
 * Takes octets from the front of the input, up to and with the block's last one;
 * returns how many. *ends: the block ends there.
 */
size_t cutter_take(struct cutter *c, struct span in, bool *ends);

#endif
