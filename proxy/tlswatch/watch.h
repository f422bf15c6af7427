/*
 * watch - what a TLS handshake shows in the clear, while it passes (RFC 8446 4.1,
 * 5246 7.4).
 *
 * For streams that are relayed untouched after STARTTLS: versions, server name, ALPN, the
 * cipher chosen, the certificate of a TLS 1.2 server, alerts that are not encrypted. Only
 * looks; the caller relays. Sans-IO.
 *
 *   octets of a side -> records -> handshake messages -> hello, certificate -> facts
 *                              \-> alerts, ChangeCipherSpec, the first encrypted record
 *
 * Both directions are read record by record, however they are cut into reads. What is
 * malformed, too long or not TLS at all ends the watching, never the stream.
 *
 * Alerts: alert_received is the server's, alert_sent the client's; detail says it in words.
 * An alert inside TLS 1.3 has no number to be seen, but its size gives it away when it comes
 * instead of the Finished (a client that does not like the certificate).
 *
 * Plaintext is quoted in detail: a line of the server's, of the client's only its first
 * letters, as it may be a secret.
 *
 * Memory: one block while watching, about 2 KiB, and of each side one message as it comes in,
 * at most TLS_WATCH_HELLO_MAX or TLS_WATCH_CERTIFICATE_MAX octets. A side that sends
 * TLS_WATCH_SIDE_MAX and has not finished is not followed any more. Free it as soon as
 * tls_watch_done().
 */
#ifndef TLSWATCH_WATCH_H
#define TLSWATCH_WATCH_H

#include "base/attributes.h"
#include "base/span.h"
#include "base/tls_facts.h"
#include "base/side.h"

#include <stdbool.h>

enum {
    TLS_WATCH_HELLO_MAX = 16384,
    TLS_WATCH_CERTIFICATE_MAX = 16384, /* of the message; what is behind is not kept */
    TLS_WATCH_SIDE_MAX = 262144,
};

struct tls_watch;

/* NULL when memory is out: nothing is watched then. */
MUST_CHECK struct tls_watch *tls_watch_new(void);
void tls_watch_free(struct tls_watch **w);

/* Octets of memory it takes. */
size_t tls_watch_memory(const struct tls_watch *w);
/* The next octets of a side. */
void tls_watch_bytes(struct tls_watch *w, enum side from, struct span bytes);
/* The side ended (reset or not) before the handshake was over: that is why it failed. */
void tls_watch_end(struct tls_watch *w, enum side from, bool reset);
/* Neither side ended, the caller does not wait any longer: TLS_FAILURE_TIMEOUT or _EOF. */
void tls_watch_stop(struct tls_watch *w, enum tls_failure why);
/* Nothing more will be learned: it is complete, has failed, or cannot be followed. */
bool tls_watch_done(const struct tls_watch *w);

/*
 * What was seen, complete once tls_watch_done(). failure is NONE when encrypted data passed
 * both ways (TLS 1.3) or both sides said Finished (TLS 1.2). Valid as long as the watch.
 */
const struct tls_facts *tls_watch_facts(const struct tls_watch *w);

#endif
