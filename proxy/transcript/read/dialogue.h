/*
 * dialogue - one record as people read it, in the manner of swaks.
 *
 *    ->   from the client            <-   to the client
 *    =>   sent on, when it differs   <=   what the upstream had said, when it differs
 *    <**  made by smtpscope          ***  what smtpscope did, or what went wrong
 *    ===  the session                !    a note: what is odd, and where
 *
 * Octets that differ between `->` and `=>` are coloured.
 */
#ifndef TRANSCRIPT_READ_DIALOGUE_H
#define TRANSCRIPT_READ_DIALOGUE_H

#include "transcript/read/paint.h"
#include "transcript/read/reader.h"

struct dialogue {
    struct paint paint;
    bool hex; /* a hexdump below every line of the wire */
};

void dialogue_print(struct dialogue *d, const struct record *r);
/* " mail=1 rcpt=1/2 commands=2/3" of a close record's commands: Postfix's form. */
void dialogue_tallies(struct paint *p, enum paint_color color, json_t *commands);

/* dialogue_session.c, of dialogue_print(): */
void dialogue_open(struct dialogue *d, const struct record *r);
void dialogue_connect(struct dialogue *d, const struct record *r);
void dialogue_content(struct dialogue *d, const struct record *r);
void dialogue_opaque(struct dialogue *d, const struct record *r);
void dialogue_close(struct dialogue *d, const struct record *r);
/* dialogue.c: the notes of a record, whose line begins at `at` and has `len` octets. */
void dialogue_notes(struct dialogue *d, const struct record *r, uint64_t at, uint64_t len);

#endif
