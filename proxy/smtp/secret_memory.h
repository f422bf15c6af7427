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
 * Limits: SECRET_MEMORY_MAX octets; what does not fit is not remembered, and said.
 * A peer that makes the comparing long (a large secret, many replies, echoes of repeating
 * text) spends SECRET_WORK_MAX steps, some milliseconds, and SECRET_WORK_OCTET more for each
 * octet of reply; a reply that was not compared to the end is said, too.
 */
#ifndef SMTP_SECRET_MEMORY_H
#define SMTP_SECRET_MEMORY_H

#include "base/attributes.h"
#include "base/buf.h"
#include "base/span.h"

enum {
    SECRET_MEMORY_MAX = 4096,
    SECRET_WORK_MAX = 1 << 22, /* steps: octets of a secret, of one rendering, compared */
    SECRET_WORK_OCTET = 64,
};

struct secret_memory {
    struct buf items; /* each: its length in two octets, then its octets */
    uint32_t work;    /* steps that may still be spent; not renewed by secret_memory_free */
};

void secret_memory_init(struct secret_memory *m);
void secret_memory_free(struct secret_memory *m);
static inline bool secret_memory_is_empty(const struct secret_memory *m)
{
    return m->items.len == 0;
}

/* False: there is no room, or no memory: from now on any text may hold what is missing. */
MUST_CHECK bool secret_memory_add(struct secret_memory *m, struct span secret);

/*
 * Sets marks[i] for each octet i of the reply that belongs to an echo. False: the work was too
 * much, and any octet may.
 */
MUST_CHECK bool secret_memory_find(struct secret_memory *m, struct span reply, bool *marks);
/* Sets marks[i] for each octet of its text: all but the codes and the ends of lines. */
void secret_memory_mark_all(struct span reply, bool *marks);

#endif
