/*
 * redact - which octets of a text are replaced before it is written down.
 *
 * A cut is a stretch that becomes "***". What is secret the event says (smtp/secrecy.h); with
 * redact = all mailbox names go, too: the local part of every path and of
 * everything that looks like an address, in commands and replies. Host names stay.
 *
 * Sans-IO, no memory. When a text has more cuts than fit, the rest of it is cut.
 */
#ifndef TRANSCRIPT_REDACT_H
#define TRANSCRIPT_REDACT_H

#include "base/buf.h"
#include "smtp/event.h"
#include "transcript/json.h"
#include "transcript/writer.h"

enum { CUTS_MAX = 16 };

struct cut {
    size_t at, octets;
};

/* In rising order; of a reply they may overlap. */
struct cuts {
    struct cut list[CUTS_MAX];
    unsigned len;
};

/* Of a command line (received or forwarded) of this event. */
void redact_line(struct cuts *c, const struct event *e, enum redact_level level,
                 struct span line);
/* Of the reply to this event, which may repeat what was secret in any command before. */
void redact_reply(struct cuts *c, const struct event *e, enum redact_level level,
                  struct span reply);
/* Of the front of one side of another protocol; a server may repeat its client's secrets. */
void redact_sample(struct cuts *c, const struct event *e, enum redact_level level,
                   enum side side);
/*
 * For those who look at an event besides its record: the text of its reply as it is there.
 * False: the reply is to be looked at as it came. True: *copy instead, the caller's to
 * release; it is empty when there is no memory.
 */
MUST_CHECK bool redact_reply_copy(const struct event *e, enum redact_level level,
                                  struct buf *copy);

/* The part [from, from + s.len) of the text the cuts belong to, as a JSON string. */
void redact_text(struct json *j, const struct cuts *c, struct span s, size_t from);

#endif
