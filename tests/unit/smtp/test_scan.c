/* The implementations of scan against one that looks at a single octet at a time. */
#include "unit/check.h"

#include "base/attributes.h"
#include "smtp/scan.h"

static bool is_odd(struct span in, size_t i, bool line_start)
{
    unsigned char b = in.ptr[i], b7 = b & 0x7f;
    bool after_lf7 = i > 0 ? (in.ptr[i - 1] & 0x7f) == '\n' : line_start;
    bool after_cr = i > 0 && in.ptr[i - 1] == '\r';
    bool before_lf = i + 1 < in.len && in.ptr[i + 1] == '\n';

    return b == '\0' || (b == '\n' && !after_cr) || (b == '\r' && !before_lf) ||
           (after_lf7 && (b7 == '.' || b7 == '\0'));
}

static struct scan_result scan_slowly(struct span in, struct scan_start start)
{
    struct scan_result r = { .line_octets = start.line_octets };

    for (size_t i = 0; i < in.len && !is_odd(in, i, start.line_start); i++) {
        r.clean++;
        r.line_octets++;
        r.eight_bit += in.ptr[i] > 127;
        if (in.ptr[i] != '\n')
            continue;
        r.lines++;
        if (r.line_octets > r.longest)
            r.longest = r.line_octets;
        r.line_octets = 0;
    }
    return r;
}

static void check_one(struct span in, struct scan_start start, const char *what)
{
    struct scan_result want = scan_slowly(in, start);

    for (unsigned kind = 0; kind <= SCAN_KINDS; kind++) {
        if (kind < SCAN_KINDS && !scan_is_available((enum scan_kind)kind))
            continue;
        struct scan_result got = kind == SCAN_KINDS
                                     ? scan_clean(in, start)
                                     : scan_clean_with((enum scan_kind)kind, in, start);
        check_number(got.clean, want.clean, what);
        check_number(got.lines, want.lines, what);
        check_number(got.eight_bit, want.eight_bit, what);
        check_number(got.longest, want.longest, what);
        check_number(got.line_octets, want.line_octets, what);
    }
}

static void check_scan(struct span in, const char *what)
{
    struct span g = guarded(in);

    check_one(g, (struct scan_start){ .line_start = true }, what);
    check_one(g, (struct scan_start){ .line_octets = 70 }, what);
}

/* Any generator will do, as long as it always makes the same. */
static unsigned next_random(void)
{
    static uint32_t x = 2463534242;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

static void few_octets(void **state)
{
    static const struct span cases[] = {
        SPAN_INIT(""),           SPAN_INIT("a"),          SPAN_INIT("."),
        SPAN_INIT("\r"),         SPAN_INIT("\n"),         SPAN_INIT("\0"),
        SPAN_INIT("\r\n"),       SPAN_INIT("\r\n."),      SPAN_INIT("a\r\nb\r\n"),
        SPAN_INIT("a\r\nb\r"),   SPAN_INIT("a\r\rb"),     SPAN_INIT("\x8a\xae"),
        SPAN_INIT("\x8a."),      SPAN_INIT("\x8a\x80"),   SPAN_INIT("\r\n\x80"),
        SPAN_INIT("\r\n\xae"),   SPAN_INIT("\x8d\x8a\n"), SPAN_INIT("\x8d\n"),
        SPAN_INIT("\r\x8a"),     SPAN_INIT("a.b\r\nc."),  SPAN_INIT("\r\n\r\n\r\n\r\n"),
        SPAN_INIT("\xff\xff\n"), SPAN_INIT("\xae\x80"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_scan(cases[i], "few octets");
}

/* One odd thing at every place of a text that spans several blocks. */
static void one_odd_octet_anywhere(void **state)
{
    static const struct span odd[] = {
        SPAN_INIT("\0"),   SPAN_INIT("\n"),       SPAN_INIT("\r"),     SPAN_INIT("\r\n."),
        SPAN_INIT("\r\r"), SPAN_INIT("\x8a\xae"), SPAN_INIT("\x8a\0"), SPAN_INIT("\x8a\x80"),
        SPAN_INIT("\r\n"), SPAN_INIT("\x8a."),    SPAN_INIT("\x80"),
    };
    unsigned char text[330];

    (void)state;
    for (size_t o = 0; o < ARRAY_LEN(odd); o++) {
        for (size_t at = 0; at + odd[o].len <= sizeof text; at++) {
            for (size_t i = 0; i < sizeof text; i++)
                text[i] = i % 41 == 39 ? '\r' : i % 41 == 40 ? '\n' : 'x';
            memcpy(text + at, odd[o].ptr, odd[o].len);
            check_scan(span_of(text, sizeof text), "one odd octet");
        }
    }
}

/* From every alignment, in every length that matters, both sides out of reach. */
static void every_alignment_and_length(void **state)
{
    static unsigned char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 7 == 5 ? '\r' : i % 7 == 6 ? '\n' : (unsigned char)(0x70 + i % 32);
    for (size_t from = 0; from < 70; from++) {
        for (size_t len = 0; len <= 270; len++) {
            struct span in = span_of(text + from, len);
            check_one(in, (struct scan_start){ .line_octets = from }, "alignment");
            check_one(guarded(in), (struct scan_start){ .line_start = true }, "length");
        }
    }
}

/* Lines of all lengths in all places: the longest line is exact, not estimated. */
static void longest_line_is_exact(void **state)
{
    unsigned char text[1024];

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        unsigned spread = 1 + next_random() % 200;
        size_t len = 0;
        while (len + spread + 2 < sizeof text) {
            size_t line = next_random() % spread;
            memset(text + len, 'x', line);
            memcpy(text + len + line, "\r\n", 2);
            len += line + 2;
        }
        check_scan(span_of(text, len), "longest line");
    }
}

static void random_octets(void **state)
{
    static const unsigned char hostile[] = "\r\n\r\n\r\n.\0\x8a\x8d\xae\x80 ax";
    unsigned char text[200];

    (void)state;
    for (unsigned round = 0; round < 60000; round++) {
        size_t len = next_random() % sizeof text;
        unsigned odd_one_in = 1 + next_random() % 60;
        for (size_t i = 0; i < len; i++)
            text[i] = next_random() % odd_one_in == 0
                          ? hostile[next_random() % (sizeof hostile - 1)]
                          : (unsigned char)('a' + next_random() % 150);
        check_scan(span_of(text, len), "random");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_octets),
        cmocka_unit_test(one_odd_octet_anywhere),
        cmocka_unit_test(every_alignment_and_length),
        cmocka_unit_test(longest_line_is_exact),
        cmocka_unit_test(random_octets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
