/* private - a mail's signatures under way: the header section, then the body. */
#ifndef DKIM_PRIVATE_H
#define DKIM_PRIVATE_H

#include "base/buf.h"
#include "dkim/dkim.h"
#include "dkim/body.h"

enum place {
    PLACE_LINE,  /* at the start of a header line */
    PLACE_CR,    /* nothing but CRs in it */
    PLACE_NAME,  /* all of it may be the name of a signature */
    PLACE_COLON, /* it is: blanks may stand before the colon */
    PLACE_VALUE, /* of a signature: kept */
    PLACE_SKIP,  /* the rest of a line of no interest */
    PLACE_BODY,  /* behind the header: signed */
    PLACE_DONE,  /* behind the header: nothing to do */
};

/* What a mail with a signature needs. */
struct oath {
    struct dkim_verdict verdict;
    struct buf value; /* of the signature being read */
    struct dkim_body simple, relaxed;
    int8_t hash[DKIM_SIGNATURES_MAX]; /* of each signature, in simple or relaxed */
    struct buf kept;                  /* the body */
};

struct dkim {
    struct oath *oath; /* NULL: no signature yet */
    uint8_t place;     /* enum place */
    uint8_t field;     /* which of the names */
    uint8_t matched;   /* octets of it */
    uint8_t ending;    /* DATA: what came last, for dots behind CRLF */
    bool open;         /* a signature's value was begun, its end is not known yet */
    bool too_long;     /* that value is */
    bool keep_body, finished;
};

/* Returns what is behind the header. */
struct span dkim_header_add(struct dkim *d, struct span in);
/* The empty line, or the end of a mail that has none. */
void dkim_header_end(struct dkim *d);
/* The mail ends in the header, and that is not its end: of a signature that was open nothing
 * is known, since more of it may have been on its way. */
void dkim_header_cut(struct dkim *d);

#endif
