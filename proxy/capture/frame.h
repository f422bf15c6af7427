/*
 * frame - link layers: where in a captured frame the IP packet begins.
 *
 *   Ethernet, with any stack of 802.1Q, 802.1ad and QinQ tags; Linux cooked v1 and v2;
 *   raw IP; BSD and OpenBSD loopback
 *
 * A link type is libpcap's DLT_ value. Padding behind the packet stays: the packet itself
 * says how long it is. Sans-IO. Owns: nothing.
 */
#ifndef CAPTURE_FRAME_H
#define CAPTURE_FRAME_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>

/* Can frames of this link type be read at all? */
bool frame_is_known(int link_type);

/* False: no IP in it, or cut before it begins. *packet is a view of the frame. */
MUST_CHECK bool frame_packet(int link_type, struct span frame, struct span *packet);

#endif
