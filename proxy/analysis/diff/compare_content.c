/*
 * compare_content - one message's content that arrived otherwise than it was sent.
 *
 * The figures tell the kind of damage, the blocks its place; where the content was kept the
 * octets tell both (content_octets.c).
 */
#include "analysis/diff/compare.h"

#include "analysis/diff/blocks.h"

struct figures {
    struct compare *c;
    const struct unit *near, *far;
    const struct content_facts *a, *b; /* sent, received */
    struct block_range range;
    bool told;
};

static struct diff_finding *content_found(struct figures *g, enum diff_class id,
                                          const char *sub)
{
    struct diff_finding *f = compare_found(g->c, id, sub, SPAN_LIT("content"));
    const struct block_range *r = &g->range;

    f->way = WAY_CONTENT;
    f->block = r->known;
    f->sent = (struct diff_excerpt){ .record = g->near->n,
                                     .at = r->known ? r->at : 0,
                                     .len = r->known ? r->sent : g->a->octets,
                                     .stream = g->near->stream };
    f->received = (struct diff_excerpt){ .record = g->far->n,
                                         .at = f->sent.at,
                                         .len = r->known ? r->received : g->b->octets,
                                         .stream = g->far->stream };
    /* Figures suggest; only octets prove. */
    f->f.confidence = CONFIDENCE_HIGH;
    g->told = true;
    return f;
}

static uint64_t less(uint64_t from, uint64_t what)
{
    return from > what ? from - what : 0;
}

/* ---- the kinds, by figures alone ---- */

/* Of endings of one kind as many are gone as another kind has more. */
static void judge_endings(struct figures *g)
{
    const struct content_facts *a = g->a, *b = g->b;
    const struct {
        const char *sub;
        uint64_t gone, of, come;
    } kinds[] = {
        { "lf-to-crlf", less(a->bare_lf, b->bare_lf), a->bare_lf, less(b->crlf, a->crlf) },
        { "crlf-to-lf", less(a->crlf, b->crlf), a->crlf, less(b->bare_lf, a->bare_lf) },
        { "cr-removed", less(a->bare_cr, b->bare_cr), a->bare_cr,
          less(a->bare_cr, b->bare_cr) },
        { "crlf-to-crcrlf", less(a->crlf, b->crlf), a->crlf, less(b->crcrlf, a->crcrlf) },
        { "crcrlf-to-crlf", less(a->crcrlf, b->crcrlf), a->crcrlf, less(b->crlf, a->crlf) },
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds) && !g->told; i++) {
        if (kinds[i].gone == 0 || kinds[i].come < kinds[i].gone)
            continue;
        if (kinds[i].gone * 2 < kinds[i].of)
            continue; /* a few of many: damage, not a rule */
        struct diff_finding *f = content_found(g, CLASS_ENDINGS, kinds[i].sub);
        compare_say(f, "line endings were rewritten (%s): %llu of %llu", kinds[i].sub,
                    (unsigned long long)kinds[i].gone, (unsigned long long)kinds[i].of);
    }
}

static void judge_octets(struct figures *g)
{
    const struct content_facts *a = g->a, *b = g->b;
    const char *sub = NULL;
    uint64_t gone = 0;

    if (a->nul > 0 && b->nul == 0) {
        sub = b->octets + a->nul == a->octets ? "nul-deleted" : "nul-replaced";
        gone = a->nul;
    } else if (a->eight_bit > 0 && b->eight_bit == 0 && (a->eight_bit > 1 || !g->range.known)) {
        sub = a->octets == b->octets ? "eighth-bit-lost" : "eight-bit-deleted";
        gone = a->eight_bit;
    } else if (b->eight_bit > a->eight_bit + 1 && a->eight_bit > 0 &&
               b->octets - a->octets == b->eight_bit - a->eight_bit) {
        sub = "latin1-to-utf8";
        gone = a->eight_bit;
    }
    if (sub == NULL)
        return;
    struct diff_finding *f = content_found(g, CLASS_OCTETS, sub);
    compare_say(f, "bytes of the content were changed (%s): %llu", sub,
                (unsigned long long)gone);
}

