/*
 * group - equal findings of many sessions, told once.
 *
 * Equal: the same detector, side and observation point; of two transcripts what diff calls a
 * group. The first one is the example, with the octets that show it and what stands beside it.
 *
 * Owns:   the list and all texts in it.
 * Limits: GROUPS_MAX groups (findings of more kinds than that are counted only), and the
 *         constants below.
 */
#ifndef ANALYSIS_REPORT_GROUP_H
#define ANALYSIS_REPORT_GROUP_H

#include "analysis/report/found.h"
#include "base/sid.h"

#include <stdbool.h>

enum {
    GROUPS_MAX = 256,
    GROUP_TEXTS_MAX = 4,
    GROUP_SUBJECT_MAX = 48,
    GROUP_VANTAGE_MAX = 64,
    PANEL_MAX = 1024,
};

/* Octets of one place, as the page shows them beside those of another. */
struct panel {
    const char *label; /* constant; NULL: there is no such panel */
    unsigned char octets[PANEL_MAX];
    size_t len;
    uint64_t from;       /* offset of octets[0] in what they are part of */
    uint64_t at, at_len; /* what is pointed at, counted like `from`; at_len 0: nothing */
    uint64_t all;        /* the true length of the whole, 0: as shown */
    bool missing;        /* nothing stands there: it was taken away, or never came */
};

struct group {
    struct found example;
    char subject[GROUP_SUBJECT_MAX]; /* "EHLO", "STARTTLS"; "": it says nothing more */
    char vantage[GROUP_VANTAGE_MAX];
    char sid[SID_TEXT + 1];             /* of the example */
    uint64_t findings, sessions, could; /* could 0: all sessions */
    uint64_t first_us, last_us;
    bool same_bytes;
    char texts[GROUP_TEXTS_MAX][FINDING_TEXT_MAX]; /* other sentences than the example's */
    unsigned text_count;
    bool more_texts;
    struct panel left, right; /* two vantage points: sent and received */
    unsigned index;           /* of all that were ever new, from 0 */
    unsigned number;          /* on the page, from 1; groups_sort() */
    unsigned detail;          /* the session on the page that shows it; 0: none */
};

struct groups {
    struct group *list[GROUPS_MAX]; /* in the order first seen, until groups_sort() */
    unsigned count;
    uint64_t beyond; /* findings that found no room */
};

void groups_free(struct groups *g);
/* NULL: no room or no memory; it is counted then. */
struct group *groups_of(struct groups *g, const struct found *f, const char *vantage,
                        bool *is_new);
/* Another finding of the group; the session is counted by who knows it. */
void group_add(struct group *g, const struct found *f, uint64_t t_us);
/* The octets that show the example, from the step it points to; step NULL: its own bytes. */
void group_show(struct group *g, const struct step *s);
/* The worst first, then the most frequent, then by id. */
void groups_sort(struct groups *g);
/* Of all groups; false when there is none. */
bool groups_worst(const struct groups *g, enum severity *worst);

void panel_fill(struct panel *p, const char *label, struct span octets, uint64_t all);

#endif
