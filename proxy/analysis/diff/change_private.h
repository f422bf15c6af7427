/* change_private - what the parts of change share. */
#ifndef ANALYSIS_DIFF_CHANGE_PRIVATE_H
#define ANALYSIS_DIFF_CHANGE_PRIVATE_H

#include "analysis/diff/change.h"

/* One line: `whole` with its ending, `text` without. */
struct line {
    struct span whole, text;
    enum line_end end;
};

struct walk {
    struct change *c;
    struct span sent, received; /* what is left */
    const unsigned char *sent_begin, *received_begin;
    uint64_t sent_header, received_header; /* where the body begins */
    struct span delimiter;                 /* of the MIME part we are in; empty: in none */
    uint64_t search_octets;                /* that may still be read to find delimiters */
    const unsigned char *common;           /* in sent: a line of that part that arrived */
};

/* False: there is none. */
bool line_read(struct span s, struct line *l);

/* The first of a kind has its place written down, all are counted. */
void change_note(struct walk *w, struct spot *s, struct span sent, struct span received);
/* To the octet, endings and all. */
void change_note_altered(struct walk *w, struct span sent, struct span received);
void change_note_name(struct change *c, struct span line);

size_t equal_begin(struct span a, struct span b);
size_t equal_end(struct span a, struct span b, size_t begin);
bool is_dots(struct span text);

/* ---- change_line.c: one line against another ---- */

bool lines_alike(const struct line *a, const struct line *b);
/* Both have been read, and are at the beginning of what is left. */
void change_line(struct walk *w, const struct line *a, const struct line *b);

/* ---- change_lines.c: lines that became several, or one ---- */

/* True: it was that, and both texts have moved on. */
bool take_fold(struct walk *w, const struct line *a);
bool take_joined(struct walk *w, const struct line *b);

#endif
