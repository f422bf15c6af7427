/*
 * dialogue - one record as people read it, in the manner of swaks.
 *
 *    ->   from the client            <-   to the client
 *    =>   sent on, when it differs   <=   what the upstream had said, when it differs
 *    <**  made by smtpscope          ***  what smtpscope did, or what went wrong
 *    ===  the session                !    a note: what is odd, and where
 *    !!   a finding: what looks like the work of a box on the path
 *
 * Inside TLS the shaft has a wave, leg by leg:
 *
 *    ~>  <~  <~*   the client's leg        =~>  <~=   the upstream's
 *
 * Octets that differ between `->` and `=>` are coloured. What smtpscope sent of its own
 * accord is `=>`, and its reply `<=`.
 */
#ifndef TRANSCRIPT_READ_DIALOGUE_H
#define TRANSCRIPT_READ_DIALOGUE_H

#include "transcript/read/paint.h"
#include "transcript/read/reader.h"

/* Which legs of a session are inside TLS. */
struct dialogue_legs {
    bool client;
    enum { LEG_CLEAR, LEG_TLS, LEG_UPGRADED } upstream; /* from the first octet, by STARTTLS */
};

struct dialogue {
    struct paint paint;
    struct dialogue_legs legs;
    bool hex;   /* a hexdump below every line of the wire */
    bool early; /* the upstream said this before an upgrade, though it is told behind it */
};

/* Keeps `legs`: for every record of a session, those that are not shown, too. */
void dialogue_legs_follow(struct dialogue_legs *legs, const struct record *r);

void dialogue_print(struct dialogue *d, const struct record *r);
/* " mail=1 rcpt=1/2 commands=2/3" of a close record's commands: Postfix's form. */
void dialogue_tallies(struct paint *p, enum paint_color color, json_t *commands);

enum dialogue_marker { FROM_CLIENT, TO_CLIENT, MADE_HERE, TO_UPSTREAM, FROM_UPSTREAM };

/* dialogue_tls.c: how a line begins. */
const char *dialogue_marker(const struct dialogue *d, enum dialogue_marker m);
void dialogue_tls(struct dialogue *d, const struct record *r);
/* dialogue_session.c, of dialogue_print(): */
void dialogue_open(struct dialogue *d, const struct record *r);
void dialogue_connect(struct dialogue *d, const struct record *r);
void dialogue_content(struct dialogue *d, const struct record *r);
void dialogue_opaque(struct dialogue *d, const struct record *r);
void dialogue_finding(struct dialogue *d, const struct record *r);
/* Of a content: what its signatures say. */
void dialogue_dkim(struct dialogue *d, const struct record *r);
void dialogue_close(struct dialogue *d, const struct record *r);
/* dialogue.c: the notes of a record, whose line begins at `at` and has `len` octets. */
void dialogue_notes(struct dialogue *d, const struct record *r, uint64_t at, uint64_t len);

#endif
