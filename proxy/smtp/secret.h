/*
 * secret - which octets of a client line must never be written down.
 *
 * A line shows an attempt to authenticate when AUTH stands in it, in any spelling and at any
 * place, or the name of a mechanism, or a word of POP and IMAP (LOGIN, PASS, USER, APOP),
 * XCLIENT LOGIN or BURL. Of such a line everything is secret behind the words that lead up to
 * the secret: verb and mechanism stay.
 *
 *   AUTH PLAIN dGVzdA==        dGVzdA==
 *   C: AUHT PLAIN dGVzdA==     dGVzdA==
 *   a1 LOGIN bob hunter2       bob hunter2
 *   AUTH hunter2               hunter2 (not a mechanism that is known)
 *
 * After an attempt (SECRET_ALERT, see secrecy.h) it is the other way round: what is not known
 * to be harmless is secret. Harmless are commands of ours with arguments that are well-formed
 * and hold no free text: a domain, a path, the size of a chunk.
 *
 * Sans-IO, no memory.
 */
#ifndef SMTP_SECRET_H
#define SMTP_SECRET_H

#include "base/span.h"
#include "smtp/command.h"

enum secret_mode {
    SECRET_CALM,  /* nobody has tried to authenticate */
    SECRET_ALERT, /* somebody has: the rest of it may follow */
};

struct secret {
    struct span octets; /* empty, at the end of the text: nothing is secret */
    bool attempt;       /* to authenticate */
};

/* text: a whole line without its ending; c: the same, parsed. */
struct secret secret_find(const struct command *c, struct span text, enum secret_mode mode);

/*
 * Lines that nobody will look at any more, the last one perhaps unfinished: from the first
 * secret octet on, all are. So are the lines behind DATA and BDAT, which may be mail. In
 * `text` without the ending of its last line.
 */
struct secret secret_find_in_lines(struct span text, enum secret_mode mode);

/* Without the CRs and LF that end it. */
struct span secret_without_ending(struct span line);

#endif
