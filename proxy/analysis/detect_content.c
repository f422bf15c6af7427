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

void odd_endings(const struct detect_ctx *k)
{
    const struct data_stats *s = &k->e->data->stats;
    struct finding_draft h = detect_draft(SV_29);

    if (s->lines < LINES_MIN || s->crcrlf * 10 <= s->lines * 9)
        return;
    h.side = BLAME_CLIENT;
    h.confidence = CONFIDENCE_HIGH;
    h.field = "endings";
    detect_report(
        k, &h,
        "%llu of %llu lines of the mail end in CR CR LF: each line end was converted once "
        "more than it should be.",
        (unsigned long long)s->crcrlf, (unsigned long long)s->lines);
}

/* ---- SIZE ---- */

void size_mismatch(const struct detect_ctx *k)
{
    const struct data_stats *s = &k->e->data->stats;
    struct peer_history *c;
    struct finding_draft h = detect_draft(SV_26);
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
    if (c->size_same < SAME_MIN || detect_is_reported(k->d, SV_26))
        return;
    h.side = BLAME_CLIENT;
    h.field = "octets";
    detect_report(
        k, &h,
        "The last %d mails of this client were each %lld bytes longer than it declared: a "
        "header or footer of that length is added on the way.",
        SAME_MIN, (long long)surplus);
}

/* ---- signatures ---- */

static void report_changed(const struct detect_ctx *k, const struct dkim_signature *s,
                           bool newest)
{
    struct finding_draft h = detect_draft(SV_27);
    bool named = s->damage != NULL;

    h.side = BLAME_CLIENT;
    h.severity = newest ? SEVERITY_HIGH : SEVERITY_INFO;
    h.confidence = named                   ? CONFIDENCE_CERTAIN
                   : newest && !s->limited ? CONFIDENCE_HIGH
                                           : CONFIDENCE_LOW;
    h.field = "dkim";
    detect_report(
        k, &h,
        "The body does not match its %s signature of %s (%s body, %s): it was changed "
        "after the signer%s%s%s.",
        s->arc ? "ARC" : "DKIM", s->domain[0] != '\0' ? s->domain : "an unnamed domain",
        s->relaxed ? "relaxed" : "simple", s->sha1 ? "sha1" : "sha256",
        newest ? "" : ", but before a later one signed it", named ? "; " : "",
        named ? s->damage_text : "");
}

/*
 * Signers add in front: the first of a kind is the newest. When that one fits, a list on the
 * way may have broken the older ones, and whoever signed last has seen the mail like that.
 */
void broken_signature(const struct detect_ctx *k)
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
        report_changed(k, changed, !fits);
}

/* ---- headers ---- */

void scanner_header(const struct detect_ctx *k)
{
    struct span rest = k->s->headers;
    struct reply_line line;

    while (detect_next_line(&rest, &line)) {
        const struct catalogue_entry *e = detect_match(k, PLACE_HEADER, line.whole, SV_28);
        struct finding_draft h = detect_draft(SV_28);
        if (e == NULL)
            continue;
        h.side = BLAME_CLIENT;
        h.confidence = e->confidence;
        h.place = PLACE_HEADER;
        h.line = line.whole;
        draft_show(&h, "headers", k->s->headers, line.whole);
        detect_report(k, &h, "The mail passed a scanner: it holds a header of %s.", e->product);
        return;
    }
}
