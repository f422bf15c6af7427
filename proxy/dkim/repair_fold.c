#include "dkim/repair_private.h"

static const struct {
    struct span mark, lead; /* before the line's end, and behind it */
    const char *words;
} folds[FOLD_KINDS] = {
    [FOLD_BANG] = { { (const unsigned char *)"!", 1 },
                    { NULL, 0 },
                    "lines were folded by \"!\" CR LF after octet" },
    [FOLD_BANG_SPACE] = { { (const unsigned char *)"!", 1 },
                          { (const unsigned char *)" ", 1 },
                          "lines were folded by \"!\" CR LF SP after octet" },
    [FOLD_SPACE] = { { NULL, 0 },
                     { (const unsigned char *)" ", 1 },
                     "lines were folded by CR LF SP after octet" },
    [FOLD_TAB] = { { NULL, 0 },
                   { (const unsigned char *)"\t", 1 },
                   "lines were folded by CR LF TAB after octet" },
    [FOLD_NOTHING] = { { NULL, 0 }, { NULL, 0 }, "lines were folded by CR LF after octet" },
};

static bool ends_with(struct span s, struct span end)
{
    return s.len >= end.len && span_equal(span_drop(s, s.len - end.len), end);
}

/* A part behind a fold may be longer by what leads it. */
static void undo_folds(struct span in, const struct undo *u, struct undone *out)
{
    struct span mark = folds[u->fold].mark, lead = folds[u->fold].lead;
    size_t behind = 0; /* octets of the fold before this part */

    while (in.len > 0) {
        struct text_line line = text_line_take(&in);
        size_t len = line.text.len;
        bool full = len == u->n + mark.len || len == u->n + mark.len + behind;
        bool folded = full && line.end.len == 2 && in.len > 0 && ends_with(line.text, mark) &&
                      (lead.len == 0 || in.ptr[0] == lead.ptr[0]);
        struct span text = span_drop(line.text, behind);
        if (folded)
            text.len -= mark.len;
        undone_put(out, text);
        if (!folded)
            undone_put(out, line.end);
        out->changes += folded;
        behind = folded ? lead.len : 0;
    }
}

struct undo undo_fold(enum fold f, unsigned column)
{
    return (struct undo){ .damage = "long-line-folded",
                          .words = folds[f].words,
                          .apply = undo_folds,
                          .n = column,
                          .told = true,
                          .fold = f };
}

/* Keeps the longest different ones. */
static unsigned keep_column(unsigned columns[COLUMNS_MAX], unsigned count, unsigned column)
{
    unsigned at = 0;

    while (at < count && columns[at] > column)
        at++;
    if (at == COLUMNS_MAX || (at < count && columns[at] == column))
        return count;
    if (count < COLUMNS_MAX)
        count++;
    memmove(columns + at + 1, columns + at, (count - at - 1) * sizeof *columns);
    columns[at] = column;
    return count;
}

unsigned undo_columns(struct span body, unsigned columns[COLUMNS_MAX])
{
    unsigned count = 0;

    while (body.len > 0) {
        struct text_line line = text_line_take(&body);
        if (line.text.len >= COLUMN_LEAST)
            count = keep_column(columns, count, (unsigned)line.text.len);
    }
    return count;
}
