/*
 * raw - a line of JSON looked at without building anything: members and items as views.
 *
 * transcript/read parses strictly and keeps what it parsed; a comparison looks at every
 * record of two transcripts twice and wants a few members of each, twenty times as fast.
 * Only the frame is checked here: what is no object of members is refused, what stands
 * inside a member that nobody asks for is passed over. Any nesting, no memory, no recursion.
 */
#ifndef ANALYSIS_DIFF_RAW_H
#define ANALYSIS_DIFF_RAW_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdint.h>

/* Inside an object or list; what is left of it. */
struct raw {
    struct span left;
    bool first, bad; /* bad: it is not well formed from here on */
};

enum raw_kind { RAW_OBJECT = '{', RAW_LIST = '[' };

/* False: the value is of another kind. */
MUST_CHECK bool raw_open(struct raw *r, struct span value, enum raw_kind kind);
/* The next member: its name as written, without quotes. False: no more, or `bad`. */
bool raw_member(struct raw *r, struct span *name, struct span *value);
bool raw_item(struct raw *r, struct span *value);
/* The value of one member of an object; empty: it has none. */
struct span raw_find(struct span object, const char *name);

/* 0 for what is no count; capped at UINT64_MAX. */
uint64_t raw_count(struct span value);
bool raw_is_true(struct span value);
/* A text as written, without quotes; empty for what is no text. */
struct span raw_text(struct span value);
/*
 * The octets of a text: code point U+00bb is the octet b, others become '?'. `out` has room
 * for text.len octets. Returns how many there are.
 */
size_t raw_octets(struct span text, unsigned char *out);
/* As a number of microseconds since 1970; 0 for what is no RFC 3339 time in UTC. */
uint64_t raw_time(struct span value);

#endif
