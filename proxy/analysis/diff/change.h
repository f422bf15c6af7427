/*
 * change - what became of a text, line by line: endings, dots, octets, folds, cuts, lines that
 * are new, gone, or others.
 *
 * Walks both texts at once. Each line of one is compared with the one that stands at its place
 * in the other; where they do not fit a few lines ahead are looked at. A bare CR ends a line,
 * too, as it does for whoever rewrites it. What was done to all lines alike is counted, so that
 * a rule can be told from a single damage: purity is the share of the occurrences that were
 * changed.
 *
 * Texts are mail data as on the wire, dots stuffed (RFC 5321 4.5.2).
 *
 * Sans-IO, no memory but the struct's.
 */
#ifndef ANALYSIS_DIFF_CHANGE_H
#define ANALYSIS_DIFF_CHANGE_H

#include "base/span.h"

#include <stdint.h>

/* SPACE, NOTHING: what stands where an ending was; the line and the next one are one. */
#define LINE_ENDS(X)                                                                           \
    X(NONE, "no end")                                                                          \
    X(CRLF, "crlf")                                                                            \
    X(LF, "lf")                                                                                \
    X(CR, "cr")                                                                                \
    X(CRCRLF, "crcrlf")                                                                        \
    X(SPACE, "space")                                                                          \
    X(NOTHING, "nothing")

enum line_end {
#define X(id, name) LINE_END_##id,
    LINE_ENDS(X)
#undef X
        LINE_END_COUNT
};

enum { DOTS_MAX = 8 };

/* Where a change was first seen, in both texts, and how many octets there differ. */
struct spot {
    uint64_t count;
    uint64_t sent_at, received_at;
    uint64_t sent_len, received_len;
};

/* expanded: became two octets of UTF-8; cut: the line ends where it stood */
struct octet_change {
    struct spot deleted, replaced, expanded, cut;
    unsigned char by; /* replaced by this, the first time */
    bool by_many;
};

struct change {
    struct spot ends[LINE_END_COUNT][LINE_END_COUNT];
    uint64_t ends_sent[LINE_END_COUNT];
    struct spot dots[DOTS_MAX][DOTS_MAX];
    struct spot dots_gone, dots_new; /* lines of nothing but dots */
    struct spot ended_at_dots;       /* one of them, unstuffed, ended the content */
    struct octet_change octets[256];
    uint64_t octets_sent[256];
    struct spot ended; /* at an octet of this value: nothing behind it arrived */
    unsigned char ended_by;
    struct spot folded, cut, trimmed, collapsed, altered;
    uint64_t fold_column, cut_column; /* of the first */
    bool fold_varies, cut_varies;
    struct spot blank_end_new, blank_end_gone;   /* empty lines at the end */
    struct spot new_header, new_end, new_middle; /* count: lines */
    struct spot gone_header, gone_end, gone_middle;
    struct spot other_header; /* a field with another value */
    struct spot other_part;   /* lines inside one MIME part (RFC 2046 5.1) became others */
    bool new_received;        /* a Received: line nobody sent */
    struct span new_name;     /* of the first header line that is new, gone, or another */
};

void change_find(struct change *c, struct span sent, struct span received);

const char *line_end_name(enum line_end e);

#endif
