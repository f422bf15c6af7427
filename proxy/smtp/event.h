/*
 * event - what happened in a session, as it is to be written down.
 *
 * The session hands out an event when it is complete: a command with its reply,
 * a message's content, a greeting. Everything in it is borrowed until the next
 * call on the session. What it says of time is in microseconds, of place in
 * octets from the start of the side's stream.
 */
#ifndef SMTP_EVENT_H
#define SMTP_EVENT_H

#include "base/side.h"
#include "base/span.h"
#include "base/tls_facts.h"
#include "smtp/data.h"
#include "smtp/notes.h"
#include "smtp/verb.h"

#include <stdint.h>

enum event_kind { EVENT_GREETING, EVENT_COMMAND, EVENT_CONTENT, EVENT_TLS, EVENT_OPAQUE };

enum disposition {
    DISPOSITION_RELAYED,   /* sent on as it came */
    DISPOSITION_REWRITTEN, /* sent on, repaired */
    DISPOSITION_REFUSED,   /* answered here with an error */
    DISPOSITION_STRIPPED,  /* answered here on purpose (VRFY, EXPN) */
    DISPOSITION_SWALLOWED, /* not sent on, and not answered here */
    DISPOSITION_ADDED,     /* sent by this proxy of its own accord: EHLO, STARTTLS, XCLIENT */
};

enum origin { ORIGIN_UPSTREAM, ORIGIN_PROXY, ORIGIN_NONE };

struct secrecy; /* secrecy.h */

enum { EVENT_READS_MAX = 12, OPAQUE_SAMPLE_MAX = 256 };

/* How a stream of another protocol begins, by enum side. */
struct opaque_sample {
    unsigned char octets[2][OPAQUE_SAMPLE_MAX];
    size_t len[2];
    struct span secret[2]; /* of octets: must not be written down */
};

struct event {
    enum event_kind kind;
    uint64_t t_us; /* microseconds since 1970, when it began */
    uint64_t at;   /* offset of its first octet: client's stream (greeting: server's) */
    struct notes notes;

    /* COMMAND. verb is VERB_DOT for the end of mail data. */
    enum verb verb;
    bool auth_line;                  /* a line of an AUTH dialogue, not a command */
    struct span word, arg;           /* views of received */
    struct span received;            /* with its ending; cut to what was kept when overlong */
    struct span secret;              /* of it: must not be written down; see secret.h */
    uint64_t received_octets;        /* its true length */
    struct span forwarded;           /* only with DISPOSITION_REWRITTEN and DISPOSITION_ADDED */
    uint64_t forwarded_us;           /* from t_us until it was forwarded; 0 when it was not */
    uint16_t reads[EVENT_READS_MAX]; /* offsets in received at which a read began */
    uint8_t reads_len;
    bool reads_more; /* there were more */
    enum disposition disposition;

    /* COMMAND and GREETING */
    enum origin origin; /* who made the reply; NONE when there was none */
    unsigned code;
    struct span reply;       /* as received from upstream */
    struct span replied;     /* as sent to the client, when different (or made here) */
    struct span enhanced;    /* "2.1.5" or empty */
    uint64_t reply_us;       /* from t_us to the reply */
    struct secrecy *secrecy; /* what replies may repeat; NULL: nothing */

    /* CONTENT */
    const struct data *data;
    bool bdat;
    bool complete;          /* its end was seen */
    uint64_t content_us;    /* from the first octet to the last */
    uint64_t content_reads; /* reads it came in */
    /* Offsets in the content, or in the end of data behind it; of more than DATA_READS_MAX the
     * first, and the last in the last place. */
    const uint64_t *content_read_at;

    /* TLS: a handshake that passed through */
    const struct tls_facts *tls;
    uint64_t tls_us; /* it took */

    /* OPAQUE */
    uint64_t opaque_octets[2];                 /* by enum side */
    uint64_t opaque_missing[2];                /* of them, those nobody saw (captures) */
    const char *opaque_why;                    /* "starttls", "lost-track" */
    const struct opaque_sample *opaque_sample; /* "not-smtp": its first octets; else NULL */
};

#endif
