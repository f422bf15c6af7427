#include "smtp/scan.h"

#include <assert.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2_TARGET __attribute__((target("avx2,popcnt,bmi,lzcnt")))
#endif

#define ALWAYS_INLINE inline __attribute__((always_inline))

enum { BLOCK = 64 };

/* One bit for each octet of a block, the first octet lowest. */
struct masks {
    uint64_t high; /* above 127 */
    uint64_t cr;
    uint64_t nul;
    uint64_t lf7;  /* LF, bit 7 ignored */
    uint64_t dot7; /* "." or NUL, bit 7 ignored */
};

struct scan {
    struct scan_result sum;
    uint64_t after_cr, after_lf7; /* 0 or 1: of the first octet of the next block */
};

/* Lines that end in a block; the first one began before it. */
static ALWAYS_INLINE void count_lines(struct scan_result *sum, uint64_t lf, unsigned octets)
{
    if (lf == 0) {
        sum->line_octets += octets;
        return;
    }
    uint64_t first = sum->line_octets + (unsigned)__builtin_ctzll(lf) + 1;
    unsigned last = BLOCK - 1 - (unsigned)__builtin_clzll(lf);

    if (first > sum->longest)
        sum->longest = first;
    /* Any further line in this block is shorter than a block. */
    for (uint64_t left = lf; sum->longest < BLOCK && (left & (left - 1)) != 0;) {
        unsigned from = (unsigned)__builtin_ctzll(left);
        left &= left - 1;
        uint64_t line = (unsigned)__builtin_ctzll(left) - from;
        if (line > sum->longest)
            sum->longest = line;
    }
    sum->lines += (unsigned)__builtin_popcountll(lf);
    sum->line_octets = octets - last - 1;
}

/* Takes a block of which the first `octets` count; false when the scan ends in it. */
static ALWAYS_INLINE bool take_block(struct scan *s, const struct masks *m, unsigned octets)
{
    uint64_t counts = octets < BLOCK ? (UINT64_C(1) << octets) - 1 : UINT64_MAX;
    uint64_t after_cr = m->cr << 1 | s->after_cr;
    uint64_t lf = m->lf7 & ~m->high;
    uint64_t odd =
        ((lf ^ after_cr) | (m->dot7 & (m->lf7 << 1 | s->after_lf7)) | m->nul) & counts;
    bool lone_cr = false;

    if (__builtin_expect(odd != 0, 0)) {
        octets = (unsigned)__builtin_ctzll(odd);
        counts = (UINT64_C(1) << octets) - 1;
        lone_cr = (after_cr >> octets & 1) != 0; /* it is the CR before that is odd */
    }
    s->sum.clean += octets;
    s->sum.eight_bit += (unsigned)__builtin_popcountll(m->high & counts);
    count_lines(&s->sum, lf & counts, octets);
    if (lone_cr) {
        s->sum.clean--;
        s->sum.line_octets--;
    }
    if (odd != 0) {
        s->after_cr = 0;
        return false;
    }
    s->after_cr = m->cr >> (octets - 1) & 1;
    s->after_lf7 = m->lf7 >> (octets - 1) & 1;
    return true;
}

static ALWAYS_INLINE struct scan scan_begin(struct scan_start start)
{
    return (struct scan){ .sum.line_octets = start.line_octets, .after_lf7 = start.line_start };
}

/* A CR at the end of the input waits for its LF. */
static ALWAYS_INLINE struct scan_result scan_end(struct scan *s)
{
    s->sum.clean -= (size_t)s->after_cr;
    s->sum.line_octets -= s->after_cr;
    return s->sum;
}

/* The last octets, padded with octets that mean nothing. */
static ALWAYS_INLINE const unsigned char *pad_block(struct span rest, unsigned char *block)
{
    memset(block, 'x', BLOCK);
    memcpy(block, rest.ptr, rest.len);
    return block;
}

