/* detect_draft - a draft becomes a finding. */
#include "analysis/detect_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/escape.h"

struct detector_row {
    const char *id, *name, *next;
    enum severity severity;
};

static const struct detector_row table[] = {
#define DETECTOR(number, id, name, severity, looks, next)                                      \
    { id, name, next, SEVERITY_##severity },
#include "analysis/detectors.def"
#undef DETECTOR
};

bool detect_list(unsigned i, const char **id, const char **name, enum severity *severity)
{
    if (i >= DETECTOR_COUNT)
        return false;
    *id = table[i].id;
    *name = table[i].name;
    *severity = table[i].severity;
    return true;
}

struct shown detect_show(struct span text)
{
    struct shown s;

    escape(s.text, sizeof s.text, text);
    return s;
}

struct finding_draft detect_draft(enum detector id)
{
    return (struct finding_draft){ .id = id,
                                   .severity = table[id].severity,
                                   .confidence = CONFIDENCE_MEDIUM,
                                   .side = BLAME_SERVER };
}

/* At most so many octets, and no word with an address in it. */
static struct span cut(struct span bytes)
{
    size_t at = span_find(bytes, '@');

    if (at < bytes.len)
        while (at > 0 && bytes.ptr[at - 1] > ' ')
            at--;
    return span_first(span_first(bytes, at), FINDING_BYTES_MAX);
}

void draft_show(struct finding_draft *h, const char *field, struct span whole,
                struct span bytes)
{
    h->field = field;
    h->at = (uint64_t)(bytes.ptr - whole.ptr);
    h->bytes = cut(bytes);
}

struct finding_draft draft_of_reply(const struct detect_ctx *k, enum detector id,
                                    enum catalogue_place place, struct span line,
                                    struct span bytes)
{
    struct finding_draft h = detect_draft(id);

    h.place = place;
    h.line = line;
    draft_show(&h, "reply", k->e->reply, bytes);
    return h;
}

/* ---- products ---- */

bool detect_names(const struct catalogue_entry *e, enum detector id)
{
    for (const char *const *f = e->findings; *f != NULL; f++)
        if (strcmp(*f, table[id].id) == 0)
            return true;
    return false;
}

/* False: there is no room for more. */
static bool add_product(struct finding *f, const char *id)
{
    for (unsigned i = 0; i < FINDING_PRODUCTS_MAX; i++) {
        if (f->products[i] == NULL) {
            f->products[i] = id;
            return i + 1 < FINDING_PRODUCTS_MAX;
        }
        if (strcmp(f->products[i], id) == 0)
            return true;
    }
    return false;
}

/* First those whose pattern fits; then those that name the detector and have none to try. */
static void add_products(const struct catalogue *c, const struct finding_draft *h,
                         struct finding *f)
{
    const struct catalogue_entry *e = NULL;
    bool tried = h->line.ptr != NULL;

    while (tried && (e = catalogue_match(c, h->place, h->line, e)) != NULL)
        if (detect_names(e, h->id) && !add_product(f, e->id))
            return;
    for (e = NULL; (e = catalogue_for(c, f->id, e)) != NULL;)
        if ((!tried || !catalogue_looks_at(c, e, h->place)) && !add_product(f, e->id))
            return;
}

/* ---- the finding ---- */

bool detect_is_reported(const struct detect *d, enum detector id)
{
    return (d->reported >> id & 1) != 0;
}

void detect_report(const struct detect_ctx *k, const struct finding_draft *h, const char *fmt,
                   ...)
{
    const struct detector_row *row = &table[h->id];
    struct finding f = { .id = row->id,
                         .name = row->name,
                         .severity = h->severity,
                         .confidence = h->confidence,
                         .side = h->side,
                         .record = h->record != 0 ? h->record : k->s->n,
                         .field = h->field,
                         .at = h->at,
                         .bytes = h->bytes,
                         .next_test = row->next };
    va_list ap;

    if (detect_is_reported(k->d, h->id) && k->s->kind != VIEW_CONTENT)
        return;
    k->d->reported |= UINT32_C(1) << h->id;
    va_start(ap, fmt);
    vsnprintf(f.text, sizeof f.text, fmt, ap);
    va_end(ap);
    if (k->env->catalogue != NULL)
        add_products(k->env->catalogue, h, &f);
    k->env->found(k->env->arg, &f);
}
