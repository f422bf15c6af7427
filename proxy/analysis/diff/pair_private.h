/* pair_private - what the steps of pairing share. */
#ifndef ANALYSIS_DIFF_PAIR_PRIVATE_H
#define ANALYSIS_DIFF_PAIR_PRIVATE_H

#include "analysis/diff/pair.h"

/* In the order of the key, then of the number: in the order they began. */
struct keyed {
    uint64_t key;
    uint32_t number;
};

int keyed_compare(const void *a, const void *b);

/* Octets of evidence that two sessions are one; see pair_score.c. */
struct likeness {
    int score;  /* without time */
    bool alike; /* something said is the same */
    bool contradicts;
};

struct likeness pair_likeness(const struct entry *near, const struct entry *far);

/* There is room for as many pairs as there are sessions. */
void pair_add(struct pairing *p, const struct index *near, const struct index *far,
              struct pair pair);
/* How far FAR's session is from where NEAR's clock would have it. */
static inline uint64_t pair_distance(const struct pairing *p, uint64_t near_us, uint64_t far_us)
{
    int64_t d = (int64_t)(far_us - near_us) - p->ahead_us;

    return d < 0 ? (uint64_t)-d : (uint64_t)d;
}

/* Step 3. */
MUST_CHECK bool pair_by_dialogue(struct pairing *p, const struct index *near,
                                 const struct index *far);

#endif
