#include "analysis/report/page.h"

enum {
    ROW = 8,       /* octets a line: fits a telephone */
    ROWS_MAX = 24, /* lines of a panel */
    ROWS_BEFORE = 2,
};

/* Which octets of a panel are marked: [begin, end) and, with `other`, only where it differs. */
struct marking {
    size_t begin, end;
    const struct panel *other;
};

static bool is_marked(const struct panel *p, const struct marking *m, size_t i)
{
    if (i < m->begin || i >= m->end)
        return false;
    return m->other == NULL || p->octets[i] != m->other->octets[i];
}

/* What the panel points at, as far as it is shown. */
static struct marking mark_own(const struct panel *p)
{
    uint64_t at = p->at > p->from ? p->at - p->from : 0;
    struct marking m = { .begin = at < p->len ? (size_t)at : p->len };

    m.end = p->at_len < p->len - m.begin ? m.begin + (size_t)p->at_len : p->len;
    return m;
}

/* Of equal length: octet by octet. Else all between an equal beginning and an equal end. */
static void mark_difference(const struct panel *a, const struct panel *b, struct marking *ma,
                            struct marking *mb)
{
    size_t least = a->len < b->len ? a->len : b->len, head = 0, tail = 0;

    while (head < least && a->octets[head] == b->octets[head])
        head++;
    while (tail < least - head && a->octets[a->len - 1 - tail] == b->octets[b->len - 1 - tail])
        tail++;
    *ma = (struct marking){ head, a->len - tail, a->len == b->len ? b : NULL };
    *mb = (struct marking){ head, b->len - tail, a->len == b->len ? a : NULL };
}

static void put_hex(FILE *out, const struct panel *p, const struct marking *m, size_t row)
{
    for (size_t k = 0; k < ROW; k++) {
        size_t i = row + k;
        if (i >= p->len)
            html_markup(out, "   ");
        else if (is_marked(p, m, i))
            html_markupf(out, "<mark>%02x</mark> ", p->octets[i]);
        else
            html_markupf(out, "%02x ", p->octets[i]);
    }
}

static void put_plain(FILE *out, const struct panel *p, const struct marking *m, size_t row)
{
    for (size_t i = row; i < row + ROW && i < p->len; i++) {
        bool printable = p->octets[i] >= 0x20 && p->octets[i] < 0x7f;
        char one[2] = { printable ? (char)p->octets[i] : '.', '\0' };
        html_markup(out, is_marked(p, m, i) ? "<mark>" : "");
        html_text(out, one);
        html_markup(out, is_marked(p, m, i) ? "</mark>" : "");
    }
}

static void put_rows(FILE *out, const struct panel *p, const struct marking *m)
{
    size_t first = m->begin < m->end ? m->begin / ROW : 0;
    size_t rows = (p->len + ROW - 1) / ROW;

    first = first > ROWS_BEFORE && rows > ROWS_MAX ? first - ROWS_BEFORE : 0;
    if (rows > ROWS_MAX && first > rows - ROWS_MAX)
        first = rows - ROWS_MAX;
    size_t last = rows < first + ROWS_MAX ? rows : first + ROWS_MAX;
    if (first > 0)
        html_markupf(out, "<i>... %zu bytes before</i>\n", first * ROW);
    for (size_t row = first; row < last; row++) {
        html_markupf(out, "<i>%05llu</i>  ", (unsigned long long)(p->from + row * ROW));
        put_hex(out, p, m, row * ROW);
        html_markup(out, " ");
        put_plain(out, p, m, row * ROW);
        html_markup(out, "\n");
    }
    uint64_t all = p->all > p->len ? p->all : p->len;
    if (last * ROW < all)
        html_markupf(out, "<i>... %llu bytes more</i>\n",
                     (unsigned long long)(all - last * ROW));
}

/* For those who do not see the marks. */
static void put_extent(FILE *out, const struct panel *p, const struct marking *m, bool differs)
{
    size_t count = 0, first = 0, last = 0;

    for (size_t i = m->begin; i < m->end; i++) {
        if (!is_marked(p, m, i))
            continue;
        first = count == 0 ? i : first;
        last = i;
        count++;
    }
    const char *one = differs ? "differs" : "shows it", *many = differs ? "differ" : "show it";
    if (count == 0)
        return;
    if (first == last)
        html_markupf(out, "; byte %llu %s", (unsigned long long)(p->from + first), one);
    else if (count == last - first + 1)
        html_markupf(out, "; bytes %llu to %llu %s", (unsigned long long)(p->from + first),
                     (unsigned long long)(p->from + last), many);
    else
        html_markupf(out, "; %zu bytes between %llu and %llu %s", count,
                     (unsigned long long)(p->from + first),
                     (unsigned long long)(p->from + last), many);
}

static void put_panel(FILE *out, const struct panel *p, const struct marking *m, bool differs)
{
    html_markup(out, "<figure class=\"octets\">\n<figcaption><b>");
    html_text(out, p->label);
    html_markup(out, "</b>");
    if (p->missing) {
        html_markup(out, "</figcaption>\n<p class=\"none\">Nothing.</p>\n</figure>\n");
        return;
    }
    html_markup(out, ": ");
    html_size(out, p->all > p->len ? p->all : p->len);
    put_extent(out, p, m, differs);
    if (p->len == 0 && p->at_len > 0) {
        html_markupf(out,
                     "</figcaption>\n<p class=\"none\">Octets %llu to %llu of the mail; "
                     "its content was not kept.</p>\n</figure>\n",
                     (unsigned long long)p->at, (unsigned long long)(p->at + p->at_len - 1));
        return;
    }
    html_markup(out, "</figcaption>\n<pre>");
    put_rows(out, p, m);
    html_markup(out, "</pre>\n</figure>\n");
}

void octets_show(FILE *out, const struct panel *left, const struct panel *right, bool compare)
{
    bool both = left->label != NULL && right->label != NULL;
    struct marking l = mark_own(left), r = mark_own(right);

    if (left->label == NULL && right->label == NULL)
        return;
    compare = compare && both && !left->missing && !right->missing;
    if (compare)
        mark_difference(left, right, &l, &r);
    html_markup(out, both ? "<div class=\"pair\">\n" : "<div class=\"single\">\n");
    if (left->label != NULL)
        put_panel(out, left, &l, compare);
    if (right->label != NULL)
        put_panel(out, right, &r, compare);
    html_markup(out, "</div>\n");
}
