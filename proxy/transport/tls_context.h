/*
 * tls_context - what the TLS endpoints of a listener share: certificates, keys, trust.
 *
 * Immutable once made, but for the ticket keys of a server (tls_tickets.h), counted, shared by
 * all workers: sessions keep the context they began with, a reload makes new ones.
 *
 * Server: one or several certificates; the one whose names match the server name the client
 * asks for is used, else the first. Certificates for the same names with keys of different
 * types stand for each other, as the client can use them.
 *
 * Client: what is checked of the upstream:
 *   TLS_VERIFY_NO    nothing; what a check would have said is told all the same
 *   TLS_VERIFY_CA    a chain to a trusted CA, validity, and the name
 *   TLS_VERIFY_PIN   the SHA-256 of the public key (RFC 7469, as DANE-EE 3 1 1, RFC 7672):
 *                    neither names nor dates nor issuers count then
 */
#ifndef TRANSPORT_TLS_CONTEXT_H
#define TRANSPORT_TLS_CONTEXT_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tls_verify { TLS_VERIFY_NO, TLS_VERIFY_CA, TLS_VERIFY_PIN };

enum { TLS_PIN_OCTETS = 32, TLS_CONTEXT_ERROR_MAX = 512 };

/* One PEM file with the certificate first and its chain after it; one with its private key. */
struct tls_key_pair {
    const char *certificate, *key;
};

struct tls_server_config {
    const struct tls_key_pair *pairs;
    unsigned pair_count;
    bool ask_client; /* ask for a client certificate; any one is let in, and told */
    const char
        *client_ca; /* what a client's certificate is checked against; NULL: the system's */
};

struct tls_client_config {
    enum tls_verify verify;
    const char *ca; /* PEM file; NULL: the system's */
    const uint8_t (*pins)[TLS_PIN_OCTETS];
    unsigned pin_count;
};

/* What is wrong, for the message's file and line. */
enum tls_config_part {
    TLS_PART_NONE,
    TLS_PART_CERTIFICATE, /* of pair `index` */
    TLS_PART_KEY,         /* of pair `index` */
    TLS_PART_CA,
    TLS_PART_EXPIRED, /* certificate of pair `index`: it can be served all the same */
};

struct tls_config_error {
    enum tls_config_part part;
    unsigned index;
    char text[TLS_CONTEXT_ERROR_MAX]; /* "/etc/x.key does not belong to the certificate in ..."
                                       */
};

struct tls_context;

/*
 * NULL: *error says why. An expired (or not yet valid) certificate is no reason to fail: the
 * context is made and *error says TLS_PART_EXPIRED for the first such; else TLS_PART_NONE.
 */
MUST_CHECK struct tls_context *tls_context_server(const struct tls_server_config *c,
                                                  struct tls_config_error *error);
MUST_CHECK struct tls_context *tls_context_client(const struct tls_client_config *c,
                                                  struct tls_config_error *error);
/* Lines in the format of SSLKEYLOGFILE are appended to the file, for Wireshark; it is made
 * with mode 0600. Right after making the context. False: errno (trusted_open.h). The
 * environment variable means nothing here. */
MUST_CHECK bool tls_context_keylog(struct tls_context *ctx, const char *file);

struct tls_context *tls_context_ref(struct tls_context *ctx);
void tls_context_unref(struct tls_context **ctx); /* any thread */

/* "sha256:BASE64", "sha256:HEX", bare hexadecimal, or "3 1 1 HEX" (TLSA). */
MUST_CHECK bool tls_pin_parse(uint8_t pin[TLS_PIN_OCTETS], const char *text);

#endif
