#include "dkim/repair.h"

#include <stdio.h>

#include "dkim/body.h"
#include "dkim/repair_undo.h"

enum { UNDONE_MAX = 2 * DKIM_BODY_MAX + 2, CUT_LEAST = 500 };

enum {
    BLOCK_OCTETS = 8192, /* of a text put in, at most */
    BLOCK_LINES = 256,   /* of a text put behind */
    TWO_LINES = 40,      /* of the first one of two texts */
    SPOTS_MAX = 32,
    TAG_MAX = 1024,
};

struct search {
    const struct dkim_signature *signature;
    uint64_t left; /* octets that may be hashed, or looked at one by one */
    struct dkim_repair *out;
    /* Of the damage that was undone before: the first to be named. NULL: none. */
    const char *damage, *before;
};

/* What else costs as much as octets hashed do. */
enum { PAY_HASH = 512, PAY_STEP = 16 };

/* Takes octets off the budget; false: there are not enough. */
MUST_CHECK static bool search_pay(struct search *s, size_t octets)
{
    if (octets > s->left) {
        s->left = 0;
        s->out->gave_up = true;
        return false;
    }
    s->left -= octets;
    return true;
}

/* Does this body fit? */
static bool search_fits(struct search *s, struct span body)
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

/* words: of the damage, behind those of the one before. */
static void search_found(struct search *s, const char *damage, uint64_t at, const char *words)
{
    struct dkim_repair *out = s->out;

    out->found = true;
    out->gave_up = false;
    out->damage = s->damage != NULL ? s->damage : damage;
    out->at = at;
    snprintf(out->text, sizeof out->text, "%s%s%s", s->before != NULL ? s->before : "",
             s->before != NULL ? ", and " : "", words);
}

/* ---- edits at one place ---- */

/*
 * Edits at one place, tried one after the other from the front: what stands before the place
 * is hashed once, what stands behind it for each try.
 */

struct walk {
    struct search *search;
    struct span body;
    size_t at; /* octets in `prefix` */
    struct dkim_body prefix;
};

struct edit {
    size_t at, remove;
    struct span insert;
};

static bool walk_begin(struct walk *w, struct search *s, struct span body)
{
    const struct dkim_signature *g = s->signature;

    *w = (struct walk){ .search = s, .body = body };
    dkim_body_init(&w->prefix, g->relaxed);
    if (dkim_body_hash(&w->prefix, g->sha1, g->limited, g->length) == 0)
        return true;
    s->out->gave_up = true;
    return false;
}

static void walk_end(struct walk *w)
{
    dkim_body_deinit(&w->prefix);
}

/* e->at is not before that of the edit tried last. */
static bool walk_try(struct walk *w, const struct edit *e)
{
    const struct dkim_signature *g = w->search->signature;
    struct span rest = span_drop(w->body, e->at + e->remove);
    struct dkim_body b;

    if (!search_pay(w->search, e->at - w->at + rest.len + PAY_HASH))
        return false;
    dkim_body_add(&w->prefix, span_first(span_drop(w->body, w->at), e->at - w->at));
    w->at = e->at;
    if (!dkim_body_copy(&b, &w->prefix)) {
        w->search->out->gave_up = true;
        return false;
    }
    dkim_body_add(&b, e->insert);
    dkim_body_add(&b, rest);
    dkim_body_finish(&b);
    bool fits = memcmp(dkim_body_digest(&b, 0), g->expected, g->hash_len) == 0;
    dkim_body_deinit(&b);
    return fits;
}

static size_t next_line(struct span body, size_t at)
{
    size_t n = at + span_find(span_drop(body, at), '\n');

    return n < body.len ? n + 1 : body.len;
}

static size_t line_before(struct span body, size_t at)
{
    if (at > 0)
        at--;
    while (at > 0 && body.ptr[at - 1] != '\n')
        at--;
    return at;
}

static unsigned count_lines(struct span s)
{
    unsigned n = 0;

    for (size_t at = 0; at < s.len; at = next_line(s, at))
        n++;
    return n;
}

