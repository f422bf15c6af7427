#include "smtp/header_watch.h"

#include "base/attributes.h"

enum watch_state {
    WATCH_LINE, /* nothing of the line yet */
    WATCH_CR,   /* nothing but CRs */
    WATCH_NAME,
    WATCH_COLON, /* the name is complete; blanks may stand before the colon */
    WATCH_VALUE, /* blanks before the value */
    WATCH_FOLD,  /* as before, at the start of the next line */
    WATCH_TYPE,
    WATCH_SKIP, /* the rest of the line */
};

enum { FIELD_CONTENT_TYPE };

static const char *const fields[] = {
    [FIELD_CONTENT_TYPE] = "content-type",
    "dkim-signature",
    "arc-seal",
};

static const char signed_type[] = "multipart/signed";

static char lower(unsigned char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static void step_line(struct header_watch *h, unsigned char c)
{
    if (c == '\n') {
        h->ended = true;
        return;
    }
    h->state = c == '\r' ? WATCH_CR : WATCH_SKIP;
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
        if (lower(c) == fields[i][0]) {
            h->state = WATCH_NAME;
            h->field = (uint8_t)i;
            h->matched = 1;
        }
    }
}

static void step_name(struct header_watch *h, unsigned char c)
{
    if (lower(c) != fields[h->field][h->matched])
        h->state = WATCH_SKIP;
    else if (fields[h->field][++h->matched] == '\0')
        h->state = WATCH_COLON;
}

static void step_colon(struct header_watch *h, unsigned char c)
{
    if (c != ':') {
        h->state = span_is_blank_char(c) ? WATCH_COLON : WATCH_SKIP;
        return;
    }
    h->matched = 0;
    h->state = h->field == FIELD_CONTENT_TYPE ? WATCH_VALUE : WATCH_SKIP;
    h->is_signed |= h->field != FIELD_CONTENT_TYPE;
}

static void step_type(struct header_watch *h, unsigned char c)
{
    h->state = WATCH_SKIP;
    if (lower(c) != signed_type[h->matched])
        return;
    if (signed_type[++h->matched] != '\0')
        h->state = WATCH_TYPE;
    else
        h->is_signed = true;
}

static void step(struct header_watch *h, unsigned char c)
{
    switch ((enum watch_state)h->state) {
    case WATCH_LINE:
        step_line(h, c);
        break;
    case WATCH_CR:
        h->ended = c == '\n';
        h->state = c == '\r' ? WATCH_CR : WATCH_SKIP;
        break;
    case WATCH_NAME:
        step_name(h, c);
        break;
    case WATCH_COLON:
        step_colon(h, c);
        break;
    case WATCH_FOLD:
        if (span_is_blank_char(c))
            h->state = WATCH_VALUE;
        else
            step_line(h, c);
        break;
    case WATCH_VALUE:
        if (c == '\n')
            h->state = WATCH_FOLD;
        else if (!span_is_blank_char(c) && c != '\r')
            step_type(h, c);
        break;
    case WATCH_TYPE:
        step_type(h, c);
        break;
    case WATCH_SKIP:
        break;
    }
}

size_t header_watch(struct header_watch *h, struct span octets)
{
    size_t pos = 0;

    while (pos < octets.len && !h->ended) {
        if (h->state == WATCH_SKIP)
            pos += span_find(span_drop(octets, pos), '\n');
        if (pos == octets.len)
            break;
        unsigned char c = octets.ptr[pos++];
        step(h, c);
        if (c == '\n' && h->state != WATCH_FOLD)
            h->state = WATCH_LINE;
    }
    return pos;
}
