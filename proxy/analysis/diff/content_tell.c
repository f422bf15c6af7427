/*
 * content_tell - findings of what became of a content that was kept: every change has its
 * offset on both sides.
 */
#include "analysis/diff/content_tell.h"

#include "base/escape.h"

#include <stdio.h>

enum { NAMED_OCTETS = 6 };

struct teller {
    struct compare *c;
    const struct unit *near, *far;
    struct span sent, received;
    const struct change *change;
    size_t found;
};

static struct diff_finding *told(struct teller *t, enum diff_class id, const char *sub,
                                 const struct spot *s)
{
    struct diff_finding *f = compare_found(t->c, id, sub, SPAN_LIT("content"));
    struct text a = { .s = t->sent }, b = { .s = t->received };

    f->way = WAY_CONTENT;
    compare_show(&f->sent, t->near, "content", a, s->sent_at, s->sent_len);
    compare_show(&f->received, t->far, "content", b, s->received_at, s->received_len);
    f->f.bytes =
        span_first(span_drop(t->received, (size_t)s->received_at), (size_t)s->received_len);
    f->f.bytes = span_first(f->f.bytes, FINDING_BYTES_MAX);
    t->found++;
    return f;
}

static unsigned long long number(uint64_t n)
{
    return n;
}

/* ---- TV-13 ---- */

static const char *ends_name(unsigned from, unsigned to)
{
    static const char *const names[LINE_END_COUNT][LINE_END_COUNT] = {
        [LINE_END_LF] = { [LINE_END_CRLF] = "lf-to-crlf", [LINE_END_SPACE] = "lf-to-space" },
        [LINE_END_CR] = { [LINE_END_CRLF] = "cr-to-crlf",
                          [LINE_END_LF] = "cr-to-lf",
                          [LINE_END_SPACE] = "cr-to-space" },
        [LINE_END_CRLF] = { [LINE_END_LF] = "crlf-to-lf",
                            [LINE_END_CRCRLF] = "crlf-to-crcrlf" },
        [LINE_END_CRCRLF] = { [LINE_END_CRLF] = "crcrlf-to-crlf" },
    };

    return names[from][to] != NULL  ? names[from][to]
           : to == LINE_END_NOTHING ? "lines-joined"
                                    : "ending";
}

static void tell_ends(struct teller *t)
{
    for (unsigned from = 0; from < LINE_END_COUNT; from++)
        for (unsigned to = 0; to < LINE_END_COUNT; to++) {
            const struct spot *s = &t->change->ends[from][to];
            uint64_t all = t->change->ends_sent[from];
            if (s->count == 0)
                continue;
            struct diff_finding *f = told(t, CLASS_ENDINGS, ends_name(from, to), s);
            f->rule = from * LINE_END_COUNT + to;
            compare_say(f, "line endings were rewritten: %s became %s, %llu of %llu%s",
                        line_end_name((enum line_end)from), line_end_name((enum line_end)to),
                        number(s->count), number(all), s->count == all ? ": a rule" : "");
        }
}

static void tell_blank_end(struct teller *t)
{
    const struct spot *gone = &t->change->blank_end_gone, *come = &t->change->blank_end_new;
    struct diff_finding *f;

    if (gone->count > 0) {
        f = told(t, CLASS_ENDINGS, "blank-end-removed", gone);
        f->f.severity = SEVERITY_LOW;
        compare_say(f, "%llu empty lines at the end of the content were removed",
                    number(gone->count));
    }
    if (come->count > 0) {
        f = told(t, CLASS_ENDINGS, "blank-end-added", come);
        f->f.severity = SEVERITY_LOW;
        compare_say(f, "%llu empty lines were added at the end of the content",
                    number(come->count));
    }
}

/* ---- TV-14 ---- */

static void tell_dots(struct teller *t)
{
    for (unsigned from = 0; from < DOTS_MAX; from++)
        for (unsigned to = 0; to < DOTS_MAX; to++) {
            const struct spot *s = &t->change->dots[from][to];
            if (s->count == 0)
                continue;
            struct diff_finding *f =
                told(t, CLASS_DOTS, to < from ? "unstuffed-twice" : "stuffed-twice", s);
            f->rule = from * DOTS_MAX + to;
            compare_say(f, "%llu lines that began with %u dots arrived with %u",
                        number(s->count), from, to);
        }
}

