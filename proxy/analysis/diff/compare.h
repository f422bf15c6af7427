/*
 * compare - the two halves of one session laid side by side.
 *
 * Commands and contents are aligned first, replies after them with what is known of the
 * commands, so that what was changed, eaten, made up or answered by somebody else is told
 * apart. Every difference is a finding; those without a class of their own are "altered".
 */
#ifndef ANALYSIS_DIFF_COMPARE_H
#define ANALYSIS_DIFF_COMPARE_H

#include "analysis/diff/diff.h"
#include "analysis/diff/talk.h"

enum diff_class {
#define CLASS(id, text, name, severity, next) CLASS_##id,
#include "analysis/diff/classes.def"
#undef CLASS
    CLASS_COUNT
};

struct compare {
    struct scratch *mem;
    const struct talk *near, *far;
    const struct diff_clock *clock;
    const char *spool[2];
    enum confidence pair; /* that these two are one session */
    struct diff_finding list[DIFF_FINDINGS_MAX];
    size_t len;
    size_t *far_of;        /* of each unit of NEAR, by what it sent: the unit of FAR, or none */
    size_t *near_of;       /* the other way round */
    size_t *reply_near_of; /* of each unit of FAR: the unit of NEAR that has its reply */
    size_t *reply_far_of;
    bool mta_hop; /* a mail server between the two has left its Received: line */
};

/* False: memory is out; the findings so far are there. */
MUST_CHECK bool compare_talks(struct compare *c);

/* ---- of its parts, in the order they are called ---- */

/* A finding to fill in; when there are too many it is the last one, again and again. */
struct diff_finding *compare_found(struct compare *c, enum diff_class id, const char *sub,
                                   struct span subject);
void compare_say(struct diff_finding *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What the unit has at the place: the evidence. `text`: its line or its reply. */
void compare_show(struct diff_excerpt *e, const struct unit *u, const char *field,
                  struct text text, uint64_t at, uint64_t len);
/* Both sides of a difference, and the rule: the octets themselves. */
void compare_show_delta(struct diff_finding *f, const struct unit *sent, struct text a,
                        const struct unit *received, struct text b);
/* Copies the octets a finding shows into the pair's memory. */
void compare_keep(struct compare *c, struct diff_finding *f);
uint64_t compare_hash(uint64_t before, struct span s);

bool compare_same_line(const struct unit *near, const struct unit *far);
void compare_lines(struct compare *c, const struct unit *near, const struct unit *far);
void compare_unpaired_near(struct compare *c, size_t i);
void compare_unpaired_far(struct compare *c, size_t i);

void compare_contents(struct compare *c, const struct unit *near, const struct unit *far);
/* All that arrived is what was sent, and it has no end. */
void compare_content_stopped(struct compare *c, const struct unit *near,
                             const struct unit *far);
/* Where the content itself was kept. True: it said all there is to say. */
bool compare_content_octets(struct compare *c, const struct unit *near, const struct unit *far);

/* Both have a reply, and the two differ. */
void compare_replies(struct compare *c, const struct unit *near, const struct unit *far);
/* False: nothing was found. */
bool compare_ehlo(struct compare *c, const struct unit *near, const struct unit *far);
void compare_reply_only_near(struct compare *c, size_t i);
void compare_reply_only_far(struct compare *c, size_t i);

/* TCP options, where both come from captures. */
void compare_packets(struct compare *c);
/* Times, TLS, the end. */
void compare_sessions(struct compare *c);

/* ---- masks: see mask.c ---- */

enum mask_kind { MASK_NONE, MASK_STARS, MASK_ONE_STAR, MASK_LETTERS };

enum mask_kind mask_of(struct text sent, struct text received);

/* What a command is called in a sentence: its verb, "command" when it has none. */
struct span unit_name(const struct unit *u);

#endif
