/*
 * check - what the unit tests of sans-IO code share.
 *
 * guarded() copies octets so that the last one lies right before a page that may not
 * be touched: one octet read too far ends the test, in every build.
 */
#ifndef UNIT_CHECK_H
#define UNIT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/span.h"

/* SPAN_LIT() for tables: C11 takes no compound literal as a constant. */
#define SPAN_INIT(s)                                                                           \
    {                                                                                          \
        (const unsigned char *)("" s), sizeof(s) - 1                                           \
    }

enum { GUARDED_MAX = 1 << 18 };

/* Valid until the next call. Nothing is copied for len 0, but the pointer is good. */
static inline struct span guarded(struct span s)
{
    static unsigned char *end;

    if (end == NULL) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        unsigned char *p = mmap(NULL, GUARDED_MAX + page, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        assert_true(p != MAP_FAILED);
        assert_int_equal(mprotect(p + GUARDED_MAX, page, PROT_NONE), 0);
        end = p + GUARDED_MAX;
    }
    assert_true(s.len <= GUARDED_MAX);
    if (s.len > 0)
        memcpy(end - s.len, s.ptr, s.len);
    return span_of(end - s.len, s.len);
}

static inline struct span guarded_str(const char *s)
{
    return guarded(span_str(s));
}

/* `what` tells the case of a table that failed. */
static inline void check_span(struct span got, struct span want, const char *what)
{
    if (!span_equal(got, want))
        fail_msg("%s: got \"%.*s\" (%zu), want \"%.*s\" (%zu)", what, (int)got.len,
                 (const char *)got.ptr, got.len, (int)want.len, (const char *)want.ptr,
                 want.len);
}

static inline void check_number(uintmax_t got, uintmax_t want, const char *what)
{
    if (got != want)
        fail_msg("%s: got %ju, want %ju", what, got, want);
}

#endif
