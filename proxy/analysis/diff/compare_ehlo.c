/*
 * compare_ehlo - the reply to EHLO, keyword by keyword: masked, deleted, inserted, changed,
 * in another order.
 */
#include "analysis/diff/compare.h"

#include "base/escape.h"

enum { LINES_MAX = 128, ALIKE_MIN = 50 };

struct ehlo_line {
    struct span whole; /* with code and ending */
    struct span word, value;
    size_t at;      /* in the reply */
    size_t partner; /* 1 + index of the line that it became; 0: none */
};

struct ehlo {
    struct ehlo_line lines[LINES_MAX];
    size_t len;
};

static struct span text_of(struct span line)
{
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    return span_drop(line, 4);
}

/* "AUTH=LOGIN" of old servers is AUTH, too. False: too many lines. */
static bool ehlo_read(struct ehlo *e, struct span reply)
{
    size_t at = 0;

    for (e->len = 0; at < reply.len; e->len++) {
        struct span rest = span_drop(reply, at);
        size_t lf = span_find(rest, '\n');
        struct ehlo_line *l = &e->lines[e->len];
        if (e->len == LINES_MAX)
            return false;
        *l = (struct ehlo_line){ .whole = span_first(rest, lf + 1), .at = at };
        struct span text = text_of(l->whole);
        size_t blank = span_find(text, ' '), equals = span_find(text, '=');
        l->word = span_first(text, blank < equals ? blank : equals);
        l->value = span_drop(text, l->word.len);
        at += l->whole.len;
    }
    return true;
}

static void join(struct ehlo *a, size_t i, struct ehlo *b, size_t k)
{
    a->lines[i].partner = k + 1;
    b->lines[k].partner = i + 1;
}

static void join_equal_words(struct ehlo *a, struct ehlo *b)
{
    for (size_t i = 1; i < a->len; i++)
        for (size_t k = 1; k < b->len && a->lines[i].partner == 0; k++)
            if (b->lines[k].partner == 0 &&
                span_equal_nocase(a->lines[i].word, b->lines[k].word))
                join(a, i, b, k);
}

static bool could_be(const struct ehlo_line *a, const struct ehlo_line *b)
{
    struct text x = { .s = text_of(a->whole) }, y = { .s = text_of(b->whole) };

    return mask_of(x, y) != MASK_NONE || text_likeness(x, y) >= ALIKE_MIN;
}

/* What is left, in order: a line that was overwritten or damaged is still at its place. */
static void join_damaged(struct ehlo *a, struct ehlo *b)
{
    size_t from = 1;

    for (size_t i = 1; i < a->len; i++) {
        if (a->lines[i].partner != 0) {
            from = a->lines[i].partner > from ? a->lines[i].partner : from;
            continue;
        }
        for (size_t k = from; k < b->len; k++)
            if (b->lines[k].partner == 0 && could_be(&a->lines[i], &b->lines[k])) {
                join(a, i, b, k);
                from = k + 1;
                break;
            }
    }
}

/* ---- findings ---- */

struct view {
    struct compare *c;
    const struct unit *near, *far;
    size_t found;
};

static enum severity weight(struct span word)
{
    if (span_equal_nocase(word, SPAN_LIT("STARTTLS")))
        return SEVERITY_CRITICAL;
    if (span_equal_nocase(word, SPAN_LIT("8BITMIME")) ||
        span_equal_nocase(word, SPAN_LIT("SMTPUTF8")) ||
        span_equal_nocase(word, SPAN_LIT("AUTH")))
        return SEVERITY_MEDIUM;
    return SEVERITY_LOW;
}

static void show(struct diff_excerpt *e, const struct unit *u, const struct ehlo_line *l,
                 size_t at, size_t len)
{
    compare_show(e, u, u->reply_field, (struct text){ .s = l->whole }, at, len);
    e->from += l->at;
    e->at += l->at;
    e->stream = 0;
}

/* a, b: the line sent and the line received; NULL: there is none. */
static struct diff_finding *found(struct view *v, enum diff_class id, const char *sub,
                                  const struct ehlo_line *a, const struct ehlo_line *b)
{
    struct text x = { .s = a != NULL ? a->whole : (struct span){ NULL, 0 } };
    struct text y = { .s = b != NULL ? b->whole : (struct span){ NULL, 0 } };
    struct delta d = text_delta(x, y);
    struct diff_finding *f = compare_found(v->c, id, sub, a != NULL ? a->word : b->word);

    f->way = WAY_REPLY;
    if (a == NULL || b == NULL)
        d = (struct delta){ 0, x.s.len, y.s.len };
    if (a != NULL)
        show(&f->sent, v->far, a, d.at, d.sent);
    else
        f->sent.record = v->far->n;
    if (b != NULL)
        show(&f->received, v->near, b, d.at, d.received);
    else
        f->received = (struct diff_excerpt){ .record = v->near->n, .field = "reply" };
    f->f.bytes = span_first(span_drop(y.s, d.at), d.received);
    f->f.bytes = span_first(f->f.bytes, FINDING_BYTES_MAX);
    f->f.severity = weight(a != NULL ? a->word : b->word);
    v->found++;
    return f;
}

static void say_missing(struct view *v, const struct ehlo_line *l)
{
    struct diff_finding *f = found(v, CLASS_KEYWORD, "deleted", l, NULL);

    compare_say(f, "the EHLO keyword %s was deleted on the way back", f->subject);
}

