/* change_lines - one line that became several, and several that became one. */
#include "analysis/diff/change_private.h"

enum { FOLD_LINES_MAX = 4096 };

/* ---- folded ---- */

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

bool take_fold(struct walk *w, const struct line *a)
{
    size_t column = 0, used = folded_length(a, w->received, &column);
    struct change *c = w->c;

    if (used == 0)
        return false;
    c->fold_varies = c->fold_varies || (c->folded.count > 0 && c->fold_column != column);
    c->fold_column = c->folded.count == 0 ? column : c->fold_column;
    change_note(w, &c->folded, span_first(span_drop(w->sent, column), 1),
                span_first(span_drop(w->received, column), used - column));
    w->sent = span_drop(w->sent, a->whole.len);
    w->received = span_drop(w->received, used);
    return true;
}

/* ---- joined ---- */

/* What stands behind the text of `a` in the one line of both; false: the next text does not
 * follow it. */
static bool joint_of(struct span rest, const struct line *next, enum line_end *joint)
{
    *joint = rest.len > 0 && *rest.ptr == ' ' && !span_starts_with(rest, next->text)
                 ? LINE_END_SPACE
                 : LINE_END_NOTHING;
    return next->text.len > 0 &&
           span_starts_with(span_drop(rest, *joint == LINE_END_SPACE), next->text);
}

/* How many octets of what was sent are in the received text; 0: it is not whole lines of it. */
static size_t joined_length(struct walk *w, struct span text, bool count)
{
    struct span sent = w->sent;
    struct line a, next;

    if (!line_read(sent, &a) || a.text.len == 0 || !span_starts_with(text, a.text) ||
        text.len == a.text.len)
        return 0;
    text = span_drop(text, a.text.len);
    while (line_read(span_drop(sent, a.whole.len), &next)) {
        enum line_end joint;
        if (!joint_of(text, &next, &joint))
            return 0;
        if (count)
            change_note(w, &w->c->ends[a.end][joint], span_drop(a.whole, a.text.len),
                        span_first(text, joint == LINE_END_SPACE));
        text = span_drop(text, next.text.len + (joint == LINE_END_SPACE));
        sent = span_drop(sent, a.whole.len);
        a = next;
        if (text.len == 0)
            return (size_t)(a.whole.ptr + a.whole.len - w->sent.ptr);
    }
    return 0;
}

/* The ending of the last one is compared as that of any line. */
static void joined_end(struct walk *w, struct span sent, const struct line *b)
{
    struct line last;

    while (line_read(sent, &last) && last.whole.len < sent.len)
        sent = span_drop(sent, last.whole.len);
    if (last.end != b->end)
        change_note(w, &w->c->ends[last.end][b->end], span_drop(last.whole, last.text.len),
                    span_drop(b->whole, b->text.len));
}

bool take_joined(struct walk *w, const struct line *b)
{
    size_t used = joined_length(w, b->text, false);

    if (used == 0)
        return false;
    joined_length(w, b->text, true);
    joined_end(w, span_first(w->sent, used), b);
    w->sent = span_drop(w->sent, used);
    w->received = span_drop(w->received, b->whole.len);
    return true;
}
