/* change_line - one line that arrived otherwise: its dots, octets, blanks, where it was cut. */
#include "analysis/diff/change_private.h"

enum { ALIKE_PERCENT = 50 };

size_t equal_begin(struct span a, struct span b)
{
    size_t n = 0, shorter = a.len < b.len ? a.len : b.len;

    while (n < shorter && a.ptr[n] == b.ptr[n])
        n++;
    return n;
}

size_t equal_end(struct span a, struct span b, size_t begin)
{
    size_t n = 0;

    while (n + begin < a.len && n + begin < b.len &&
           a.ptr[a.len - 1 - n] == b.ptr[b.len - 1 - n])
        n++;
    return n;
}

static size_t leading_dots(struct span s)
{
    size_t n = 0;

    while (n < s.len && s.ptr[n] == '.')
        n++;
    return n;
}

bool is_dots(struct span text)
{
    return text.len > 0 && leading_dots(text) == text.len;
}

static bool is_utf8_of(unsigned char c, struct span s)
{
    return c >= 0x80 && s.len >= 2 && s.ptr[0] == (0xc0 | c >> 6) &&
           s.ptr[1] == (0x80 | (c & 0x3f));
}

/* What boxes have a rule for, as they have none for letters. */
static bool is_special(unsigned char c)
{
    return c >= 0x80 || c < ' ' || c == 0x7f;
}

/* ---- octet by octet ---- */

enum fate { KEPT, DELETED, REPLACED, EXPANDED, NO_ACCOUNT };

/* Of the first octet of x, given what is left of both. */
static enum fate fate_of(struct span x, struct span y)
{
    if (x.len == 0)
        return NO_ACCOUNT;
    if (y.len > x.len && is_utf8_of(*x.ptr, y))
        return EXPANDED;
    if (y.len > 0 && *x.ptr == *y.ptr)
        return KEPT;
    if (is_special(*x.ptr) && x.len > y.len)
        return DELETED;
    return y.len > 0 && x.len == y.len ? REPLACED : NO_ACCOUNT;
}

static void octet_note(struct walk *w, enum fate fate, struct span x, struct span y)
{
    struct octet_change *o = &w->c->octets[*x.ptr];

    switch (fate) {
    case DELETED:
        change_note(w, &o->deleted, span_first(x, 1), span_first(y, 0));
        break;
    case EXPANDED:
        change_note(w, &o->expanded, span_first(x, 1), span_first(y, 2));
        break;
    case REPLACED:
        o->by_many = o->by_many || (o->replaced.count > 0 && o->by != *y.ptr);
        o->by = o->replaced.count == 0 ? *y.ptr : o->by;
        change_note(w, &o->replaced, span_first(x, 1), span_first(y, 1));
        break;
    case KEPT:
    case NO_ACCOUNT:
        break;
    }
}

static void fate_step(enum fate fate, struct span *x, struct span *y)
{
    *x = span_drop(*x, 1);
    *y = span_drop(*y, fate == EXPANDED ? 2 : fate == DELETED ? 0 : 1);
}

/*
 * Each octet was kept, replaced, deleted, or became two. False: that is no account of it, or
 * one that explains nothing: letters that were replaced are another text.
 */
static bool is_mapped(struct span x, struct span y)
{
    unsigned plain = 0;

    while (x.len > 0 || y.len > 0) {
        enum fate fate = fate_of(x, y);
        if (fate == NO_ACCOUNT)
            return false;
        plain += fate == REPLACED && !is_special(*x.ptr);
        fate_step(fate, &x, &y);
    }
    return plain <= 1;
}

static bool take_octets(struct walk *w, struct span x, struct span y)
{
    if (!is_mapped(x, y))
        return false;
    while (x.len > 0) {
        enum fate fate = fate_of(x, y);
        octet_note(w, fate, x, y);
        fate_step(fate, &x, &y);
    }
    return true;
}

/* ---- blanks ---- */

static size_t blanks(struct span s)
{
    size_t n = 0;

    while (n < s.len && span_is_blank_char(s.ptr[n]))
        n++;
    return n;
}

/* Equal when each run of blanks counts as one, and those at the end as none. */
static bool is_collapsed(struct span x, struct span y)
{
    x = span_trim_right(x);
    y = span_trim_right(y);
    while (x.len > 0 && y.len > 0) {
        size_t nx = blanks(x), ny = blanks(y);
        if ((nx > 0) != (ny > 0) || (nx == 0 && *x.ptr != *y.ptr))
            return false;
        x = span_drop(x, nx > 0 ? nx : 1);
        y = span_drop(y, ny > 0 ? ny : 1);
    }
    return x.len == 0 && y.len == 0;
}

