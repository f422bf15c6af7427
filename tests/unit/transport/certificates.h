/*
 * certificates - keys and certificates for tests, made when first asked for.
 *
 * They are written to a directory of their own, removed at exit. The test authority signs
 * all but the ones made to be refused; names are mx.test where nothing else is said. Dates
 * count from now, so no test grows old.
 */
#ifndef UNIT_CERTIFICATES_H
#define UNIT_CERTIFICATES_H

#include <stdint.h>

#include "transport/tls_context.h"

enum certificate {
    CERTIFICATE_GOOD, /* EC P-256, as all others but RSA */
    CERTIFICATE_RSA,
    CERTIFICATE_OTHER_KEY,
    CERTIFICATE_OTHER_NAME,  /* other.test, third.test */
    CERTIFICATE_WILDCARD,    /* *.wild.test */
    CERTIFICATE_COMMON_NAME, /* common.test, no subjectAltName */
    CERTIFICATE_ADDRESS,     /* 192.0.2.1 */
    CERTIFICATE_EXPIRED,     /* 12 days ago */
    CERTIFICATE_NOT_YET,     /* from in 3 days */
    CERTIFICATE_SOON,        /* expires within 10 days */
    CERTIFICATE_SELF_SIGNED,
    CERTIFICATE_UNKNOWN_CA,
    CERTIFICATE_CLIENT,
    CERTIFICATES
};

/* All end the program when something fails. */
const struct tls_key_pair *certificate_files(enum certificate which);
/* The test authority's certificate. */
const char *certificate_ca(void);
/* A path in the directory of the certificates; of a rotating set of 8. */
const char *certificate_path(const char *name);
void certificate_pin(enum certificate which, uint8_t pin[TLS_PIN_OCTETS]);

#endif
