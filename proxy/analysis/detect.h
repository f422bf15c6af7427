/*
 * detect - the single-vantage detectors: records of one session in, findings out.
 *
 * The same code looks at live sessions (in `run`) and at stored transcripts (`report`, `show`);
 * equal records give equal findings. Detectors are a table, detectors.def: id, name, severity,
 * the functions with the records they look at, next test. What products a finding fits is the
 * catalogue's business.
 *
 * What is known of a session is one small block, made with its first record that matters;
 * what must be remembered across sessions (a keyword seen before for this upstream, the same
 * verb followed by a reset three times) is in a bounded memory of the worker or of the file.
 *
 * Traps kept: a mask of eight letters never says "STARTTLS stripped"; what a product is known
 * to say as the MTA itself is information.
 */
#ifndef ANALYSIS_DETECT_H
#define ANALYSIS_DETECT_H

#include "analysis/catalogue.h"
#include "transcript/finding.h"
#include "analysis/record_view.h"
#include "base/attributes.h"

#include <stddef.h>

struct detect;        /* one session */
struct detect_memory; /* many */

enum { DETECT_UPSTREAMS_MAX = 1024 }; /* remembered; the oldest is forgotten */

/* NULL when memory is out. */
MUST_CHECK struct detect_memory *detect_memory_new(void);
void detect_memory_free(struct detect_memory **m);

struct detect_env {
    const struct catalogue *catalogue; /* NULL: findings name no product */
    struct detect_memory *memory;
    /* Not to call back into detect. */
    void (*found)(void *arg, const struct finding *f);
    void *arg;
};

/*
 * One record, in order. *d is NULL before the first; made when needed (memory out: nothing is
 * detected in this session), freed with VIEW_CLOSE.
 */
void detect_see(struct detect **d, const struct detect_env *env, const struct record_view *s);
/* For a session that ends without a close record. */
void detect_free(struct detect **d);

/* The table, for documentation and tests: id, name, severity; false past the end. */
bool detect_list(unsigned i, const char **id, const char **name, enum severity *severity);

#endif
