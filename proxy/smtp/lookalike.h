/*
 * lookalike - sees what a careless receiver could take for the end of the data.
 *
 * On the octets as received, whatever is rewritten afterwards. With NUL removed:
 *
 *   (start | CR | LF) "." *(SP / HT) (CR | LF)        or
 *   (start | CR | LF) "." NUL
 *
 * that is not CRLF "." CRLF. The second detector ignores bit 7, as a receiver may
 * that never heard of 8BITMIME (RFC 5321 2.4), and lets only LF open a look-alike.
 *
 * Sans-IO, constant memory.
 */
#ifndef SMTP_LOOKALIKE_H
#define SMTP_LOOKALIKE_H

#include <stdbool.h>
#include <stdint.h>

enum lookalike_state {
    LOOK_OTHER, /* inside a line */
    LOOK_LINE,  /* behind something that may end a line */
    LOOK_DOT,
    LOOK_BLANK, /* dot, then blanks or NULs */
    LOOK_CR,    /* dot ... CR: the next octet decides */
};

struct lookalike {
    uint8_t state; /* enum lookalike_state */
    bool odd;      /* what led here is not CRLF "." CR to the octet */
    bool after_cr;
    bool ignore_bit7;
};

void lookalike_init(struct lookalike *l, bool ignore_bit7);

/* Where the octet may matter. */
bool lookalike_judge(struct lookalike *l, unsigned char octet);

/* True when this octet completes a look-alike. */
static inline bool lookalike_step(struct lookalike *l, unsigned char octet)
{
    unsigned char b = octet & 0x7f;

    if (l->state != LOOK_OTHER || b == '\r' || b == '\n')
        return lookalike_judge(l, octet);
    l->after_cr = false;
    return false;
}

/* As if octets had passed in which nothing can open one; `last` is their last. */
void lookalike_skip(struct lookalike *l, unsigned char last);

#endif
