/*
 * syn - the options of a connection's first segments (RFC 9293 3.2, RFC 7323, RFC 2018), as
 * text: "mss 1460, sack, timestamps, scale 7". A box that rewrites them changes how fast and
 * how safely all that follows is carried, and shows nowhere else.
 *
 * Sans-IO, no memory.
 */
#ifndef CAPTURE_SYN_H
#define CAPTURE_SYN_H

#include "base/span.h"

enum {
    SYN_OPTIONS_MAX = 40, /* octets: the header's length has four bits */
    SYN_TEXT_MAX = 20 * sizeof("option 255, "),
};

/* In the order they stand there, without padding. Length of the text; 0: there are none. */
size_t syn_text(struct span options, char out[SYN_TEXT_MAX]);

#endif
