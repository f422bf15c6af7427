#include "dkim/repair_private.h"

#include "dkim/body.h"

#include <stdio.h>

enum { UNDONE_MAX = 2 * DKIM_BODY_MAX + 2, CUT_LEAST = 500 };

bool search_pay(struct search *s, size_t octets)
{
    if (octets > s->left) {
        s->left = 0;
        s->out->gave_up = true;
        return false;
    }
    s->left -= octets;
    return true;
}

bool search_fits(struct search *s, struct span body)
{
    const struct dkim_signature *g = s->signature;
    struct dkim_body b;

    if (!search_pay(s, body.len + PAY_HASH))
        return false;
    dkim_body_init(&b, g->relaxed);
    if (dkim_body_hash(&b, g->sha1, g->limited, g->length) != 0) {
        s->out->gave_up = true;
        return false;
    }
    dkim_body_add(&b, body);
    dkim_body_finish(&b);
    bool fits = memcmp(dkim_body_digest(&b, 0), g->expected, g->hash_len) == 0;
    dkim_body_deinit(&b);
    return fits;
}

void search_found(struct search *s, const char *damage, uint64_t at, const char *words)
{
    struct dkim_repair *out = s->out;

    out->found = true;
    out->gave_up = false;
    out->damage = s->damage != NULL ? s->damage : damage;
    out->at = at;
    snprintf(out->text, sizeof out->text, "%s%s%s", s->before != NULL ? s->before : "",
             s->before != NULL ? ", and " : "", words);
}

/* Where two texts begin to differ. */
static size_t common(struct span a, struct span b)
{
    size_t most = a.len < b.len ? a.len : b.len, n = 0;

    while (n < most && a.ptr[n] == b.ptr[n])
        n++;
    return n;
}

static void undo_words(const struct undo *u, const struct undone *done, char *out, size_t size)
{
    char column[16] = "";

    if (u->told)
        snprintf(column, sizeof column, " %u", u->n);
    snprintf(out, size, "%s%s (%u time%s)", u->words, column, done->changes,
             done->changes == 1 ? "" : "s");
}

/* Something is undone; false: nothing was there to be undone. The caller releases. */
static bool undo(struct search *s, const struct undo *u, struct span body, struct undone *done)
{
    *done = (struct undone){ .changes = 0 };
    buf_init(&done->body, UNDONE_MAX);
    if (!search_pay(s, body.len))
        return false;
    u->apply(body, u, done);
    s->out->gave_up |= done->failed;
    return search_pay(s, (size_t)PAY_STEP * done->puts) && done->changes > 0 && !done->failed;
}

static bool try_undo(struct search *s, const struct undo *u, struct span body)
{
    struct undone done;
    char words[128];

    bool found = undo(s, u, body, &done) && search_fits(s, buf_span(&done.body));
    if (found) {
        undo_words(u, &done, words, sizeof words);
        search_found(s, u->damage, common(body, buf_span(&done.body)), words);
    }
    undone_release(&done);
    return found;
}

static bool try_folds(struct search *s, struct span body)
{
    unsigned columns[COLUMNS_MAX], n = undo_columns(body, columns);

    for (unsigned i = 0; i < n; i++) {
        for (int f = 0; f < FOLD_KINDS && !s->out->gave_up; f++) {
            /* With a mark, the line is longer than the part before it. */
            struct undo u = undo_fold((enum fold)f, columns[i] - (f <= FOLD_BANG_SPACE));
            if (try_undo(s, &u, body))
                return true;
        }
    }
    return false;
}

/* One damage. */
static bool try_all(struct search *s, struct span body)
{
    const struct undo *u;

    for (unsigned i = 0; (u = undo_at(i)) != NULL && !s->out->gave_up; i++) {
        if (try_undo(s, u, body))
            return true;
    }
    return try_folds(s, body) || edit_blocks(s, body);
}

/* One after another. */
static bool try_after(struct search *s, const struct undo *u, struct span body)
{
    struct undone done;
    char words[128];
    bool found = false;

    if (undo(s, u, body, &done)) {
        undo_words(u, &done, words, sizeof words);
        s->damage = u->damage;
        s->before = words;
        found = try_all(s, buf_span(&done.body));
        s->damage = s->before = NULL;
    }
    undone_release(&done);
    return found;
}

static bool try_pairs(struct search *s, struct span body)
{
    const struct undo *u;

    for (unsigned i = 0; (u = undo_at(i)) != NULL && !s->out->gave_up; i++) {
        if (u->first && try_after(s, u, body))
            return true;
    }
    return edit_pairs(s, body);
}

/* Lines that end at one column, and none beyond: they may have been cut there. */
static unsigned cut_column(struct span body)
{
    unsigned columns[COLUMNS_MAX], n = undo_columns(body, columns);

    return n > 0 && columns[0] >= CUT_LEAST ? columns[0] : 0;
}

static void say_nothing_found(struct dkim_repair *out, struct span body)
{
    unsigned column = cut_column(body);
    const char *tried = out->gave_up ? "what was tried within the limit does not restore it"
                                     : "none of the known damages, undone, restores it";

    if (column > 0)
        snprintf(out->text, sizeof out->text,
                 "%s; no line is longer than %u octets: lines may have been cut there", tried,
                 column);
    else
        snprintf(out->text, sizeof out->text, "%s", tried);
}

void dkim_repair(struct span body, const struct dkim_signature *signature, uint64_t most,
                 struct dkim_repair *out)
{
    struct search s = { .signature = signature, .left = most, .out = out };

    *out = (struct dkim_repair){ .found = false };
    if (signature->hash_len == 0)
        return;
    if (body.len > DKIM_REPAIR_BODY_MAX) {
        out->gave_up = true;
        snprintf(out->text, sizeof out->text, "not searched: the body is larger than %d MiB",
                 DKIM_REPAIR_BODY_MAX >> 20);
        return;
    }
    if (try_all(&s, body) || try_pairs(&s, body) || edit_lines(&s, body))
        return;
    say_nothing_found(out, body);
}
