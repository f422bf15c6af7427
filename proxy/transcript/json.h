/*
 * json - JSON text straight into memory that is known to be large enough.
 *
 * No allocation, no printf, no check of what has a fixed length: whoever writes a
 * record first reserves its upper bound (JSON_OCTET_MAX for each octet of text plus
 * what its keys and numbers take, see record_writer.h) and hands over what was used. A text
 * that would pass `end` all the same is left out and makes it `full`: the record is
 * not to be used then.
 *
 * An octet b of text is written as the code point U+00bb. What is special in
 * JSON, every control character and DEL are escaped, the C1 controls (U+0080 to
 * U+009f) too, so that a terminal survives a look at the file.
 */
#ifndef TRANSCRIPT_JSON_H
#define TRANSCRIPT_JSON_H

#include "base/span.h"

#include <stdint.h>

enum {
    JSON_OCTET_MAX = 6, /* what one octet can grow to: \u0000 */
    JSON_U64_MAX = 20,  /* digits of a number */
};

/* Where the next character goes. */
struct json {
    unsigned char *p;
    const unsigned char *end; /* of what is reserved; NULL: not known */
    bool full;
};

/* Characters that are JSON already. */
static inline void json_raw(struct json *j, const void *text, size_t len)
{
    memcpy(j->p, text, len);
    j->p += len;
}

/* A literal, such as `,"at":`. */
#define JSON_LIT(j, literal) json_raw((j), "" literal, sizeof(literal) - 1)

void json_u64(struct json *j, uint64_t v);

static inline void json_bool(struct json *j, bool v)
{
    json_raw(j, v ? "true" : "false", v ? 4 : 5);
}

/* Is there room for so many characters? False: full from now on. */
static inline bool json_fits(struct json *j, size_t characters)
{
    if (j->end == NULL || (j->p <= j->end && characters <= (size_t)(j->end - j->p)))
        return true;
    j->full = true;
    return false;
}

/* The octets as the inside of a string. */
void json_octets(struct json *j, struct span s);

/* A string with its quotes. */
static inline void json_text(struct json *j, struct span s)
{
    *j->p++ = '"';
    json_octets(j, s);
    *j->p++ = '"';
}

/* Lower case hexadecimal, without quotes. */
void json_hex(struct json *j, const unsigned char *octets, size_t len);

/* "2026-11-23T09:00:01" of a second since 1970, UTC; years 1970 to 9999. */
enum { JSON_SECOND_LEN = 19 };
void json_second(unsigned char out[JSON_SECOND_LEN], uint64_t second);
/* Six digits and "Z". */
void json_microseconds(struct json *j, uint32_t us);

#endif
