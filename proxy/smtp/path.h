/*
 * path - the argument of MAIL and RCPT: "FROM:<path> params" (RFC 5321 4.1.2).
 *
 * Accepts what MTAs accept by habit - blanks around the colon, missing angle brackets,
 * comments, blanks and , ; without quotes in the local part - and says so; `rewrite` tells that
 * the canonical form differs from the text. Everything else outside the grammar is an error
 * with its reply. Parameters are checked for syntax, duplicates and the form of their numbers;
 * what they mean is left to the upstream.
 *
 * Notes: path-*; cmd-syntax with every error but those only `strict` makes.
 * Sans-IO, no memory. Views point into the argument given.
 * Limit: 64 parameters.
 */
#ifndef SMTP_PATH_H
#define SMTP_PATH_H

#include "base/attributes.h"
#include "base/buf.h"
#include "base/span.h"
#include "smtp/notes.h"

enum path_kind { PATH_FROM, PATH_TO };

enum path_result {
    PATH_OK,
    PATH_BAD_ARGS, /* 501 5.5.4 */
    PATH_BAD_PATH, /* 501 5.1.7 for FROM, 501 5.1.3 for TO */
};

struct path {
    struct span path;    /* between the brackets */
    struct span params;  /* what follows, may begin with blanks */
    struct span keyword; /* FROM or TO as written */
    bool rewrite;        /* path_canonical() differs from the argument */
    uint64_t size;       /* value of SIZE, UINT64_MAX when it does not fit; 0: not given */
    const char *why;     /* for the reply, when the result is not PATH_OK */
};

/*
 * arg: the command's argument without surrounding blanks. strict: refuse these
 * habits. Notes are added with offset `at` (of the whole command).
 */
MUST_CHECK enum path_result path_parse(struct span arg, enum path_kind kind, bool strict,
                                       struct path *out, struct notes *notes, uint64_t at);
/* Appends "FROM:<path> params", blanks between parameters reduced to one; false: nothing. */
MUST_CHECK bool path_canonical(const struct path *p, struct buf *out);

#endif
