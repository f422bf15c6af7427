/*
 * step - of one record what the page shows of it, in little memory.
 *
 * Owns:   one block of memory, until step_free().
 * Limits: STEP_WIRE_MAX octets of each wire text, STEP_TEXT_MAX of words.
 */
#ifndef ANALYSIS_REPORT_STEP_H
#define ANALYSIS_REPORT_STEP_H

#include "base/attributes.h"
#include "base/span.h"
#include "transcript/read/reader.h"

enum { STEP_WIRE_MAX = 1024, STEP_TEXT_MAX = 200, STEP_VERB_MAX = 16, STEP_NOTES_MAX = 160 };

#define WIRES(X)                                                                               \
    X(RECEIVED, "received")   /* from the client */                                            \
    X(FORWARDED, "forwarded") /* to the upstream, where that differs */                        \
    X(REPLY, "reply")         /* from the upstream */                                          \
    X(REPLIED, "replied")     /* to the client, where that differs */

enum wire {
#define X(id, name) WIRE_##id,
    WIRES(X)
#undef X
        WIRE_COUNT
};

enum step_action {
    ACTED_RELAYED, /* or no command at all */
    ACTED_REWRITTEN,
    ACTED_REFUSED,
    ACTED_STRIPPED,
    ACTED_SWALLOWED,
    ACTED_ADDED,
};

enum step_leg { STEP_LEG_CLIENT, STEP_LEG_SERVER, STEP_LEG_BOTH };

struct step {
    enum record_kind kind;
    uint64_t n, t_us;
    uint64_t us;   /* reply_us, or how long it took */
    bool answered; /* `us` is that of a reply */
    unsigned code; /* of the reply; 0: none */
    enum step_action action;
    enum step_leg leg; /* tls: with whom */
    bool ours;         /* smtpscope made the reply */
    bool failed;       /* connect, tls, content, close: it went wrong */
    bool marked;       /* a finding points here: it is kept */
    uint64_t skipped;  /* steps left out before this one */
    char verb[STEP_VERB_MAX];
    char text[STEP_TEXT_MAX];     /* plain words; peers' text in it was made printable */
    char notes[STEP_NOTES_MAX];   /* names, separated by ", " */
    struct span wire[WIRE_COUNT]; /* ptr NULL: there is none */
    uint64_t octets[WIRE_COUNT];  /* the true lengths */
    size_t size;                  /* memory it takes */
};

/* NULL when memory is out, or for a kind that is no step (finding, lost). */
MUST_CHECK struct step *step_new(const struct record *r);
void step_free(struct step **s);

/* Something of it was changed, answered or kept back by smtpscope itself. */
bool step_is_altered(const struct step *s);
const char *wire_name(enum wire w);
/* What smtpscope did, in words; NULL when it only passed things on. */
const char *step_action_words(const struct step *s);
/* Microseconds since 1970 of "2026-11-23T09:00:01.000017Z"; 0 when it is none. */
uint64_t step_time(const char *t);

#endif
