/*
 * responder - the server's side of one SMTP conversation (RFC 5321), keeping nothing.
 *
 * Bytes of a client in, bytes of replies out, as a modern MTA that accepts every
 * recipient: ESMTP with the extensions of script.h, strict end of data, one reply per
 * command and in order, however the commands are pipelined. Mail data is counted and
 * digested, not stored. Where a script says so it answers otherwise.
 *
 *   responder_start()                       puts the greeting into `out`
 *   while (mood is LISTENING)
 *       responder_take(bytes)               until all are used; then send and empty `out`
 *   WAITING: send `out`, let delay_ms pass, responder_go_on()
 *   CLOSING, RESETTING: send `out`, then do so
 *
 * Sans-IO: no sockets, no clock. Owns two bounded buffers and the digest under way,
 * each only while needed: between commands it holds no memory.
 * Limits: below; a reply never waits for more input than its command.
 */
#ifndef LAB_RESPONDER_H
#define LAB_RESPONDER_H

#include "base/attributes.h"
#include "base/buf.h"
#include "lab/received.h"
#include "lab/script.h"

#include <stdint.h>

enum {
    COMMAND_OCTETS_MAX = 2048,       /* above 512 plus what is offered (RFC 1869 4.1.2) */
    RESPONSE_OCTETS_MAX = 12288 + 2, /* of an AUTH exchange (RFC 4954 4) */
    RECIPIENTS_MAX = 1000,
    MESSAGE_OCTETS_MAX = 52428800, /* as in "SIZE 52428800" */
    RESPONDER_OUT_HIGH = 1 << 15,  /* takes no input while so much waits to be sent */
};

enum responder_state {
    RESPONDER_LISTENING,
    RESPONDER_WAITING,
    RESPONDER_CLOSING,
    RESPONDER_RESETTING,
};

/* What the octets that come next are. */
enum responder_reading { READING_COMMAND, READING_RESPONSE, READING_DATA, READING_CHUNK };

/* Told of each command (without secrets) and each reply, for a log. */
struct responder_trace {
    void (*on_line)(void *owner, bool received, struct span text);
    void *owner;
};

struct responder {
    const char *hostname;
    const struct script *script; /* may be NULL */
    struct responder_trace trace;
    struct buf line; /* of an unfinished line */
    struct buf out;
    struct received mail;
    uint64_t chunk_left;
    uint32_t counts[SCRIPT_EVENTS];
    uint32_t recipients;
    uint32_t delay_ms;
    enum responder_state mood;
    enum responder_reading reading;
    /* The event being answered: its rule, how far that is carried out, the usual answer. */
    const struct script_rule *rule;
    unsigned step;
    unsigned event;
    const char *usual;
    unsigned prompts; /* of the usual AUTH exchange that are still to be sent */
    bool greeted, esmtp, authenticated, in_transaction;
    bool chunked; /* the transaction has seen BDAT */
    bool chunk_last, login, overlong, silent;
};

/* hostname and script must outlive the responder. */
void responder_init(struct responder *r, const char *hostname, const struct script *script);
void responder_deinit(struct responder *r);

void responder_start(struct responder *r);
/* Returns how many octets were used: fewer than given when no longer LISTENING or when
 * `out` is full. */
MUST_CHECK size_t responder_take(struct responder *r, struct span in);
/* The delay is over. */
void responder_go_on(struct responder *r);
/* "421 4.4.2 ..." and CLOSING, unless a script fell silent. */
void responder_time_out(struct responder *r);
/* In place of responder_start(): "421 4.3.2 ..." and CLOSING. */
void responder_refuse(struct responder *r);

#endif
