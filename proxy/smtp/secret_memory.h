/*
 * secret_memory - the secrets of one session, to know them again in replies.
 *
 * Servers repeat what they did not understand: cut, wrapped over reply lines, in capitals,
 * decoded, one reply later. An echo is any eight octets of a secret in a row, in any case:
 *
 *   of the text as it was sent, and decoded from base64, hexadecimal or %XX, +XX, =XX;
 *   as they are, in base64 (at each of its three alignments), in hexadecimal, in %XX +XX =XX
 *
 * Blanks, controls, the ends of reply lines and the codes at their front do not count. A
 * secret of three to seven octets is known as a whole word.
 *
 * Sans-IO. Owns: the octets of the secrets, wiped before they are given back.
 * Limit: SECRET_MEMORY_MAX octets; what does not fit is not remembered, and said.
 */
#ifndef SMTP_SECRET_MEMORY_H
#define SMTP_SECRET_MEMORY_H

#include "base/attributes.h"
#include "base/buf.h"
#include "base/span.h"

enum { SECRET_MEMORY_MAX = 4096 };

struct secret_memory {
    struct buf items; /* each: its length in two octets, then its octets */
};

void secret_memory_init(struct secret_memory *m);
void secret_memory_free(struct secret_memory *m);
static inline bool secret_memory_is_empty(const struct secret_memory *m)
{
    return m->items.len == 0;
}

/* False: there is no room, or no memory: from now on any text may hold what is missing. */
MUST_CHECK bool secret_memory_add(struct secret_memory *m, struct span secret);

/* Sets marks[i] for each octet i of the reply that belongs to an echo. */
void secret_memory_find(const struct secret_memory *m, struct span reply, bool *marks);
/* Sets marks[i] for each octet of its text: all but the codes and the ends of lines. */
void secret_memory_mark_all(struct span reply, bool *marks);

#endif