static void tell_dot_lines(struct teller *t)
{
    const struct change *c = t->change;
    struct diff_finding *f;

    if (c->dots_gone.count > 0) {
        f = told(t, CLASS_DOTS, "dot-line-dropped", &c->dots_gone);
        compare_say(f, "%llu lines of nothing but dots were dropped",
                    number(c->dots_gone.count));
    }
    if (c->dots_new.count > 0) {
        f = told(t, CLASS_DOTS, "dot-line-inserted", &c->dots_new);
        compare_say(f, "%llu lines of nothing but dots that nobody sent have arrived",
                    number(c->dots_new.count));
    }
    if (c->ended_at_dots.count > 0) {
        f = told(t, CLASS_DOTS, "end-created", &c->ended_at_dots);
        compare_say(f,
                    "a stuffed dot on a line of its own arrived as the end of the mail: the "
                    "%llu bytes after it were taken for commands",
                    number(c->ended_at_dots.sent_len));
    }
}

/* ---- TV-12 ---- */

struct octet_sum {
    struct spot first; /* the earliest; count: of all */
    uint64_t sent;     /* occurrences of those values */
    unsigned values;
    char names[NAMED_OCTETS * 12];
};

static void sum_add(struct octet_sum *sum, const struct spot *s, unsigned value, int by,
                    uint64_t sent)
{
    size_t used = strlen(sum->names);
    uint64_t count = sum->first.count;

    if (s->count == 0)
        return;
    if (count == 0 || s->sent_at < sum->first.sent_at)
        sum->first = *s;
    sum->first.count = count + s->count;
    sum->sent += sent;
    if (sum->values++ >= NAMED_OCTETS)
        return;
    if (by >= 0)
        snprintf(sum->names + used, sizeof sum->names - used, " %02X>%02X", value,
                 (unsigned)by);
    else
        snprintf(sum->names + used, sizeof sum->names - used, " %02X", value);
}

/* One octet once, of many: damage, and told as such. */
static bool is_damage(const struct octet_sum *sum)
{
    return sum->first.count == 1 && sum->sent != 1;
}

static void tell_sum(struct teller *t, const struct octet_sum *sum, const char *sub,
                     const char *what)
{
    if (sum->first.count == 0)
        return;
    bool damage = is_damage(sum);
    struct diff_finding *f = told(t, damage ? CLASS_ALTERED : CLASS_OCTETS, sub, &sum->first);
    f->f.severity = SEVERITY_HIGH;
    if (!damage)
        f->rule = compare_hash(0, span_str(sum->names));
    compare_say(f, "%s:%s%s, %llu of %llu, the first at byte %llu", what, sum->names,
                sum->values > NAMED_OCTETS ? " ..." : "", number(sum->first.count),
                number(sum->sent), number(sum->first.sent_at));
}

static void tell_octets(struct teller *t)
{
    struct octet_sum deleted = { .values = 0 }, replaced = { .values = 0 },
                     expanded = { .values = 0 }, cut = { .values = 0 };

    for (unsigned v = 0; v < 256; v++) {
        const struct octet_change *o = &t->change->octets[v];
        uint64_t sent = t->change->octets_sent[v];
        sum_add(&deleted, &o->deleted, v, -1, sent);
        sum_add(&replaced, &o->replaced, v, o->by, sent);
        sum_add(&expanded, &o->expanded, v, -1, sent);
        sum_add(&cut, &o->cut, v, -1, sent);
    }
    tell_sum(t, &deleted, "deleted", "bytes of the content were deleted");
    tell_sum(t, &replaced, "replaced", "bytes of the content were replaced");
    tell_sum(t, &expanded, "expanded",
             "bytes of the content were recoded, two of UTF-8 for each");
    tell_sum(t, &cut, "line-cut", "lines of the content end where a byte stood");
}

static void tell_ended(struct teller *t)
{
    const struct spot *s = &t->change->ended;
    struct diff_finding *f;

    if (s->count == 0)
        return;
    f = told(t, CLASS_OCTETS, "content-ended", s);
    f->rule = t->change->ended_by;
    compare_say(f,
                "byte %02X at %llu ended the content: the %llu bytes from there on did not "
                "arrive",
                t->change->ended_by, number(s->sent_at), number(s->sent_len));
}

static void tell_blanks(struct teller *t)
{
    const struct spot *trimmed = &t->change->trimmed, *collapsed = &t->change->collapsed;
    struct diff_finding *f;

    if (trimmed->count > 0) {
        f = told(t, CLASS_OCTETS, "trailing-blanks", trimmed);
        f->f.severity = SEVERITY_LOW;
        compare_say(f, "blanks at the end of %llu lines were removed", number(trimmed->count));
    }
    if (collapsed->count > 0) {
        f = told(t, CLASS_OCTETS, "blanks-collapsed", collapsed);
        f->f.severity = SEVERITY_LOW;
        compare_say(f, "several blanks became one, in %llu lines", number(collapsed->count));
    }
}

