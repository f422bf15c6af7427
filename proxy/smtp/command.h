/*
 * command - one command line taken apart, with all that is wrong about its form.
 *
 * Looks only at the line: order, policy and offered extensions are session's
 * business. Faults come in the order in which a receiver meets them; the first
 * that policy refuses decides the reply (protocol: RFC 5321 4.1.1, 4.3.2).
 *
 * Sans-IO, no memory. All views point into the text given.
 */
#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include "base/attributes.h"
#include "base/span.h"
#include "smtp/verb.h"

#include <stdint.h>

/* Properties of the octets of a line. */
enum command_fault {
    FAULT_NUL = 1 << 0,
    FAULT_BARE_CR = 1 << 1, /* a CR that is not part of the line's ending */
    FAULT_CTRL = 1 << 2,    /* 0x01-0x08 0x0a-0x0c 0x0e-0x1f 0x7f; tab is none */
    FAULT_BLANK = 1 << 3,   /* nothing, or only blanks; then no other *_WS */
    FAULT_LEADING_WS = 1 << 4,
    FAULT_TRAILING_WS = 1 << 5,
    FAULT_TAB = 1 << 6, /* a tab ends the verb instead of a space */
    FAULT_8BIT_VERB = 1 << 7,
    FAULT_8BIT_ARG = 1 << 8,
    FAULT_NOT_UTF8 =
        1 << 9, /* the argument is not valid UTF-8 (RFC 3629); only with 8BIT_ARG */
};

struct command {
    enum verb verb;
    unsigned faults;  /* enum command_fault */
    size_t fault_at;  /* offset in the text given to command_parse() of the first NUL,
                         CR, control or 8-bit octet; 0 when there is none */
    struct span word; /* the verb as written */
    struct span arg;  /* the argument without surrounding blanks */
    struct span text; /* the line without leading and trailing blanks */
};

/* text: a line without its ending, as line_next() returns it. */
struct command command_parse(struct span text);

/* HELO/EHLO argument: Domain or address-literal (RFC 5321 4.1.2). */
bool command_is_domain(struct span arg);

/*
 * The argument of BDAT: 1*DIGIT [1*SP "LAST"] (RFC 3030 2).
 *
 *   OK     a size that every receiver reads alike: smtp/number.h
 *   WIDE   a size, but one that receivers read differently
 *   BAD    no size, or something else than LAST behind it
 *
 * *octets (saturated) and *last are set unless BAD. *plain: one way to write it, no leading
 * zero, one blank before LAST.
 */
enum bdat_result { BDAT_OK, BDAT_WIDE, BDAT_BAD };

struct bdat {
    uint64_t octets;
    bool last;
    bool plain;
};

MUST_CHECK enum bdat_result command_bdat(struct span arg, struct bdat *out);

#endif
