/*
 * lf_end - mail data that ends at a bare LF: LF.LF, LF.CRLF or CRLF.LF, and then silence.
 *
 * Printers, scripts and senders of the last century end their mail so and wait. SMTP does not
 * (RFC 5321 4.1.1.4, 2.3.8), and the same octets inside a mail are how messages are smuggled.
 * What tells the two apart is what follows: whoever goes on sending did not mean an end. So
 * a marker counts only as the very last octets there are, or with a QUIT behind it, which
 * such senders do not wait to send.
 *
 * Sans-IO, no state: the octets of the marker stay in the input until it is known what they
 * are.
 */
#ifndef SMTP_LF_END_H
#define SMTP_LF_END_H

#include "smtp/data.h"

enum { LF_MARKER_MAX = 3 };

struct lf_end {
    size_t tail;   /* octets at the end of the input that may be, or become, such an end */
    size_t marker; /* how many of them are the whole marker; 0: it is not there yet */
};

/* in: input behind what `d` has taken. */
struct lf_end lf_end_find(const struct data *d, struct span in);

#endif
