/*
 * secret_text - what a reply says, ready to be compared: without codes, line ends, blanks and
 * case, each octet with the place it came from.
 *
 * Private to secret_memory.c. Sans-IO, no memory.
 */
#ifndef SMTP_SECRET_TEXT_H
#define SMTP_SECRET_TEXT_H

#include "base/span.h"

#include <stdint.h>

enum {
    SECRET_WINDOW = 8, /* octets in a row that are an echo */
    SECRET_TEXT_MAX = 1024,
    SECRET_SHORT_MIN = 3, /* shorter ones are in every text by chance */
};

/* One stretch of a reply; stretches overlap by a window. */
struct secret_text {
    unsigned char octets[SECRET_TEXT_MAX];
    uint32_t at[SECRET_TEXT_MAX];   /* where in the reply it begins */
    uint8_t width[SECRET_TEXT_MAX]; /* octets it takes there: 1, or 3 for "%41" */
    uint64_t windows[65536 / 64];   /* a bit for each hash of a window */
    size_t len;
};

struct secret_reader {
    struct span reply;
    size_t at;
    bool decode; /* %XX, +XX, =XX are one octet */
};

/* False: there is no more. The first call begins with len = 0. */
bool secret_text_next(struct secret_reader *r, struct secret_text *t);

/* Length of the code and the enhanced code at the front of a reply line. */
size_t secret_code_len(struct span line);

static inline unsigned char secret_fold(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

/* Not compared: blanks and controls, where lines are wrapped. */
static inline bool secret_is_skipped(unsigned char c)
{
    return c <= ' ' || c == 0x7f;
}

static inline uint16_t secret_hash(uint64_t window)
{
    return (uint16_t)((window * UINT64_C(0x9e3779b97f4a7c15)) >> 48);
}

static inline bool secret_text_may_have(const struct secret_text *t, uint64_t window)
{
    uint16_t h = secret_hash(window);

    return (t->windows[h / 64] >> (h % 64) & 1) != 0;
}

/* The octet of "%41" (or +41, =41) at the front; -1: there is none. */
int secret_escaped(struct span s);
/* The value of a hexadecimal digit; -1: it is none. */
int secret_hex_digit(unsigned char c);

#endif
