/*
 * secret - which octets of a client line must never be written down.
 *
 * AUTH: everything behind the mechanism, in every spelling and with any blank
 * (RFC 4954); lines of an AUTH dialogue: all; XCLIENT: the value of LOGIN; BURL:
 * the URL; a mistyped AUTH, IMAP LOGIN or POP PASS: the argument. The verb and
 * the mechanism stay.
 *
 * Sans-IO, no memory.
 */
#ifndef SMTP_SECRET_H
#define SMTP_SECRET_H

#include "base/span.h"
#include "smtp/event.h"

/*
 * The part of `line` (with or without its ending) to replace; an empty span at
 * the end of the line when there is none. The line's ending is never part of it.
 * With SECRET_NONE and VERB_UNKNOWN the words of the line tell (AUHT, PASS, a1 LOGIN).
 */
struct span secret_find(enum verb verb, enum secrecy secrecy, struct span line);

#endif
