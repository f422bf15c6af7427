/*
 * reply - the upstream's replies: lines to one complete, canonical reply.
 *
 * Grammar RFC 5321 4.2: three digits, first 2 to 5; then SP, "-" or nothing.
 * Input is tolerant (LF ends a line), output is canonical: CRLF ends each line,
 * inner CR becomes SP, NUL is removed. So the client sees the same lines we see
 * and nothing can hide in a reply.
 *
 * Sans-IO. Owns: nothing; canonical text goes to a buf of the caller.
 */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include "base/attributes.h"
#include "base/buf.h"
#include "base/span.h"
#include "smtp/notes.h"

enum {
    REPLY_LINE_OCTETS = 512, /* RFC 5321 4.5.3.1.5; longer is noted */
    REPLY_LINE_MAX = 8192,   /* longer ends the session */
    REPLY_MAX = 65536,       /* all lines of one reply */
};

enum reply_result {
    REPLY_MORE, /* not complete; nothing consumed, call again with more */
    REPLY_OK,
    REPLY_BAD_CODE, /* not a reply */
    REPLY_MISMATCH, /* the class of the code changes between the lines */
    REPLY_TOO_LONG,
};

struct reply {
    unsigned code;        /* of the last line */
    struct span enhanced; /* "2.1.5" of the first line, or empty (RFC 3463) */
    struct span received; /* all its octets */
    bool canonical;       /* sending `received` as it is would be right */
    bool more_than_one;   /* has continuation lines */
    size_t teaser;        /* octets at its front that do not count: empty lines, an invitation
                             that became a refusal */
};

/* The lines that count. */
static inline struct span reply_text(const struct reply *r)
{
    return span_drop(r->received, r->teaser);
}

/*
 * Reads one reply from the start of `in`. Notes get offset `at` + position. For
 * REPLY_BAD_CODE and REPLY_MISMATCH `received` covers the input up to and with
 * the bad line, so that it can be recorded; for REPLY_TOO_LONG up to the limit.
 * REPLY_MORE adds no note: the next call scans from the start again.
 */
enum reply_result reply_parse(struct span in, struct reply *out, struct notes *notes,
                              uint64_t at);

/* Octets of empty lines at the start of `in`, whatever they end in: they are no part of a
 * reply. */
size_t reply_blank_lines(struct span in);
/*
 * The same of a greeting. One that begins as an invitation and ends as a refusal, 220- and then
 * 521, is the refusal: some servers decide while clients wait for the last line.
 */
enum reply_result reply_parse_greeting(struct span in, struct reply *out, struct notes *notes,
                                       uint64_t at);

/* Appends the canonical form of `received`; false: nothing was appended. */
MUST_CHECK bool reply_canonical(struct span received, struct buf *out);
/* Appends the text of one line, without ending: CR becomes SP, NUL is removed. */
MUST_CHECK bool reply_canonical_text(struct span text, struct buf *out);

/* 250-XXXXXXXA, 220 ***...: a middlebox has painted over the text. */
bool reply_looks_masked(struct span received);

#endif
