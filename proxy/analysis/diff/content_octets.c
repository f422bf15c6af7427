/*
 * content_octets - contents that were kept, compared octet by octet.
 *
 * Both whole: every change has its offset. Only the headers of both: what was changed in them;
 * the figures and blocks say whether that is all.
 */
#include "analysis/diff/content_tell.h"
#include "analysis/diff/kept.h"

struct kept {
    struct compare *c;
    const struct unit *near, *far;
    struct span sent, received;
    struct change change;
    size_t found;
};

static bool is_stopped(const struct kept *k)
{
    return !k->far->content->complete && k->received.len < k->sent.len &&
           span_starts_with(k->sent, k->received);
}

static void tell_change(struct kept *k)
{
    change_find(&k->change, k->sent, k->received);
    k->c->mta_hop = k->c->mta_hop || k->change.new_received;
    k->found = content_tell_change(k->c, k->near, k->far, k->sent, k->received, &k->change);
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
        if (is_stopped(k)) {
            compare_content_stopped(c, near, far);
            k->found = 1;
        } else {
            tell_change(k);
        }
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