static void judge_dots(struct figures *g)
{
    const struct content_facts *a = g->a, *b = g->b;
    uint64_t change = a->leading_dots > b->leading_dots ? a->leading_dots - b->leading_dots
                                                        : b->leading_dots - a->leading_dots;

    /* Unstuffed once more: as many octets are gone as lines begin with a dot, or some of them
     * now begin with none. */
    bool lost = a->leading_dots > 1 && a->octets > b->octets && a->lines == b->lines &&
                a->octets - b->octets == a->leading_dots;
    bool doubled = a->leading_dots > 1 && b->octets > a->octets && a->lines == b->lines &&
                   b->octets - a->octets == a->leading_dots;
    if (!lost && !doubled && (change < 2 || a->octets == b->octets))
        return;
    const char *sub = doubled || b->octets > a->octets ? "stuffed-twice" : "unstuffed-twice";
    struct diff_finding *f = content_found(g, CLASS_DOTS, sub);
    compare_say(f,
                "dots at the beginning of lines were changed (%s): %llu lines began with one, "
                "%llu do now",
                sub, (unsigned long long)a->leading_dots, (unsigned long long)b->leading_dots);
}

static void judge_lines(struct figures *g)
{
    const struct content_facts *a = g->a, *b = g->b;

    if (a->longest_line <= b->longest_line || a->longest_line - b->longest_line < 2)
        return;
    if (b->lines > a->lines && b->octets > a->octets) {
        struct diff_finding *f = content_found(g, CLASS_FOLDED, "folded");
        f->rule = b->longest_line;
        compare_say(f,
                    "long lines were folded: the longest had %llu bytes, now %llu; "
                    "%llu lines became %llu",
                    (unsigned long long)a->longest_line, (unsigned long long)b->longest_line,
                    (unsigned long long)a->lines, (unsigned long long)b->lines);
    } else if (b->lines == a->lines && b->octets < a->octets &&
               a->octets - b->octets >= a->longest_line - b->longest_line) {
        struct diff_finding *f = content_found(g, CLASS_CUT, "cut");
        f->rule = b->longest_line;
        compare_say(f, "long lines were cut: the longest had %llu bytes, now %llu",
                    (unsigned long long)a->longest_line, (unsigned long long)b->longest_line);
    }
}

static void judge_insertion(struct figures *g)
{
    const struct content_facts *a = g->a, *b = g->b;
    const struct block_range *r = &g->range;
    uint64_t more = less(b->octets, a->octets);
    const char *sub = NULL;

    if (b->lines <= a->lines || more < 3)
        return;
    if (less(b->header_octets, a->header_octets) == more && a->header_octets > 0)
        sub = "header";
    else if (r->known && r->first + 1 >= r->of && a->header_octets == b->header_octets)
        sub = "end";
    if (sub == NULL)
        return;
    struct diff_finding *f = content_found(g, CLASS_INSERTED, sub);
    f->f.confidence = CONFIDENCE_MEDIUM;
    compare_say(f, "%llu bytes in %llu lines were inserted %s", (unsigned long long)more,
                (unsigned long long)(b->lines - a->lines),
                strcmp(sub, "header") == 0 ? "into the header" : "near the end of the content");
}

static void say_altered(struct figures *g)
{
    const struct block_range *r = &g->range;
    const char *sub = g->b->octets == g->a->octets  ? "replaced"
                      : g->b->octets > g->a->octets ? "inserted"
                                                    : "deleted";
    struct diff_finding *f = content_found(g, CLASS_ALTERED, sub);

    f->f.severity = SEVERITY_HIGH;
    f->f.confidence = CONFIDENCE_CERTAIN;
    if (r->known)
        compare_say(f,
                    "the content was altered on the way: bytes %llu to %llu, in %u of %u "
                    "blocks from block %u on; %llu bytes were sent, %llu arrived",
                    (unsigned long long)r->at, (unsigned long long)(r->at + r->sent), r->blocks,
                    r->of, r->first, (unsigned long long)g->a->octets,
                    (unsigned long long)g->b->octets);
    else
        compare_say(f, "the content was altered on the way: %llu bytes were sent, %llu arrived",
                    (unsigned long long)g->a->octets, (unsigned long long)g->b->octets);
}

