/* dkim_repair_private - the parts of dkim_repair: undoing, editing, and the search. */
#ifndef DKIM_REPAIR_PRIVATE_H
#define DKIM_REPAIR_PRIVATE_H

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
MUST_CHECK bool search_pay(struct search *s, size_t octets);
/* Does this body fit? */
bool search_fits(struct search *s, struct span body);
/* Found. words: of the damage, behind those of the one before. */
void search_found(struct search *s, const char *damage, uint64_t at, const char *words);

/* Texts put in front, behind, into a body. True: found. */
bool edit_blocks(struct search *s, struct span body);
/* Two of them, in two parts. */
bool edit_pairs(struct search *s, struct span body);
/* One line of all: each costs a hash of the rest of the body. */
bool edit_lines(struct search *s, struct span body);

#endif
