#include "analysis/diff/change.h"

#include "base/attributes.h"

enum { LOOK_AHEAD = 32, FOLD_LINES_MAX = 4096, ALIKE_PERCENT = 50 };

/* One line: `whole` with its ending, `text` without. */
struct line {
    struct span whole, text;
    enum line_end end;
};

struct walk {
    struct change *c;
    struct span sent, received; /* what is left */
    const unsigned char *sent_begin, *received_begin;
    uint64_t sent_header, received_header; /* where the body begins */
};

const char *line_end_name(enum line_end e)
{
    static const char *const names[] = {
#define X(id, name) name,
        LINE_ENDS(X)
#undef X
    };

    return names[e];
}

/* False: there is none. */
static bool line_read(struct span s, struct line *l)
{
    size_t lf = span_find(s, '\n');

    l->whole = span_first(s, lf + 1);
    l->text = span_first(s, lf);
    l->end = lf == s.len ? LINE_END_NONE : LINE_END_LF;
    for (unsigned n = 0; l->end != LINE_END_NONE && n < 2 && l->text.len > 0 &&
                         l->text.ptr[l->text.len - 1] == '\r';
         n++) {
        l->text.len--;
        l->end = n == 0 ? LINE_END_CRLF : LINE_END_CRCRLF;
    }
    return s.len > 0;
}

static uint64_t header_length(struct span s)
{
    struct span left = s;
    struct line l;

    while (line_read(left, &l) && l.text.len > 0)
        left = span_drop(left, l.whole.len);
    return s.len - left.len;
}

static void note(struct walk *w, struct spot *s, struct span sent, struct span received)
{
    if (s->count++ > 0)
        return;
    s->sent_at = (uint64_t)(sent.ptr - w->sent_begin);
    s->received_at = (uint64_t)(received.ptr - w->received_begin);
    s->sent_len = sent.len;
    s->received_len = received.len;
}

/* ---- one line against another --------------------------------------------------------------
 */

static size_t equal_begin(struct span a, struct span b)
{
    size_t n = 0, shorter = a.len < b.len ? a.len : b.len;

    while (n < shorter && a.ptr[n] == b.ptr[n])
        n++;
    return n;
}

static size_t equal_end(struct span a, struct span b, size_t begin)
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

static bool is_utf8_of(unsigned char c, struct span s)
{
    return c >= 0x80 && s.len >= 2 && s.ptr[0] == (0xc0 | c >> 6) &&
           s.ptr[1] == (0x80 | (c & 0x3f));
}

static bool is_special(unsigned char c)
{
    return c >= 0x80 || c < ' ' || c == 0x7f;
}

static bool alike(const struct line *a, const struct line *b)
{
    struct span x = a->text, y = b->text;
    size_t longer = x.len > y.len ? x.len : y.len, same = 0;

    if (x.len == y.len) {
        for (size_t i = 0; i < x.len; i++)
            same += x.ptr[i] == y.ptr[i] || is_special(x.ptr[i]);
    } else {
        size_t begin = equal_begin(x, y);
        same = begin + equal_end(x, y, begin);
    }
    return longer == 0 || same * 100 >= longer * ALIKE_PERCENT;
}

static void replaced(struct walk *w, struct span x, struct span y)
{
    struct octet_change *o = &w->c->octets[*x.ptr];

    o->by_many = o->by_many || (o->replaced.count > 0 && o->by != *y.ptr);
    o->by = o->replaced.count == 0 ? *y.ptr : o->by;
    note(w, &o->replaced, span_first(x, 1), span_first(y, 1));
}

/*
 * Octet by octet: replaced, deleted, or two octets in the place of one. False: that is no
 * account of it; nothing was counted then.
 */
static bool map_octets(struct walk *w, struct span x, struct span y, bool count)
{
    while (x.len > 0 || y.len > 0) {
        size_t take_x = 1, take_y = 1;
        if (x.len == 0)
            return false;
        struct octet_change *o = &w->c->octets[*x.ptr];
        if (y.len > 0 && *x.ptr == *y.ptr) {
            /* as it was */
        } else if (is_utf8_of(*x.ptr, y)) {
            take_y = 2;
            if (count)
                note(w, &o->expanded, span_first(x, 1), span_first(y, 2));
        } else if (is_special(*x.ptr) && x.len > y.len) {
            take_y = 0;
            if (count)
                note(w, &o->deleted, span_first(x, 1), span_first(y, 0));
        } else if (y.len > 0 && x.len == y.len) {
            if (count)
                replaced(w, x, y);
        } else {
            return false;
        }
        x = span_drop(x, take_x);
        y = span_drop(y, take_y);
    }
    return true;
}

