/* detect_greeting - SV-01 a greeting of stars, SV-12 a greeting that names a product. */
#include "analysis/detect_private.h"

enum { STARS_MIN = 3, STARS_CERTAIN = 12 };

/* Stars in a greeting whose every line holds nothing but "20 *" and a tab; 0 otherwise. */
static unsigned count_stars(struct span reply)
{
    struct reply_line line;
    unsigned stars = 0;

    while (detect_next_line(&reply, &line))
        for (size_t i = 0; i < line.text.len; i++) {
            unsigned char c = line.text.ptr[i];
            if (c != '2' && c != '0' && c != ' ' && c != '\t' && c != '*')
                return 0;
            stars += c == '*';
        }
    return stars;
}

/* Few stars may be an operator's ornament: reported when it is known what else is masked. */
static void keep_mask(const struct detect_ctx *k, struct span text)
{
    struct detect *d = k->d;

    d->mask_n = k->s->n;
    d->mask_at = 4;
    d->mask_len = (uint8_t)(text.len < sizeof d->mask ? text.len : sizeof d->mask);
    memcpy(d->mask, text.ptr, d->mask_len);
}

static void report_mask(const struct detect_ctx *k, struct finding_draft *h)
{
    h->place = PLACE_BANNER;
    detect_report(
        k, h,
        "The greeting is masked: all of it became stars but for 2, 0 and blanks; a sender "
        "may fall back to HELO, without TLS.");
}

/* The few stars of a greeting: now it is known what else is masked. */
void banner_mask_settle(const struct detect_ctx *k)
{
    struct detect *d = k->d;
    bool masked_too = detect_is_reported(d, SV_02) || detect_is_reported(d, SV_04);
    struct finding_draft h = detect_draft(SV_01);

    if (d->mask_n == 0)
        return;
    h.record = d->mask_n;
    h.confidence = masked_too ? CONFIDENCE_CERTAIN : CONFIDENCE_MEDIUM;
    h.field = "reply";
    h.at = d->mask_at;
    h.bytes = h.line = span_of(d->mask, d->mask_len);
    report_mask(k, &h);
}

static bool is_masked(const struct detect_ctx *k)
{
    return k->code == 220 && count_stars(k->e->reply) >= STARS_MIN;
}

void banner_mask(const struct detect_ctx *k)
{
    struct span rest = k->e->reply;
    struct reply_line line;

    if (!is_masked(k) || !detect_next_line(&rest, &line))
        return;
    if (count_stars(k->e->reply) < STARS_CERTAIN) {
        keep_mask(k, line.text);
        return;
    }
    struct finding_draft h = draft_of_reply(k, SV_01, PLACE_BANNER, line.text, line.text);
    h.confidence = CONFIDENCE_CERTAIN;
    report_mask(k, &h);
}

void banner_product(const struct detect_ctx *k)
{
    struct span rest = k->e->reply;
    struct reply_line line;

    if (is_masked(k))
        return;
    for (unsigned lines = 0; lines < 4 && detect_next_line(&rest, &line); lines++) {
        const struct catalogue_entry *e = NULL;
        if (count_stars(line.whole) == 0) /* an ornament is no name */
            e = detect_match(k, PLACE_BANNER, line.text, SV_12);
        if (e == NULL)
            continue;
        struct finding_draft h = draft_of_reply(k, SV_12, PLACE_BANNER, line.text, line.text);
        h.confidence = e->confidence;
        k->d->is_product = e->severity == SEVERITY_INFO;
        detect_report(k, &h,
                      "The greeting \"%s\" is what %s says; that is no damage when it is the "
                      "mail server itself.",
                      detect_show(h.bytes).text, e->product);
        return;
    }
}