static void say_new(struct view *v, const struct ehlo_line *l)
{
    struct diff_finding *f = found(v, CLASS_KEYWORD, "inserted", NULL, l);

    if (f->f.severity == SEVERITY_CRITICAL)
        f->f.severity = SEVERITY_MEDIUM;
    compare_say(f, "the EHLO keyword %s, which the server never offered, was inserted",
                f->subject);
}

static bool say_masked(struct view *v, const struct ehlo_line *a, const struct ehlo_line *b)
{
    static const enum diff_class ids[] = { CLASS_ALTERED, CLASS_STARS, CLASS_ONE_STAR,
                                           CLASS_LETTERS };
    enum mask_kind mask = mask_of((struct text){ .s = text_of(a->whole) },
                                  (struct text){ .s = text_of(b->whole) });

    if (mask == MASK_NONE)
        return false;
    struct diff_finding *f = found(v, ids[mask], "keyword", a, b);
    if (f->f.severity < SEVERITY_MEDIUM)
        f->f.severity = SEVERITY_MEDIUM;
    if (mask == MASK_LETTERS && f->f.severity < SEVERITY_HIGH)
        f->f.severity = SEVERITY_HIGH;
    f->rule = mask;
    compare_say(f, "the EHLO keyword %s was masked in place on the way back", f->subject);
    return true;
}

static void say_changed(struct view *v, const struct ehlo_line *a, const struct ehlo_line *b)
{
    struct diff_finding *f;

    if (span_equal_nocase(a->word, b->word) && !span_equal(a->value, b->value)) {
        f = found(v, CLASS_KEYWORD, "changed", a, b);
        f->rule = compare_hash(0, b->value);
        compare_say(f, "what follows the EHLO keyword %s was changed on the way back",
                    f->subject);
        return;
    }
    f = found(v, CLASS_ALTERED, "keyword", a, b);
    f->rule = compare_hash(0, f->f.bytes);
    compare_say(f, "the EHLO keyword %s was altered on the way back", f->subject);
}

/* "250-" of the last line that is left may have become "250 ". */
static bool same_frame(const struct ehlo_line *a, const struct ehlo_line *b)
{
    size_t ending_a = a->whole.len - text_of(a->whole).len;
    size_t ending_b = b->whole.len - text_of(b->whole).len;

    return ending_a == ending_b && a->whole.len > 3 && b->whole.len > 3 &&
           memcmp(a->whole.ptr, b->whole.ptr, 3) == 0 &&
           memcmp(a->whole.ptr + a->whole.len - ending_a + 4,
                  b->whole.ptr + b->whole.len - ending_b + 4, ending_a - 4) == 0;
}

static void say_line(struct view *v, const struct ehlo_line *a, const struct ehlo_line *b)
{
    if (span_equal(text_of(a->whole), text_of(b->whole))) {
        if (!same_frame(a, b))
            say_changed(v, a, b);
        return;
    }
    if (!say_masked(v, a, b))
        say_changed(v, a, b);
}

static void say_first_line(struct view *v, const struct ehlo_line *a, const struct ehlo_line *b)
{
    if (span_equal(a->whole, b->whole) ||
        (span_equal(text_of(a->whole), text_of(b->whole)) && same_frame(a, b)))
        return;
    if (say_masked(v, a, b))
        return;
    struct diff_finding *f = found(v, CLASS_ALTERED, "name", a, b);
    f->rule = compare_hash(0, text_of(b->whole));
    compare_say(f, "the first line of the reply to EHLO was altered on the way back");
}

static void say_order(struct view *v, const struct ehlo *a)
{
    size_t last = 0;

    for (size_t i = 1; i < a->len; i++) {
        size_t p = a->lines[i].partner;
        if (p != 0 && p < last) {
            struct diff_finding *f =
                compare_found(v->c, CLASS_KEYWORD, "reordered", SPAN_LIT("EHLO"));
            f->way = WAY_REPLY;
            show(&f->sent, v->far, &a->lines[i], 0, a->lines[i].whole.len);
            f->received = (struct diff_excerpt){ .record = v->near->n, .field = "reply" };
            f->f.severity = SEVERITY_INFO;
            compare_say(f, "the EHLO keywords arrived in another order");
            v->found++;
            return;
        }
        last = p > last ? p : last;
    }
}

bool compare_ehlo(struct compare *c, const struct unit *near, const struct unit *far)
{
    struct view v = { .c = c, .near = near, .far = far };
    struct ehlo a, b;

    if (!ehlo_read(&a, far->reply.s) || !ehlo_read(&b, near->reply.s) || a.len == 0 ||
        b.len == 0)
        return false;
    join_equal_words(&a, &b);
    join_damaged(&a, &b);
    say_first_line(&v, &a.lines[0], &b.lines[0]);
    for (size_t i = 1; i < a.len; i++) {
        if (a.lines[i].partner == 0)
            say_missing(&v, &a.lines[i]);
        else
            say_line(&v, &a.lines[i], &b.lines[a.lines[i].partner - 1]);
    }
    for (size_t k = 1; k < b.len; k++)
        if (b.lines[k].partner == 0)
            say_new(&v, &b.lines[k]);
    say_order(&v, &a);
    return v.found > 0;
}
