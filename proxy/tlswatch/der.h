/*
 * der - one ASN.1 element after another, in the distinguished encoding (X.690 10).
 *
 * Strict: definite lengths in the shortest form, tags below 31. What is anything else is
 * refused, whatever a lenient reader would make of it.
 */
#ifndef TLSWATCH_DER_H
#define TLSWATCH_DER_H

#include "base/attributes.h"
#include "base/span.h"

enum der_tag {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OID = 0x06,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT_0 = 0xa0, /* [0], constructed */
};

struct der {
    unsigned tag;      /* the identifier octet */
    struct span value; /* its contents */
    struct span whole; /* with identifier and length */
};

/* Takes the next element off the front; false: there is none, or it is not DER. */
MUST_CHECK bool der_next(struct span *in, struct der *out);
/* The same, of this kind only. */
MUST_CHECK bool der_expect(struct span *in, unsigned tag, struct der *out);

#endif
