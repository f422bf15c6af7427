/*
 * match - which products of the catalogue fit what was found, and what that amounts to.
 *
 * Findings name the entries they fit, best first. Entries of one maker count together (a
 * firewall is several entries, one for each thing it does to mail); the maker that explains
 * the most, the worst findings first, is the match. What the catalogue calls by no name of a
 * maker ("proxies") stands for itself.
 */
#ifndef ANALYSIS_REPORT_MATCH_H
#define ANALYSIS_REPORT_MATCH_H

#include "analysis/catalogue.h"
#include "analysis/report/group.h"

enum { MATCH_ENTRIES_MAX = 32, MATCH_GROUPS_MAX = 64 };

struct match_entry {
    const char *id;                      /* in a group */
    const struct catalogue_entry *entry; /* NULL: not in this catalogue */
    const struct group *explains[MATCH_GROUPS_MAX];
    unsigned explains_count;
    unsigned best_rank; /* 0: the best match of some finding */
    uint64_t score;
};

struct match {
    struct match_entry list[MATCH_ENTRIES_MAX]; /* of the best maker first, then by score */
    unsigned count;
    unsigned family;            /* so many at the front are of the best maker */
    unsigned explained, damage; /* groups of low and above: by that maker, in all */
};

struct verdict {
    bool damaged; /* a finding of low or above */
    enum severity worst;
    enum confidence confidence; /* of the worst */
    char sentence[800];
    char product[256]; /* what it looks like; "": nothing in the catalogue fits */
    /* What to change, of the catalogue; entries may be NULL. */
    const char *fixes[4];
    unsigned fix_count;
};

/* Groups must be sorted. Borrows both. */
void match_make(struct match *m, const struct groups *g, const struct catalogue *c);
/* `where` is the observation point, or "NEAR and FAR" of two. */
void verdict_make(struct verdict *v, const struct groups *g, const struct match *m,
                  const char *where);
/* "certain", "likely", ... in a sentence. */
const char *confidence_words(enum confidence c);
/* Where the finding points to, in words: "on the server's side of "; the point's name follows.
 */
const char *side_words(enum blame side);

#endif
