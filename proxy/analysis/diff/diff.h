/*
 * diff - two transcripts of the same sessions: what changed on the way between them.
 *
 * NEAR is the vantage point next to the client, FAR the one next to the server. What NEAR
 * sent on must be what FAR received; what FAR replied must be what NEAR received; whatever
 * differs is a finding, named by its class (TV-01..TV-24), or "TV-00 altered" when no class
 * fits: nothing is passed over.
 *
 *   1. index    both sides are read once; of a session a few numbers are kept, see index.h
 *   2. pair     sessions of NEAR with sessions of FAR
 *   3. compare  the records of each pair are read again, aligned and compared
 *   4. group    equal findings of many sessions are one group
 *
 * Owns:   the index, pairs, groups and the findings kept as examples, until diff_free().
 * Limits: DIFF_SESSIONS_MAX sessions a side, DIFF_GROUPS_MAX groups, 16 of one class, sub and
 *         subject (what is beyond joins a group "others"), DIFF_FINDINGS_MAX findings a pair, 4
 * MiB a record, DIFF_RECORDS_MAX records a session. 10 GB of transcripts need less than 512
 * MiB.
 */
#ifndef ANALYSIS_DIFF_H
#define ANALYSIS_DIFF_H

#include "analysis/catalogue.h"
#include "base/attributes.h"
#include "transcript/finding.h"

#include <stdint.h>

enum {
    DIFF_SESSIONS_MAX = 1500000,
    DIFF_RECORDS_MAX = 20000,
    DIFF_GROUPS_MAX = 2000,
    DIFF_FINDINGS_MAX = 64,
    DIFF_EXAMPLES_MAX = 8,
    DIFF_EXCERPT_MAX = 512,
    DIFF_ERROR_MAX = 512,
    DIFF_SID = 27, /* with its NUL */
};

enum diff_vantage { NEAR, FAR };

/* What was on its way from where to where. */
#define DIFF_WAYS(X)                                                                           \
    X(COMMAND, "command") /* NEAR to FAR */                                                    \
    X(REPLY, "reply")     /* FAR to NEAR */                                                    \
    X(CONTENT, "content") /* NEAR to FAR */                                                    \
    X(SESSION, "session") /* TLS, the end, the session itself */

enum diff_way {
#define X(id, name) WAY_##id,
    DIFF_WAYS(X)
#undef X
};

/* What one vantage point has of the place that differs. */
struct diff_excerpt {
    uint32_t record;    /* `n`; 0: it has none */
    const char *field;  /* of that record, "received"; constant; NULL: none */
    struct span octets; /* the unit: a line, a reply; at most DIFF_EXCERPT_MAX of it */
    uint64_t from;      /* offset of `octets` in that field or, of content, in the content */
    uint64_t at;        /* of the first octet that differs, counted like `from` */
    uint64_t len;       /* octets that differ; may end behind the excerpt */
    uint64_t stream;    /* offset of the unit in its stream, where known */
};

/*
 * f.record, f.field, f.at and f.bytes are those of the vantage that received; of content that
 * was not kept f.bytes is empty and [at, at + len) is the range of blocks that differ.
 */
struct diff_finding {
    struct finding f; /* side is BETWEEN */
    const char *sub;  /* "masked", "deleted", "inserted", ...: constant */
    char subject[32]; /* verb, EHLO keyword, header name, "greeting"; escaped */
    enum diff_way way;
    bool block; /* located to blocks, not to the octet */
    struct diff_excerpt sent, received;
    uint64_t rule; /* findings with equal id, sub, subject and rule are one group */
};

struct diff_session {
    char sid[DIFF_SID];
    uint64_t t_us, us; /* it began, it lasted */
    uint32_t commands, messages;
    uint64_t octets; /* of content */
};

struct diff_pair {
    struct diff_session near, far;
    enum confidence confidence;
    const char *how; /* "connection", "client address", "dialogue": constant */
};

struct diff_group {
    const struct diff_finding *examples[DIFF_EXAMPLES_MAX]; /* the first ones; at least one */
    struct diff_pair example_pairs[DIFF_EXAMPLES_MAX];      /* theirs; sid "": there is none */
    unsigned example_count;
    uint64_t findings;      /* of this kind */
    uint64_t sessions;      /* that have one */
    uint64_t could;         /* sessions that have what it is about: "3,120 of 3,120" */
    bool same_bytes;        /* the same octets were sent and received in all of them */
    char last[2][DIFF_SID]; /* the last pair with it */
    bool others;            /* stands for groups beyond the limit */
};

struct diff_totals {
    uint64_t records[2], octets[2], bad_lines[2]; /* read, by vantage */
    uint64_t sessions[2];
    uint64_t pairs, pairs_by[4];       /* by enum confidence */
    uint64_t unpaired[2];              /* that should have a partner */
    uint64_t apart[2];                 /* began when the other vantage point saw nothing */
    uint64_t damaged, clean;           /* pairs with a finding above info; the others */
    uint64_t findings, findings_by[5]; /* by enum severity */
};

struct diff_clock {
    bool known;
    int64_t ahead_us; /* FAR's clock before NEAR's */
    uint64_t error_us;
};

struct diff_result {
    const char *vantage[2]; /* their names */
    struct diff_totals totals;
    struct diff_clock clock;
    struct diff_group *groups; /* the worst first, then the most frequent */
    size_t group_count;
    enum severity worst; /* valid when there are findings */
};

enum diff_phase { PHASE_NEAR, PHASE_FAR, PHASE_COMPARE };

struct diff_options {
    const char *const *files[2]; /* transcripts; "-": standard input, once */
    size_t file_count[2];
    const char *spool[2];              /* folder of kept contents; NULL: not looked at */
    const struct catalogue *catalogue; /* NULL: findings name no product */
    const char *importer;              /* program that reads captures; NULL: none are */
    const char *session;               /* compare only these: a part of a sid; NULL: all */
    unsigned examples;                 /* kept of each group, at most DIFF_EXAMPLES_MAX */

    /* None may call back into diff; any may be NULL. */
    void (*progress)(void *arg, enum diff_phase phase, uint64_t done, uint64_t of);
    void (*trouble)(void *arg, const char *what); /* "FILE:LINE: what is wrong with it" */
    /* Every pair and its findings, in the order of NEAR; valid for the call. */
    void (*compared)(void *arg, const struct diff_pair *pair, const struct diff_finding *list,
                     size_t len);
    void *arg;
};

/* NULL: `error` says what, where, what to do. */
MUST_CHECK struct diff_result *diff_run(const struct diff_options *o,
                                        char error[DIFF_ERROR_MAX]);
void diff_free(struct diff_result **r);

/* Sessions without a partner that should have one. */
bool diff_unpaired_at(const struct diff_result *r, enum diff_vantage v, size_t i,
                      struct diff_session *out);

/* Severity low or above was found. */
bool diff_is_damaged(const struct diff_result *r);
const char *diff_way_name(enum diff_way w);

#endif
