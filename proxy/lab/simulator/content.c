#include "lab/simulator/content.h"

bool content_is_needed(const struct rules *r)
{
    const struct limit_rules *l = &r->limits;

    return r->eod_split || r->header_in_header || r->insert_top != NULL ||
           r->insert_end != NULL || r->header != HEADER_KEPT || r->part_notice != NULL ||
           r->transform != TRANSFORM_NONE || r->footer != NULL || r->virus ||
           l->header_line > 0 || l->body_line > 0 || l->file_name > 0 || l->content > 0;
}

void content_init(struct content *c, const struct rules *rules, struct buf *out)
{
    *c = (struct content){ .rules = rules, .out = out, .out_line = true };
    c->header.line_start = true;
    match_init(&c->part.attachment, "Content-Disposition: attachment");
    content_scan_init(c);
}

static void chain(struct content *c, unsigned char octet)
{
    content_scan(c, octet);
    if (c->verdict == CONTENT_MORE)
        content_header(c, octet);
}

/* MARKER_LINE is the beginning of a line (RFC 5321 4.1.1.4): CRLF alone ends one. */
static enum marker marker_next(enum marker m, unsigned char octet)
{
    if (octet == '\r')
        return m == MARKER_DOT ? MARKER_DOT_CR : MARKER_CR;
    if (octet == '\n' && (m == MARKER_CR || m == MARKER_DOT_CR))
        return m == MARKER_CR ? MARKER_LINE : MARKER_END;
    return octet == '.' && m == MARKER_LINE ? MARKER_DOT : MARKER_TEXT;
}

static void put_end(struct content *c)
{
    content_header_end(c);
    content_transform_end(c);
    if (c->rules->footer != NULL) {
        if (!c->out_line)
            content_put_text(c, "\r\n");
        content_put_text(c, c->rules->footer);
    }
    if (!c->out_line)
        content_put_text(c, "\r\n");
    content_put_text(c, ".\r\n");
    if (c->verdict == CONTENT_MORE)
        c->verdict = CONTENT_ENDED;
}

/* Octets that were held because they could have been the marker's are text. */
static void put_held(struct content *c)
{
    if ((c->marker == MARKER_DOT || c->marker == MARKER_DOT_CR) && !c->dot_lost)
        chain(c, '.');
    if (c->marker == MARKER_DOT_CR)
        chain(c, '\r');
    c->dot_lost = false;
}

static void take_octet(struct content *c, unsigned char octet)
{
    bool lost = c->rules->transform == TRANSFORM_BUFFER_DOT && c->at_boundary && octet == '.';
    enum marker next = marker_next(c->marker, octet);

    switch (next) {
    case MARKER_DOT:
        c->dot_lost = lost;
        break;
    case MARKER_DOT_CR:
        break;
    case MARKER_END:
        if (!c->rules->eod_split || !c->torn)
            put_end(c);
        c->torn = false;
        next = MARKER_LINE;
        break;
    case MARKER_LINE:
        chain(c, octet);
        break;
    case MARKER_TEXT:
    case MARKER_CR:
        c->torn = false;
        put_held(c);
        if (!lost)
            chain(c, octet);
        break;
    }
    c->marker = next;
}

enum content_verdict content_take(struct content *c, struct span in, size_t *used)
{
    size_t i = 0;

    if (c->marker == MARKER_CR || c->marker == MARKER_DOT || c->marker == MARKER_DOT_CR)
        c->torn = true;
    for (c->at_boundary = true; i < in.len && c->verdict == CONTENT_MORE; i++) {
        take_octet(c, in.ptr[i]);
        c->at_boundary = false;
    }
    *used = i;
    return c->verdict;
}

size_t content_pass(struct content *c, struct span in)
{
    size_t i = 0;

    while (i < in.len && c->marker != MARKER_END)
        c->marker = marker_next(c->marker, in.ptr[i++]);
    if (c->marker == MARKER_END)
        c->verdict = CONTENT_ENDED;
    return i;
}

void content_mail_over(struct content *c)
{
    if (c->verdict != CONTENT_MORE)
        return;
    put_held(c);
    content_header_end(c);
    content_transform_end(c);
}