/* To the octet, endings and all. */
static void note_altered(struct walk *w, struct span x, struct span y)
{
    size_t begin = equal_begin(x, y), end = equal_end(x, y, begin);

    note(w, &w->c->altered, span_first(span_drop(x, begin), x.len - begin - end),
         span_first(span_drop(y, begin), y.len - begin - end));
}

static void change_text(struct walk *w, const struct line *a, const struct line *b)
{
    struct span x = a->text, y = b->text;
    struct change *c = w->c;
    size_t begin = equal_begin(x, y), dx = leading_dots(x), dy = leading_dots(y);

    if (dx != dy && dx < DOTS_MAX && dy < DOTS_MAX && dx + dy > 0 &&
        span_equal(span_drop(x, dx), span_drop(y, dy))) {
        note(w, &c->dots[dx][dy], span_first(x, dx), span_first(y, dy));
        return;
    }
    if (begin == y.len && span_trim_right(x).len <= y.len) {
        note(w, &c->trimmed, span_drop(x, begin), span_drop(y, begin));
        return;
    }
    if (begin == y.len && x.len > y.len + 1) {
        c->cut_varies = c->cut_varies || (c->cut.count > 0 && c->cut_column != y.len);
        c->cut_column = c->cut.count == 0 ? y.len : c->cut_column;
        note(w, &c->cut, span_drop(x, begin), span_drop(y, begin));
        return;
    }
    if (map_octets(w, x, y, false)) {
        map_octets(w, x, y, true);
        return;
    }
    note_altered(w, a->whole, b->whole);
}

static void change_line(struct walk *w, const struct line *a, const struct line *b)
{
    if (a->end != b->end)
        note(w, &w->c->ends[a->end][b->end], span_drop(a->whole, a->text.len),
             span_drop(b->whole, b->text.len));
    if (!span_equal(a->text, b->text))
        change_text(w, a, b);
}

/* ---- lines that became several
 * ---------------------------------------------------------------- */

/* What a folded line begins with, without the mark at its end. */
static struct span without_mark(struct span s)
{
    return s.len > 0 && s.ptr[s.len - 1] == '!' ? span_first(s, s.len - 1) : s;
}

/* How many octets of `received` the sent line became; 0: it was not folded. */
static size_t folded_length(const struct line *a, struct span received, size_t *column)
{
    struct span left = a->text;
    size_t used = 0;
    struct line b;

    for (unsigned n = 0; n < FOLD_LINES_MAX && line_read(span_drop(received, used), &b); n++) {
        struct span text = b.text;
        if (n > 0 && !span_starts_with(left, text) && text.len > 0 && *text.ptr == ' ')
            text = span_drop(text, 1);
        used += b.whole.len;
        if (span_equal(left, text))
            return n > 0 ? used : 0;
        if (!span_starts_with(left, text))
            text = without_mark(text);
        if (text.len == 0 || !span_starts_with(left, text))
            return 0;
        *column = n == 0 ? text.len : *column;
        left = span_drop(left, text.len);
    }
    return 0;
}

static bool take_fold(struct walk *w, const struct line *a)
{
    size_t column = 0, used = folded_length(a, w->received, &column);
    struct change *c = w->c;

    if (used == 0)
        return false;
    c->fold_varies = c->fold_varies || (c->folded.count > 0 && c->fold_column != column);
    c->fold_column = c->folded.count == 0 ? column : c->fold_column;
    note(w, &c->folded, span_first(span_drop(w->sent, column), 1),
         span_first(span_drop(w->received, column), used - column));
    w->sent = span_drop(w->sent, a->whole.len);
    w->received = span_drop(w->received, used);
    return true;
}

/* The ending between two lines was damaged: they arrived as one. */
static bool take_joined(struct walk *w, const struct line *a, const struct line *b)
{
    struct line next;

    if (!line_read(span_drop(w->sent, a->whole.len), &next) || next.text.len == 0 ||
        b->text.len < a->text.len + next.text.len || !span_starts_with(b->text, a->text) ||
        !span_equal(span_drop(b->text, b->text.len - next.text.len), next.text))
        return false;
    size_t both = a->whole.len + next.whole.len;
    note_altered(w, span_first(w->sent, both), b->whole);
    w->sent = span_drop(w->sent, both);
    w->received = span_drop(w->received, b->whole.len);
    return true;
}

