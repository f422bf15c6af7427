/*
 * content_octets - contents that were kept, compared octet by octet.
 *
 * Both whole: every change has its offset. Only the headers of both: what was changed in them;
 * the figures and blocks say whether that is all.
 */
#include "analysis/diff/compare.h"

#include "analysis/diff/blocks.h"
#include "analysis/diff/change.h"
#include "analysis/diff/kept.h"
#include "base/escape.h"

#include <stdio.h>

enum { NAMED_OCTETS = 6 };

struct kept {
    struct compare *c;
    const struct unit *near, *far;
    struct span sent, received;
    struct change change;
    size_t found;
};

static struct diff_finding *kept_found(struct kept *k, enum diff_class id, const char *sub,
                                       const struct spot *s)
{
    struct diff_finding *f = compare_found(k->c, id, sub, SPAN_LIT("content"));
    struct text a = { .s = k->sent }, b = { .s = k->received };

    f->way = WAY_CONTENT;
    compare_show(&f->sent, k->near, "content", a, s->sent_at, s->sent_len);
    compare_show(&f->received, k->far, "content", b, s->received_at, s->received_len);
    f->f.bytes =
        span_first(span_drop(k->received, (size_t)s->received_at), (size_t)s->received_len);
    f->f.bytes = span_first(f->f.bytes, FINDING_BYTES_MAX);
    k->found++;
    return f;
}

static unsigned long long number(uint64_t n)
{
    return n;
}

/* ---- TV-13
 * ------------------------------------------------------------------------------------- */

static void tell_ends(struct kept *k)
{
    static const char *const subs[LINE_END_COUNT][LINE_END_COUNT] = {
        [LINE_END_LF] = { [LINE_END_CRLF] = "lf-to-crlf" },
        [LINE_END_CRLF] = { [LINE_END_LF] = "crlf-to-lf",
                            [LINE_END_CRCRLF] = "crlf-to-crcrlf" },
        [LINE_END_CRCRLF] = { [LINE_END_CRLF] = "crcrlf-to-crlf" },
    };

    for (unsigned from = 0; from < LINE_END_COUNT; from++)
        for (unsigned to = 0; to < LINE_END_COUNT; to++) {
            const struct spot *s = &k->change.ends[from][to];
            uint64_t all = k->change.ends_sent[from];
            const char *sub = subs[from][to] != NULL ? subs[from][to] : "ending";
            if (s->count == 0)
                continue;
            struct diff_finding *f = kept_found(k, CLASS_ENDINGS, sub, s);
            f->rule = from * LINE_END_COUNT + to;
            compare_say(f, "line endings were rewritten: %s became %s, %llu of %llu%s",
                        line_end_name((enum line_end)from), line_end_name((enum line_end)to),
                        number(s->count), number(all), s->count == all ? ": a rule" : "");
        }
}

/* ---- TV-14
 * --------------------------------------------------------------------------------------- */

static void tell_dots(struct kept *k)
{
    for (unsigned from = 0; from < DOTS_MAX; from++)
        for (unsigned to = 0; to < DOTS_MAX; to++) {
            const struct spot *s = &k->change.dots[from][to];
            if (s->count == 0)
                continue;
            struct diff_finding *f =
                kept_found(k, CLASS_DOTS, to < from ? "unstuffed-twice" : "stuffed-twice", s);
            f->rule = from * DOTS_MAX + to;
            compare_say(f, "%llu lines that began with %u dots arrived with %u",
                        number(s->count), from, to);
        }
}

/* ---- TV-12
 * ---------------------------------------------------------------------------------------- */

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

static void tell_sum(struct kept *k, const struct octet_sum *sum, const char *sub)
{
    if (sum->first.count == 0)
        return;
    bool damage = is_damage(sum);
    struct diff_finding *f =
        kept_found(k, damage ? CLASS_ALTERED : CLASS_OCTETS, sub, &sum->first);
    f->f.severity = SEVERITY_HIGH;
    if (!damage)
        f->rule = compare_hash(0, span_str(sum->names));
    compare_say(f, "octets of the content were %s:%s%s, %llu of %llu, the first at octet %llu",
                sub, sum->names, sum->values > NAMED_OCTETS ? " ..." : "",
                number(sum->first.count), number(sum->sent), number(sum->first.sent_at));
}

static void tell_octets(struct kept *k)
{
    struct octet_sum deleted = { .values = 0 }, replaced = { .values = 0 },
                     expanded = { .values = 0 };

    for (unsigned v = 0; v < 256; v++) {
        const struct octet_change *o = &k->change.octets[v];
        uint64_t sent = k->change.octets_sent[v];
        sum_add(&deleted, &o->deleted, v, -1, sent);
        sum_add(&replaced, &o->replaced, v, o->by, sent);
        sum_add(&expanded, &o->expanded, v, -1, sent);
    }
    tell_sum(k, &deleted, "deleted");
    tell_sum(k, &replaced, "replaced");
    tell_sum(k, &expanded, "expanded");
}

/* ---- TV-15, TV-16 and what has no class
 * -------------------------------------------------------------- */

