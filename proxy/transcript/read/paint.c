#include "transcript/read/paint.h"

#include "base/escape.h"

#include <stdarg.h>

enum { PART = 256 };

static const char *const codes[PAINT_COLORS] = { "",           "\033[2m",  "\033[1m",
                                                 "\033[1;31m", "\033[32m", "\033[33m",
                                                 "\033[36m" };

static void color_on(struct paint *p, enum paint_color c)
{
    if (p->color && c != PLAIN)
        fputs(codes[c], p->out);
}

static void color_off(struct paint *p, enum paint_color c)
{
    if (p->color && c != PLAIN)
        fputs("\033[0m", p->out);
}

void paint_line(struct paint *p, enum paint_color color, const char *marker)
{
    if (p->prefix[0] != '\0')
        paint_words(p, DIM, "%s ", p->prefix);
    paint_words(p, color, "%s", marker);
}

void paint_octets(struct paint *p, enum paint_color color, struct span s)
{
    char safe[4 * PART + 8];

    color_on(p, color);
    while (s.len > 0) {
        struct span part = span_first(s, PART);
        fwrite(safe, 1, escape(safe, sizeof safe, part), p->out);
        s = span_drop(s, PART);
    }
    color_off(p, color);
}

void paint_words(struct paint *p, enum paint_color color, const char *fmt, ...)
{
    va_list ap;

    color_on(p, color);
    va_start(ap, fmt);
    vfprintf(p->out, fmt, ap);
    va_end(ap);
    color_off(p, color);
}

void paint_end(struct paint *p)
{
    fputc('\n', p->out);
}

void paint_hex(struct paint *p, const char *label, struct span s)
{
    for (size_t at = 0; at < s.len; at += 16) {
        struct span part = span_first(span_drop(s, at), 16);
        paint_line(p, DIM, "      ");
        paint_words(p, DIM, "%-9s %06zx ", at == 0 ? label : "", at);
        for (size_t i = 0; i < 16; i++) {
            if (i < part.len)
                paint_words(p, PLAIN, " %02x", part.ptr[i]);
            else
                fputs("   ", p->out);
        }
        fputs("  ", p->out);
        for (size_t i = 0; i < part.len; i++)
            fputc(part.ptr[i] >= 0x20 && part.ptr[i] < 0x7f ? part.ptr[i] : '.', p->out);
        paint_end(p);
    }
}

void paint_time(char out[32], uint64_t us)
{
    if (us < 1000)
        snprintf(out, 32, "%u us", (unsigned)us);
    else if (us < 1000000)
        snprintf(out, 32, "%u.%u ms", (unsigned)(us / 1000), (unsigned)(us / 100 % 10));
    else if (us < 60000000)
        snprintf(out, 32, "%u.%02u s", (unsigned)(us / 1000000), (unsigned)(us / 10000 % 100));
    else
        snprintf(out, 32, "%llu min %u s", (unsigned long long)(us / 60000000),
                 (unsigned)(us / 1000000 % 60));
}
