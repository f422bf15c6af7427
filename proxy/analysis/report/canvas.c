#include "analysis/report/canvas.h"

#include "analysis/report/found.h"

#include "base/escape.h"

#include <stdarg.h>

enum {
    WIDTH = 800,
    TIME_X = 62,
    TOP = 44,
    ROW = 30,
    LABEL_MAX = 46,    /* characters in a lane */
    WIDE_MAX = 92,     /* over both */
    EVIDENCE_MAX = 40, /* of a finding */
};

static unsigned row_y(const struct canvas *c)
{
    return TOP + c->rows * ROW - 8;
}

static void PRINTF_LIKE(2, 3) draw(struct canvas *c, const char *fmt, ...)
{
    va_list ap;

    if (c->out == NULL)
        return;
    va_start(ap, fmt);
    vfprintf(c->out, fmt, ap);
    va_end(ap);
}

void canvas_arrow(struct canvas *c, unsigned from, unsigned to, const char *class)
{
    unsigned y = row_y(c);
    int back = to > from ? -7 : 7;

    draw(c,
         "<g class=\"%s\"><path class=\"shaft\" d=\"M%u %uH%u\"/>"
         "<path class=\"head\" d=\"M%u %ul%d -4v8z\"/></g>\n",
         class, from, y, to, to, y, back);
}

static void begin_label(struct canvas *c, unsigned from, unsigned to, const char *class)
{
    draw(c, "<text class=\"%s\" x=\"%u\" y=\"%u\" text-anchor=\"middle\">", class,
         (from + to) / 2, row_y(c) - 5);
}

void canvas_octets(struct canvas *c, unsigned from, unsigned to, const char *class,
                   struct span s)
{
    struct span line = span_first(s, span_find(s, '\n'));
    bool more = line.len + 1 < s.len;

    while (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (c->out == NULL)
        return;
    begin_label(c, from, to, class);
    html_octets_cut(c->out, line, more ? LABEL_MAX - 4 : LABEL_MAX);
    draw(c, more ? " [+]</text>\n" : "</text>\n");
}

void canvas_text(struct canvas *c, unsigned from, unsigned to, const char *class,
                 const char *text)
{
    if (c->out == NULL)
        return;
    begin_label(c, from, to, class);
    html_text_cut(c->out, text, to - from > POLE_MIDDLE - POLE_LEFT ? WIDE_MAX : LABEL_MAX);
    draw(c, "</text>\n");
}

void canvas_time(struct canvas *c, uint64_t us, const char *sign)
{
    if (c->out == NULL)
        return;
    draw(c, "<text class=\"time\" x=\"%u\" y=\"%u\" text-anchor=\"end\">%s", TIME_X,
         row_y(c) + 3, sign);
    html_lapse(c->out, us);
    draw(c, "</text>\n");
}

void canvas_row(struct canvas *c)
{
    c->rows++;
}

void canvas_band(struct canvas *c, unsigned from, unsigned to, const char *class,
                 const char *text)
{
    canvas_row(c);
    draw(c, "<rect class=\"band %s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"20\" rx=\"3\"/>\n",
         class, from + 4, row_y(c) - 19, to - from - 8);
    canvas_text(c, from, to, class, text);
}

void canvas_finding(struct canvas *c, const struct found *f)
{
    char text[FOUND_ID_MAX + FOUND_NAME_MAX + EVIDENCE_MAX + 24], bytes[EVIDENCE_MAX];
    unsigned from = f->side == BLAME_SERVER ? POLE_MIDDLE : POLE_LEFT;
    unsigned to = f->side == BLAME_CLIENT ? POLE_MIDDLE : POLE_RIGHT;

    escape(bytes, sizeof bytes, span_of(f->bytes, f->len));
    snprintf(text, sizeof text, "! %s %s (%s)%s%s", f->id, f->name, severity_name(f->severity),
             f->len > 0 ? ": " : "", bytes);
    canvas_band(c, from, to, severity_name(f->severity), text);
}

void canvas_begin(struct canvas *c, unsigned rows, unsigned number, const char *const poles[3])
{
    static const unsigned at[3] = { POLE_LEFT, POLE_MIDDLE, POLE_RIGHT };
    unsigned height = TOP + rows * ROW + 12;

    draw(c,
         "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
         "aria-label=\"Diagram of session %u\">\n"
         "<svg class=\"sequence\" role=\"img\" viewBox=\"0 0 %u %u\" width=\"%u\" "
         "height=\"%u\" aria-labelledby=\"s%u-title s%u-about\">\n",
         number, (unsigned)WIDTH, height, (unsigned)WIDTH, height, number, number);
    draw(c,
         "<title id=\"s%u-title\">Sequence of session %u</title>\n"
         "<desc id=\"s%u-about\">%s, %s and %s as three lines, %u arrows and marks between "
         "them; the table below says the same.</desc>\n",
         number, number, number, poles[0], poles[1], poles[2], rows);
    for (unsigned i = 0; i < 3; i++) {
        draw(c, "<path class=\"pole\" d=\"M%u %uV%u\"/>\n", at[i], TOP - 14, height - 4);
        draw(c, "<text class=\"name\" x=\"%u\" y=\"18\" text-anchor=\"middle\">%s</text>\n",
             at[i], poles[i]);
    }
}

void canvas_end(struct canvas *c)
{
    draw(c, "</svg>\n</div>\n");
}
