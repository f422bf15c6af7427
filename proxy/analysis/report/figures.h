/*
 * figures - counts over all sessions: fixed memory, whatever their number.
 *
 * How long replies took is kept in buckets, eight for each doubling, so that a percentile is
 * right to about a tenth.
 */
#ifndef ANALYSIS_REPORT_FIGURES_H
#define ANALYSIS_REPORT_FIGURES_H

#include "transcript/read/reader.h"

enum {
    LAPSE_BUCKETS = 320, /* to 2^40 us, twelve days */
    LAPSE_BARS = 20,     /* 1-2-5 from 100 us on, for people */
    VERBS_MAX = 24,
    TALLIES_MAX = 48,
    TALLY_NAME_MAX = 48,
};

struct lapses {
    uint64_t bucket[LAPSE_BUCKETS];
    uint64_t count, longest_us;
};

struct verb_figures {
    char name[16];
    uint64_t commands, good, later, refused, unanswered, ours; /* 2xx 3xx, 4xx, 5xx */
    struct lapses lapses;
};

/* Names and how often they were seen; what is beyond TALLIES_MAX names is counted as "other".
 */
struct tally {
    char name[TALLY_NAME_MAX];
    uint64_t count;
    bool bad;
};

struct tallies {
    struct tally list[TALLIES_MAX];
    unsigned count;
};

struct figures {
    uint64_t records, bad_lines, missing, lost;
    uint64_t sessions, closed, failed;
    uint64_t contents, contents_refused, contents_altered, contents_cut, content_octets;
    uint64_t content_longest_line;
    uint64_t octets_from_client, octets_from_server;
    uint64_t opaque;
    uint64_t first_us, last_us;
    struct verb_figures verbs[VERBS_MAX]; /* the last one takes all others */
    unsigned verb_count;
    uint64_t bars[LAPSE_BARS + 1];
    struct tallies tls, closes, vantages, dkim;
};

void figures_see(struct figures *f, const struct record *r);

/* The time below which `percent` of them lie; 0 when there are none. */
uint64_t lapses_percentile(const struct lapses *l, unsigned percent);
/* Upper limit of a bar. */
uint64_t figures_bar_limit(unsigned bar);
/* The most frequent first. */
void tallies_sort(struct tallies *t);

#endif
