/*
 * record_writer - a record being written: reserve, head, members, end.
 *
 * Private to transcript.
 */
#ifndef TRANSCRIPT_RECORD_WRITER_H
#define TRANSCRIPT_RECORD_WRITER_H

#include "base/attributes.h"
#include "transcript/record.h"
#include "transcript/record_table.h"
#include "transcript/stream.h"

/*
 * Octets that hold every key, number and fixed word of any record, but for its
 * texts and lists of blocks: with eight notes, sixteen cuts, all reads and two TCP_INFO
 * it stays below 3 KiB.
 */
enum { RECORD_FIXED = 4096 };
_Static_assert((int)RECORD_FIXED <= (int)CHUNK_SLACK,
               "all but the texts fits behind a full chunk");

struct record_head {
    enum record_kind kind;
    const char *sid; /* 26 characters */
    uint64_t t_us;
    uint32_t n;
};

/* `{"v":1,"kind":...,"vantage":"..."`; the object stays open. */
void record_begin_head(struct json *j, struct stream *s, const struct record_head *h);

/*
 * Reserves room for texts of `octets` (counted before escaping) and `more` octets
 * as they are, writes the head. False: the record is dropped, or none are written.
 */
MUST_CHECK bool record_begin(struct json *j, struct recorder *r, enum record_kind kind,
                             uint64_t t_us, size_t octets);
/* Should the texts have been longer than said: the record is dropped, and counted. */
void record_end(struct json *j, struct recorder *r);

/* KEY_<object>_<key>: `,"key":`, as in records.def. */
#define OBJECT(id, text)
#define FIELD(of, key, type, need, text)                                                       \
    UNUSED static const char KEY_##of##_##key[] = ",\"" #key "\":";
#include "transcript/records.def"

/* Fields by their row: PUT_TEXT(j, open_client, text). */
#define PUT_KEY(j, field)         json_raw((j), KEY_##field, sizeof KEY_##field - 1)
#define PUT_U64(j, field, value)  (PUT_KEY(j, field), json_u64((j), (value)))
#define PUT_BOOL(j, field, value) (PUT_KEY(j, field), json_bool((j), (value)))
#define PUT_TEXT(j, field, value) (PUT_KEY(j, field), json_text((j), (value)))
#define PUT_HEX(j, field, octets, len)                                                         \
    (PUT_KEY(j, field), *(j)->p++ = '"', json_hex((j), (octets), (len)), *(j)->p++ = '"')
/* The object or list stays open. */
#define PUT_OBJECT(j, field) (PUT_KEY(j, field), *(j)->p++ = '{')
#define PUT_LIST(j, field)   (PUT_KEY(j, field), *(j)->p++ = '[')
/* The first field of an object: no comma before it. NEXT: it may be the first. */
#define PUT_FIRST(j, field) json_raw((j), KEY_##field + 1, sizeof KEY_##field - 2)
#define PUT_NEXT(j, field)                                                                     \
    do {                                                                                       \
        if ((j)->p[-1] == '{')                                                                 \
            PUT_FIRST(j, field);                                                               \
        else                                                                                   \
            PUT_KEY(j, field);                                                                 \
    } while (0)
/* Left out when there is nothing to say. */
#define PUT_TEXT_IF(j, field, value)                                                           \
    do {                                                                                       \
        if (!span_is_empty(value))                                                             \
            PUT_TEXT((j), field, (value));                                                     \
    } while (0)
#define PUT_U64_IF(j, field, value)                                                            \
    do {                                                                                       \
        if ((value) != 0)                                                                      \
            PUT_U64((j), field, (value));                                                      \
    } while (0)
#define PUT_NEXT_TEXT_IF(j, field, value)                                                      \
    do {                                                                                       \
        if (!span_is_empty(value)) {                                                           \
            PUT_NEXT(j, field);                                                                \
            json_text((j), (value));                                                           \
        }                                                                                      \
    } while (0)

/* record_content.c, for the rest of record: gives the digest under way back. */
void record_content_end(struct recorder *r);
/* record_tls.c, for record_event(). */
void record_tls_event(struct recorder *r, const struct event *e);

void put_notes(struct json *j, const struct notes *n);

#endif
