/*
 * feed - a connection of a capture, once it is known to be SMTP: its session and its records.
 *
 * Stands where relay stands in the proxy: gives facts to a session in observe mode and writes
 * down what it actions to be written. Times are those of packets and never run backwards.
 *
 * Owns: session, recorder. The environment is the importer's.
 */
#ifndef CAPTURE_FEED_H
#define CAPTURE_FEED_H

#include "analysis/observer.h"
#include "smtp/session.h"
#include "transcript/record.h"
#include "transport/addr.h"

struct stream;

/* What all feeds share. */
struct feed_env {
    struct session_env session;
    struct stream *records;
    struct policy policy;
    struct pool exchanges, contents, feeds;
    struct observer_env observer;
};

/* findings: say what looks like the work of a box; without memory none are made. */
void feed_env_init(struct feed_env *e, struct stream *records, bool findings,
                   const struct catalogue *catalogue);
void feed_env_deinit(struct feed_env *e);

enum { FEED_NOBODY = -2 };

struct feed {
    struct feed_env *env;
    struct session session;
    struct recorder recorder;
    struct observer observer;
    uint64_t opened_us, now_us;
    uint64_t first_us;  /* when `first` closed, since it was opened */
    uint64_t octets[2]; /* of the stream, by side, those not captured too */
    int8_t first;       /* who closed first: enum side */
    uint8_t how;        /* enum close_kind */
    uint8_t reason;     /* enum close_reason */
    bool over;          /* its last record is written */
};

struct feed_open {
    const struct addr *client, *server;
    uint64_t t_us;
    uint64_t answered_us; /* when the server took the connection; 0: not seen */
    struct span syn[2];   /* options of the SYN of each side; empty: none, or not seen */
};

/* Writes open and, where it was seen, connect. NULL: memory is out. */
MUST_CHECK struct feed *feed_new(struct feed_env *e, const struct feed_open *o);
/* The session must be over. */
void feed_free(struct feed **f);

/* The server did not take the connection: that is all of the session. */
void feed_refused(struct feed *f, const struct addr *server, const char *error, uint64_t t_us);
/* From here on it cannot be read: "capture-start", "implicit-tls". */
void feed_opaque(struct feed *f, const char *why, uint64_t t_us);
void feed_bytes(struct feed *f, enum side from, struct span octets, uint64_t t_us);
/* Octets that are not in the capture. */
void feed_gap(struct feed *f, enum side from, uint64_t octets, uint64_t t_us);
void feed_eof(struct feed *f, enum side from, enum close_kind how, uint64_t t_us);
/* No more is known of it. */
void feed_end(struct feed *f, enum close_reason why, uint64_t t_us);

#endif
