#include "analysis/diff/gather.h"

#include "analysis/diff/compare.h"

#include "base/escape.h"

#include <stdlib.h>

enum { BUCKETS = 4096, SUBJECTS_MAX = 64 };

/*
 * A group, or a kind: all groups of one class, sub and subject. A kind has RULES_MAX groups;
 * the one of its own (`others`) takes what is beyond.
 */
struct group {
    struct group *next;
    uint64_t key, bytes; /* bytes: hash of what was sent and received in the first one */
    uint64_t last_session;
    unsigned rules;
    struct diff_group *g; /* NULL: a kind that needed none so far */
};

struct copied {
    struct diff_finding f;
    unsigned char octets[];
};

/* In how many sessions something was: at most so many different things. */
struct subjects {
    struct {
        char name[32];
        uint64_t sessions, last;
    } list[SUBJECTS_MAX];
    size_t len;
};

struct gather {
    struct group *buckets[BUCKETS];
    struct group *all;
    size_t all_len;
    struct diff_group *list;
    size_t len;
    unsigned examples;
    struct subjects verbs, keywords;
    uint64_t sessions;
};

/* Beyond DIFF_GROUPS_MAX there is one for each class and sub, which are ours and few. */
enum { RULES_MAX = 16, GROUPS_ROOM = DIFF_GROUPS_MAX + 16 * CLASS_COUNT };

struct gather *gather_new(unsigned examples)
{
    struct gather *g = calloc(1, sizeof *g);

    if (g == NULL)
        return NULL;
    g->examples = examples < 1                   ? 1
                  : examples > DIFF_EXAMPLES_MAX ? DIFF_EXAMPLES_MAX
                                                 : examples;
    g->all = calloc(2 * GROUPS_ROOM, sizeof *g->all);
    g->list = calloc(GROUPS_ROOM, sizeof *g->list);
    if (g->all == NULL || g->list == NULL)
        gather_free(&g);
    return g;
}

void gather_free(struct gather **gp)
{
    struct gather *g = *gp;

    *gp = NULL;
    if (g == NULL)
        return;
    for (size_t i = 0; i < g->len; i++)
        for (unsigned k = 0; k < g->list[i].example_count; k++)
            free((void *)(uintptr_t)g->list[i].examples[k]);
    free(g->all);
    free(g->list);
    free(g);
}

enum { KEY_CLASS, KEY_KIND, KEY_GROUP }; /* how much of a finding counts */

static uint64_t key_of(const struct diff_finding *f, unsigned level)
{
    uint64_t h = compare_hash(level, span_str(f->f.id));

    h = compare_hash(h, span_str(f->sub));
    if (level >= KEY_KIND)
        h = compare_hash(h, span_str(f->subject));
    return level < KEY_GROUP ? h : compare_hash(h, span_of(&f->rule, sizeof f->rule));
}

static struct span differing(const struct diff_excerpt *e)
{
    uint64_t skip = e->at >= e->from ? e->at - e->from : 0;

    return span_first(span_drop(e->octets, (size_t)skip), (size_t)e->len);
}

static uint64_t bytes_of(const struct diff_finding *f)
{
    return compare_hash(compare_hash(0, differing(&f->sent)), differing(&f->received));
}

static struct group *find_group(struct gather *g, uint64_t key)
{
    struct group *one = g->buckets[key % BUCKETS];

    while (one != NULL && one->key != key)
        one = one->next;
    return one;
}

/* The entry with this key, made when there is room. */
static struct group *entry_of(struct gather *g, uint64_t key)
{
    struct group *one = find_group(g, key);

    if (one != NULL || g->all_len == 2 * GROUPS_ROOM)
        return one;
    one = &g->all[g->all_len++];
    *one = (struct group){ .key = key,
                           .last_session = UINT64_MAX,
                           .next = g->buckets[key % BUCKETS] };
    g->buckets[key % BUCKETS] = one;
    return one;
}

static struct group *open_group(struct gather *g, struct group *one,
                                const struct diff_finding *f, bool others)
{
    if (one == NULL || one->g != NULL)
        return one;
    if (g->len == GROUPS_ROOM)
        return NULL;
    one->g = &g->list[g->len++];
    one->g->others = others;
    one->g->same_bytes = f->sent.octets.len + f->received.octets.len > 0;
    one->bytes = bytes_of(f);
    return one;
}

/* NULL: there are more classes than was thought. */
static struct group *group_of(struct gather *g, const struct diff_finding *f)
{
    struct group *one = find_group(g, key_of(f, KEY_GROUP)), *kind;

    if (one != NULL)
        return one;
    if (g->len >= DIFF_GROUPS_MAX)
        return open_group(g, entry_of(g, key_of(f, KEY_CLASS)), f, true);
    kind = entry_of(g, key_of(f, KEY_KIND));
    if (kind == NULL || kind->rules >= RULES_MAX)
        return open_group(g, kind, f, true);
    kind->rules++;
    return open_group(g, entry_of(g, key_of(f, KEY_GROUP)), f, false);
}

static struct span copy_octets(unsigned char **to, struct span s)
{
    struct span out = span_of(*to, s.len);

    if (s.len > 0)
        memcpy(*to, s.ptr, s.len);
    *to += s.len;
    return out;
}