static void tell_lines(struct kept *k)
{
    const struct change *c = &k->change;
    struct diff_finding *f;

    if (c->folded.count > 0) {
        f = kept_found(k, CLASS_FOLDED, "folded", &c->folded);
        f->rule = c->fold_varies ? 0 : c->fold_column;
        compare_say(f, "%llu lines were folded, the first behind octet %llu%s",
                    number(c->folded.count), number(c->fold_column),
                    c->fold_varies ? "" : "; all at the same column");
    }
    if (c->cut.count > 0) {
        f = kept_found(k, CLASS_CUT, "cut", &c->cut);
        f->rule = c->cut_varies ? 0 : c->cut_column;
        compare_say(f, "%llu lines were cut, the first behind octet %llu%s",
                    number(c->cut.count), number(c->cut_column),
                    c->cut_varies ? "" : "; all at the same column");
    }
    if (c->trimmed.count > 0) {
        f = kept_found(k, CLASS_OCTETS, "trailing-blanks", &c->trimmed);
        f->f.severity = SEVERITY_LOW;
        compare_say(f, "blanks at the end of %llu lines were removed",
                    number(c->trimmed.count));
    }
    if (c->altered.count > 0) {
        f = kept_found(k, CLASS_ALTERED, "content", &c->altered);
        f->f.severity = SEVERITY_HIGH;
        f->rule = compare_hash(0, f->f.bytes);
        compare_say(f,
                    "%llu lines of the content were altered, the first at octet %llu: %llu "
                    "octets became %llu",
                    number(c->altered.count), number(c->altered.sent_at),
                    number(c->altered.sent_len), number(c->altered.received_len));
    }
}

/* ---- TV-17
 * ---------------------------------------------------------------------------------------------
 */

static void tell_spot(struct kept *k, const struct spot *s, const char *sub, const char *what,
                      enum severity severity)
{
    char name[64] = "";
    struct diff_finding *f;

    if (s->count == 0)
        return;
    f = kept_found(k, CLASS_INSERTED, sub, s);
    f->f.severity = severity;
    bool header = strncmp(sub, "header", 6) == 0;
    if (header && k->change.new_name.len > 0) {
        escape(f->subject, sizeof f->subject, k->change.new_name);
        snprintf(name, sizeof name, ", the first is %s", f->subject);
    } else if (!header) {
        f->rule = compare_hash(0, f->f.bytes);
    }
    compare_say(f, "%llu lines %s%s", number(s->count), what, name);
}

static void tell_whole_lines(struct kept *k)
{
    const struct change *c = &k->change;
    enum severity header = c->new_received ? SEVERITY_INFO : SEVERITY_MEDIUM;

    tell_spot(k, &c->new_header, c->new_received ? "header-mta-hop" : "header-inserted",
              c->new_received ? "were inserted into the header: a mail server (MTA hop) stands "
                                "between the two, which may change more"
                              : "were inserted into the header",
              header);
    tell_spot(k, &c->new_end, "end-inserted", "were added at the end of the content",
              SEVERITY_MEDIUM);
    tell_spot(k, &c->new_middle, "body-inserted", "were inserted into the content",
              SEVERITY_MEDIUM);
    tell_spot(k, &c->gone_header, "header-deleted", "were deleted from the header",
              SEVERITY_MEDIUM);
    tell_spot(k, &c->gone_end, "end-deleted", "are missing at the end of the content",
              SEVERITY_HIGH);
    tell_spot(k, &c->gone_middle, "body-deleted", "were deleted from the content",
              SEVERITY_HIGH);
}

/* ---- both contents
 * ----------------------------------------------------------------------------------------- */

static void tell_change(struct kept *k)
{
    change_find(&k->change, k->sent, k->received);
    k->c->mta_hop = k->c->mta_hop || k->change.new_received;
    tell_ends(k);
    tell_dots(k);
    tell_octets(k);
    tell_lines(k);
    tell_whole_lines(k);
}

/* What was written down of both headers differs, and the difference is as long as that of the
 * contents: the bodies are the same. */
static bool header_says_all(const struct kept *k, const struct content_facts *a,
                            const struct content_facts *b)
{
    return k->found > 0 && a->octets - k->sent.len == b->octets - k->received.len &&
           a->octets > k->sent.len &&
           a->lines - b->lines == k->change.gone_header.count - k->change.new_header.count &&
           a->eight_bit == b->eight_bit && a->nul == b->nul &&
           a->leading_dots == b->leading_dots;
}

static bool only_headers(struct kept *k)
{
    const struct content_facts *a = k->near->content, *b = k->far->content;

    k->sent = a->headers.s;
    k->received = b->headers.s;
    if (a->altered || k->sent.len == 0 || k->received.len == 0 ||
        span_equal(k->sent, k->received))
        return false;
    tell_change(k);
    return header_says_all(k, a, b);
}

bool compare_content_octets(struct compare *c, const struct unit *near, const struct unit *far)
{
    struct kept *k = scratch_take(c->mem, sizeof *k);
    const struct content_facts *a = near->content, *b = far->content;

    if (k == NULL)
        return false;
    k->c = c;
    k->near = near;
    k->far = far;
    bool sent = !a->altered && kept_map(&k->sent, c->spool[NEAR], a->spool);
    bool received = kept_map(&k->received, c->spool[FAR], b->spool);
    if (sent && received && k->sent.len == a->octets && k->received.len == b->octets) {
        tell_change(k);
        /* Findings show octets of the files: they are copied before these go. */
        for (size_t i = c->len - (k->found < c->len ? k->found : c->len); i < c->len; i++)
            compare_keep(c, &c->list[i]);
    } else {
        kept_unmap(&k->sent);
        kept_unmap(&k->received);
        return only_headers(k);
    }
    kept_unmap(&k->sent);
    kept_unmap(&k->received);
    return k->found > 0;
}
