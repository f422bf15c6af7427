#include "analysis/diff/raw.h"

static struct span skip_blanks(struct span s)
{
    while (s.len > 0 && (*s.ptr == ' ' || *s.ptr == '\t' || *s.ptr == '\r' || *s.ptr == '\n'))
        s = span_drop(s, 1);
    return s;
}

/* Length of the text that begins the span, with both quotes; 0: it has no end. */
static size_t text_length(struct span s)
{
    size_t at = 1;

    for (;;) {
        size_t back = 0;
        at += span_find(span_drop(s, at), '"');
        if (at >= s.len)
            return 0;
        while (s.ptr[at - 1 - back] == '\\')
            back++; /* stops at the opening quote */
        at++;
        if (back % 2 == 0)
            return at;
    }
}

/* Of an object or list: to the bracket that closes it. */
static size_t nested_length(struct span s)
{
    size_t depth = 0;

    for (size_t at = 0; at < s.len; at++) {
        unsigned char c = s.ptr[at];
        if (c == '"') {
            size_t len = text_length(span_drop(s, at));
            if (len == 0)
                return 0;
            at += len - 1;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return at + 1;
        }
    }
    return 0;
}

static size_t plain_length(struct span s)
{
    size_t at = 0;

    while (at < s.len && s.ptr[at] > ' ' && s.ptr[at] != ',' && s.ptr[at] != '}' &&
           s.ptr[at] != ']' && s.ptr[at] != '"' && s.ptr[at] != ':')
        at++;
    return at;
}

static size_t value_length(struct span s)
{
    if (s.len == 0)
        return 0;
    if (*s.ptr == '"')
        return text_length(s);
    return *s.ptr == '{' || *s.ptr == '[' ? nested_length(s) : plain_length(s);
}

bool raw_open(struct raw *r, struct span value, enum raw_kind kind)
{
    value = skip_blanks(value);
    *r = (struct raw){ .left = span_drop(value, 1), .first = true };
    return value.len > 0 && *value.ptr == (unsigned char)kind;
}

/* Before the next one: true when there is one. */
static bool raw_next(struct raw *r, unsigned char closing)
{
    struct span s = skip_blanks(r->left);

    if (r->bad || s.len == 0 || *s.ptr == closing) {
        r->bad = r->bad || s.len == 0;
        return false;
    }
    if (!r->first) {
        r->bad = *s.ptr != ',';
        s = skip_blanks(span_drop(s, 1));
    }
    r->first = false;
    r->left = s;
    return !r->bad;
}

bool raw_item(struct raw *r, struct span *value)
{
    if (!raw_next(r, ']'))
        return false;
    *value = span_first(r->left, value_length(r->left));
    r->left = span_drop(r->left, value->len);
    r->bad = value->len == 0;
    return !r->bad;
}

bool raw_member(struct raw *r, struct span *name, struct span *value)
{
    if (!raw_next(r, '}'))
        return false;
    size_t len = *r->left.ptr == '"' ? text_length(r->left) : 0;
    struct span rest = skip_blanks(span_drop(r->left, len));
    r->bad = len == 0 || rest.len == 0 || *rest.ptr != ':';
    if (r->bad)
        return false;
    *name = span_of(r->left.ptr + 1, len - 2);
    rest = skip_blanks(span_drop(rest, 1));
    *value = span_first(rest, value_length(rest));
    r->left = span_drop(rest, value->len);
    r->bad = value->len == 0;
    return !r->bad;
}

struct span raw_find(struct span object, const char *name)
{
    struct span key, value;
    struct raw r;

    if (!raw_open(&r, object, RAW_OBJECT))
        return span_first(object, 0);
    while (raw_member(&r, &key, &value))
        if (span_equal(key, span_str(name)))
            return value;
    return span_first(object, 0);
}

uint64_t raw_count(struct span value)
{
    uint64_t n = 0;

    for (size_t i = 0; i < value.len; i++) {
        unsigned digit = value.ptr[i] - (unsigned)'0';
        if (digit > 9)
            return 0;
        n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : 10 * n + digit;
    }
    return n;
}

bool raw_is_true(struct span value)
{
    return span_equal(value, SPAN_LIT("true"));
}

struct span raw_text(struct span value)
{
    if (value.len < 2 || *value.ptr != '"')
        return span_first(value, 0);
    return span_of(value.ptr + 1, value.len - 2);
}

static int hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (unsigned char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \uXXXX: s begins behind the u. */
static unsigned char code_unit(struct span s)
{
    int code = 0;

    for (size_t i = 0; i < 4; i++) {
        int digit = i < s.len ? hex_digit(s.ptr[i]) : -1;
        if (digit < 0)
            return '?';
        code = code << 4 | digit;
    }
    return code < 256 ? (unsigned char)code : '?';
}

/* What follows a backslash; returns octets used. */
static size_t escaped(struct span s, unsigned char *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";

    if (s.len == 0)
        return 0;
    if (*s.ptr == 'u') {
        *out = code_unit(span_drop(s, 1));
        return s.len < 5 ? s.len : 5;
    }
    const char *known = strchr(from, *s.ptr);
    *out = known != NULL && *known != '\0' ? (unsigned char)to[known - from] : *s.ptr;
    return 1;
}

/* UTF-8 above ASCII; returns octets used. */
static size_t multibyte(struct span s, unsigned char *out)
{
    unsigned char c = *s.ptr;
    size_t len = 1;

    while (len < s.len && (s.ptr[len] & 0xc0) == 0x80)
        len++;
    *out = '?';
    if ((c & 0xfc) != 0xc0 || len < 2)
        return len;
    *out = (unsigned char)((c & 3) << 6 | (s.ptr[1] & 0x3f));
    return 2;
}

size_t raw_octets(struct span text, unsigned char *out)
{
    size_t n = 0;

    while (text.len > 0) {
        size_t used = 1;
        unsigned char c = *text.ptr;
        if (c == '\\')
            used += escaped(span_drop(text, 1), &c);
        else if (c >= 0x80)
            used = multibyte(text, &c);
        out[n++] = c;
        text = span_drop(text, used);
    }
    return n;
}

static unsigned digits(const unsigned char *p, size_t n)
{
    return (unsigned)raw_count(span_of(p, n));
}

/* Days since 1970 of a day in the Gregorian calendar. */
static int64_t day_number(int64_t year, unsigned month, unsigned day)
{
    static const unsigned before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t y = year - 1;

    return 365 * y + y / 4 - y / 100 + y / 400 - 719162 + before[month - 1] + day - 1 +
           (leap && month > 2);
}

uint64_t raw_time(struct span value)
{
    static const char form[] = "0000-00-00T00:00:00.000000Z";
    struct span s = raw_text(value);

    if (s.len != sizeof form - 1)
        return 0;
    for (size_t i = 0; i < s.len; i++) {
        bool digit = s.ptr[i] >= '0' && s.ptr[i] <= '9';
        if (form[i] == '0' ? !digit : s.ptr[i] != form[i])
            return 0;
    }
    unsigned year = digits(s.ptr, 4), month = digits(s.ptr + 5, 2);
    if (year < 1970 || month < 1 || month > 12)
        return 0;
    uint64_t day = (uint64_t)day_number(year, month, digits(s.ptr + 8, 2));
    uint64_t second =
        digits(s.ptr + 11, 2) * 3600 + digits(s.ptr + 14, 2) * 60 + digits(s.ptr + 17, 2);
    return (day * 86400 + second) * 1000000 + digits(s.ptr + 20, 6);
}