static const struct diff_finding *copy_finding(const struct diff_finding *f)
{
    size_t octets = f->sent.octets.len + f->received.octets.len + f->f.bytes.len;
    struct copied *c = malloc(sizeof *c + octets);
    unsigned char *to = c != NULL ? c->octets : NULL;

    if (c == NULL)
        return NULL;
    c->f = *f;
    c->f.sent.octets = copy_octets(&to, f->sent.octets);
    c->f.received.octets = copy_octets(&to, f->received.octets);
    c->f.f.bytes = copy_octets(&to, f->f.bytes);
    return &c->f;
}

static bool add_one(struct gather *g, const struct diff_pair *pair, uint64_t session,
                    const struct diff_finding *f)
{
    struct group *one = group_of(g, f);

    if (one == NULL)
        return true; /* there are more classes than were thought of: counted in the totals */
    struct diff_group *d = one->g;
    d->findings++;
    d->same_bytes = d->same_bytes && bytes_of(f) == one->bytes;
    d->sessions += one->last_session != session;
    one->last_session = session;
    memcpy(d->last[NEAR], pair->near.sid, sizeof d->last[NEAR]);
    memcpy(d->last[FAR], pair->far.sid, sizeof d->last[FAR]);
    if (d->example_count >= g->examples)
        return true;
    d->examples[d->example_count] = copy_finding(f);
    d->example_pairs[d->example_count] = *pair;
    return d->examples[d->example_count++] != NULL;
}

bool gather_add(struct gather *g, const struct diff_pair *pair, uint64_t session,
                const struct diff_finding *list, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!add_one(g, pair, session, &list[i]))
            return false;
    return true;
}

/* ---- of how many ------------------------------------------------------------------------ */

static void seen(struct subjects *s, struct span what, uint64_t session)
{
    char name[sizeof s->list[0].name];
    size_t i = 0;

    escape(name, sizeof name, what);
    while (i < s->len && strcasecmp(s->list[i].name, name) != 0)
        i++;
    if (i == SUBJECTS_MAX)
        return;
    if (i == s->len) {
        memcpy(s->list[s->len++].name, name, sizeof name);
        s->list[i].last = UINT64_MAX;
    }
    s->list[i].sessions += s->list[i].last != session;
    s->list[i].last = session;
}

static void seen_keywords(struct gather *g, struct span reply, uint64_t session)
{
    while (reply.len > 0) {
        size_t lf = span_find(reply, '\n');
        struct span line = span_drop(span_first(reply, lf), 4);
        size_t end = 0;
        while (end < line.len && line.ptr[end] > ' ' && line.ptr[end] != '=')
            end++;
        seen(&g->keywords, span_first(line, end), session);
        reply = span_drop(reply, lf + 1);
    }
}

void gather_could(struct gather *g, uint64_t session, const struct talk *near,
                  const struct talk *far)
{
    g->sessions++;
    for (size_t i = 0; i < near->len; i++)
        seen(&g->verbs, unit_name(&near->units[i]), session);
    for (size_t i = 0; i < far->len; i++)
        if (far->units[i].code == 250 && span_equal(far->units[i].verb, SPAN_LIT("EHLO")))
            seen_keywords(g, far->units[i].reply.s, session);
}

static bool is_about_keyword(const struct diff_finding *f)
{
    return f->way == WAY_REPLY && (strcmp(f->f.id, "TV-05") == 0 ||
                                   (f->sub != NULL && strcmp(f->sub, "keyword") == 0));
}

/* What was not looked for may be in every session. */
static uint64_t could(const struct gather *g, const struct diff_group *d,
                      const uint64_t sessions[2])
{
    const struct diff_finding *f = d->examples[0];
    const struct subjects *s = is_about_keyword(f) ? &g->keywords : &g->verbs;

    for (size_t i = 0; i < s->len && f->way != WAY_SESSION && !d->others; i++)
        if (strcasecmp(s->list[i].name, f->subject) == 0 && s->list[i].sessions >= d->sessions)
            return s->list[i].sessions;
    if (strcmp(f->f.id, "TV-23") == 0)
        return sessions[d->example_pairs[0].near.sid[0] != '\0' ? NEAR : FAR];
    return g->sessions;
}

static int group_compare(const void *a, const void *b)
{
    const struct diff_group *x = a, *y = b;
    const struct diff_finding *f = x->examples[0], *h = y->examples[0];

    if (f->f.severity != h->f.severity)
        return f->f.severity > h->f.severity ? -1 : 1;
    if (x->sessions != y->sessions)
        return x->sessions > y->sessions ? -1 : 1;
    int by = strcmp(f->f.id, h->f.id);
    if (by == 0)
        by = strcmp(f->subject, h->subject);
    return by != 0 ? by : strcmp(x->example_pairs[0].near.sid, y->example_pairs[0].near.sid);
}

struct diff_group *gather_sorted(struct gather *g, const uint64_t sessions[2], size_t *len)
{
    for (size_t i = 0; i < g->len; i++)
        g->list[i].could = could(g, &g->list[i], sessions);
    if (g->len > 1)
        qsort(g->list, g->len, sizeof *g->list, group_compare);
    *len = g->len;
    return g->list;
}