/* One bit for each octet of w that is zero. */
static ALWAYS_INLINE uint64_t zero_octets(uint64_t w)
{
    const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t zero = ~(((w & low7) + low7) | w | low7);

    return (zero >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

static struct masks masks_portable(const unsigned char *p)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    struct masks m = { 0 };

    for (unsigned i = 0; i < BLOCK; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, sizeof w);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        w = __builtin_bswap64(w);
#endif
        uint64_t w7 = w & ~(each << 7);
        uint64_t nul7 = zero_octets(w7);
        m.high |= (zero_octets((w & each << 7) ^ each << 7)) << i;
        m.cr |= zero_octets(w ^ each * '\r') << i;
        m.nul |= zero_octets(w) << i;
        m.lf7 |= zero_octets(w7 ^ each * '\n') << i;
        m.dot7 |= (zero_octets(w7 ^ each * '.') | nul7) << i;
    }
    return m;
}

static struct scan_result scan_portable(struct span in, struct scan_start start)
{
    struct scan s = scan_begin(start);
    unsigned char padded[BLOCK];

    for (; in.len >= BLOCK; in = span_drop(in, BLOCK)) {
        struct masks m = masks_portable(in.ptr);
        if (!take_block(&s, &m, BLOCK))
            return s.sum;
    }
    if (in.len > 0) {
        struct masks m = masks_portable(pad_block(in, padded));
        take_block(&s, &m, (unsigned)in.len);
    }
    return scan_end(&s);
}

#if defined(__x86_64__)

static ALWAYS_INLINE void add_masks_sse2(struct masks *m, const unsigned char *p, unsigned at)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
    __m128i v7 = _mm_and_si128(v, _mm_set1_epi8(0x7f));
    __m128i nul7 = _mm_cmpeq_epi8(v7, _mm_setzero_si128());
    __m128i dot7 = _mm_or_si128(_mm_cmpeq_epi8(v7, _mm_set1_epi8('.')), nul7);

    m->high |= (uint64_t)(unsigned)_mm_movemask_epi8(v) << at;
    m->cr |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\r')))
             << at;
    m->nul |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128()))
              << at;
    m->lf7 |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v7, _mm_set1_epi8('\n')))
              << at;
    m->dot7 |= (uint64_t)(unsigned)_mm_movemask_epi8(dot7) << at;
}

static ALWAYS_INLINE struct masks masks_sse2(const unsigned char *p)
{
    struct masks m = { 0 };

    for (unsigned at = 0; at < BLOCK; at += 16)
        add_masks_sse2(&m, p, at);
    return m;
}

static struct scan_result scan_sse2(struct span in, struct scan_start start)
{
    struct scan s = scan_begin(start);
    unsigned char padded[BLOCK];

    for (; in.len >= BLOCK; in.ptr += BLOCK, in.len -= BLOCK) {
        struct masks m = masks_sse2(in.ptr);
        if (!take_block(&s, &m, BLOCK))
            return s.sum;
    }
    if (in.len > 0) {
        struct masks m = masks_sse2(pad_block(in, padded));
        take_block(&s, &m, (unsigned)in.len);
    }
    return scan_end(&s);
}

AVX2_TARGET static inline uint64_t bits_avx2(__m256i low, __m256i high)
{
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32 |
           (uint32_t)_mm256_movemask_epi8(low);
}

AVX2_TARGET static inline struct masks masks_avx2(const unsigned char *p)
{
    const __m256i low7 = _mm256_set1_epi8(0x7f), zero = _mm256_setzero_si256();
    const __m256i cr = _mm256_set1_epi8('\r'), lf = _mm256_set1_epi8('\n');
    const __m256i dot = _mm256_set1_epi8('.');
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
    __m256i a7 = _mm256_and_si256(a, low7), b7 = _mm256_and_si256(b, low7);
    struct masks m;

    m.high = bits_avx2(a, b);
    m.cr = bits_avx2(_mm256_cmpeq_epi8(a, cr), _mm256_cmpeq_epi8(b, cr));
    m.lf7 = bits_avx2(_mm256_cmpeq_epi8(a7, lf), _mm256_cmpeq_epi8(b7, lf));
    m.dot7 =
        bits_avx2(_mm256_or_si256(_mm256_cmpeq_epi8(a7, dot), _mm256_cmpeq_epi8(a7, zero)),
                  _mm256_or_si256(_mm256_cmpeq_epi8(b7, dot), _mm256_cmpeq_epi8(b7, zero)));
    m.nul = 0;
    if (!_mm256_testz_si256(_mm256_cmpeq_epi8(_mm256_min_epu8(a, b), zero), low7))
        m.nul = bits_avx2(_mm256_cmpeq_epi8(a, zero), _mm256_cmpeq_epi8(b, zero));
    return m;
}

