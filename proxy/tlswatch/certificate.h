/*
 * certificate - what an X.509 certificate says of itself (RFC 5280 4.1), as text.
 *
 * For showing only: nothing is verified, no extension is read. Names are written as in
 * RFC 4514 with a blank after each comma, the most specific part first, since that is the
 * part to keep when the room is too small.
 */
#ifndef TLSWATCH_CERTIFICATE_H
#define TLSWATCH_CERTIFICATE_H

#include "base/attributes.h"
#include "base/span.h"
#include "base/tls_facts.h"

/*
 * Fills subject, issuer, validity and both fingerprints. False: it is not a certificate; then
 * only sha256 is filled, as it is of the octets as they came.
 */
bool tls_certificate_facts(struct span der, struct tls_facts *f);

#endif
