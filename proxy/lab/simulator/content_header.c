/* Header fields that a box inserts, deletes or rewrites; attachments that it replaces. */
#include "lab/simulator/content.h"

#include <string.h>

static void pass(struct content *c, unsigned char octet)
{
    content_part(c, octet);
}

static void pass_text(struct content *c, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        pass(c, (unsigned char)*text);
}

static void pass_held(struct content *c)
{
    struct content_header *h = &c->header;

    for (size_t i = 0; i < h->held_len; i++)
        pass(c, h->held[i]);
    h->held_len = 0;
    h->matching = false;
}

/* The name is there as a whole. */
static void header_act(struct content *c)
{
    struct content_header *h = &c->header;
    const struct rules *r = c->rules;

    h->matching = false;
    if (r->header == HEADER_DELETED) {
        h->held_len = 0;
    } else {
        pass_held(c);
        pass_text(c, r->header_text);
    }
    h->dropping = r->header != HEADER_TAGGED;
}

static bool header_matches(const struct content *c, unsigned char octet)
{
    unsigned char want = (unsigned char)c->rules->header_name[c->header.held_len];

    return span_equal_nocase(span_of(&octet, 1), span_of(&want, 1));
}

/* The value of a field that is deleted or rewritten; continued lines belong to it. */
static bool header_drop(struct content *c, unsigned char octet)
{
    struct content_header *h = &c->header;
    bool continued = octet == ' ' || octet == '\t';

    if (h->line_start && !continued) {
        h->dropping = false;
        if (c->rules->header == HEADER_REWRITTEN)
            pass_text(c, "\r\n");
        return false;
    }
    h->line_start = octet == '\n' && h->cr;
    h->cr = octet == '\r';
    return true;
}

static void header_over(struct content *c)
{
    pass_text(c, c->rules->insert_end);
    c->header.over = true;
}

/* The first octets of a line: the empty line, the field we look for, any other. */
static bool header_hold(struct content *c, unsigned char octet)
{
    struct content_header *h = &c->header;

    if (h->blank && octet == '\n') {
        h->blank = false;
        header_over(c);
        pass_text(c, "\r\n");
        return true;
    }
    if (h->blank) {
        h->blank = false;
        pass(c, '\r');
        return false;
    }
    if (h->line_start && octet == '\r') {
        h->blank = true;
        h->line_start = false;
        return true;
    }
    if (h->line_start)
        h->matching = c->rules->header != HEADER_KEPT;
    h->line_start = false;
    if (!h->matching)
        return false;
    if (!header_matches(c, octet)) {
        pass_held(c);
        return false;
    }
    h->held[h->held_len++] = octet;
    if (c->rules->header_name[h->held_len] == '\0')
        header_act(c);
    return true;
}

void content_header(struct content *c, unsigned char octet)
{
    struct content_header *h = &c->header;

    if (!h->begun)
        pass_text(c, c->rules->insert_top);
    h->begun = true;
    if (h->over) {
        pass(c, octet);
        return;
    }
    if ((h->dropping && header_drop(c, octet)) || header_hold(c, octet))
        return;
    pass(c, octet);
    h->line_start = octet == '\n' && h->cr;
    h->cr = octet == '\r';
}

void content_header_end(struct content *c)
{
    struct content_header *h = &c->header;

    if (!h->begun)
        pass_text(c, c->rules->insert_top);
    pass_held(c);
    if (h->dropping && c->rules->header == HEADER_REWRITTEN)
        pass_text(c, "\r\n");
    if (h->blank)
        pass(c, '\r');
    if (!h->over && h->line_start)
        header_over(c);
}

/* ---- parts ---- */

/* The notice stands for what the part's header announced. */
static void part_header_over(struct content *c)
{
    struct content_part *p = &c->part;

    p->in_header = false;
    p->dropping = p->attached;
    if (p->dropping)
        content_put_text(c, c->rules->part_notice);
}

static void part_boundary(struct content *c)
{
    struct content_part *p = &c->part;

    if (p->dropping)
        content_transform(c, '-'); /* the first one was dropped */
    p->dropping = false;
    p->attached = false;
    p->in_header = true;
}

void content_part(struct content *c, unsigned char octet)
{
    struct content_part *p = &c->part;
    bool dash = octet == '-' && p->line == p->dashes && p->dashes < 2;

    if (c->rules->part_notice == NULL) {
        content_transform(c, octet);
        return;
    }
    p->dashes += dash;
    if (dash && p->dashes == 2)
        part_boundary(c);
    else if (p->in_header && match_octet(&p->attachment, octet))
        p->attached = true;
    if (!p->dropping)
        content_transform(c, octet);
    if (octet == '\n') {
        if (p->in_header && p->line == 0)
            part_header_over(c);
        p->line = 0;
        p->dashes = 0;
    } else if (octet != '\r') {
        p->line++;
    }
}
