#include "analysis/diff/change_private.h"

enum { LOOK_AHEAD = 32 };

/* Read in search of delimiters at most: each line may be one, and none stand there twice. */
#define SEARCH_OCTETS (256u << 20)

const char *line_end_name(enum line_end e)
{
    static const char *const names[] = {
#define X(id, name) name,
        LINE_ENDS(X)
#undef X
    };

    return names[e];
}

/* How long the ending at `at` is: an LF with up to two CR before it, or a CR alone. */
static size_t ending_length(struct span s, size_t at, enum line_end *end)
{
    struct span rest = span_drop(s, at);

    if (span_starts_with(rest, SPAN_LIT("\r\r\n")))
        *end = LINE_END_CRCRLF;
    else if (span_starts_with(rest, SPAN_LIT("\r\n")))
        *end = LINE_END_CRLF;
    else
        *end = rest.len == 0 ? LINE_END_NONE : *rest.ptr == '\n' ? LINE_END_LF : LINE_END_CR;
    return *end == LINE_END_CRCRLF ? 3 : *end == LINE_END_CRLF ? 2 : rest.len > 0;
}

bool line_read(struct span s, struct line *l)
{
    size_t lf = span_find(s, '\n'), cr = span_find(span_first(s, lf), '\r');

    l->text = span_first(s, cr);
    l->whole = span_first(s, cr + ending_length(s, cr, &l->end));
    return s.len > 0;
}

static uint64_t header_length(struct span s)
{
    struct span left = s;
    struct line l;

    while (line_read(left, &l) && (l.text.len > 0 || l.end == LINE_END_CR))
        left = span_drop(left, l.whole.len);
    return s.len - left.len;
}

void change_note(struct walk *w, struct spot *s, struct span sent, struct span received)
{
    if (s->count++ > 0)
        return;
    s->sent_at = (uint64_t)(sent.ptr - w->sent_begin);
    s->received_at = (uint64_t)(received.ptr - w->received_begin);
    s->sent_len = sent.len;
    s->received_len = received.len;
}

void change_note_altered(struct walk *w, struct span x, struct span y)
{
    size_t begin = equal_begin(x, y), end = equal_end(x, y, begin);

    change_note(w, &w->c->altered, span_first(span_drop(x, begin), x.len - begin - end),
                span_first(span_drop(y, begin), y.len - begin - end));
}

void change_note_name(struct change *c, struct span line)
{
    size_t colon = span_find(line, ':');

    if (c->new_name.len == 0)
        c->new_name = span_first(line, colon < line.len ? colon : 0);
}

/* ---- lines that are new or gone ---- */

static bool is_blank(struct span s)
{
    struct line l;

    for (; line_read(s, &l); s = span_drop(s, l.whole.len))
        if (l.text.len > 0)
            return false;
    return true;
}

