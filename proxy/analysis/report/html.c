#include "analysis/report/html.h"

#include "base/escape.h"

#include <stdarg.h>

enum { ESCAPE_ROOM = 16 }; /* for one octet */

void html_markup(FILE *out, const char *markup)
{
    fputs(markup, out);
}

void html_markupf(FILE *out, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(out, fmt, ap);
    va_end(ap);
}

/* A printable ASCII character. */
static void put_char(FILE *out, char c)
{
    switch (c) {
    case '<':
        fputs("&lt;", out);
        break;
    case '>':
        fputs("&gt;", out);
        break;
    case '&':
        fputs("&amp;", out);
        break;
    case '"':
        fputs("&quot;", out);
        break;
    case '\'':
        fputs("&#39;", out);
        break;
    default:
        putc(c, out);
    }
}

void html_octets_cut(FILE *out, struct span s, size_t max)
{
    size_t written = 0;

    for (size_t i = 0; i < s.len; i++) {
        char one[ESCAPE_ROOM];
        size_t n = escape(one, sizeof one, span_of(s.ptr + i, 1));

        if (one[0] == '\\' && s.ptr[i] == '"') /* a quote hurts nobody here */
            n = (size_t)snprintf(one, sizeof one, "\"");
        if (written + n > max) {
            fputs("...", out);
            return;
        }
        for (size_t k = 0; k < n; k++)
            put_char(out, one[k]);
        written += n;
    }
}

void html_octets(FILE *out, struct span s)
{
    html_octets_cut(out, s, SIZE_MAX);
}

/* Length of the UTF-8 sequence at p, whose code point goes to *c; 0: there is none. */
static size_t utf8_take(const unsigned char *p, uint32_t *c)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (n == 0 || p[0] > 0xf4)
        return 0;
    *c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (p[i] & 0x3f);
    }
    return *c >= least[n] && *c <= 0x10ffff && (*c < 0xd800 || *c > 0xdfff) ? n : 0;
}

/* Seen as something else than it is, or not at all. */
static bool is_deceiving(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
           (c & 0xfffe) == 0xfffe || c >= 0xe0000;
}

void html_text_cut(FILE *out, const char *text, size_t max)
{
    const unsigned char *p = (const unsigned char *)text;
    uint32_t c;

    for (size_t written = 0; *p != '\0'; written++) {
        size_t n = utf8_take(p, &c);

        if (written >= max) {
            fputs("...", out);
            return;
        }
        if (n == 0 || is_deceiving(c)) {
            html_octets(out, span_of(p, n == 0 ? 1 : n));
        } else if (n == 1) {
            put_char(out, (char)c);
        } else {
            fwrite(p, 1, n, out);
        }
        p += n == 0 ? 1 : n;
    }
}

void html_text(FILE *out, const char *text)
{
    html_text_cut(out, text, SIZE_MAX);
}

void html_count(FILE *out, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            putc(',', out);
        putc(digits[i], out);
    }
}

void html_size(FILE *out, uint64_t octets)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
    unsigned unit = 0;
    uint64_t tenths = octets / 100;

    if (octets < 10000) {
        html_count(out, octets);
        fputs(octets == 1 ? " byte" : " bytes", out);
        return;
    }
    for (; tenths >= 10000 && unit + 1 < ARRAY_LEN(units); unit++)
        tenths /= 1000;
    fprintf(out, "%llu.%llu %s", (unsigned long long)(tenths / 10),
            (unsigned long long)(tenths % 10), units[unit]);
}

void html_lapse(FILE *out, uint64_t us)
{
    if (us < 1000)
        fprintf(out, "%u us", (unsigned)us);
    else if (us < 1000000)
        fprintf(out, "%u.%u ms", (unsigned)(us / 1000), (unsigned)(us / 100 % 10));
    else if (us < 60000000)
        fprintf(out, "%u.%02u s", (unsigned)(us / 1000000), (unsigned)(us / 10000 % 100));
    else
        fprintf(out, "%llu min %u s", (unsigned long long)(us / 60000000),
                (unsigned)(us / 1000000 % 60));
}