/* Lines at the end. */
static bool try_footer(struct search *s, struct span body)
{
    struct walk w;
    size_t at = body.len;
    bool found = false;
    char words[64];

    for (unsigned i = 0; i < BLOCK_LINES && at > 0; i++)
        at = line_before(body, at);
    if (!walk_begin(&w, s, body))
        return false;
    while (at < body.len && !found && !s->out->gave_up) {
        found = walk_try(&w, &(struct edit){ .at = at, .remove = body.len - at });
        if (!found)
            at = next_line(body, at);
    }
    walk_end(&w);
    if (!found)
        return false;
    unsigned lines = count_lines(span_drop(body, at));
    if (lines == 1)
        snprintf(words, sizeof words, "the last line was appended");
    else
        snprintf(words, sizeof words, "the last %u lines were appended", lines);
    search_found(s, "footer-appended", at, words);
    return true;
}

/* A block in the middle begins, or ends, where a line or a tag does. */
static bool is_edge(struct span body, size_t at)
{
    return at == 0 || at == body.len || body.ptr[at - 1] == '\n' || body.ptr[at - 1] == '>' ||
           body.ptr[at] == '<' || body.ptr[at] == '\r';
}

static bool found_block(struct search *s, const char *damage, size_t at, size_t len)
{
    char words[96];

    snprintf(words, sizeof words, "%zu bytes were put into the body at byte %zu", len, at);
    search_found(s, damage, at, words);
    return true;
}

/* Something put in before `end`. */
static bool try_before(struct search *s, struct span body, size_t end)
{
    size_t at = end > BLOCK_OCTETS ? end - BLOCK_OCTETS : 0;
    struct walk w;
    bool found = false;

    if (!walk_begin(&w, s, body))
        return false;
    for (; at < end && !found && !s->out->gave_up; at += !found) {
        if (is_edge(body, at))
            found = walk_try(&w, &(struct edit){ .at = at, .remove = end - at });
    }
    walk_end(&w);
    return found && found_block(s, "footer-appended", at, end - at);
}

/* Something put in behind `at`. */
static bool try_behind(struct search *s, struct span body, size_t at)
{
    size_t most = body.len - at < BLOCK_OCTETS ? body.len - at : BLOCK_OCTETS, len = 1;
    struct walk w;
    bool found = false;

    if (!walk_begin(&w, s, body))
        return false;
    for (; len <= most && !found && !s->out->gave_up; len += !found) {
        if (is_edge(body, at + len))
            found = walk_try(&w, &(struct edit){ .at = at, .remove = len });
    }
    walk_end(&w);
    return found && found_block(s, "banner-inserted", at, len);
}

/* Where scanners put their texts: around the parts of MIME, and inside of HTML's body. */

struct spot {
    size_t at;
    bool behind; /* a text would be behind it, else before */
};

struct spots {
    struct spot list[SPOTS_MAX]; /* the last ones of the body */
    unsigned count;
    unsigned steps; /* lines and tags looked at */
};

static void add_spot(struct spots *s, size_t at, bool behind)
{
    if (s->count == SPOTS_MAX) {
        memmove(s->list, s->list + 1, (SPOTS_MAX - 1) * sizeof *s->list);
        s->count--;
    }
    s->list[s->count++] = (struct spot){ at, behind };
}

static void add_tag(struct spots *s, struct span body, size_t at)
{
    struct span tag = span_first(span_drop(body, at), TAG_MAX);
    size_t close = span_find(tag, '>');

    if (span_starts_with_nocase(tag, SPAN_LIT("</body")))
        add_spot(s, at, false);
    else if (span_starts_with_nocase(tag, SPAN_LIT("<body")) && close < tag.len)
        add_spot(s, at + close + 1, true);
}

static void find_spots(struct spots *s, struct span body)
{
    bool part = false; /* in the header of a part */

    for (size_t at = 0, next; at < body.len; at = next) {
        next = next_line(body, at);
        struct span line = span_first(span_drop(body, at), next - at);
        s->steps++;
        if (line.len > 4 && span_starts_with(line, SPAN_LIT("--"))) {
            add_spot(s, at, false);
            part = true;
        } else if (part && line.len <= 2) {
            add_spot(s, next, true);
            part = false;
        }
        for (size_t i = span_find(line, '<'); i < line.len;
             i += 1 + span_find(span_drop(line, i + 1), '<')) {
            add_tag(s, body, at + i);
            s->steps++;
        }
    }
}

