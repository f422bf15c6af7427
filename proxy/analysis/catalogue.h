/*
 * catalogue - what is known of products that change SMTP: conf/middleboxes.conf (libconfig).
 *
 * Data, not code: a user adds a product without a compiler. Each entry: id, what it is called,
 * what it does in a line, direction, severity, confidence, patterns (POSIX extended regular
 * expressions over the escaped text of a banner, reply, EHLO keyword, command, header; or the
 * id of a finding), the setting that fixes it, and where that was seen. Patterns are compiled
 * when the file is loaded; errors name file and line.
 *
 * Limits: 1000 entries, 16 patterns a place and entry, 1000 octets a pattern (see pattern.h);
 *         a file of 4 MiB.
 */
#ifndef ANALYSIS_CATALOGUE_H
#define ANALYSIS_CATALOGUE_H

#include "transcript/finding.h"
#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a pattern is tried on. */
#define CATALOGUE_PLACES(X)                                                                    \
    X(BANNER, "banner")   /* a line of the greeting, behind its code */                        \
    X(EHLO, "ehlo")       /* a line of the reply to EHLO, behind its code */                   \
    X(REPLY, "reply")     /* a line of any other reply, code and text */                       \
    X(COMMAND, "command") /* a command as received, without its ending */                      \
    X(HEADER, "header")   /* a header line of the mail, where headers are kept */              \
    X(ISSUER, "issuer")   /* of a certificate */

enum catalogue_place {
#define X(id, name) PLACE_##id,
    CATALOGUE_PLACES(X)
#undef X
        PLACE_COUNT
};

struct catalogue_entry {
    const char *id, *product, *does, *fix, *source; /* fix, source: "" when not known */
    const char *direction;                          /* "c2s", "s2c", "both", "conn" */
    enum severity severity;
    enum confidence confidence;
    const char *const
        *findings; /* ids of detectors it fits ("SV-01", "TV-02"); ends with NULL */
};

struct catalogue;

/* NULL: `error` says file, line and what is wrong. */
MUST_CHECK struct catalogue *catalogue_load(const char *file, char *error, size_t size);
void catalogue_free(struct catalogue **c);

/* The next entry behind `after` (NULL: the first) with a pattern for the place that fits. */
const struct catalogue_entry *catalogue_match(const struct catalogue *c,
                                              enum catalogue_place place, struct span text,
                                              const struct catalogue_entry *after);
/* The next entry that names the detector. */
const struct catalogue_entry *catalogue_for(const struct catalogue *c, const char *finding,
                                            const struct catalogue_entry *after);
const struct catalogue_entry *catalogue_find(const struct catalogue *c, const char *id);
/* The entry has a pattern for this place, and is not to be guessed at where that does not fit.
 */
bool catalogue_looks_at(const struct catalogue *c, const struct catalogue_entry *e,
                        enum catalogue_place place);
/* Of all that is in the file: what a text was found not to fit may be remembered beside it. */
uint64_t catalogue_stamp(const struct catalogue *c);

/*
 * The file read when none is named: the one of the build tree when this program runs there,
 * else the one installed. False when the name does not fit; whether the file is there is not
 * looked at.
 */
MUST_CHECK bool catalogue_default_file(char *out, size_t size);
/* Loads `file`, or with NULL the usual one, which may be missing: *out is NULL then. */
MUST_CHECK bool catalogue_open(struct catalogue **out, const char *file, char *error,
                               size_t size);

#endif
