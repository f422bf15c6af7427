#include "dkim/private.h"
#include "dkim/tags.h"

#include <stdlib.h>

static const char *const field_names[] = { "dkim-signature", "arc-message-signature" };

static bool oath_begin(struct dkim *d)
{
    if (d->oath != NULL)
        return true;
    d->oath = calloc(1, sizeof *d->oath);
    if (d->oath == NULL)
        return false;
    dkim_body_init(&d->oath->simple, false);
    dkim_body_init(&d->oath->relaxed, true);
    buf_init(&d->oath->value, DKIM_HEADER_MAX);
    buf_init(&d->oath->kept, DKIM_BODY_MAX);
    return true;
}

/* The header line that was open is not continued. */
static void close_value(struct dkim *d)
{
    struct oath *o = d->oath;

    if (!d->open)
        return;
    d->open = false;
    if (o->verdict.count == DKIM_SIGNATURES_MAX || d->too_long) {
        o->verdict.more = true;
    } else {
        struct dkim_signature *s = &o->verdict.signatures[o->verdict.count++];
        dkim_tags_read(buf_span(&o->value), d->field == 1, s);
    }
    d->too_long = false;
    o->value.len = 0;
}

static void begin_hashes(struct oath *o)
{
    for (unsigned i = 0; i < o->verdict.count; i++) {
        struct dkim_signature *s = &o->verdict.signatures[i];
        struct dkim_body *b = s->relaxed ? &o->relaxed : &o->simple;
        if (s->result != DKIM_OK)
            continue;
        o->hash[i] = (int8_t)dkim_body_hash(b, s->sha1, s->limited, s->length);
        if (o->hash[i] < 0)
            s->result = DKIM_UNKNOWN;
    }
}

void dkim_header_end(struct dkim *d)
{
    close_value(d);
    if (d->oath == NULL) {
        d->place = PLACE_DONE;
        return;
    }
    begin_hashes(d->oath);
    d->place = d->oath->simple.count + d->oath->relaxed.count > 0 ? PLACE_BODY : PLACE_DONE;
}

void dkim_header_cut(struct dkim *d)
{
    struct dkim_verdict *v = d->oath != NULL ? &d->oath->verdict : NULL;
    unsigned before = v != NULL ? v->count : 0;

    close_value(d);
    if (v != NULL && v->count > before) {
        bool arc = v->signatures[before].arc;
        v->signatures[before] = (struct dkim_signature){ .result = DKIM_CUT, .arc = arc };
    }
    dkim_header_end(d);
}

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static enum place step_line(struct dkim *d, unsigned char c)
{
    if (span_is_blank_char(c) && d->open) {
        d->too_long |= !buf_append(&d->oath->value, SPAN_LIT(" "));
        return PLACE_VALUE;
    }
    if (span_is_blank_char(c))
        return PLACE_SKIP;
    if (c == '\r')
        return PLACE_CR;
    close_value(d);
    for (unsigned i = 0; i < ARRAY_LEN(field_names); i++) {
        if (lower(c) != field_names[i][0])
            continue;
        d->field = (uint8_t)i;
        d->matched = 1;
        return PLACE_NAME;
    }
    return PLACE_SKIP;
}

static enum place step_name(struct dkim *d, unsigned char c)
{
    if (lower(c) != field_names[d->field][d->matched])
        return PLACE_SKIP;
    return field_names[d->field][++d->matched] == '\0' ? PLACE_COLON : PLACE_NAME;
}

static enum place step_colon(struct dkim *d, unsigned char c)
{
    if (span_is_blank_char(c))
        return PLACE_COLON;
    d->open = c == ':' && oath_begin(d);
    return d->open ? PLACE_VALUE : PLACE_SKIP;
}

static void step(struct dkim *d, unsigned char c)
{
    enum place p = (enum place)d->place;

    if (c == '\n') { /* in a line's middle its end, else the header's */
        if (p == PLACE_LINE || p == PLACE_CR)
            dkim_header_end(d);
        else
            d->place = PLACE_LINE;
        return;
    }
    switch (p) {
    case PLACE_LINE:
        p = step_line(d, c);
        break;
    case PLACE_CR:
        p = c == '\r' ? PLACE_CR : PLACE_SKIP;
        break;
    case PLACE_NAME:
        p = step_name(d, c);
        break;
    case PLACE_COLON:
        p = step_colon(d, c);
        break;
    case PLACE_VALUE:
    case PLACE_SKIP:
    case PLACE_BODY:
    case PLACE_DONE:
        break;
    }
    d->place = (uint8_t)p;
}

/* Octets up to a line's end that need no step each. */
static size_t rest_of_line(struct dkim *d, struct span in)
{
    size_t n = 0;

    if (d->place == PLACE_SKIP || d->place == PLACE_VALUE)
        n = span_find(in, '\n');
    if (d->place == PLACE_VALUE && !d->too_long)
        d->too_long = !buf_append(&d->oath->value, span_first(in, n));
    return n;
}

struct span dkim_header_add(struct dkim *d, struct span in)
{
    while (in.len > 0 && d->place < PLACE_BODY) {
        in = span_drop(in, rest_of_line(d, in));
        if (in.len == 0)
            break;
        step(d, in.ptr[0]);
        in = span_drop(in, 1);
    }
    return in;
}
