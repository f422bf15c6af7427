/*
 * sha256 - SHA-256 (FIPS 180-4), all at once.
 *
 * For layers that may not know OpenSSL and hash a certificate now and then; whoever hashes
 * mail uses something faster.
 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/span.h"

enum { SHA256_OCTETS = 32, SHA256_TEXT = 2 * SHA256_OCTETS + 1 };

void sha256(struct span in, unsigned char out[SHA256_OCTETS]);
/* In hexadecimal, lower case, with a NUL. */
void sha256_text(struct span in, char out[SHA256_TEXT]);

#endif
