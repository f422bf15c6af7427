/*
 * secrecy - what of a session must not be written down, line by line as it goes.
 *
 * Calm until a line shows an attempt to authenticate, or a 334 comes: then alert, in which
 * only what is known to be harmless stays in the clear. Calm again when the server takes the
 * AUTH, or a mail transaction begins. See secret.h for the lines.
 *
 * What was secret is remembered, to know it again in replies (secret_memory.h): to the end of
 * the session, or, when the client has authenticated, to its first transaction after that. If
 * more was secret than can be remembered, or compared, every reply's text is.
 *
 * Sans-IO. Owns: the memory of secrets.
 */
#ifndef SMTP_SECRECY_H
#define SMTP_SECRECY_H

#include "smtp/command.h"
#include "smtp/event.h"
#include "smtp/secret_memory.h"

struct secrecy {
    struct secret_memory memory;
    uint64_t calm_at; /* offset in the client's stream: what it sent before is of the alert */
    bool alert;
    bool unsure;  /* a 334 came unasked: replies may not belong to their commands */
    bool settled; /* authenticated */
    bool forget;  /* and in a transaction: nothing is to be known again */
    bool lost;    /* not all secrets are in the memory */
    uint64_t ahead_at, ahead_len; /* what was looked at ahead, in the client's stream */
    uint8_t ahead_mode;           /* enum secret_mode it was looked at in */
};

void secrecy_init(struct secrecy *k);
void secrecy_free(struct secrecy *k);

/* A client's line that is in e->received: sets e->secret. c: its text, parsed. */
void secrecy_line(struct secrecy *k, struct event *e, const struct command *c);
/* A line of an AUTH dialogue: all of it. */
void secrecy_auth_line(struct secrecy *k, struct event *e);
/*
 * The front of an overlong line, perhaps of an AUTH dialogue: what is not kept of it may be an
 * attempt. passed: the server has it all, and can repeat it.
 */
void secrecy_cut_line(struct secrecy *k, struct event *e, bool auth, bool passed);
/* Lines that nobody has looked at, in e->received. */
void secrecy_lines(struct secrecy *k, struct event *e);
/* The same, of another protocol. */
void secrecy_foreign(struct secrecy *k, struct event *e);
/* Sets e->opaque_sample, and in it what is secret. e: its figures are complete. */
void secrecy_sample(struct secrecy *k, struct event *e, struct opaque_sample *sample);
/*
 * Lines that are not to be told yet, or not the client's: their secrets are remembered. Only
 * the first SECRET_MEMORY_MAX octets are looked at.
 */
void secrecy_peek(struct secrecy *k, struct span lines);

/*
 * The same of the client's octets at this offset of its stream, once: a server that floods the
 * session with replies does not have them looked at again for each.
 */
void secrecy_peek_ahead(struct secrecy *k, struct span lines, uint64_t at);

/* The reply to the event's command; octets received from the client when it came. */
void secrecy_reply(struct secrecy *k, const struct event *e, uint64_t received);
/* Before an event is told: what its replies are to be compared with. */
void secrecy_tell(struct secrecy *k, struct event *e);
/* Sets marks[i] for each octet i of the reply that may be of a secret. */
void secrecy_mark(struct secrecy *k, struct span reply, bool *marks);

#endif
