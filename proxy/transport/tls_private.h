/*
 * tls_private - what the files of the TLS engine share; nobody else includes it.
 *
 *   tls.c              the engine: octets in, octets out
 *   tls_hello.c        what a ClientHello asks for: name, protocols, certificate
 *   tls_failure.c      why a handshake failed
 *   tls_facts_fill.c   what is known of it, as text
 *   tls_seen.c         the text of certificates seen before
 *   tls_tickets.c      the keys of session tickets, and when they change
 *   tls_context.c      contexts: how they are made, checked against, freed
 *   tls_certificate.c  certificates and keys from files, and what is wrong with them
 *   tls_names.c        the names of a certificate
 *   tls_pin.c          pins
 *
 * Nothing is formatted and no certificate is looked into while a handshake runs but what
 * OpenSSL itself does: tls_facts() makes the texts, from what the callbacks noted here.
 */
#ifndef TRANSPORT_TLS_PRIVATE_H
#define TRANSPORT_TLS_PRIVATE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "base/span.h"
#include "transport/tls.h"
#include "transport/tls_tickets.h"

/* The DNS names of a certificate (RFC 6125 6.4): its subjectAltName, or else its common name.
 */
struct tls_names {
    char **name;
    unsigned count;
};

/* One group of names and the certificates for it, one for each type of key. */
struct tls_identity {
    SSL_CTX *ssl;
    struct tls_names names;
};

struct tls_context {
    atomic_uint refs;
    bool server;
    enum tls_verify verify;          /* client */
    struct tls_identity *identities; /* a client has one, without names */
    unsigned identity_count;
    uint8_t (*pins)[TLS_PIN_OCTETS];
    unsigned pin_count;
    struct tls_tickets tickets; /* server */
    int keylog;                 /* file descriptor, or -1 */
};

/* As much of a plaintext answer as its first line needs to be recognised. */
enum { TLS_FIRST_MAX = 48, TLS_FIRST_IS_RECORD = 0xff };

struct tls {
    SSL *ssl; /* its BIO leads back here: tls_of() */
    struct tls_context *ctx;
    struct tls_wire *wire;
    struct span in;     /* borrowed, see tls_put_wire() */
    char *server_name;  /* NULL: none */
    char *alpn_offered; /* NULL: none */
    X509 *rejected;     /* the peer's certificate that did not pass */

    enum tls_failure failure;
    unsigned long error;     /* OpenSSL's */
    int verify_depth;        /* where in the chain the error of SSL_get_verify_result() is */
    uint16_t client_version; /* the highest the ClientHello offers; 0: unknown */
    int16_t alert_received, alert_sent;
    bool hello_client, hello_server;
    bool complete;     /* the handshake */
    bool finished;     /* close_notify was sent */
    bool dry;          /* nothing to be read until more is put in */
    bool overflow;     /* the wire had no room */
    uint8_t first_len; /* of `first`; TLS_FIRST_IS_RECORD: it was a TLS record */
    unsigned char first[TLS_FIRST_MAX];
};

/* SSL_get_error() looks at what earlier calls left in the queue; mostly nothing. */
static inline void tls_clear_errors(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

/* SHA-256 as OpenSSL does it, looked up once: a look-up costs more than the hash. NULL: it
 * cannot be had. */
const EVP_MD *tls_sha256(void);

static inline struct tls *tls_of(const SSL *ssl)
{
    return BIO_get_data(SSL_get_rbio(ssl));
}

/* Sets t->failure from OpenSSL's error queue; a failure known already stays. */
void tls_classify(struct tls *t);
/* "the client offers TLS 1.1 at most"; "" if there is nothing to add to the failure. */
void tls_failure_detail(const struct tls *t, char *out, size_t size);
enum tls_failure tls_failure_of_verify(long verify_error);
/* The certificate the other side showed, accepted or not; NULL: none. Borrowed. */
X509 *tls_peer_certificate(const struct tls *t);

/* Copies what tls_seen_keep() kept of this certificate; false: it did not. */
MUST_CHECK bool tls_seen_find(struct tls_seen *s, X509 *cert, struct tls_facts *out);
void tls_seen_keep(struct tls_seen *s, X509 *cert, const struct tls_facts *of);

/* Server callbacks of every SSL_CTX. */
void tls_hello_install(SSL_CTX *ssl);

/* False: out of memory. */
MUST_CHECK bool tls_names_init(struct tls_names *n, X509 *cert);
void tls_names_deinit(struct tls_names *n);
bool tls_names_equal(const struct tls_names *a, const struct tls_names *b);
/* A "*" label stands for one whole label. */
bool tls_names_match(const struct tls_names *n, const char *host);

/* A certificate, its chain and its key; what is NULL was not read. */
struct tls_pair {
    X509 *leaf;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
};

/* False: *error tells, but for its index. tls_pair_deinit() is due in both cases. */
MUST_CHECK bool tls_pair_load(struct tls_pair *p, const struct tls_key_pair *files,
                              struct tls_config_error *error);
void tls_pair_deinit(struct tls_pair *p);
/* True: the certificate cannot be used now; text tells since or until when. */
bool tls_pair_is_out_of_date(const struct tls_pair *p, const char *file,
                             struct tls_config_error *error);
/* NULL: *error tells. No file: the system's certificates. */
X509_STORE *tls_store_load(const char *file, struct tls_config_error *error);

/* SHA-256 of the public key as a SubjectPublicKeyInfo. */
MUST_CHECK bool tls_pin_of(uint8_t pin[TLS_PIN_OCTETS], X509 *cert);
bool tls_pin_is_known(const struct tls_context *ctx, X509 *cert);

#endif