static void take_new(struct walk *w, const struct line *b)
{
    struct change *c = w->c;
    uint64_t at = (uint64_t)(w->received.ptr - w->received_begin);
    bool header = at < w->received_header;
    struct spot *s = &c->new_middle;

    if (header)
        s = &c->new_header;
    else if (is_dots(b->text))
        s = &c->dots_new;
    else if (w->sent.len == 0)
        s = is_blank(w->received) ? &c->blank_end_new : &c->new_end;
    change_note(w, s, span_first(w->sent, 0), b->whole);
    if (header && !span_is_blank_char(b->whole.ptr[0])) {
        change_note_name(c, b->text);
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
    struct spot *s = &c->gone_middle;

    if (header)
        s = &c->gone_header;
    else if (is_dots(a->text))
        s = &c->dots_gone;
    else if (w->received.len == 0)
        s = is_blank(w->sent) ? &c->blank_end_gone : &c->gone_end;
    change_note(w, s, a->whole, span_first(w->received, 0));
    if (header && !span_is_blank_char(a->whole.ptr[0]))
        change_note_name(c, a->text);
    w->sent = span_drop(w->sent, a->whole.len);
}

/*
 * Nothing arrived of the rest. Two dots that were unstuffed are the end of the mail data
 * (RFC 5321 4.5.2): for the server the rest was commands.
 */
static void take_rest(struct walk *w, const struct line *a)
{
    if (!is_dots(a->text) || a->text.len != 2 || w->sent.len == a->whole.len) {
        take_gone(w, a);
        return;
    }
    change_note(w, &w->c->ended_at_dots, w->sent, w->received);
    w->sent = span_drop(w->sent, w->sent.len);
}

/* The octet at which the last line was cut ended the text. */
static bool take_ended(struct walk *w, const struct line *a, const struct line *b)
{
    struct change *c = w->c;
    struct span rest = span_drop(a->text, b->text.len);

    if (b->whole.len < w->received.len || rest.len == 0 || *rest.ptr >= ' ' ||
        !span_starts_with(a->text, b->text) || a->whole.len == w->sent.len)
        return false;
    c->ended_by = *rest.ptr;
    change_note(w, &c->ended, span_drop(w->sent, b->text.len),
                span_drop(w->received, b->text.len));
    w->sent = span_drop(w->sent, w->sent.len);
    w->received = span_drop(w->received, w->received.len);
    return true;
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

/* ---- lines that became others ---- */

/* "--" and more; not what stands before a signature in mail. */
static bool is_delimiter(struct span text)
{
    return span_trim_right(text).len > 2 && span_starts_with(text, SPAN_LIT("--"));
}

/* The delimiter behind the last part has two more hyphens. */
static bool is_last_delimiter(struct span text, struct span of)
{
    return text.len == of.len + 2 && span_starts_with(text, of) && text.ptr[of.len] == '-' &&
           text.ptr[of.len + 1] == '-';
}

static void see_delimiter(struct walk *w, const struct line *a)
{
    uint64_t at = (uint64_t)(a->whole.ptr - w->sent_begin);

    if (at < w->sent_header || !is_delimiter(a->text))
        return;
    if (is_last_delimiter(a->text, w->delimiter))
        w->delimiter = (struct span){ NULL, 0 };
    else
        w->delimiter = a->text;
}

/* Do both go on with the same line a little further on, in the same part? */
static bool goes_on_near(struct walk *w)
{
    struct span left = w->sent;
    struct line l;

    if (w->common > w->sent.ptr) /* found before */
        return true;
    for (unsigned i = 0; i < LOOK_AHEAD && line_read(left, &l); i++) {
        if (span_starts_with(l.text, w->delimiter))
            return false;
        if (l.text.len > 0 && distance(w->received, l.text) < LOOK_AHEAD) {
            w->common = l.whole.ptr;
            return true;
        }
        left = span_drop(left, l.whole.len);
    }
    return false;
}

/* Octets before the next delimiter; s.len: there is none. */
static size_t part_length(struct span s, struct span delimiter)
{
    struct span left = s;
    struct line l;

    while (line_read(left, &l) && !span_starts_with(l.text, delimiter))
        left = span_drop(left, l.whole.len);
    return s.len - left.len;
}

/*
 * What is left of a part has nothing in common with what stands in its place: an attachment of
 * a thousand lines and a notice of three.
 */
static bool take_part(struct walk *w)
{
    if (w->delimiter.len == 0 || w->search_octets == 0 || goes_on_near(w))
        return false;
    size_t sent = part_length(w->sent, w->delimiter);
    size_t received = part_length(w->received, w->delimiter);
    uint64_t cost = (uint64_t)sent + received;
    w->search_octets -= cost < w->search_octets ? cost : w->search_octets;
    if (cost == 0 || sent == w->sent.len || received == w->received.len) {
        w->delimiter = span_of(NULL, 0); /* it will not be found later, either */
        return false;
    }
    change_note(w, &w->c->other_part, span_first(w->sent, sent),
                span_first(w->received, received));
    w->sent = span_drop(w->sent, sent);
    w->received = span_drop(w->received, received);
    return true;
}

/* ---- both texts ---- */

static void take_both(struct walk *w, const struct line *a, const struct line *b)
{
    change_line(w, a, b);
    w->sent = span_drop(w->sent, a->whole.len);
    w->received = span_drop(w->received, b->whole.len);
}

/* The two lines are not the same. */
static void step(struct walk *w, const struct line *a, const struct line *b)
{
    if (take_fold(w, a) || take_joined(w, b) || take_ended(w, a, b))
        return;
    unsigned come = distance(w->received, a->text), gone = distance(w->sent, b->text);
    bool empty = a->text.len == 0 || b->text.len == 0;
    if (lines_alike(a, b) && !(empty && (come < LOOK_AHEAD || gone < LOOK_AHEAD)))
        take_both(w, a, b);
    else if (come < LOOK_AHEAD && come <= gone)
        take_new(w, b);
    else if (gone < LOOK_AHEAD)
        take_gone(w, a);
    else if (!take_part(w))
        take_both(w, a, b);
}

static void count_sent(struct change *c, struct span sent)
{
    struct span left = sent;
    struct line a;

    for (; line_read(left, &a); left = span_drop(left, a.whole.len)) {
        c->ends_sent[a.end]++;
    }
    for (size_t i = 0; i < sent.len; i++)
        c->octets_sent[sent.ptr[i]]++;
}

void change_find(struct change *c, struct span sent, struct span received)
{
    struct walk w = { .c = c,
                      .sent = sent,
                      .received = received,
                      .sent_begin = sent.ptr,
                      .received_begin = received.ptr,
                      .sent_header = header_length(sent),
                      .received_header = header_length(received),
                      .search_octets = SEARCH_OCTETS };
    struct line a, b;

    memset(c, 0, sizeof *c);
    count_sent(c, sent);
    while (line_read(w.sent, &a) | line_read(w.received, &b)) {
        if (w.sent.len == 0) {
            take_new(&w, &b);
        } else if (w.received.len == 0) {
            take_rest(&w, &a);
        } else if (span_equal(a.text, b.text)) {
            see_delimiter(&w, &a);
            take_both(&w, &a, &b);
        } else {
            step(&w, &a, &b);
        }
    }
}