/* ---- TV-15, TV-16 and what has no class ---- */

static void tell_lines(struct teller *t)
{
    const struct change *c = t->change;
    struct diff_finding *f;

    if (c->folded.count > 0) {
        f = told(t, CLASS_FOLDED, "folded", &c->folded);
        f->rule = c->fold_varies ? 0 : c->fold_column;
        compare_say(f, "%llu lines were folded, the first after byte %llu%s",
                    number(c->folded.count), number(c->fold_column),
                    c->fold_varies ? "" : "; all at the same column");
    }
    if (c->cut.count > 0) {
        f = told(t, CLASS_CUT, "cut", &c->cut);
        f->rule = c->cut_varies ? 0 : c->cut_column;
        compare_say(f, "%llu lines were cut, the first after byte %llu%s", number(c->cut.count),
                    number(c->cut_column), c->cut_varies ? "" : "; all at the same column");
    }
    if (c->altered.count > 0) {
        f = told(t, CLASS_ALTERED, "content", &c->altered);
        f->f.severity = SEVERITY_HIGH;
        f->rule = compare_hash(0, f->f.bytes);
        compare_say(f,
                    "%llu lines of the content were altered, the first at byte %llu: %llu "
                    "bytes became %llu",
                    number(c->altered.count), number(c->altered.sent_at),
                    number(c->altered.sent_len), number(c->altered.received_len));
    }
}

/* ---- TV-17 ---- */

static void tell_spot(struct teller *t, const struct spot *s, const char *sub, const char *what,
                      enum severity severity)
{
    char name[64] = "";
    struct diff_finding *f;

    if (s->count == 0)
        return;
    f = told(t, CLASS_INSERTED, sub, s);
    f->f.severity = severity;
    bool header = strncmp(sub, "header", 6) == 0;
    if (header && t->change->new_name.len > 0) {
        escape(f->subject, sizeof f->subject, t->change->new_name);
        snprintf(name, sizeof name, ", the first is %s", f->subject);
    } else if (!header) {
        f->rule = compare_hash(0, f->f.bytes);
    }
    compare_say(f, "%llu lines %s%s", number(s->count), what, name);
}

static void tell_whole_lines(struct teller *t)
{
    const struct change *c = t->change;
    enum severity header = c->new_received ? SEVERITY_INFO : SEVERITY_MEDIUM;

    tell_spot(t, &c->new_header, c->new_received ? "header-mta-hop" : "header-inserted",
              c->new_received ? "were inserted into the header: a mail server (MTA hop) stands "
                                "between the two, which may change more"
                              : "were inserted into the header",
              header);
    tell_spot(t, &c->new_end, "end-inserted", "were added at the end of the content",
              SEVERITY_MEDIUM);
    tell_spot(t, &c->new_middle, "body-inserted", "were inserted into the content",
              SEVERITY_MEDIUM);
    tell_spot(t, &c->gone_header, "header-deleted", "were deleted from the header",
              SEVERITY_MEDIUM);
    tell_spot(t, &c->gone_end, "end-deleted", "are missing at the end of the content",
              SEVERITY_HIGH);
    tell_spot(t, &c->gone_middle, "body-deleted", "were deleted from the content",
              SEVERITY_HIGH);
    tell_spot(t, &c->other_header, "header-rewritten", "of the header have another value",
              SEVERITY_MEDIUM);
}

static void tell_part(struct teller *t)
{
    const struct spot *s = &t->change->other_part;
    struct diff_finding *f;

    if (s->count == 0)
        return;
    f = told(t, CLASS_INSERTED, "part-replaced", s);
    f->f.severity = SEVERITY_HIGH;
    f->rule = compare_hash(0, f->f.bytes);
    compare_say(f,
                "inside one MIME part %llu bytes from byte %llu on became %llu others: the "
                "part was replaced",
                number(s->sent_len), number(s->sent_at), number(s->received_len));
}

/* ---- all of it ---- */

size_t content_tell_change(struct compare *c, const struct unit *near, const struct unit *far,
                           struct span sent, struct span received, const struct change *change)
{
    struct teller t = {
        .c = c, .near = near, .far = far, .sent = sent, .received = received, .change = change
    };

    tell_ends(&t);
    tell_blank_end(&t);
    tell_dots(&t);
    tell_dot_lines(&t);
    tell_octets(&t);
    tell_ended(&t);
    tell_blanks(&t);
    tell_lines(&t);
    tell_whole_lines(&t);
    tell_part(&t);
    return t.found;
}
