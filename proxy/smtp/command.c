#include "smtp/command.h"

#include "smtp/number.h"

/* What an octet of a command line is; zero for all that is harmless anywhere. */
#define NUL FAULT_NUL
#define CR  FAULT_BARE_CR
#define CTL FAULT_CTRL
#define BIT 0x80

#define CTL8  CTL, CTL, CTL, CTL, CTL, CTL, CTL, CTL
#define BIT8  BIT, BIT, BIT, BIT, BIT, BIT, BIT, BIT
#define BIT64 BIT8, BIT8, BIT8, BIT8, BIT8, BIT8, BIT8, BIT8

/* clang-format off */
static const unsigned char octet_class[256] = {
    NUL, CTL, CTL, CTL, CTL, CTL, CTL, CTL, /* 00-07 */
    CTL, 0, CTL, CTL, CTL, CR, CTL, CTL,    /* 08-0f */
    CTL8, CTL8,                             /* 10-1f */
    [0x7f] = CTL,
    BIT64, BIT64,                           /* 80-ff */
};
/* clang-format on */

static unsigned octets_class(struct span s)
{
    unsigned seen = 0;

    for (size_t i = 0; i < s.len; i++)
        seen |= octet_class[s.ptr[i]];
    return seen;
}

static size_t octets_first_odd(struct span s)
{
    size_t i = 0;

    while (i < s.len && octet_class[s.ptr[i]] == 0)
        i++;
    return i;
}

/* Octets of the well-formed sequence at the start of s, 0 when there is none. */
static size_t utf8_sequence(struct span s)
{
    unsigned char c = s.ptr[0], low = 0x80, high = 0xbf;
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || s.len < n)
        return 0;
    if (c == 0xe0)
        low = 0xa0; /* overlong */
    else if (c == 0xed)
        high = 0x9f; /* surrogates */
    else if (c == 0xf0)
        low = 0x90; /* overlong */
    else if (c == 0xf4)
        high = 0x8f; /* above U+10FFFF */
    if (n > 1 && (s.ptr[1] < low || s.ptr[1] > high))
        return 0;
    for (size_t i = 2; i < n; i++)
        if (s.ptr[i] < 0x80 || s.ptr[i] > 0xbf)
            return 0;
    return n;
}

static bool utf8_is_valid(struct span s)
{
    while (s.len > 0) {
        size_t n = utf8_sequence(s);

        if (n == 0)
            return false;
        s = span_drop(s, n);
    }
    return true;
}

static unsigned eight_bit_faults(const struct command *c)
{
    unsigned faults = 0;

    if ((octets_class(c->word) & BIT) != 0)
        faults |= FAULT_8BIT_VERB;
    if ((octets_class(c->arg) & BIT) != 0) {
        faults |= FAULT_8BIT_ARG;
        if (!utf8_is_valid(c->arg))
            faults |= FAULT_NOT_UTF8;
    }
    return faults;
}

static size_t word_length(struct span text)
{
    size_t n = 0;

    while (n < text.len && !span_is_blank_char(text.ptr[n]))
        n++;
    return n;
}

struct command command_parse(struct span text)
{
    unsigned seen = octets_class(text);
    struct span right = span_trim_right(text);
    struct command c = { .faults = seen & (NUL | CR | CTL) };

    c.text = span_trim_left(right);
    size_t n = word_length(c.text);
    c.word = span_first(c.text, n);
    c.arg = span_trim_left(span_drop(c.text, n));
    c.verb = verb_lookup(c.word);
    if (seen != 0)
        c.fault_at = octets_first_odd(text);
    if (c.text.len == 0) {
        c.faults |= FAULT_BLANK;
        return c;
    }
    if (c.text.len < right.len)
        c.faults |= FAULT_LEADING_WS;
    if (right.len < text.len)
        c.faults |= FAULT_TRAILING_WS;
    if (n < c.text.len && c.text.ptr[n] == '\t')
        c.faults |= FAULT_TAB;
    if ((seen & BIT) != 0)
        c.faults |= eight_bit_faults(&c);
    return c;
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(unsigned char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "[" 1*dtext "]"; what it means is the upstream's business. */
static bool is_address_literal(struct span s)
{
    if (s.len < 3 || s.ptr[0] != '[' || s.ptr[s.len - 1] != ']')
        return false;
    for (size_t i = 1; i < s.len - 1; i++) {
        unsigned char c = s.ptr[i];

        if (c == '[' || c == ']' || c == '\\' || c == ' ')
            return false;
    }
    return true;
}

bool command_is_domain(struct span arg)
{
    unsigned char before = '.';

    for (size_t i = 0; i < arg.len; i++) {
        unsigned char c = arg.ptr[i];
        bool fits =
            is_alnum(c) || (c == '-' && before != '.') || (c == '.' && is_alnum(before));
        if (!fits)
            return is_address_literal(arg);
        before = c;
    }
    return is_alnum(before);
}

enum bdat_result command_bdat(struct span arg, struct bdat *out)
{
    size_t digits = number_digits(arg);
    struct span mark = span_drop(arg, digits);
    size_t blanks = 0;

    while (blanks < mark.len && mark.ptr[blanks] == ' ')
        blanks++;
    struct span word = span_drop(mark, blanks);
    if (digits == 0 ||
        (mark.len > 0 && (blanks == 0 || !span_equal_nocase(word, SPAN_LIT("LAST")))))
        return BDAT_BAD;
    out->last = mark.len > 0;
    out->plain = blanks <= 1 && (arg.ptr[0] != '0' || digits == 1);
    return number_parse(span_first(arg, digits), &out->octets) ? BDAT_OK : BDAT_WIDE;
}
