/* findings - a finding of a comparison: made, worded, shown. */
#include "analysis/diff/compare.h"

#include "base/hash64.h"
#include "base/escape.h"

#include <stdarg.h>
#include <stdio.h>

static const struct class_facts {
    const char *id, *name, *next_test;
    enum severity severity;
} classes[CLASS_COUNT] = {
#define CLASS(id, text, name, severity, next)                                                  \
    [CLASS_##id] = { text, name, next, SEVERITY_##severity },
#include "analysis/diff/classes.def"
#undef CLASS
};

const char *diff_way_name(enum diff_way w)
{
    static const char *const names[] = {
#define X(id, name) name,
        DIFF_WAYS(X)
#undef X
    };

    return names[w];
}

struct diff_finding *compare_found(struct compare *c, enum diff_class id, const char *sub,
                                   struct span subject)
{
    size_t at = c->len < DIFF_FINDINGS_MAX ? c->len++ : DIFF_FINDINGS_MAX - 1;
    struct diff_finding *f = &c->list[at];

    *f = (struct diff_finding){
        .f = { .id = classes[id].id,
               .name = classes[id].name,
               .severity = classes[id].severity,
               .confidence = CONFIDENCE_CERTAIN,
               .side = BLAME_BETWEEN,
               .next_test = classes[id].next_test },
        .sub = sub,
    };
    escape(f->subject, sizeof f->subject, subject);
    return f;
}

void compare_say(struct diff_finding *f, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(f->f.text, sizeof f->f.text, fmt, ap);
    va_end(ap);
}

void compare_show(struct diff_excerpt *e, const struct unit *u, const char *field,
                  struct text text, uint64_t at, uint64_t len)
{
    size_t from = 0;

    /* A long line is shown from somewhat before the place on. */
    if (text.s.len > DIFF_EXCERPT_MAX && at > DIFF_EXCERPT_MAX / 2)
        from = (size_t)at - DIFF_EXCERPT_MAX / 4;
    *e = (struct diff_excerpt){ .record = u->n,
                                .field = field,
                                .octets = span_first(span_drop(text.s, from), DIFF_EXCERPT_MAX),
                                .from = from,
                                .at = at,
                                .len = len,
                                .stream = u->stream };
}

uint64_t compare_hash(uint64_t before, struct span s)
{
    return hash64_seeded(s, before);
}

void compare_show_delta(struct diff_finding *f, const struct unit *sent, struct text a,
                        const struct unit *received, struct text b)
{
    struct delta d = text_delta(a, b);
    bool reply = f->way == WAY_REPLY;
    struct span gone = span_first(span_drop(a.s, d.at), d.sent);
    struct span come = span_first(span_drop(b.s, d.at), d.received);

    compare_show(&f->sent, sent, reply ? sent->reply_field : sent->line_field, a, d.at, d.sent);
    compare_show(&f->received, received, reply ? received->reply_field : received->line_field,
                 b, d.at, d.received);
    f->rule = compare_hash(0, come.len > 0 ? come : gone);
    f->f.bytes = span_first(come, FINDING_BYTES_MAX);
}

static struct span copied(struct scratch *mem, struct span s)
{
    unsigned char *p = s.len > 0 ? scratch_take(mem, s.len) : NULL;

    if (p == NULL)
        return (struct span){ NULL, 0 };
    memcpy(p, s.ptr, s.len);
    return span_of(p, s.len);
}

void compare_keep(struct compare *c, struct diff_finding *f)
{
    f->sent.octets = copied(c->mem, f->sent.octets);
    f->received.octets = copied(c->mem, f->received.octets);
    f->f.bytes = copied(c->mem, f->f.bytes);
}

struct span unit_name(const struct unit *u)
{
    if (u->kind == UNIT_GREETING)
        return SPAN_LIT("greeting");
    if (u->kind == UNIT_CONTENT)
        return SPAN_LIT("content");
    return u->verb.len > 0 ? u->verb : SPAN_LIT("command");
}
