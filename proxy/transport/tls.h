/*
 * tls - one TLS endpoint as a pure engine: octets in, octets out, no socket (RFC 8446, 5246).
 *
 *      wire (ciphertext)            app (plaintext)
 *   tls_put_wire()  ---->  engine  ---->  tls_read()
 *   wire->bytes     <----  engine  <----  tls_write()
 *
 * The engine reads straight from the octets given to tls_put_wire() and writes straight into
 * the struct tls_wire of its loop: no buffer of its own but an unfinished record's, and that
 * is given back when the record is complete (an idle endpoint holds none).
 *
 * After EVERY call here, wire->len octets are to be sent, then wire->len set to 0: handshakes,
 * alerts, tickets and key updates write when nobody asked them to.
 *
 * TLS 1.2 and 1.3, no compression, no renegotiation, session tickets; a client that offers
 * application protocols (ALPN), but not "smtp", is refused (ALPACA). No SSL_* outside of
 * tls.c and tls_context.c.
 *
 * Limits: octets of one tls_put_wire() as the caller reads them; plaintext and wire octets of
 *         one call as the buffers given.
 */
#ifndef TRANSPORT_TLS_H
#define TRANSPORT_TLS_H

#include "base/attributes.h"
#include "base/span.h"
#include "base/tls_facts.h"
#include "transport/tls_context.h"

#include <stddef.h>

enum {
    TLS_RECORD_MAX = 16384,            /* plaintext octets of one record */
    TLS_RECORD_ROOM = 16384 + 512,     /* wire octets of one record, at most */
    TLS_WIRE_MIN = 4 * TLS_RECORD_ROOM /* a handshake's answers fit */
};

struct tls_seen;

/* Where the engines of a loop write to. */
struct tls_wire {
    char *bytes; /* size octets, at least TLS_WIRE_MIN */
    size_t len, size;
    struct tls_seen *seen; /* certificates of the loop's peers, for tls_facts(); or NULL */
};

enum tls_result {
    TLS_OK,
    TLS_MORE,   /* all octets put in are used up; nothing more to be had from them */
    TLS_CLOSED, /* close_notify came: the other side sends no more */
    TLS_FAILED, /* for good; tls_facts() says why. wire may hold an alert */
};

struct tls;

/*
 * name: for a client, the server name to send and to check (NULL: none is known; an address
 * is checked, not sent). NULL when memory is out. Takes a reference of the context; the wire
 * is borrowed.
 */
MUST_CHECK struct tls *tls_new(struct tls_context *ctx, struct tls_wire *wire,
                               const char *name);
void tls_free(struct tls **t);

/* Borrowed until a call says TLS_MORE, TLS_CLOSED or TLS_FAILED. */
void tls_put_wire(struct tls *t, struct span in);
/* TLS_OK: complete; octets put in may be left for tls_read(). A client calls it first
 * without input: its hello is in the wire then. */
MUST_CHECK enum tls_result tls_handshake(struct tls *t);
/* TLS_OK: *got octets. Call until it says something else. */
MUST_CHECK enum tls_result tls_read(struct tls *t, void *out, size_t max, size_t *got);
/* TLS_OK: *took octets, fewer than in.len when the wire has no room for another record. */
MUST_CHECK enum tls_result tls_write(struct tls *t, struct span in, size_t *took);
/* Puts a close_notify into the wire, once; nothing may be written after it. */
void tls_finish(struct tls *t);

/* Tells the engine that the connection ended or the time is over while it still needed it:
 * TLS_FAILURE_EOF, _RESET or _TIMEOUT, for tls_facts(). A failure known already stays. */
void tls_fail(struct tls *t, enum tls_failure why);
/* NULL when memory is out: tls_facts() does without. */
struct tls_seen *tls_seen_new(void);
void tls_seen_free(struct tls_seen **s);
/* What is known of the handshake so far. */
void tls_facts(const struct tls *t, struct tls_facts *out);
/* Server: the name the client asked for, once its hello came; "" else. Client: the name sent.
 */
const char *tls_server_name(const struct tls *t);

#endif
