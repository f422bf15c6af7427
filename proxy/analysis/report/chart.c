#include "analysis/report/page.h"

enum {
    BAR_W = 42,
    BAR_GAP = 6,
    LEFT = 10,
    CHART_TOP = 22,
    CHART_H = 150,
    BASE_Y = CHART_TOP + CHART_H,
    HEIGHT = BASE_Y + 40,
};

static void put_limit(FILE *out, unsigned bar)
{
    uint64_t us = figures_bar_limit(bar);

    if (us < 1000)
        html_markupf(out, "%uus", (unsigned)us);
    else if (us < 1000000)
        html_markupf(out, "%ums", (unsigned)(us / 1000));
    else
        html_markupf(out, "%us", (unsigned)(us / 1000000));
}

/* A bar that is not empty can be seen. */
static unsigned bar_height(uint64_t n, uint64_t most)
{
    unsigned h = (unsigned)(n * CHART_H / most);

    return n > 0 && h < 2 ? 2 : h;
}

static void put_bar(FILE *out, const struct figures *f, unsigned bar, unsigned first,
                    uint64_t most)
{
    unsigned x = LEFT + (bar - first) * (BAR_W + BAR_GAP), h = bar_height(f->bars[bar], most);

    html_markupf(out, "<rect class=\"bar\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"/>\n", x,
                 BASE_Y - h, BAR_W, h);
    if (f->bars[bar] > 0) {
        html_markupf(out, "<text class=\"count\" x=\"%u\" y=\"%u\" text-anchor=\"middle\">",
                     x + BAR_W / 2, BASE_Y - h - 4);
        html_markupf(
            out, f->bars[bar] < 100000 ? "%llu" : "%lluk",
            (unsigned long long)(f->bars[bar] < 100000 ? f->bars[bar] : f->bars[bar] / 1000));
        html_markup(out, "</text>\n");
    }
    html_markupf(out, "<text class=\"limit\" x=\"%u\" y=\"%u\" text-anchor=\"middle\">",
                 x + BAR_W / 2, BASE_Y + 14);
    html_markup(out, bar == LAPSE_BARS ? "more" : "&lt;");
    if (bar < LAPSE_BARS)
        put_limit(out, bar);
    html_markup(out, "</text>\n");
}

static void put_described(FILE *out, const struct figures *f, unsigned first, unsigned last)
{
    html_markup(out, "<desc id=\"lapses-about\">");
    for (unsigned i = first; i <= last; i++) {
        html_markup(out, i == first ? "" : ", ");
        html_markup(out, i == LAPSE_BARS ? "longer" : "below ");
        if (i < LAPSE_BARS)
            put_limit(out, i);
        html_markup(out, ": ");
        html_count(out, f->bars[i]);
    }
    html_markup(out, "</desc>\n");
}

void chart_lapses(FILE *out, const struct figures *f)
{
    unsigned first = 0, last = LAPSE_BARS;
    uint64_t most = 0;

    for (unsigned i = 0; i <= LAPSE_BARS; i++)
        most = f->bars[i] > most ? f->bars[i] : most;
    if (most == 0)
        return;
    while (f->bars[first] == 0)
        first++;
    while (f->bars[last] == 0)
        last--;
    unsigned width = 2 * LEFT + (last - first + 1) * (BAR_W + BAR_GAP);
    html_markupf(out,
                 "<figure>\n<figcaption>How long replies of the upstream took</figcaption>\n"
                 "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
                 "aria-label=\"Histogram of reply times\">\n"
                 "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 %u %u\" width=\"%u\" "
                 "height=\"%u\" aria-labelledby=\"lapses-title lapses-about\">\n"
                 "<title id=\"lapses-title\">How long replies took</title>\n",
                 width, (unsigned)HEIGHT, width, (unsigned)HEIGHT);
    put_described(out, f, first, last);
    html_markupf(out, "<path class=\"axis\" d=\"M0 %u.5H%u\"/>\n", (unsigned)BASE_Y, width);
    for (unsigned i = first; i <= last; i++)
        put_bar(out, f, i, first, most);
    html_markup(out, "</svg>\n</div>\n</figure>\n");
}
