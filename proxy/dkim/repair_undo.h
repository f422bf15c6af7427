/* repair_undo - damages that are everywhere in a body, undone. Private to dkim. */
#ifndef DKIM_REPAIR_UNDO_H
#define DKIM_REPAIR_UNDO_H

#include "dkim/repair.h"
#include "base/buf.h"

/* A body with a damage undone everywhere. */
struct undone {
    struct buf body;
    unsigned changes; /* places */
    unsigned puts;    /* stretches it was put together of */
    bool failed;      /* memory is out */
};

void undone_put(struct undone *u, struct span s);
void undone_release(struct undone *u);

/* One line: its end is CR LF, LF, or nothing. */
struct text_line {
    struct span text, end;
};
struct text_line text_line_take(struct span *rest);

/* How lines are folded: what stands between the parts of one. */
enum fold { FOLD_BANG, FOLD_BANG_SPACE, FOLD_SPACE, FOLD_TAB, FOLD_NOTHING, FOLD_KINDS };

struct undo {
    const char *damage; /* of the catalogue, where it is there */
    const char *words;  /* "CRs before LF were removed" */
    void (*apply)(struct span body, const struct undo *u, struct undone *out);
    unsigned n; /* of folds the column, of tabs the spaces, of newlines the classes */
    bool told;  /* n belongs behind the words */
    bool first; /* worth trying together with another one */
    enum fold fold;
};

/* The table; NULL past the end. Folds are not in it: their columns are found in the body. */
const struct undo *undo_at(unsigned i);
struct undo undo_fold(enum fold f, unsigned column);

/* Lengths of lines, without their ends, the longest first; how many. */
enum { COLUMNS_MAX = 6, COLUMN_LEAST = 60 };
unsigned undo_columns(struct span body, unsigned columns[COLUMNS_MAX]);

#endif
