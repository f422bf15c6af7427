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

/* Few stars may be an operator's ornament: told when it is known what else is masked. */
static void keep_mask(const struct look *k, struct span text)
{
    struct detect *d = k->d;

    d->mask_n = k->s->n;
    d->mask_at = 4;
    d->mask_len = (uint8_t)(text.len < sizeof d->mask ? text.len : sizeof d->mask);
    memcpy(d->mask, text.ptr, d->mask_len);
}

static void tell_mask(const struct look *k, struct hint *h)
{
    h->place = PLACE_BANNER;
    detect_tell(
        k, h,
        "The greeting is masked: all of it became stars but for 2, 0 and blanks; a sender "
        "may fall back to HELO, without TLS.");
}

void greeting_settle(const struct look *k)
{
    struct detect *d = k->d;
    bool masked_too = detect_is_told(d, SV_02) || detect_is_told(d, SV_04);
    struct hint h = detect_hint(SV_01);

    if (d->mask_n == 0)
        return;
    h.record = d->mask_n;
    h.confidence = masked_too ? CONFIDENCE_CERTAIN : CONFIDENCE_MEDIUM;
    h.field = "reply";
    h.at = d->mask_at;
    h.bytes = h.line = span_of(d->mask, d->mask_len);
    tell_mask(k, &h);
}

static bool look_for_mask(const struct look *k)
{
    struct span rest = k->e->reply;
    unsigned stars = count_stars(rest);
    struct reply_line line;

    if (detect_code(rest) != 220 || stars < STARS_MIN || !detect_next_line(&rest, &line))
        return false;
    if (stars < STARS_CERTAIN) {
        keep_mask(k, line.text);
        return true;
    }
    struct hint h = detect_hint(SV_01);
    h.confidence = CONFIDENCE_CERTAIN;
    hint_show(&h, "reply", k->e->reply, line.text);
    h.line = line.text;
    tell_mask(k, &h);
    return true;
}

static void look_for_product(const struct look *k)
{
    struct span rest = k->e->reply;
    struct reply_line line;

    for (unsigned lines = 0; lines < 4 && detect_next_line(&rest, &line); lines++) {
        const struct catalogue_entry *e = NULL;
        if (count_stars(line.whole) == 0) /* an ornament is no name */
            e = detect_match(k, PLACE_BANNER, line.text, SV_12);
        if (e == NULL)
            continue;
        struct hint h = detect_hint(SV_12);
        h.confidence = e->confidence;
        hint_show(&h, "reply", k->e->reply, line.text);
        h.place = PLACE_BANNER;
        h.line = line.text;
        k->d->is_product = e->severity == SEVERITY_INFO;
        detect_tell(k, &h,
                    "The greeting \"%s\" is what %s says; that is no damage when it is the "
                    "mail server itself.",
                    detect_show(h.bytes).text, e->product);
        return;
    }
}

void greeting_look(const struct look *k)
{
    struct span reply = k->e->reply;
    struct reply_line line;

    if (reply.len == 0)
        return;
    k->d->greeted = true;
    if (detect_code(reply) >= 400)
        k->d->turned_away = true;
    if (look_for_mask(k))
        return;
    look_for_product(k);
    if (detect_next_line(&reply, &line)) {
        struct span host = detect_first_word(line.text);
        k->d->banner_hash = (uint32_t)detect_hash(host.ptr, host.len);
    }
}
