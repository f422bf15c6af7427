#include "analysis/catalogue_private.h"

#include <stdlib.h>

void catalogue_free(struct catalogue **cp)
{
    struct catalogue *c = *cp;

    *cp = NULL;
    if (c == NULL)
        return;
    for (unsigned i = 0; i < c->first[PLACE_COUNT]; i++)
        pattern_free(&c->patterns[i].pattern);
    free(c->patterns);
    free(c->findings);
    free(c->entries);
    config_destroy(&c->config);
    free(c);
}

const struct catalogue_entry *catalogue_match(const struct catalogue *c,
                                              enum catalogue_place place, struct span text,
                                              const struct catalogue_entry *after)
{
    struct pattern_text t;

    if (c->first[place] == c->first[place + 1])
        return NULL;
    pattern_text_init(&t, text);
    for (unsigned i = c->first[place]; i < c->first[place + 1]; i++) {
        const struct catalogue_pattern *p = &c->patterns[i];
        if ((after == NULL || p->entry > after) && pattern_fits(&p->pattern, &t))
            return p->entry;
    }
    return NULL;
}

static bool names_finding(const struct catalogue_entry *e, const char *finding)
{
    for (const char *const *f = e->findings; *f != NULL; f++)
        if (strcmp(*f, finding) == 0)
            return true;
    return false;
}

const struct catalogue_entry *catalogue_for(const struct catalogue *c, const char *finding,
                                            const struct catalogue_entry *after)
{
    const struct catalogue_entry *e = after != NULL ? after + 1 : c->entries;

    for (; e < c->entries + c->count; e++)
        if (names_finding(e, finding))
            return e;
    return NULL;
}

const struct catalogue_entry *catalogue_find(const struct catalogue *c, const char *id)
{
    for (unsigned i = 0; i < c->count; i++)
        if (strcmp(c->entries[i].id, id) == 0)
            return &c->entries[i];
    return NULL;
}

bool catalogue_looks_at(const struct catalogue *c, const struct catalogue_entry *e,
                        enum catalogue_place place)
{
    for (unsigned i = c->first[place]; i < c->first[place + 1]; i++)
        if (c->patterns[i].entry == e)
            return true;
    return false;
}

uint64_t catalogue_stamp(const struct catalogue *c)
{
    return c->stamp;
}
