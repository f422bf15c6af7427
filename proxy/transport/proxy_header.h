/*
 * proxy_header - the PROXY protocol, version 1 and 2 (haproxy.org, proxy-protocol.txt):
 * who the client is, said by the balancer in front. Sans-IO.
 *
 * Reading is strict: what is not exactly a header of an allowed version is refused; a header
 * is read as a whole or not at all. TLVs of version 2 are skipped, a CRC-32c among them is
 * checked.
 *
 * Limits: a version 1 line has at most 107 octets; of version 2 at most PROXY_HEADER_MAX
 *         octets are accepted, TLVs included.
 */
#ifndef TRANSPORT_PROXY_HEADER_H
#define TRANSPORT_PROXY_HEADER_H

#include "base/span.h"
#include "transport/addr.h"

#include <stdbool.h>

enum { PROXY_HEADER_MAX = 16 + 2048, PROXY_HEADER_ROOM = 108 };

/* Bits: what is accepted. */
enum proxy_versions { PROXY_V1 = 1, PROXY_V2 = 2, PROXY_ANY = 3 };

enum proxy_result {
    PROXY_MORE, /* so far it may be one: call again with more behind it */
    PROXY_OK,
    PROXY_BAD, /* not a header; `why` says what is wrong */
};

struct proxy_header {
    unsigned version; /* 1 or 2 */
    bool local; /* LOCAL, UNKNOWN or UNSPEC: the balancer speaks for itself (health checks) */
    struct addr source, destination; /* family 0 when local */
    size_t used;                     /* octets of the header */
    const char *why;                 /* constant text */
};

enum proxy_result proxy_header_read(struct span in, enum proxy_versions allowed,
                                    struct proxy_header *out);

/*
 * The header for a connection from source to destination, or for one whose client is not
 * known (family 0, or families that differ: LOCAL or UNKNOWN). Returns its length.
 */
size_t proxy_header_write(unsigned version, const struct addr *source,
                          const struct addr *destination, unsigned char out[PROXY_HEADER_ROOM]);

#endif
