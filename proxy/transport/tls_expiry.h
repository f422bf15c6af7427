/*
 * tls_expiry - how long a certificate in a file is still good.
 *
 * Apart from the contexts: these serve what they are given, this is for a word beforehand.
 */
#ifndef TRANSPORT_TLS_EXPIRY_H
#define TRANSPORT_TLS_EXPIRY_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

struct tls_expiry {
    int64_t seconds_since;              /* it became valid; negative: it is not yet */
    int64_t seconds_left;               /* negative: it has expired */
    char not_before[24], not_after[24]; /* RFC 3339 */
};

/* Of the first certificate of a PEM file. False: there is none to be read. */
MUST_CHECK bool tls_expiry_read(struct tls_expiry *e, const char *file);

#endif
