/*
 * tls_tickets - the keys that seal a server's session tickets (RFC 5077, RFC 8446 4.6.1).
 *
 * Whoever has a key reads the sessions resumed with its tickets, so none lives long: a key
 * seals for TLS_TICKET_KEY_SECONDS, then opens what it sealed for as long again, then is
 * overwritten. Tickets are valid for two hours (OpenSSL), so none dies before its time. Keys
 * are made when one is needed, and one too old is never used, whatever happens in between.
 *
 * One for all certificates and workers of a listener: a ticket of one worker is good at
 * another. Any thread.
 */
#ifndef TRANSPORT_TLS_TICKETS_H
#define TRANSPORT_TLS_TICKETS_H

#include "base/attributes.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

enum { TLS_TICKET_KEY_SECONDS = 2 * 3600, TLS_TICKET_NAME_OCTETS = 16 };

struct tls_ticket_key {
    unsigned char name[TLS_TICKET_NAME_OCTETS], cipher[32], mac[32];
    uint64_t made; /* in seconds of the clock */
    bool exists;
};

struct tls_tickets {
    pthread_mutex_t lock;
    uint64_t (*now)(void);              /* seconds, monotonic; tests set their own */
    struct tls_ticket_key sealing, old; /* `old` only opens */
};

void tls_tickets_init(struct tls_tickets *t);
void tls_tickets_deinit(struct tls_tickets *t);
/* Tickets of that SSL_CTX, whose sessions are tls_of() a context with these keys. */
void tls_tickets_install(SSL_CTX *ssl);

/* A copy of the key for new tickets. False: no random numbers to be had. */
MUST_CHECK bool tls_tickets_seal(struct tls_tickets *t, struct tls_ticket_key *out);
/* A copy of the key of that name. False: it is not known (any more). */
MUST_CHECK bool tls_tickets_open(struct tls_tickets *t,
                                 const unsigned char name[TLS_TICKET_NAME_OCTETS],
                                 struct tls_ticket_key *out);

#endif
