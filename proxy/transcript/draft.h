/*
 * draft - a record being written: reserve, head, members, end.
 *
 * Private to transcript.
 */
#ifndef TRANSCRIPT_DRAFT_H
#define TRANSCRIPT_DRAFT_H

#include "transcript/record.h"
#include "transcript/stream.h"

/*
 * Octets that hold every key, number and fixed word of any record, but for its
 * texts and lists of blocks: with eight notes, sixteen cuts, all reads and two TCP_INFO
 * it stays below 3 KiB.
 */
enum { DRAFT_FIXED = 4096 };
_Static_assert((int)DRAFT_FIXED <= (int)CHUNK_SLACK,
               "all but the texts fits behind a full chunk");

struct draft_head {
    struct span kind;
    const char *sid; /* 26 characters */
    uint64_t t_us;
    uint32_t n;
};

/* `{"v":1,"kind":...,"vantage":"..."`; the object stays open. */
void draft_head(struct json *j, struct stream *s, const struct draft_head *h);

/*
 * Reserves room for texts of `octets` (counted before escaping) and `more` octets
 * as they are, writes the head. False: the record is dropped, or none are written.
 */
MUST_CHECK bool draft_begin(struct json *j, struct recorder *r, struct span kind, uint64_t t_us,
                            size_t octets);
/* Should the texts have been longer than said: the record is dropped, and counted. */
void draft_end(struct json *j, struct recorder *r);

/* Members that are left out when there is nothing to say. */
#define DRAFT_TEXT(j, key, value)                                                              \
    do {                                                                                       \
        if (!span_is_empty(value))                                                             \
            JSON_TEXT((j), key, (value));                                                      \
    } while (0)
#define DRAFT_U64(j, key, value)                                                               \
    do {                                                                                       \
        if ((value) != 0)                                                                      \
            JSON_U64((j), key, (value));                                                       \
    } while (0)

/* record_content.c, for the rest of record: gives the digest under way back. */
void record_content_end(struct recorder *r);
/* record_tls.c, for record_event(). */
void record_tls_event(struct recorder *r, const struct event *e);

void draft_notes(struct json *j, const struct notes *n);

#endif
