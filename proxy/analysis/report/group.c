#include "analysis/report/group.h"

#include <stdio.h>
#include <stdlib.h>

void groups_free(struct groups *g)
{
    for (unsigned i = 0; i < g->count; i++)
        free(g->list[i]);
    *g = (struct groups){ .count = 0 };
}

static bool group_fits(const struct group *g, const struct found *f, const char *vantage)
{
    return strcmp(g->example.id, f->id) == 0 && g->example.side == f->side &&
           strncmp(g->vantage, vantage, GROUP_VANTAGE_MAX - 1) == 0;
}

struct group *groups_of(struct groups *g, const struct found *f, const char *vantage,
                        bool *is_new)
{
    struct group *one = NULL;

    *is_new = false;
    for (unsigned i = 0; i < g->count; i++)
        if (group_fits(g->list[i], f, vantage))
            return g->list[i];
    if (g->count < GROUPS_MAX)
        one = calloc(1, sizeof *one);
    if (one == NULL) {
        g->beyond++;
        return NULL;
    }
    *is_new = true;
    one->example = *f;
    one->same_bytes = f->len > 0;
    snprintf(one->vantage, sizeof one->vantage, "%s", vantage);
    one->index = g->count;
    g->list[g->count++] = one;
    return one;
}

static void add_text(struct group *g, const char *text)
{
    if (strcmp(g->example.text, text) == 0)
        return;
    for (unsigned i = 0; i < g->text_count; i++)
        if (strcmp(g->texts[i], text) == 0)
            return;
    if (g->text_count == GROUP_TEXTS_MAX) {
        g->more_texts = true;
        return;
    }
    snprintf(g->texts[g->text_count++], FINDING_TEXT_MAX, "%s", text);
}

void group_add(struct group *g, const struct found *f, uint64_t t_us)
{
    struct found *e = &g->example;

    g->findings++;
    if (g->first_us == 0 || t_us < g->first_us)
        g->first_us = t_us;
    if (t_us > g->last_us)
        g->last_us = t_us;
    if (f->severity > e->severity)
        e->severity = f->severity;
    if (f->confidence > e->confidence)
        e->confidence = f->confidence;
    if (!span_equal(span_of(f->bytes, f->len), span_of(e->bytes, e->len)))
        g->same_bytes = false;
    add_text(g, f->text);
}

/* ---- the octets that show it ---------------------------------------------------------- */

void panel_fill(struct panel *p, const char *label, struct span octets, uint64_t all)
{
    p->label = label;
    p->len = octets.len < PANEL_MAX ? octets.len : PANEL_MAX;
    if (p->len > 0)
        memcpy(p->octets, octets.ptr, p->len);
    p->from = 0;
    p->all = all > p->len ? all : 0;
}

static const char *wire_label(enum wire w)
{
    static const char *const labels[WIRE_COUNT] = {
        [WIRE_RECEIVED] = "Received from the client",
        [WIRE_FORWARDED] = "Sent to the upstream",
        [WIRE_REPLY] = "Reply as received",
        [WIRE_REPLIED] = "Reply as sent to the client",
    };

    return labels[w];
}

/* What the reply is an answer to: as it left here. */
static void show_question(struct group *g, const struct step *s)
{
    enum wire w = s->wire[WIRE_FORWARDED].ptr != NULL ? WIRE_FORWARDED : WIRE_RECEIVED;

    if (s->kind == RECORD_COMMAND && s->wire[w].ptr != NULL)
        panel_fill(&g->left, "Command as sent on", s->wire[w], s->octets[w]);
}

void group_show(struct group *g, const struct step *s)
{
    const struct found *f = &g->example;
    enum wire w = found_wire(f);
    struct panel *p = &g->right;

    if (s == NULL || w == WIRE_COUNT || s->wire[w].ptr == NULL ||
        f->at + f->len > s->wire[w].len) {
        if (f->len == 0)
            return;
        panel_fill(p, w < WIRE_COUNT ? wire_label(w) : "What stands there",
                   span_of(f->bytes, f->len), 0);
        p->from = p->at = f->at;
        p->at_len = f->len;
        return;
    }
    panel_fill(p, wire_label(w), s->wire[w], s->octets[w]);
    p->at = f->at;
    p->at_len = f->len;
    if (w == WIRE_REPLY)
        show_question(g, s);
}

/* ---- all ------------------------------------------------------------------------------ */

static int compare_groups(const void *a, const void *b)
{
    const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;

    if (x->example.severity != y->example.severity)
        return x->example.severity > y->example.severity ? -1 : 1;
    if (x->sessions != y->sessions)
        return x->sessions > y->sessions ? -1 : 1;
    int order = strcmp(x->example.id, y->example.id);
    if (order == 0)
        order = strcmp(x->subject, y->subject);
    if (order == 0)
        order = strcmp(x->vantage, y->vantage);
    return order != 0 ? order : (int)x->example.side - (int)y->example.side;
}

void groups_sort(struct groups *g)
{
    if (g->count > 0)
        qsort(g->list, g->count, sizeof g->list[0], compare_groups);
    for (unsigned i = 0; i < g->count; i++)
        g->list[i]->number = i + 1;
}

bool groups_worst(const struct groups *g, enum severity *worst)
{
    for (unsigned i = 0; i < g->count; i++)
        if (i == 0 || g->list[i]->example.severity > *worst)
            *worst = g->list[i]->example.severity;
    return g->count > 0;
}