/* The octet before p must be readable, too: each octet is judged by the one before it. */
AVX2_TARGET static inline __m256i odd_avx2(const unsigned char *p, __m256i v)
{
    const __m256i low7 = _mm256_set1_epi8(0x7f), lf = _mm256_set1_epi8('\n');
    __m256i before = _mm256_loadu_si256((const __m256i *)(const void *)(p - 1));
    __m256i v7 = _mm256_and_si256(v, low7);
    __m256i dot7 = _mm256_or_si256(_mm256_cmpeq_epi8(v7, _mm256_set1_epi8('.')),
                                   _mm256_cmpeq_epi8(v7, _mm256_setzero_si256()));
    __m256i after_lf7 = _mm256_cmpeq_epi8(_mm256_and_si256(before, low7), lf);
    __m256i after_cr = _mm256_cmpeq_epi8(before, _mm256_set1_epi8('\r'));

    return _mm256_or_si256(_mm256_and_si256(after_lf7, dot7),
                           _mm256_xor_si256(after_cr, _mm256_cmpeq_epi8(v, lf)));
}

/* Counts whole blocks that have nothing odd; returns how many octets that are. */
AVX2_TARGET static inline size_t skip_blocks_avx2(struct scan_result *sum, struct span in)
{
    const __m256i zero = _mm256_setzero_si256(), lf = _mm256_set1_epi8('\n');
    size_t pos = 0;

    for (; in.len - pos >= BLOCK; pos += BLOCK) {
        const unsigned char *p = in.ptr + pos;
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
        __m256i nul = _mm256_cmpeq_epi8(_mm256_min_epu8(a, b), zero);
        __m256i odd = _mm256_or_si256(odd_avx2(p, a), odd_avx2(p + 32, b));
        odd = _mm256_or_si256(odd, nul);
        if (!_mm256_testz_si256(odd, odd))
            break;
        sum->eight_bit += (unsigned)__builtin_popcountll(bits_avx2(a, b));
        count_lines(sum, bits_avx2(_mm256_cmpeq_epi8(a, lf), _mm256_cmpeq_epi8(b, lf)), BLOCK);
    }
    sum->clean += pos;
    return pos;
}

AVX2_TARGET static struct scan_result scan_avx2(struct span in, struct scan_start start)
{
    struct scan s = scan_begin(start);
    unsigned char padded[BLOCK];

    while (in.len >= BLOCK) {
        struct masks m = masks_avx2(in.ptr);
        if (!take_block(&s, &m, BLOCK))
            return s.sum;
        in = span_drop(in, BLOCK);
        size_t skipped = skip_blocks_avx2(&s.sum, in);
        if (skipped > 0) {
            in = span_drop(in, skipped);
            s.after_cr = in.ptr[-1] == '\r';
            s.after_lf7 = (in.ptr[-1] & 0x7f) == '\n';
        }
    }
    if (in.len > 0) {
        struct masks m = masks_avx2(pad_block(in, padded));
        take_block(&s, &m, (unsigned)in.len);
    }
    return scan_end(&s);
}

bool scan_is_available(enum scan_kind kind)
{
    return kind != SCAN_AVX2 ||
           (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
            __builtin_cpu_supports("popcnt"));
}

struct scan_result scan_clean_with(enum scan_kind kind, struct span in, struct scan_start start)
{
    assert(scan_is_available(kind));
    if (kind == SCAN_AVX2)
        return scan_avx2(in, start);
    return kind == SCAN_SSE2 ? scan_sse2(in, start) : scan_portable(in, start);
}

struct scan_result scan_clean(struct span in, struct scan_start start)
{
    return scan_is_available(SCAN_AVX2) ? scan_avx2(in, start) : scan_sse2(in, start);
}

#else

bool scan_is_available(enum scan_kind kind)
{
    return kind == SCAN_PORTABLE;
}

struct scan_result scan_clean_with(enum scan_kind kind, struct span in, struct scan_start start)
{
    assert(scan_is_available(kind));
    return scan_portable(in, start);
}

struct scan_result scan_clean(struct span in, struct scan_start start)
{
    return scan_portable(in, start);
}

#endif
