/* always - what must hold for every input of a fuzz target, in every build. */
#ifndef FUZZ_ALWAYS_H
#define FUZZ_ALWAYS_H

#include "base/span.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ALWAYS(x)                                                                              \
    ((x) ? (void)0 : (fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #x), abort()))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline bool lies_within(struct span part, struct span whole)
{
    return part.len == 0 ||
           (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

#endif
