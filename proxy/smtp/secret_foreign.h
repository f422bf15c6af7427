/*
 * secret_foreign - what must not be written down of a stream that is not SMTP: HTTP, RTSP,
 * Redis and others.
 *
 * From the first secret octet on, all are: what secret.h takes for an attempt to
 * authenticate, what follows the name of a cookie, a password or a token wherever it stands,
 * and the user of a URL ("rtsp://user:password@host/").
 *
 *   Authorization: Basic dXNl      dXNl
 *   Cookie: sid=1                  : sid=1
 *   GET /?password=x HTTP/1.1      word=x HTTP/1.1
 *
 * Sans-IO, no memory.
 */
#ifndef SMTP_SECRET_FOREIGN_H
#define SMTP_SECRET_FOREIGN_H

#include "smtp/secret.h"

/* In `text` without the ending of its last line; empty, at its end: nothing is secret. */
struct span secret_find_foreign(struct span text, enum secret_mode mode);

#endif
