/*
 * tls_watch_private - what the two parts of the watch share; nobody else includes it.
 *
 *   tls_watch.c           records and alerts, and how it ends
 *   tls_watch_message.c   handshake messages
 */
#ifndef TLSWATCH_WATCH_PRIVATE_H
#define TLSWATCH_WATCH_PRIVATE_H

#include "base/buf.h"
#include "tlswatch/failing.h"
#include "tlswatch/hello.h"
#include "tlswatch/watch.h"

enum { RECORD_HEAD = 5, MESSAGE_HEAD = 4 };

/*
 * One direction.
 *
 *   record    [head: type, version, length][fragment: `left` octets to come]
 *   message        [message: type, length][`message_left` octets to come]
 */
struct lane {
    unsigned char head[RECORD_HEAD];
    unsigned char message[MESSAGE_HEAD];
    uint8_t head_len, message_len; /* octets of them that are there */
    uint8_t alert_level;           /* of an alert of which the rest is to come, or 0 */
    uint32_t left, message_left;
    uint32_t octets; /* in records */
    struct buf body; /* of a message that is looked into */
    bool keeps;      /* it is */
    bool hello;      /* the one expected was seen */
    bool encrypted;  /* up to TLS 1.2: ChangeCipherSpec passed */
    bool finished;
};

struct tls_watch {
    struct tls_facts facts;
    struct lane lane[2];
    struct tls_stranger stranger; /* what came instead of a record */
    unsigned offered;             /* the client's highest version */
    unsigned version;             /* the server's choice */
    const char *last;             /* what passed last, for people */
    int warned;                   /* a warning, which may be why the connection ends */
    enum side warned_by;
    bool retry, hello_done, done;
};

/* Octets of a record that holds handshake messages in the clear. */
void watch_handshake(struct tls_watch *w, enum side from, struct span in);

/* `what` came from that side, and TLS does not allow it. */
void watch_refuse(struct tls_watch *w, enum side from, const char *what);

static inline bool watch_is_tls13(const struct tls_watch *w)
{
    return w->version >= TLS_VERSION_1_3;
}

#endif