/* ---- lines that are new or gone
 * ---------------------------------------------------------------- */

static void note_name(struct change *c, struct span line)
{
    if (c->new_name.len == 0)
        c->new_name =
            span_first(line, span_find(line, ':') < line.len ? span_find(line, ':') : 0);
}

static void take_new(struct walk *w, const struct line *b)
{
    struct change *c = w->c;
    uint64_t at = (uint64_t)(w->received.ptr - w->received_begin);
    bool header = at < w->received_header;
    struct spot *s = header ? &c->new_header : w->sent.len == 0 ? &c->new_end : &c->new_middle;

    note(w, s, span_first(w->sent, 0), b->whole);
    if (header && !span_is_blank_char(b->whole.ptr[0])) {
        note_name(c, b->text);
        c->new_received =
            c->new_received || span_starts_with_nocase(b->text, SPAN_LIT("Received:"));
    }
    w->received = span_drop(w->received, b->whole.len);
}

static void take_gone(struct walk *w, const struct line *a)
{
    struct change *c = w->c;
    uint64_t at = (uint64_t)(w->sent.ptr - w->sent_begin);
    bool header = at < w->sent_header;
    struct spot *s = header                 ? &c->gone_header
                     : w->received.len == 0 ? &c->gone_end
                                            : &c->gone_middle;

    note(w, s, a->whole, span_first(w->received, 0));
    if (header && !span_is_blank_char(a->whole.ptr[0]))
        note_name(c, a->text);
    w->sent = span_drop(w->sent, a->whole.len);
}

/* Lines to pass over in `in` until one has the text; LOOK_AHEAD: there is none near. */
static unsigned distance(struct span in, struct span text)
{
    struct line l;
    unsigned n = 0;

    while (n < LOOK_AHEAD && line_read(in, &l) && !span_equal(l.text, text)) {
        in = span_drop(in, l.whole.len);
        n++;
    }
    return in.len > 0 ? n : LOOK_AHEAD;
}

/* ---- both texts
 * --------------------------------------------------------------------------------- */

static void take_both(struct walk *w, const struct line *a, const struct line *b)
{
    change_line(w, a, b);
    w->sent = span_drop(w->sent, a->whole.len);
    w->received = span_drop(w->received, b->whole.len);
}

/* The two lines are not the same. */
static void step(struct walk *w, const struct line *a, const struct line *b)
{
    if (take_fold(w, a) || take_joined(w, a, b))
        return;
    unsigned come = distance(w->received, a->text), gone = distance(w->sent, b->text);
    bool empty = a->text.len == 0 || b->text.len == 0;
    if (alike(a, b) && !(empty && (come < LOOK_AHEAD || gone < LOOK_AHEAD)))
        take_both(w, a, b);
    else if (come < LOOK_AHEAD && come <= gone)
        take_new(w, b);
    else if (gone < LOOK_AHEAD)
        take_gone(w, a);
    else
        take_both(w, a, b);
}

static void count_sent(struct change *c, const struct line *a)
{
    c->lines_sent++;
    c->ends_sent[a->end]++;
}

void change_find(struct change *c, struct span sent, struct span received)
{
    struct walk w = { .c = c,
                      .sent = sent,
                      .received = received,
                      .sent_begin = sent.ptr,
                      .received_begin = received.ptr,
                      .sent_header = header_length(sent),
                      .received_header = header_length(received) };
    struct span all = sent;
    struct line a, b;

    memset(c, 0, sizeof *c);
    for (; line_read(all, &a); all = span_drop(all, a.whole.len))
        count_sent(c, &a);
    for (size_t i = 0; i < sent.len; i++)
        c->octets_sent[sent.ptr[i]]++;
    while (line_read(w.sent, &a) | line_read(w.received, &b)) {
        if (w.sent.len == 0)
            take_new(&w, &b);
        else if (w.received.len == 0)
            take_gone(&w, &a);
        else if (span_equal(a.text, b.text))
            take_both(&w, &a, &b);
        else
            step(&w, &a, &b);
    }
}
