/*
 * dkim_repair - what was done to a body whose DKIM hash does not match any more?
 *
 * Known damages are undone one after the other, and some pairs of them, until the hash of a
 * signature fits again: the transform that restores it names the damage with the certainty of
 * the hash. Newline classes, dots, folds and cuts at a column, trailing blanks, tabs, a footer,
 * added final lines, inserted or removed last newline.
 *
 * Works on a body in memory; a bound on the octets hashed keeps it finite: what was not tried
 * is said.
 */
#ifndef ANALYSIS_DKIM_REPAIR_H
#define ANALYSIS_DKIM_REPAIR_H

#include "base/attributes.h"
#include "transcript/dkim.h"

#include <stddef.h>

enum { DKIM_REPAIR_BODY_MAX = 4 << 20 };

struct dkim_repair {
    bool found;
    const char *damage; /* stable name: "lf-to-crlf", "footer-appended", ...; constant */
    char text[200];     /* plain words: "the last 3 lines were appended" */
    uint64_t at;        /* first octet of the damage in the body, where it has a place */
    bool gave_up;       /* the bound was reached before everything was tried */
};

/* body: content behind the header's empty line, dots unstuffed. `most`: octets to hash at most.
 */
void dkim_repair(struct span body, const struct dkim_signature *signature, uint64_t most,
                 struct dkim_repair *out);

#endif