/* ---- the message as a whole ---- */

static bool same_figures(const struct content_facts *a, const struct content_facts *b)
{
    return a->octets == b->octets && a->lines == b->lines && a->nul == b->nul &&
           a->eight_bit == b->eight_bit && a->crlf == b->crlf && a->bare_lf == b->bare_lf &&
           a->bare_cr == b->bare_cr && a->leading_dots == b->leading_dots;
}

static bool same_content(const struct content_facts *a, const struct content_facts *b)
{
    if (a->digest && b->digest)
        return memcmp(a->hash, b->hash, sizeof a->hash) == 0;
    return a->altered ? a->octets == b->octets : same_figures(a, b);
}

/* ---- content that has no end ---- */

/*
 * Where it was not kept: all that arrived is in blocks that were sent, but for the one in which
 * it stopped.
 */
static bool is_stopped(const struct figures *g)
{
    const struct content_facts *a = g->a, *b = g->b;

    if (b->complete || a->altered || b->octets >= a->octets)
        return false;
    return b->octets == 0 || (g->range.known && g->range.arrived <= 1);
}

void compare_content_stopped(struct compare *c, const struct unit *near, const struct unit *far)
{
    const struct content_facts *a = near->content, *b = far->content;
    struct diff_finding *f = compare_found(c, CLASS_CLOSED, "in-content", SPAN_LIT("content"));

    f->way = WAY_CONTENT;
    f->sent = (struct diff_excerpt){
        .record = near->n, .at = b->octets, .len = a->octets - b->octets, .stream = near->stream
    };
    f->received =
        (struct diff_excerpt){ .record = far->n, .at = b->octets, .stream = far->stream };
    f->f.confidence = CONFIDENCE_HIGH;
    compare_say(f, "the mail data stopped on the way: %llu of %llu bytes arrived, and no end",
                (unsigned long long)b->octets, (unsigned long long)a->octets);
    if (!a->complete) { /* what was under way when all ended */
        f->f.severity = SEVERITY_INFO;
        f->f.confidence = CONFIDENCE_LOW;
    }
}

/* A gateway's chunk that was shortened or has no end. */
static void say_chunk(struct figures *g)
{
    struct diff_finding *f = content_found(g, CLASS_CHUNK, "octets");

    f->f.confidence = CONFIDENCE_CERTAIN;
    compare_say(f, "of %llu bytes sent by BDAT %llu arrived%s",
                (unsigned long long)g->a->octets, (unsigned long long)g->b->octets,
                g->b->complete ? "" : "; the last chunk never came to its end");
}

static void lower_behind_mta(struct compare *c, size_t from)
{
    for (size_t i = from; i < c->len; i++)
        if (c->list[i].way == WAY_CONTENT && c->list[i].f.severity > SEVERITY_LOW)
            c->list[i].f.severity = SEVERITY_LOW;
}

void compare_contents(struct compare *c, const struct unit *near, const struct unit *far)
{
    struct figures g = {
        .c = c, .near = near, .far = far, .a = near->content, .b = far->content
    };
    size_t before = c->len;

    if (same_content(g.a, g.b) || g.a->refused)
        return;
    if (!blocks_compare(&g.range, c->mem, g.a, g.b))
        g.range.known = false;
    g.told = compare_content_octets(c, near, far);
    if (!g.told && is_stopped(&g)) {
        compare_content_stopped(c, near, far);
        g.told = true;
    }
    if (g.a->via_bdat && g.a->octets != g.b->octets) {
        say_chunk(&g);
    } else if (!g.told && !g.a->altered) {
        void (*const judges[])(struct figures *) = { judge_endings, judge_octets, judge_dots,
                                                     judge_lines, judge_insertion };
        for (size_t i = 0; i < ARRAY_LEN(judges) && !g.told; i++)
            judges[i](&g);
    }
    if (!g.told)
        say_altered(&g);
    if (c->mta_hop)
        lower_behind_mta(c, before);
}
