/* What a box looks for in mail data: limits and patterns. Nothing is changed here. */
#include "lab/simulator/content.h"

void content_scan_init(struct content *c)
{
    struct content_scan *s = &c->scan;

    s->in_header = true;
    s->line_empty = true;
    match_init(&s->name, "name=\"");
    match_init(&s->signature, "Signature:"); /* DKIM-, DomainKey- */
    match_init(&s->field, "content-type");
    match_init(&s->virus, "EICAR-STANDARD-ANTIVIRUS-TEST-FILE");
    match_init(&s->virus64, "WDVPIVAlQEFQWzRcUFpYNTQoUF4p"); /* how it begins in base64 */
}

static void scan_file_name(struct content *c, unsigned char octet)
{
    struct content_scan *s = &c->scan;

    if (!s->in_name) {
        s->in_name = match_octet(&s->name, octet);
        s->file_name = 0;
    } else if (octet == '"' || octet == '\n') {
        s->in_name = false;
    } else if (++s->file_name > c->rules->limits.file_name) {
        c->verdict = CONTENT_LIMIT;
    }
}

/* A field whose value names another one, in the eyes of a box that knows no values. */
static void scan_field(struct content *c, unsigned char octet)
{
    struct content_scan *s = &c->scan;

    if (s->line == 0 && octet != ' ' && octet != '\t') {
        s->in_signature = false;
        match_init(&s->signature, s->signature.text);
    }
    if (!s->in_signature)
        s->in_signature = match_octet(&s->signature, octet);
    else if (match_octet(&s->field, octet))
        c->verdict = CONTENT_FIELD;
}

static void scan_line(struct content *c, unsigned char octet)
{
    const struct limit_rules *l = &c->rules->limits;
    struct content_scan *s = &c->scan;

    if (octet == '\n') {
        if (s->line_empty)
            s->in_header = false;
        s->line = 0;
        s->line_empty = true;
    } else if (octet != '\r') {
        s->line++;
        s->line_empty = false;
    }
    if (s->in_header && l->header_line > 0 && s->line > l->header_line)
        c->verdict = CONTENT_LIMIT;
    if (l->body_line > 0 && s->line > l->body_line)
        c->verdict = CONTENT_LONG;
}

static void scan_virus(struct content *c, unsigned char octet)
{
    bool plain = match_octet(&c->scan.virus, octet);
    bool encoded = match_octet(&c->scan.virus64, octet);

    if (plain || encoded)
        c->verdict = CONTENT_VIRUS;
}

void content_scan(struct content *c, unsigned char octet)
{
    const struct rules *r = c->rules;
    struct content_scan *s = &c->scan;

    if (r->limits.file_name > 0)
        scan_file_name(c, octet);
    if (r->header_in_header && s->in_header)
        scan_field(c, octet);
    scan_line(c, octet);
    if (r->virus)
        scan_virus(c, octet);
    if (r->limits.content > 0 && ++s->octets > r->limits.content)
        c->verdict = CONTENT_LIMIT;
}