/* From the end: what stands behind is short there. */
static bool try_spots(struct search *s, struct span body, const struct spots *spots)
{
    if (!search_pay(s, (size_t)PAY_STEP * spots->steps))
        return false;
    for (unsigned i = spots->count; i > 0 && !s->out->gave_up; i--) {
        const struct spot *spot = &spots->list[i - 1];
        if (spot->behind ? try_behind(s, body, spot->at) : try_before(s, body, spot->at))
            return true;
    }
    return false;
}

/* Texts put in front, behind, into a body. */
static bool edit_blocks(struct search *s, struct span body)
{
    struct spots spots = { .count = 0 };

    find_spots(&spots, body);
    return try_footer(s, body) || try_behind(s, body, 0) || try_spots(s, body, &spots);
}

/* Both parts of a mail got a text: one that ends with whole lines before a boundary is left
 * out, and the rest is searched. */
static bool try_two(struct search *s, struct span body, size_t end)
{
    size_t at = end;
    struct buf rest;
    bool found = false;

    buf_init(&rest, DKIM_BODY_MAX);
    for (unsigned i = 0; i < TWO_LINES && at > 0 && !found && !s->out->gave_up; i++) {
        struct spots spots = { .count = 0 };
        at = line_before(body, at);
        rest.len = 0;
        if (!search_pay(s, body.len) || !buf_append(&rest, span_first(body, at)) ||
            !buf_append(&rest, span_drop(body, end)))
            break;
        s->before = "a text was put into a part";
        s->damage = "footer-appended";
        find_spots(&spots, span_drop(buf_span(&rest), at + 1));
        for (unsigned k = 0; k < spots.count; k++)
            spots.list[k].at += at + 1;
        found = try_spots(s, buf_span(&rest), &spots);
    }
    s->before = s->damage = NULL;
    buf_release(&rest);
    return found;
}

static bool edit_pairs(struct search *s, struct span body)
{
    struct spots spots = { .count = 0 };

    find_spots(&spots, body);
    if (!search_pay(s, (size_t)PAY_STEP * spots.steps))
        return false;
    for (unsigned i = 0; i < spots.count && !s->out->gave_up; i++) {
        if (!spots.list[i].behind && body.ptr[spots.list[i].at] == '-' &&
            try_two(s, body, spots.list[i].at))
            return true;
    }
    return false;
}

/* One line of many. */

/* place: the start of the line that it was. */
static bool try_each_line(struct search *s, struct span body, const struct edit *e, bool at_end,
                          size_t *place)
{
    struct walk w;
    bool found = false;
    size_t at = 0;

    if (!walk_begin(&w, s, body))
        return false;
    while (at < body.len && !found && !s->out->gave_up) {
        size_t next = next_line(body, at);
        bool crlf = next - at > 1 && body.ptr[next - 1] == '\n' && body.ptr[next - 2] == '\r';
        struct edit one = { at_end ? next - 2 : at, e->remove, e->insert };
        if (!at_end || crlf)
            found = walk_try(&w, &one);
        if (!found)
            at = next;
    }
    walk_end(&w);
    *place = at;
    return found;
}

static bool edit_lines(struct search *s, struct span body)
{
    static const struct {
        const char *damage, *words;
        size_t remove;
        const char *insert;
        bool at_end;
    } kinds[] = {
        { "dot-unstuffed-once-more", "a dot at the start of a line was removed, in line", 0,
          ".", false },
        { "bare-lf-to-crlf", "an LF became CR LF, at the end of line", 2, "\n", true },
        { "bare-cr-to-crlf", "a CR became CR LF, at the end of line", 2, "\r", true },
    };
    char words[96];

    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        struct edit e = { 0, kinds[i].remove, span_str(kinds[i].insert) };
        size_t at;
        if (!try_each_line(s, body, &e, kinds[i].at_end, &at))
            continue;
        snprintf(words, sizeof words, "%s %u", kinds[i].words,
                 count_lines(span_first(body, at)) + 1);
        search_found(s, kinds[i].damage, at, words);
        return true;
    }
    return false;
}

/* ---- the search ---- */

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
                 "%s; no line is longer than %u bytes: lines may have been cut there", tried,
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
