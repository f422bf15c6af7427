#include "analysis/report/match.h"

#include "base/escape.h"

#include <stdarg.h>
#include <stdio.h>

enum { PHRASES_TOLD = 4 };

static const struct {
    const char *id, *words;
} phrases[] = {
#define PHRASE(id, words) { (id), (words) },
#include "analysis/report/phrases.def"
#undef PHRASE
};

const char *confidence_words(enum confidence c)
{
    static const char *const words[] = { [CONFIDENCE_LOW] = "possible",
                                         [CONFIDENCE_MEDIUM] = "likely",
                                         [CONFIDENCE_HIGH] = "very likely",
                                         [CONFIDENCE_CERTAIN] = "certain" };

    return words[c];
}

const char *side_words(enum blame side)
{
    static const char *const words[] = { [BLAME_UNKNOWN] = "on the path, on either side of ",
                                         [BLAME_CLIENT] = "on the client's side of ",
                                         [BLAME_SERVER] = "on the server's side of ",
                                         [BLAME_BETWEEN] = "between " };

    return words[side];
}

static const char *phrase_of(const struct found *f)
{
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
        if (strcmp(phrases[i].id, f->id) == 0)
            return phrases[i].words;
    return NULL;
}

/* ---- the sentence --------------------------------------------------------------------- */

struct text {
    char *out;
    size_t len, size;
};

static void PRINTF_LIKE(2, 3) say(struct text *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(t->out + t->len, t->size - t->len, fmt, ap);
    va_end(ap);
    if (n > 0)
        t->len += (size_t)n < t->size - t->len ? (size_t)n : t->size - t->len - 1;
}

static bool is_damage(const struct group *g)
{
    return g->example.severity > SEVERITY_INFO;
}

/* BLAME_UNKNOWN when the findings do not agree. */
static enum blame common_side(const struct groups *g)
{
    enum blame side = BLAME_UNKNOWN;

    for (unsigned i = 0; i < g->count && is_damage(g->list[i]); i++) {
        enum blame one = g->list[i]->example.side;
        if (one == BLAME_UNKNOWN)
            continue;
        if (side != BLAME_UNKNOWN && side != one)
            return BLAME_UNKNOWN;
        side = one;
    }
    return side;
}

/* Constant words for each kind of damage, the worst first; how many. */
static unsigned list_phrases(const struct groups *g, const char *out[PHRASES_TOLD])
{
    unsigned count = 0;

    for (unsigned i = 0; i < g->count && is_damage(g->list[i]); i++) {
        const char *words = phrase_of(&g->list[i]->example);
        unsigned k = 0;
        while (k < count && k < PHRASES_TOLD && out[k] != words)
            k++;
        if (words == NULL || k < count || count == PHRASES_TOLD)
            continue;
        out[count++] = words;
    }
    return count;
}

static void say_damage(struct text *t, const struct groups *g, const char *where)
{
    static const char *const who[] = { [CONFIDENCE_LOW] = "Possibly a box ",
                                       [CONFIDENCE_MEDIUM] = "Probably a box ",
                                       [CONFIDENCE_HIGH] = "A box ",
                                       [CONFIDENCE_CERTAIN] = "A box " };
    const char *words[PHRASES_TOLD] = { NULL };
    unsigned count = list_phrases(g, words);

    say(t, "%s%s%s", who[g->list[0]->example.confidence], side_words(common_side(g)), where);
    if (count == 0)
        say(t, " damages mail");
    for (unsigned i = 0; i < count; i++)
        say(t, "%s%s", i == 0 ? " " : i + 1 == count ? " and " : ", ", words[i]);
}

/* Entries of the best maker that are the first choice of some finding. */
static void take_fixes(struct verdict *v, const struct match *m)
{
    for (unsigned i = 0; i < m->family && v->fix_count < ARRAY_LEN(v->fixes); i++) {
        const struct match_entry *e = &m->list[i];
        unsigned k = 0;
        if (e->entry == NULL || e->entry->fix[0] == '\0' || (e->best_rank > 0 && i > 0))
            continue;
        while (k < v->fix_count && strcmp(v->fixes[k], e->entry->fix) != 0)
            k++;
        if (k == v->fix_count)
            v->fixes[v->fix_count++] = e->entry->fix;
    }
}

static void say_product(struct text *t, struct verdict *v, const struct match *m)
{
    const struct match_entry *e = m->count > 0 ? &m->list[0] : NULL;

    if (e == NULL || e->explains_count == 0 || m->explained == 0) {
        say(t, ". No product of the catalogue fits that.");
        return;
    }
    snprintf(v->product, sizeof v->product, "%s", e->entry != NULL ? e->entry->product : e->id);
    say(t, ": this is what %s does", v->product);
    if (m->explained < m->damage)
        say(t, ", which explains %u of %u kinds of damage", m->explained, m->damage);
    say(t, ".");
    take_fixes(v, m);
}

void verdict_make(struct verdict *v, const struct groups *g, const struct match *m,
                  const char *where)
{
    struct text t = { v->sentence, 0, sizeof v->sentence };

    *v = (struct verdict){ .worst = SEVERITY_INFO };
    if (groups_worst(g, &v->worst) && v->worst > SEVERITY_INFO) {
        v->damaged = true;
        v->confidence = g->list[0]->example.confidence;
        say_damage(&t, g, where);
        say_product(&t, v, m);
    } else {
        say(&t, "Nothing was found that damages mail%s.",
            g->count > 0 ? "; what is listed below is for information" : "");
    }
}
