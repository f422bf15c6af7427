/* close_reason - why a session ended: one list for log, transcript, metric and test. */
#ifndef SMTP_CLOSE_REASON_H
#define SMTP_CLOSE_REASON_H

#include <stdbool.h>

enum close_reason {
#define CLOSE(id, name, is_error, text) CLOSE_##id,
#include "smtp/closes.def"
#undef CLOSE
    CLOSE_COUNT,
    CLOSE_NONE = CLOSE_COUNT /* the session goes on */
};

const char *close_name(enum close_reason r);
const char *close_text(enum close_reason r);
bool close_is_error(enum close_reason r);

#endif
