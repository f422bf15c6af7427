/*
 * content - the mail data of one DATA command as a box changes it: octets in, octets out.
 *
 * A chain of small machines, octet by octet:
 *
 *   end marker -> scan (limits, patterns) -> header -> parts -> transform -> out
 *
 * Nothing is held but what may be part of something: the dot of an end marker, a CR, the
 * beginning of a header field's name, blanks before the end of a line.
 *
 * Owns: nothing.
 */
#ifndef LAB_SIMULATOR_CONTENT_H
#define LAB_SIMULATOR_CONTENT_H

#include "base/buf.h"
#include "lab/simulator/match.h"
#include "lab/simulator/rules.h"

#include <stddef.h>

enum { CONTENT_NAME_MAX = 32, CONTENT_BLANKS_MAX = 1024 };

enum content_verdict {
    CONTENT_MORE,
    CONTENT_ENDED, /* the end marker came; it is in `out` */
    CONTENT_LIMIT, /* a limit was passed: the rest is not looked at */
    CONTENT_LONG,  /* limits.body_line was */
    CONTENT_VIRUS,
    CONTENT_FIELD, /* rules->header_in_header */
    CONTENT_FULL,  /* `out` has no room */
};

/* What the marker's machine has seen: CRLF, "a", "a CR", CRLF ".", CRLF "." CR, all of it. */
enum marker { MARKER_LINE, MARKER_TEXT, MARKER_CR, MARKER_DOT, MARKER_DOT_CR, MARKER_END };

struct content_scan {
    struct match name, signature, field, virus, virus64;
    uint64_t octets;
    uint32_t line, file_name; /* octets of the one under way */
    unsigned char last;
    bool in_header, in_name, in_signature, line_empty;
};

struct content_header {
    unsigned char held[CONTENT_NAME_MAX];
    size_t held_len;
    bool begun, over; /* the header */
    bool line_start, blank, matching, dropping, cr;
};

struct content_part {
    struct match attachment;
    uint32_t line;   /* octets of the line under way */
    uint32_t dashes; /* it begins with */
    bool in_header, attached, dropping;
};

/* A line of the transform's input. */
struct content_line {
    unsigned char blanks[CONTENT_BLANKS_MAX];
    size_t blanks_len;
    uint32_t column; /* octets since the CRLF */
    uint32_t empty;  /* CRLFs held */
    unsigned dots;   /* held */
    bool cr, begun, dropping, in_body, blank;
};

struct content {
    const struct rules *rules;
    struct buf *out;
    enum content_verdict verdict;
    enum marker marker;
    bool torn;        /* a read ended within the marker */
    bool at_boundary; /* the octet under way is the first of a read */
    bool dot_lost;    /* the dot held is */
    bool out_line;    /* what was put out ends with CRLF, or is nothing */
    bool out_cr;
    struct content_scan scan;
    struct content_header header;
    struct content_part part;
    struct content_line line;
};

/* True: there is something to do to mail data. */
bool content_is_needed(const struct rules *rules);
void content_init(struct content *c, const struct rules *rules, struct buf *out);
/* One read. *used: fewer than in.len when it ended. */
enum content_verdict content_take(struct content *c, struct span in, size_t *used);
/* Where nothing is to be done: finds the end only. Returns how many octets are of the data;
 * c->verdict is CONTENT_ENDED when they are all. */
size_t content_pass(struct content *c, struct span in);
/* Puts out what is held: nothing more comes. */
void content_mail_over(struct content *c);

/* The links of the chain, each taking one octet. */
void content_scan_init(struct content *c);
void content_scan(struct content *c, unsigned char octet);
void content_header(struct content *c, unsigned char octet);
void content_header_end(struct content *c);
void content_part(struct content *c, unsigned char octet);
void content_transform(struct content *c, unsigned char octet);
void content_transform_end(struct content *c);
void content_put(struct content *c, unsigned char octet);
void content_put_text(struct content *c, const char *text);

#endif
