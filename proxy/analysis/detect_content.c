/*
 * detect_content - the figures of a message.
 *
 * SV-26 longer than declared, always by the same amount, SV-27 a signature that does not fit,
 * SV-28 headers of scanners, SV-29 line endings no program writes.
 */
#include "analysis/detect_private.h"

enum {
    SAME_MIN = 5,  /* mails with the same surplus */
    LINES_MIN = 5, /* for a share of line endings to mean anything */
};

/* ---- line endings ---- */

static void look_at_endings(const struct look *k)
{
    const struct data_stats *s = &k->e->data->stats;
    struct hint h = detect_hint(SV_29);

    if (s->lines < LINES_MIN || s->crcrlf * 10 <= s->lines * 9)
        return;
    h.side = BLAME_CLIENT;
    h.confidence = CONFIDENCE_HIGH;
    h.field = "endings";
    detect_tell(
        k, &h,
        "%llu of %llu lines of the mail end in CR CR LF: each line end was converted once "
        "more than it should be.",
        (unsigned long long)s->crcrlf, (unsigned long long)s->lines);
}

/* ---- SIZE ---- */

static void look_at_size(const struct look *k)
{
    const struct data_stats *s = &k->e->data->stats;
    struct known *c;
    struct hint h = detect_hint(SV_26);
    int64_t surplus;

    if (k->d->size_declared == 0 || !k->e->complete)
        return;
    surplus = (int64_t)(s->octets - (k->e->bdat ? 0 : s->leading_dots)) -
              (int64_t)k->d->size_declared;
    c = history_get(k->env->memory, k->d->client);
    if (c == NULL)
        return;
    if (surplus <= 0 || surplus != c->size_delta)
        c->size_same = 0;
    c->size_delta = surplus;
    c->size_same = (uint8_t)(c->size_same < SAME_MIN ? c->size_same + 1 : SAME_MIN);
    if (c->size_same < SAME_MIN)
        return;
    h.side = BLAME_CLIENT;
    h.field = "octets";
    detect_tell(
        k, &h,
        "The last %d mails of this client were each %lld octets longer than it declared: a "
        "header or footer of that length is added on the way.",
        SAME_MIN, (long long)surplus);
}

/* ---- signatures ---- */

static void tell_changed(const struct look *k, const struct dkim_signature *s, bool newest)
{
    struct hint h = detect_hint(SV_27);
    bool named = s->damage != NULL;

    h.side = BLAME_CLIENT;
    h.severity = newest ? SEVERITY_HIGH : SEVERITY_INFO;
    h.confidence = named                   ? CONFIDENCE_CERTAIN
                   : newest && !s->limited ? CONFIDENCE_HIGH
                                           : CONFIDENCE_LOW;
    h.field = "dkim";
    detect_tell(k, &h,
                "The body does not match its %s signature of %s (%s body, %s): it was changed "
                "behind the signer%s%s%s.",
                s->arc ? "ARC" : "DKIM", s->domain[0] != '\0' ? s->domain : "an unnamed domain",
                s->relaxed ? "relaxed" : "simple", s->sha1 ? "sha1" : "sha256",
                newest ? "" : ", but before a later one signed it", named ? "; " : "",
                named ? s->damage_text : "");
}

/*
 * Signers add in front: the first of a kind is the newest. When that one fits, a list on the
 * way may have broken the older ones, and whoever signed last has seen the mail like that.
 */
static void look_at_signatures(const struct look *k)
{
    const struct dkim_verdict *v = k->s->dkim;
    const struct dkim_signature *changed = NULL;
    bool fits = false;

    if (v == NULL)
        return;
    for (unsigned i = 0; i < v->count; i++) {
        const struct dkim_signature *s = &v->signatures[i];
        if (changed == NULL && s->result == DKIM_OK)
            fits = true;
        if (changed == NULL && s->result == DKIM_CHANGED)
            changed = s;
    }
    if (changed != NULL)
        tell_changed(k, changed, !fits);
}

/* ---- headers ---- */

static void look_at_headers(const struct look *k)
{
    struct span rest = k->s->headers;
    struct reply_line line;

    while (detect_next_line(&rest, &line)) {
        const struct catalogue_entry *e = detect_match(k, PLACE_HEADER, line.whole, SV_28);
        struct hint h = detect_hint(SV_28);
        if (e == NULL)
            continue;
        h.side = BLAME_CLIENT;
        h.confidence = e->confidence;
        h.place = PLACE_HEADER;
        h.line = line.whole;
        hint_show(&h, "headers", k->s->headers, line.whole);
        detect_tell(k, &h, "The mail passed a scanner: it holds a header of %s.", e->product);
        return;
    }
}

/* Did a read begin behind the first octet of CRLF . CRLF? The content ends with its LF. */
static bool is_tail_split(const struct event *e)
{
    uint64_t octets = e->data->stats.octets;

    if (e->content_read_at == NULL || e->bdat)
        return false;
    for (uint64_t i = 1; i < e->content_reads && i < DATA_READS_MAX; i++)
        if (e->content_read_at[i] + 1 >= octets)
            return true;
    return false;
}

void content_look(const struct look *k)
{
    struct detect *d = k->d;
    const struct data *data = k->e->data;

    d->in_content = false;
    d->content_cut = !k->e->complete;
    d->content_at = k->e->at;
    d->content_octets = data->stats.octets;
    d->content_us = k->e->t_us;
    d->tail_split = is_tail_split(k->e);
    look_at_endings(k);
    look_at_size(k);
    look_at_signatures(k);
    look_at_headers(k);
}
