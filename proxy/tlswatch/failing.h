/*
 * failing - why a handshake that was watched did not come to its end, in plain words.
 *
 * Fills failure, detail and the alerts of the facts; says who did it, as both sides are
 * strangers to whoever reads the record.
 */
#ifndef TLSWATCH_FAILING_H
#define TLSWATCH_FAILING_H

#include "base/span.h"
#include "base/tls_facts.h"
#include "base/side.h"

#include <stdint.h>

/* Alerts that are encrypted: anywhere, or where the client's Finished belongs. */
enum { TLS_ALERT_HIDDEN = 256, TLS_ALERT_FOR_FINISHED = 257 };

/* `what` ("a malformed ClientHello") came from that side. */
void tls_failing_protocol(struct tls_facts *f, enum side from, const char *what);
/* offered: the highest version of the client's hello, 0 when there was none. */
void tls_failing_alert(struct tls_facts *f, enum side from, int number, unsigned offered);

/*
 * How the connection ended. last: what passed last ("the ClientHello"), NULL for nothing;
 * within: in the middle of a message or record.
 */
enum tls_ending { TLS_ENDING_EOF, TLS_ENDING_RESET, TLS_ENDING_TIMEOUT, TLS_ENDING_STOPPED };

void tls_failing_end(struct tls_facts *f, enum tls_ending how, enum side from, const char *last,
                     bool within);

/*
 * What came where a TLS record was expected, up to what is enough to tell. Of a client's
 * line only the first letters are kept: a verb can be told, a secret cannot.
 */
enum { TLS_STRANGER_MAX = 48, TLS_STRANGER_WORD_MAX = 4 };

struct tls_stranger {
    bool there;
    uint8_t from; /* enum side */
    bool first;   /* nothing came from that side before */
    uint8_t len;
    unsigned char octets[TLS_STRANGER_MAX];
};

/* The next octets of the stranger: true when no more are needed. */
bool tls_stranger_take(struct tls_stranger *st, struct span in, struct tls_facts *f);

#endif
