/*
 * decode - a record read back as the writer was given it: see transcript/record.h.
 *
 * What a record does not hold is 0, empty or NULL, as for a session that had none of it: mail data,
 * digests and what was secret. Words and names that this version does not know become the plain
 * case of their kind, so that records of later versions can be read.
 *
 * Owns: the decoded texts of one record at a time.
 */
#ifndef TRANSCRIPT_READ_DECODE_H
#define TRANSCRIPT_READ_DECODE_H

#include "base/attributes.h"
#include "transcript/read/reader.h"
#include "transcript/record.h"

enum { DECODED_TEXTS_MAX = 8 };

/* Filled according to `kind`; the rest means nothing. */
struct decoded {
    enum record_kind kind;
    uint64_t t_us;
    uint32_t n;
    struct record_open open;
    struct record_connect connect;
    struct record_tls
        tls;             /* TLS; its facts are below, in `event` too where it passed through */
    bool tls_through;    /* no proxy took part: event.tls and event.tls_us */
    struct event event;  /* GREETING, COMMAND, CONTENT, OPAQUE; TLS when tls_through */
    struct span headers; /* CONTENT: the header section */
    const struct dkim_verdict *dkim; /* CONTENT: NULL where no signature was checked */
    struct finding finding;
    struct record_close close;
    uint32_t findings; /* CLOSE: those of the session */
    uint64_t lost;     /* LOST: how many records */

    /* private: what the above points to */
    struct tls_facts tls_facts;
    struct data data;
    uint64_t read_at[DATA_READS_MAX];
    struct dkim_verdict verdict;
    struct opaque_sample sample;
    uint32_t good[TALLY_COUNT], all[TALLY_COUNT];
    unsigned char *texts[DECODED_TEXTS_MAX];
    unsigned text_count;
    bool failed;
};

/* NULL when memory is out. */
MUST_CHECK struct decoded *decoded_new(void);
void decoded_free(struct decoded **d);
/* Valid until the next call, and as long as the record. False: memory is out. */
MUST_CHECK bool decode(struct decoded *d, const struct record *r);
/* Microseconds since 1970 of a record's `t`. */
uint64_t decode_time(const char *t);

#endif
