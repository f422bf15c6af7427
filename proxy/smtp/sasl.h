/*
 * sasl - which SASL mechanisms can negotiate a security layer (RFC 4422 3.7).
 *
 * Such a layer begins right after 235; from there on both directions are blocks
 * behind a length of four octets, not SMTP. Names are compared without case.
 * Sans-IO.
 */
#ifndef SMTP_SASL_H
#define SMTP_SASL_H

#include "base/span.h"

/* GSSAPI, DIGEST-MD5, KERBEROS_V4: a layer is part of the mechanism. */
bool sasl_has_layer(struct span mechanism);
/* The same, or a mechanism not known to have none. */
bool sasl_may_have_layer(struct span mechanism);
/*
 * Is this the first octet of a layer rather than of a command or reply? The length of a
 * block is below 2^24 in every mechanism, so its first octet is NUL; no text begins with a
 * control but CR, LF and TAB.
 */
bool sasl_begins_layer(unsigned char first);

#endif
