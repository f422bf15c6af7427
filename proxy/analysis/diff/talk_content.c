#include "analysis/diff/talk_content.h"

#include "analysis/diff/raw.h"

static bool keep(struct scratch *mem, struct span in, struct span *out)
{
    unsigned char *p = scratch_take(mem, in.len + 1);

    if (p == NULL)
        return false;
    if (in.len > 0)
        memcpy(p, in.ptr, in.len);
    *out = span_of(p, in.len);
    return true;
}

static void read_figures(struct content_facts *c, const struct fields *f)
{
    struct span endings = f->v[MEMBER_ENDINGS];

    c->lines = fields_count(f, MEMBER_LINES);
    c->longest_line = fields_count(f, MEMBER_LONGEST_LINE);
    c->header_octets = fields_count(f, MEMBER_HEADER_OCTETS);
    c->crlf = raw_count(raw_find(endings, "crlf"));
    c->bare_lf = raw_count(raw_find(endings, "bare_lf"));
    c->crcrlf = raw_count(raw_find(endings, "crcrlf"));
    c->bare_cr = raw_count(raw_find(endings, "bare_cr"));
    c->nul = fields_count(f, MEMBER_NUL);
    c->eight_bit = fields_count(f, MEMBER_EIGHT_BIT);
    c->leading_dots = fields_count(f, MEMBER_LEADING_DOTS);
    c->us = fields_count(f, MEMBER_US);
}

/* Of what NEAR sent, or FAR received. */
static bool read_digest(struct content_facts *c, enum diff_vantage side, struct scratch *mem,
                        struct span digest)
{
    struct span whole = raw_text(raw_find(digest, "whole"));
    struct span sent = raw_text(raw_find(digest, "sent"));
    struct span hash = side == NEAR && sent.len > 0 ? sent : whole;

    c->digest = hash.len == sizeof c->hash;
    if (c->digest)
        memcpy(c->hash, hash.ptr, sizeof c->hash);
    c->blocks_exact = hash.ptr == whole.ptr;
    c->blocks_omitted = raw_count(raw_find(digest, "blocks_omitted"));
    return keep(mem, raw_find(digest, "blocks"), &c->blocks);
}

bool content_facts_read(struct unit *u, enum diff_vantage side, struct scratch *mem,
                        const struct fields *f)
{
    struct content_facts *c = scratch_take(mem, sizeof *c);
    struct span none = { NULL, 0 };

    if (c == NULL)
        return false;
    u->kind = UNIT_CONTENT;
    u->content = c;
    u->stream = fields_count(f, MEMBER_AT);
    c->altered = fields_flag(f, MEMBER_ALTERED);
    u->passed = true;
    c->refused = fields_flag(f, MEMBER_REFUSED);
    c->via_bdat = span_equal(fields_text(f, MEMBER_VIA), SPAN_LIT("bdat"));
    c->complete = fields_flag(f, MEMBER_COMPLETE);
    c->octets =
        fields_count(f, side == NEAR && c->altered ? MEMBER_OCTETS_SENT : MEMBER_OCTETS);
    c->spool_octets = raw_count(raw_find(f->v[MEMBER_SPOOL], "octets"));
    read_figures(c, f);
    return read_digest(c, side, mem, f->v[MEMBER_DIGEST]) &&
           keep(mem, raw_text(raw_find(f->v[MEMBER_SPOOL], "file")), &c->spool) &&
           text_read(&c->headers, mem, f->v[MEMBER_HEADERS], REDACTION_NONE, none);
}
