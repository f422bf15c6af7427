/*
 * repair - what was done to a body whose DKIM hash does not match any more?
 *
 * Known damages are undone one after the other, and some pairs of them, until the hash of a
 * signature fits again: the transform that restores it names the damage with the certainty of
 * the hash. Newline classes, dots, folds at a column, trailing blanks, tabs, From lines, texts
 * put in front of, behind or into a body, quoted-printable. What is lost cannot be restored:
 * cut lines are only guessed at.
 *
 * Works on a body in memory; a bound on the octets hashed keeps it finite: what was not tried
 * is said.
 */
#ifndef DKIM_REPAIR_H
#define DKIM_REPAIR_H

#include "base/attributes.h"
#include "dkim/dkim.h"

#include <stddef.h>

enum {
    DKIM_REPAIR_BODY_MAX = DKIM_BODY_MAX,
    /* For `most`: where other sessions wait (some 30 ms), and where nobody does. */
    DKIM_REPAIR_LIVE = 32 << 20,
    DKIM_REPAIR_TOOL = 1 << 30,
};

struct dkim_repair {
    bool found;
    const char *damage; /* stable name: "crlf-to-lf", "footer-appended", ...; constant */
    char text[DKIM_DAMAGE_SIZE]; /* plain words: "the last 3 lines were appended"; also when
                                    nothing was found */
    uint64_t at;  /* first octet of the damage in the body; of the body as it was between two
                     damages */
    bool gave_up; /* the bound was reached before everything was tried, or memory is out */
};

/*
 * body: content behind the header's empty line, dots unstuffed. signature: a changed one.
 * most: octets to hash, or to look at one by one, at most.
 */
void dkim_repair(struct span body, const struct dkim_signature *signature, uint64_t most,
                 struct dkim_repair *out);

struct dkim_repair_file {
    struct dkim_verdict verdict; /* with damage and damage_text */
    struct dkim_repair repairs[DKIM_SIGNATURES_MAX];
};

/*
 * A whole mail kept in a file as it came (content = "full"; stuffed: by DATA): its signatures,
 * and of each that says "changed" what was done. False: `error` says why it cannot be read.
 */
MUST_CHECK bool dkim_repair_file(const char *path, bool stuffed, uint64_t most,
                                 struct dkim_repair_file *out, char error[256]);

#endif