/* ---- the line ---- */

bool lines_alike(const struct line *a, const struct line *b)
{
    struct span x = a->text, y = b->text;
    size_t longer = x.len > y.len ? x.len : y.len, same = 0;

    if (x.len == y.len) {
        for (size_t i = 0; i < x.len; i++)
            same += x.ptr[i] == y.ptr[i] || is_special(x.ptr[i]);
    } else if (is_mapped(x, y)) {
        return true;
    } else {
        size_t begin = equal_begin(x, y);
        same = begin + equal_end(x, y, begin);
    }
    return longer == 0 || same * 100 >= longer * ALIKE_PERCENT;
}

static bool take_dots(struct walk *w, struct span x, struct span y)
{
    size_t dx = leading_dots(x), dy = leading_dots(y);

    if (dx == dy || dx >= DOTS_MAX || dy >= DOTS_MAX ||
        !span_equal(span_drop(x, dx), span_drop(y, dy)))
        return false;
    change_note(w, &w->c->dots[dx][dy], span_first(x, dx), span_first(y, dy));
    return true;
}

static bool take_blanks(struct walk *w, struct span x, struct span y)
{
    size_t begin = equal_begin(x, y);

    if (begin == y.len && span_trim_right(x).len <= y.len) {
        change_note(w, &w->c->trimmed, span_drop(x, begin), span_drop(y, begin));
        return true;
    }
    if (x.len <= y.len || !is_collapsed(x, y))
        return false;
    size_t end = equal_end(x, y, begin);
    change_note(w, &w->c->collapsed, span_first(span_drop(x, begin), x.len - begin - end),
                span_first(span_drop(y, begin), y.len - begin - end));
    return true;
}

/* It ends early: at an octet that ends a text for some, or at a column. */
static bool take_cut(struct walk *w, struct span x, struct span y)
{
    struct change *c = w->c;
    struct span rest = span_drop(x, y.len);

    if (!span_starts_with(x, y) || rest.len == 0 || (rest.len == 1 && !is_special(*rest.ptr)))
        return false;
    if (is_special(*rest.ptr) && *rest.ptr < 0x80) {
        change_note(w, &c->octets[*rest.ptr].cut, rest, span_drop(y, y.len));
        return true;
    }
    c->cut_varies = c->cut_varies || (c->cut.count > 0 && c->cut_column != y.len);
    c->cut_column = c->cut.count == 0 ? y.len : c->cut_column;
    change_note(w, &c->cut, rest, span_drop(y, y.len));
    return true;
}

/* One octet here or there is damage, not somebody's rewriting. */
static bool take_field(struct walk *w, struct span x, struct span y)
{
    size_t name = span_find(x, ':'), begin = equal_begin(x, y), end = equal_end(x, y, begin);

    if ((uint64_t)(x.ptr - w->sent_begin) >= w->sent_header || name == x.len ||
        !span_equal_nocase(span_first(x, name + 1), span_first(y, name + 1)) ||
        (x.len - begin - end <= 1 && y.len - begin - end <= 1))
        return false;
    change_note_name(w->c, x);
    change_note(w, &w->c->other_header, span_first(span_drop(x, begin), x.len - begin - end),
                span_first(span_drop(y, begin), y.len - begin - end));
    return true;
}

static void change_text(struct walk *w, const struct line *a, const struct line *b)
{
    struct span x = a->text, y = b->text;

    if (!take_dots(w, x, y) && !take_blanks(w, x, y) && !take_octets(w, x, y) &&
        !take_cut(w, x, y) && !take_field(w, x, y))
        change_note_altered(w, a->whole, b->whole);
}

/* The CR of the ending became another octet: one change, not one of the text and one of the
 * end. */
static bool take_end_octet(struct walk *w, const struct line *a, const struct line *b)
{
    if (a->end != LINE_END_CRLF || b->end != LINE_END_LF || b->text.len != a->text.len + 1 ||
        !span_starts_with(b->text, a->text))
        return false;
    octet_note(w, REPLACED, span_drop(a->whole, a->text.len), span_drop(b->text, a->text.len));
    return true;
}

void change_line(struct walk *w, const struct line *a, const struct line *b)
{
    if (take_end_octet(w, a, b))
        return;
    if (a->end != b->end)
        change_note(w, &w->c->ends[a->end][b->end], span_drop(a->whole, a->text.len),
                    span_drop(b->whole, b->text.len));
    if (!span_equal(a->text, b->text))
        change_text(w, a, b);
}
