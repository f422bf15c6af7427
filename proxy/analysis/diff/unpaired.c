/* unpaired - whole sessions that never arrived, or came from nowhere. */
#include "analysis/diff/diff_private.h"

#include <stdlib.h>

static bool list_missing(struct diff_state *d, enum diff_vantage v)
{
    const struct index *own = &d->index[v], *other = &d->index[v == NEAR ? FAR : NEAR];

    d->missing[v] = malloc((index_count(own) + 1u) * sizeof *d->missing[v]);
    if (d->missing[v] == NULL)
        return false;
    for (uint32_t i = 1; i <= index_count(own); i++) {
        bool apart;
        if (!pair_is_missing(own, other, &d->pairing, index_entry(own, i), &apart))
            continue;
        d->r.totals.apart[v] += apart;
        if (!apart)
            d->missing[v][d->missing_len[v]++] = i;
    }
    d->r.totals.unpaired[v] = d->missing_len[v];
    return true;
}

/* What is said of a session that NEAR only has. */
static void word_near(struct diff_finding *f, const struct entry *e)
{
    if ((e->flags & ENTRY_SPOKE) != 0) {
        f->sub = "answered";
        f->f.confidence = CONFIDENCE_MEDIUM;
        compare_say(f,
                    "the session left NEAR and never reached FAR: somebody else answered it");
    } else if ((e->flags & ENTRY_CONNECTED) != 0) {
        f->sub = "silent";
        f->f.confidence = CONFIDENCE_MEDIUM;
        compare_say(f, "the connection was taken, and never reached FAR; nothing was said");
    } else {
        f->sub = "not-connected";
        f->f.confidence = CONFIDENCE_HIGH;
        compare_say(f, "NEAR could not connect, and FAR saw no connection: it is blocked");
    }
}

static bool tell_one(struct diff_state *d, enum diff_vantage v, uint32_t number,
                     uint64_t serial)
{
    const struct entry *e = index_entry(&d->index[v], number);
    struct compare *c = &d->compare;
    struct diff_pair pair = { .how = "" };
    struct diff_session *s = v == NEAR ? &pair.near : &pair.far;

    c->len = 0;
    struct diff_finding *f = compare_found(c, CLASS_LOST_SESSION, "", SPAN_LIT("session"));
    f->way = WAY_SESSION;
    if (v == NEAR) {
        f->sent.record = f->f.record = 1;
        word_near(f, e);
    } else {
        f->received.record = f->f.record = 1;
        f->sub = "unexpected";
        f->f.severity = SEVERITY_LOW;
        f->f.confidence = CONFIDENCE_LOW;
        compare_say(f, "the session reached FAR and never left NEAR");
    }
    diff_session_fill(s, e);
    return diff_take(d, &pair, serial, c->list, c->len);
}

bool unpaired_all(struct diff_state *d)
{
    uint64_t serial = d->pairing.len;

    for (enum diff_vantage v = NEAR; v <= FAR; v++) {
        if (!list_missing(d, v))
            return false;
        for (size_t i = 0; d->o->session == NULL && i < d->missing_len[v]; i++)
            /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): missing_len counts what is set */
            if (!tell_one(d, v, d->missing[v][i], serial++))
                return false;
    }
    return true;
}
