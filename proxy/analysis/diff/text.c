#include "analysis/diff/text.h"

#include "analysis/diff/raw.h"

enum { CUT_OCTETS_MAX = 65536, STARS = 3, CUTS_READ = 16 };

struct cut_list {
    size_t at[CUTS_READ], octets[CUTS_READ]; /* as received */
    unsigned len;
};

static void read_cuts(struct cut_list *list, struct span cuts)
{
    struct span item;
    struct raw r;

    list->len = 0;
    if (!raw_open(&r, cuts, RAW_LIST))
        return;
    while (list->len < CUTS_READ && raw_item(&r, &item)) {
        uint64_t at = raw_count(raw_find(item, "at"));
        uint64_t octets = raw_count(raw_find(item, "octets"));
        if (at > CUT_OCTETS_MAX || octets > CUT_OCTETS_MAX)
            return;
        list->at[list->len] = (size_t)at;
        list->octets[list->len++] = (size_t)octets;
    }
}

/* Every "***" of the list becomes as many unknown octets as it stands for. */
static bool expand(struct text *t, struct scratch *mem, const struct cut_list *list)
{
    size_t len = t->s.len, n = 0, from = 0;

    for (unsigned i = 0; i < list->len; i++)
        len += list->octets[i];
    unsigned char *out = scratch_take(mem, len + 1), *marks = scratch_take(mem, len + 1);
    if (out == NULL || marks == NULL)
        return false;
    for (unsigned i = 0; i < list->len && n <= list->at[i]; i++) {
        struct span plain = span_first(span_drop(t->s, from), list->at[i] - n);
        struct span stars = span_first(span_drop(t->s, from + plain.len), STARS);
        if (plain.len < list->at[i] - n || !span_equal(stars, SPAN_LIT("***")))
            break;
        memcpy(out + n, plain.ptr, plain.len);
        n += plain.len;
        memset(out + n, '*', list->octets[i]);
        memset(marks + n, TEXT_UNKNOWN, list->octets[i]);
        n += list->octets[i];
        from += plain.len + STARS;
    }
    struct span rest = span_drop(t->s, from);
    if (rest.len > 0)
        memcpy(out + n, rest.ptr, rest.len);
    t->s = span_of(out, n + rest.len);
    t->marks = marks;
    return true;
}

static bool mark_stretches(struct text *t, struct scratch *mem, bool mailbox_only)
{
    unsigned char *marks = NULL;
    struct span s = t->s;

    for (size_t at = 0; at + STARS <= s.len; at++) {
        at += span_find(span_drop(s, at), '*');
        if (at + STARS > s.len)
            break;
        bool stars = memcmp(s.ptr + at, "***", STARS) == 0;
        bool mailbox = at + STARS < s.len && s.ptr[at + STARS] == '@';
        if (!stars || (mailbox_only && !mailbox))
            continue;
        if (marks == NULL && (marks = scratch_take(mem, s.len)) == NULL)
            return false;
        memset(marks + at, TEXT_STRETCH, STARS);
        at += STARS - 1;
    }
    t->marks = marks;
    return true;
}

bool text_read(struct text *out, struct scratch *mem, struct span json, enum text_redaction r,
               struct span cuts)
{
    struct span written = raw_text(json);
    unsigned char *octets = scratch_take(mem, written.len + 1);
    struct cut_list list;

    if (octets == NULL)
        return false;
    *out = (struct text){ .s = span_of(octets, raw_octets(written, octets)) };
    if (r == REDACTION_NONE)
        return true;
    read_cuts(&list, cuts);
    if (list.len > 0)
        return expand(out, mem, &list);
    return mark_stretches(out, mem, r == REDACTION_MAILBOX);
}

static enum text_mark mark_at(struct text t, size_t i)
{
    return t.marks != NULL ? (enum text_mark)t.marks[i] : TEXT_KNOWN;
}

static bool has_stretch(struct text t)
{
    return t.marks != NULL && memchr(t.marks, TEXT_STRETCH, t.s.len) != NULL;
}

static bool same_octet(struct text a, size_t i, struct text b, size_t k)
{
    return a.s.ptr[i] == b.s.ptr[k] || mark_at(a, i) == TEXT_UNKNOWN ||
           mark_at(b, k) == TEXT_UNKNOWN;
}

/* Stretches of the pattern are any number of octets of the other. */
static bool stretch_match(struct text pattern, struct text t)
{
    size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;

    while (i < t.s.len) {
        if (p < pattern.s.len && mark_at(pattern, p) == TEXT_STRETCH) {
            while (p < pattern.s.len && mark_at(pattern, p) == TEXT_STRETCH)
                p++;
            star = p;
            mark = i;
        } else if (p < pattern.s.len && same_octet(pattern, p, t, i)) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.s.len && mark_at(pattern, p) == TEXT_STRETCH)
        p++;
    return p == pattern.s.len;
}

static size_t equal_begin(struct text a, struct text b)
{
    size_t n = 0;

    while (n < a.s.len && n < b.s.len && same_octet(a, n, b, n))
        n++;
    return n;
}

static size_t equal_end(struct text a, struct text b, size_t begin)
{
    size_t n = 0;

    while (n + begin < a.s.len && n + begin < b.s.len &&
           same_octet(a, a.s.len - 1 - n, b, b.s.len - 1 - n))
        n++;
    return n;
}

static size_t known_begin(struct text t)
{
    size_t n = 0;

    while (n < t.s.len && mark_at(t, n) != TEXT_STRETCH)
        n++;
    return n;
}

static size_t known_end(struct text t)
{
    size_t n = 0;

    while (n < t.s.len && mark_at(t, t.s.len - 1 - n) != TEXT_STRETCH)
        n++;
    return n;
}

/* Both have stretches: what stands before the first ones and behind the last ones is known. */
static bool edges_match(struct text a, struct text b)
{
    size_t begin_a = known_begin(a), begin_b = known_begin(b);
    size_t end_a = known_end(a), end_b = known_end(b);

    return equal_begin(a, b) >= (begin_a < begin_b ? begin_a : begin_b) &&
           equal_end(a, b, 0) >= (end_a < end_b ? end_a : end_b);
}

bool text_equal(struct text a, struct text b)
{
    if (span_equal(a.s, b.s))
        return true;
    bool stretch_a = has_stretch(a), stretch_b = has_stretch(b);
    if (stretch_a && stretch_b)
        return edges_match(a, b);
    if (stretch_a || stretch_b)
        return stretch_a ? stretch_match(a, b) : stretch_match(b, a);
    if (a.marks == NULL && b.marks == NULL)
        return false;
    return a.s.len == b.s.len && equal_begin(a, b) == a.s.len;
}

struct delta text_delta(struct text sent, struct text received)
{
    size_t begin = equal_begin(sent, received), end = equal_end(sent, received, begin);

    return (struct delta){ .at = begin,
                           .sent = sent.s.len - begin - end,
                           .received = received.s.len - begin - end };
}

unsigned text_likeness(struct text a, struct text b)
{
    size_t longer = a.s.len > b.s.len ? a.s.len : b.s.len;
    struct delta d = text_delta(a, b);
    size_t same = 0;

    if (longer == 0)
        return 100;
    if (a.s.len != b.s.len)
        same = a.s.len - d.sent;
    else
        for (size_t i = 0; i < longer; i++)
            same += same_octet(a, i, b, i);
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): loses what was asked above */
    return (unsigned)(100 * same / longer);
}
