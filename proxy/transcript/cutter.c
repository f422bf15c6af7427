#include "transcript/cutter.h"

#include <endian.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static uint64_t load(const unsigned char *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof x);
    return le64toh(x);
}

/* One line in sixteen. before_lf: at least CUT_TAIL octets end here. */
static bool line_is_chosen(const unsigned char *before_lf)
{
    const unsigned char *end = before_lf - (before_lf[-1] == '\r');
    uint64_t h = load(end - 16) * 0x9e3779b97f4a7c15u + load(end - 8);

    h ^= h >> 29;
    return (h * 0xbf58476d1ce4e5b9u) >> 60 == 0;
}

static bool line_ends_block(const struct cutter *c, struct span in, size_t lf)
{
    unsigned char join[2 * CUT_TAIL];

    if (c->octets + lf + 1 >= CUT_ANY_LINE)
        return true;
    if (lf >= CUT_TAIL)
        return line_is_chosen(in.ptr + lf);
    memcpy(join, c->tail, CUT_TAIL);
    memcpy(join + CUT_TAIL, in.ptr, lf);
    return line_is_chosen(join + CUT_TAIL + lf);
}

static void keep_tail(struct cutter *c, struct span taken)
{
    if (taken.len >= CUT_TAIL) {
        memcpy(c->tail, taken.ptr + taken.len - CUT_TAIL, CUT_TAIL);
        return;
    }
    memmove(c->tail, c->tail + taken.len, CUT_TAIL - taken.len);
    memcpy(c->tail + CUT_TAIL - taken.len, taken.ptr, taken.len);
}

/* The end of the first line that ends the block, from `at` on, or 0. */
static size_t find_line(const struct cutter *c, struct span in, size_t at)
{
#ifdef __SSE2__ /* lines are short: a call of memchr() for each costs twice as much */
    const __m128i lf = _mm_set1_epi8('\n');

    for (; at + 16 <= in.len; at += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(in.ptr + at));
        unsigned hits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, lf));
        for (; hits != 0; hits &= hits - 1) {
            size_t i = at + (size_t)__builtin_ctz(hits);
            if (line_ends_block(c, in, i))
                return i + 1;
        }
    }
#endif
    for (; at < in.len; at++) {
        at += span_find(span_drop(in, at), '\n');
        if (at < in.len && line_ends_block(c, in, at))
            return at + 1;
    }
    return 0;
}

/* The block's length within the input, or 0 when it does not end there. */
static size_t find_end(const struct cutter *c, struct span in)
{
    size_t room = CUT_ANYWHERE - c->octets;
    size_t at = c->octets + 1 < CUT_MIN ? CUT_MIN - 1 - c->octets : 0;
    size_t end = find_line(c, span_first(in, room), at);

    if (end != 0)
        return end;
    return in.len >= room ? room : 0;
}

size_t cutter_take(struct cutter *c, struct span in, bool *ends)
{
    size_t n = find_end(c, in);

    *ends = n != 0;
    if (*ends) {
        c->octets = 0;
        return n; /* the tail is not looked at before CUT_MIN further octets */
    }
    keep_tail(c, in);
    c->octets += (uint32_t)in.len;
    return in.len;
}
