/* detect_promises - SV-20: what EHLO offers and then does not work. */
#include "analysis/detect_private.h"

static void tell(const struct look *k, enum confidence confidence, const char *what)
{
    struct hint h = detect_hint(SV_20);

    h.confidence = confidence;
    h.place = PLACE_REPLY;
    h.line = span_first(k->e->reply, span_find(k->e->reply, '\r'));
    hint_show(&h, "reply", k->e->reply, h.line);
    detect_tell(k, &h, "%s, and the answer is %u.", what, detect_code(k->e->reply));
}

/* Of a message that is too big, not of a mailbox that is full (RFC 3463 3.3, 3.4). */
static bool blames_size(const struct event *e)
{
    struct span enhanced = e->enhanced;

    if (enhanced.len > 0)
        return span_equal(enhanced, SPAN_LIT("5.3.4"));
    return detect_has_word(e->reply, "size") || detect_has_word(e->reply, "too large") ||
           detect_has_word(e->reply, "too big");
}

static bool is_below_size(const struct look *k)
{
    const struct detect *d = k->d;
    uint64_t size = k->e->verb == VERB_MAIL ? d->size_declared : d->content_octets;

    return size > 0 && d->size_offered > size;
}

static bool blames_body(const struct event *e)
{
    return (span_equal(e->enhanced, SPAN_LIT("5.6.1")) ||
            span_equal(e->enhanced, SPAN_LIT("5.6.3"))) &&
           (detect_has_word(e->reply, "body type") || detect_has_word(e->reply, "8bit"));
}

static bool is_batched(const struct event *e)
{
    return e->received.len > 0 && (e->reads_len == 0 || e->reads[0] != 0);
}

void promise_look(const struct look *k)
{
    const struct event *e = k->e;
    unsigned code = detect_code(e->reply);
    uint64_t offered = k->d->offered;

    if (code < 500 || offered == 0)
        return;
    if (e->verb == VERB_BDAT && (code == 500 || code == 502) &&
        ehlo_offers(offered, EHLO_CHUNKING))
        tell(k, CONFIDENCE_HIGH, "CHUNKING is offered, BDAT was sent");
    else if (code == 554 && ehlo_offers(offered, EHLO_8BITMIME) && blames_body(e))
        tell(k, CONFIDENCE_HIGH, "8BITMIME is offered, a body of that type was sent");
    else if (code == 552 && is_below_size(k) && blames_size(e))
        tell(k, CONFIDENCE_MEDIUM, "The mail is smaller than the SIZE that is offered");
    else if (ehlo_offers(offered, EHLO_PIPELINING) && is_batched(e) &&
             detect_has_word(e->reply, "pipelin"))
        tell(k, CONFIDENCE_HIGH, "PIPELINING is offered, commands were sent together");
}
