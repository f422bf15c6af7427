/*
 * line - cut a byte stream into lines, and say exactly how each one ended.
 *
 * An SMTP receiver may repair a bare LF; an inspector must report it. So the
 * framer never repairs: it returns the bytes as they came plus the ending.
 * LF ends a command line; what stands before it decides the ending
 * (RFC 5321 2.3.8 allows CRLF only).
 *
 * Sans-IO, no memory. The views point into the caller's input.
 */
#ifndef SMTP_LINE_H
#define SMTP_LINE_H

#include "base/span.h"

enum line_end {
    LINE_MORE,   /* no LF in the input yet */
    LINE_CRLF,   /* CR LF */
    LINE_LF,     /* LF alone */
    LINE_CRCRLF, /* two or more CR, then LF */
};

struct line {
    enum line_end end;
    struct span text; /* without its ending: all CRs before the LF are left out */
    size_t used;      /* octets of the line with its ending; 0 for LINE_MORE */
};

struct line line_next(struct span in);

#endif
