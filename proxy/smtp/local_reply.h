/*
 * local_reply - the replies made here: code, enhanced code, text, and whether the
 * session ends with it. One table: local_replies.def.
 */
#ifndef SMTP_LOCAL_REPLY_H
#define SMTP_LOCAL_REPLY_H

#include "base/span.h"
#include "smtp/close_reason.h"

enum local_reply {
    LOCAL_NONE,
#define LOCAL(id, code, enhanced, text, reason) LOCAL_##id,
#include "smtp/local_replies.def"
#undef LOCAL
    LOCAL_COUNT
};

enum { LOCAL_REPLY_MAX = 160 };

unsigned local_reply_code(enum local_reply id);
struct span local_reply_enhanced(enum local_reply id);
/* CLOSE_NONE: the session goes on after it. */
enum close_reason local_reply_closes(enum local_reply id);
/* The whole line with CRLF; detail may be NULL. Cut to fit. */
struct span local_reply_text(enum local_reply id, const char *detail,
                             char out[LOCAL_REPLY_MAX]);

#endif
