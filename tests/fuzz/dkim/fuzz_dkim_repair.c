/*
 * Any body against a hash that it has not: the search ends within its bound, and what it finds
 * is told in plain words. The first octet says how the body is made canonical, and how much may
 * be hashed.
 */
#include "fuzz/always.h"

#include "dkim/repair.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dkim_signature s = { .result = DKIM_CHANGED, .hash_len = 32 };
    struct dkim_repair r;

    if (size == 0)
        return 0;
    s.relaxed = data[0] & 1;
    s.limited = data[0] & 2;
    s.length = data[0] >> 5;
    dkim_repair(span_of(data + 1, size - 1), &s, (uint64_t)4096 << (data[0] & 28) / 4, &r);
    ALWAYS(!r.found && r.damage == NULL);
    ALWAYS(r.text[0] != '\0' && memchr(r.text, '\0', sizeof r.text) != NULL);
    return 0;
}
