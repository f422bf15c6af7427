/*
 * tls_facts - what is known of one TLS handshake, finished or not, as plain text.
 *
 * Filled in by whoever saw it: the engine that took part (transport/tls) or the watcher that
 * saw it pass (tlswatch/watch). An empty string or 0 means: not known. Text that a peer
 * chose is cut to its room and holds printable ASCII only: other octets became '?'.
 */
#ifndef BASE_TLS_FACTS_H
#define BASE_TLS_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * TLS_FAILURE(ID, "name", "plain words"): why a handshake did not come to its end. The name
 * is stable and stands in records.
 */
#define TLS_FAILURES(X)                                                                        \
    X(NONE, "", "")                                                                            \
    X(PLAINTEXT, "plaintext", "plaintext received where TLS was expected")                     \
    X(EOF, "eof", "the connection was closed during the handshake")                            \
    X(RESET, "reset", "the connection was reset during the handshake")                         \
    X(TIMEOUT, "timeout", "the handshake timed out")                                           \
    X(VERSION, "version", "no TLS version in common")                                          \
    X(CIPHER, "no-shared-cipher", "no cipher in common")                                       \
    X(ALPN, "alpn", "the client requires another application protocol")                        \
    X(EXPIRED, "expired", "the certificate has expired")                                       \
    X(NOT_YET, "not-yet-valid", "the certificate is not yet valid")                            \
    X(UNKNOWN_CA, "unknown-ca", "the certificate's issuer is not trusted")                     \
    X(SELF_SIGNED, "self-signed", "the certificate is self-signed")                            \
    X(NAME, "wrong-name", "the certificate is for another name")                               \
    X(PIN, "pin-mismatch", "the certificate's key is not the one expected")                    \
    X(BAD_CERTIFICATE, "bad-certificate", "the certificate cannot be used")                    \
    X(ALERT, "alert", "the peer aborted with an alert")                                        \
    X(PROTOCOL, "protocol", "invalid TLS data received")                                       \
    X(MEMORY, "no-memory", "out of memory")

enum tls_failure {
#define X(id, name, text) TLS_FAILURE_##id,
    TLS_FAILURES(X)
#undef X
};

enum { TLS_ALERT_UNKNOWN = -1 };

struct tls_facts {
    enum tls_failure failure; /* TLS_FAILURE_NONE: the handshake is complete */
    char detail[160];         /* more about it, e.g. what the library said */
    int16_t alert_received;   /* TLS_ALERT_UNKNOWN: none */
    int16_t alert_sent;
    bool resumed;
    bool hello_client, hello_server; /* seen */
    char version[12];                /* "TLSv1.3" */
    char cipher[64];                 /* name as in the IANA registry where known */
    char server_name[256];           /* SNI, as the client sent it */
    char alpn[64];                   /* chosen */
    char alpn_offered[128];          /* what the client offered, separated by blanks */
    /* The peer's certificate; in passthrough the upstream's (TLS 1.2 shows it). */
    char subject[200], issuer[200];
    char not_before[24], not_after[24]; /* RFC 3339 */
    char sha256[65];                    /* of the certificate, hexadecimal */
    char spki_sha256[65];               /* of its public key: what a pin names */
    char verify[96];                    /* "ok", why not, or "" when nobody looked */
};

const char *tls_failure_name(enum tls_failure f);
const char *tls_failure_text(enum tls_failure f);

/* Copies what a peer sent: at most size - 1 octets, unprintable ones as '?'. */
void tls_facts_text(char *out, unsigned size, const void *from, unsigned len);
/* "unknown_ca"; "" for numbers RFC 8446 6 does not name. */
const char *tls_alert_name(int alert);

#endif
