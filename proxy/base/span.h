/*
 * span - a borrowed view of bytes.
 *
 * Network data is never NUL-terminated here: every text travels with its length.
 * Owns: nothing. Whoever hands out a span says how long it stays valid.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct span {
    const unsigned char *ptr;
    size_t len;
};

/* A span over a string literal (its NUL left out). */
#define SPAN_LIT(s) ((struct span){ (const unsigned char *)("" s), sizeof(s) - 1 })

static inline struct span span_of(const void *ptr, size_t len)
{
    return (struct span){ ptr, len };
}

static inline struct span span_str(const char *s)
{
    return (struct span){ (const unsigned char *)s, strlen(s) };
}

static inline bool span_is_empty(struct span s)
{
    return s.len == 0;
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ASCII case is ignored, independent of the locale for letters A to Z. */
static inline bool span_equal_nocase(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        unsigned char x = a.ptr[i], y = b.ptr[i];
        if (x >= 'a' && x <= 'z')
            x = (unsigned char)(x - 32);
        if (y >= 'a' && y <= 'z')
            y = (unsigned char)(y - 32);
        if (x != y)
            return false;
    }
    return true;
}

static inline bool span_starts_with(struct span s, struct span prefix)
{
    return s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

static inline bool span_starts_with_nocase(struct span s, struct span prefix)
{
    return s.len >= prefix.len && span_equal_nocase((struct span){ s.ptr, prefix.len }, prefix);
}

static inline struct span span_first(struct span s, size_t n)
{
    return (struct span){ s.ptr, n < s.len ? n : s.len };
}

static inline struct span span_drop(struct span s, size_t n)
{
    size_t cut = n < s.len ? n : s.len;
    return (struct span){ cut > 0 ? s.ptr + cut : s.ptr, s.len - cut }; /* ptr may be NULL */
}

static inline bool span_is_blank_char(unsigned char c)
{
    return c == ' ' || c == '\t';
}

static inline struct span span_trim_right(struct span s)
{
    while (s.len > 0 && span_is_blank_char(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

static inline struct span span_trim_left(struct span s)
{
    while (s.len > 0 && span_is_blank_char(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    return s;
}

static inline struct span span_trim(struct span s)
{
    return span_trim_left(span_trim_right(s));
}

/* Position of c, or s.len when it is not there. */
static inline size_t span_find(struct span s, unsigned char c)
{
    const unsigned char *p = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return p ? (size_t)(p - s.ptr) : s.len;
}

#endif
