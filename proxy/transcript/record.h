/*
 * record - what happened, as one JSON object per line.
 *
 * The records of one session: open, connect..., tls..., greeting, command..., content...,
 * opaque, close, numbered by `n` in the order things happened. Everything is
 * formatted into the worker's stream (see writer.h) during the call; nothing
 * given is kept. Secrets are replaced while the record is built: the stream never
 * holds them.
 *
 * An octet b of the wire is written as the code point U+00bb: lossless valid JSON.
 *
 * Owns: the digest of the content under way, and what its signatures say of it, until
 * record_event(EVENT_CONTENT) or record_close().
 */
#ifndef TRANSCRIPT_RECORD_H
#define TRANSCRIPT_RECORD_H

#include "base/buf.h"
#include "base/close_kind.h"
#include "base/span.h"
#include "smtp/close_reason.h"
#include "smtp/event.h"
#include "smtp/session.h"
#include "dkim/dkim.h"
#include "transcript/finding.h"

#include <stdint.h>

struct stream; /* writer.h */
struct content_digest;

struct recorder {
    struct stream *stream;
    struct content_digest *digest;
    char sid[27]; /* a ULID: time, then chance; unique across machines; and a NUL */
    uint32_t n;
    uint32_t contents; /* begun: names the spool files */
    uint32_t findings; /* written */
};

/* Text forms of addresses ("192.0.2.1:4711"); empty where unknown. */
struct record_open {
    uint64_t t_us;
    struct span listener, mode, client, server, original;
    /* A PROXY header that was believed: the connection's own peer, and what it said. */
    unsigned proxy_version; /* 0: none */
    bool proxy_local;       /* the balancer speaks for itself */
    struct span proxy_peer;
    bool above_per_client; /* observe mode: one session more than per_client */
    struct span syn[2];    /* import: TCP options of the first segments, by side, as text */
};

/* A handshake this proxy took part in. */
struct record_tls {
    uint64_t t_us; /* it began */
    uint64_t us;   /* it took */
    enum side side;
    bool starttls; /* else from the first octet */
    const struct tls_facts *facts;
};

struct record_connect {
    uint64_t t_us;
    struct span upstream, local;
    uint64_t us;       /* it took */
    const char *error; /* NULL: connected */
};

/* Of one leg, from TCP_INFO; valid says whether it could be read. */
struct record_tcp {
    bool valid;
    uint32_t rtt_us, retransmits, unacked, pmtu;
    uint64_t acked, received;
};

struct record_close {
    uint64_t t_us;
    uint64_t us; /* the session lasted */
    enum close_reason reason;
    int first; /* enum side that closed first; -1: this proxy; -2: nobody was seen to */
    enum close_kind how;
    uint64_t first_us;          /* of a side that closed first: when, since the session began */
    uint64_t octets_in[2];      /* received from each side */
    uint64_t octets_out[2];     /* sent to each side */
    const uint32_t *good, *all; /* TALLY_COUNT counters; NULL: none */
    struct record_tcp tcp[2];   /* by side */
};

/* Also with a stream of a NULL writer: then nothing else costs anything. */
void recorder_init(struct recorder *r, struct stream *stream, uint64_t t_us);
/* The session's id as 26 characters and a NUL. */
void recorder_sid(const struct recorder *r, char out[27]);
/* Of its writer; NULL: nothing is written. */
const struct writer_config *recorder_config(const struct recorder *r);

void record_open(struct recorder *r, const struct record_open *info);
void record_connect(struct recorder *r, const struct record_connect *info);
void record_tls(struct recorder *r, const struct record_tls *info);
/* Greeting, command, content, tls that passed through, opaque. */
void record_event(struct recorder *r, const struct event *e);
/*
 * The same for EVENT_CONTENT; *headers becomes the header section that is in the record
 * (without memory: none is kept), the caller's to release.
 */
void record_content_event(struct recorder *r, const struct event *e, struct buf *headers);
/* Something odd in the record just written, or in an earlier one: finding->record. */
void record_finding(struct recorder *r, const struct finding *f, uint64_t t_us);
/* Content octets as they pass: feed every action whose mark is not CONTENT_NONE. */
void record_content(struct recorder *r, enum content_mark mark, struct span bytes);
/* The same for octets of a BDAT chunk (action.bdat): their dots are not stuffed. */
void record_chunk(struct recorder *r, enum content_mark mark, struct span bytes);
/*
 * For what looks at a content before its record is written, between its last octet and
 * record_event(EVENT_CONTENT): what its signatures say of it. NULL: not looked at (no
 * transcript, transcript.dkim = "no", content = "none"), or not signed.
 */
const struct dkim_verdict *record_content_dkim(struct recorder *r, bool complete);
/*
 * The content whose record is written next, with transcript.dkim = "repair": what undoes its
 * damage becomes part of that record and of the verdict above. `most`: octets to hash, or to
 * look at one by one, for all its signatures.
 */
void record_content_repair(struct recorder *r, bool complete, uint64_t most);
/* Its two steps. The body that does not fit: see dkim_body(). */
bool record_content_body(const struct recorder *r, struct span *body);
/* What was found of signature i: see dkim_set_damage(). */
void record_content_damage(struct recorder *r, unsigned i, const char *damage,
                           const char *text);
/* The last record; gives back what the recorder holds. */
void record_close(struct recorder *r, const struct record_close *info);

#endif
