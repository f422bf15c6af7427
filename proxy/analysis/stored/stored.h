/*
 * stored - records read back, as detectors saw them live.
 *
 * One record of transcript/read becomes one struct record_view, its texts decoded to octets. What the
 * record does not hold (mail data itself) is not there live either, so findings are the same.
 *
 * Owns: the decoded texts of one record at a time.
 */
#ifndef ANALYSIS_STORED_STORED_H
#define ANALYSIS_STORED_STORED_H

#include "analysis/detect.h"
#include "base/attributes.h"
#include "transcript/read/reader.h"

struct stored;

/* NULL when memory is out. */
MUST_CHECK struct stored *stored_new(void);
void stored_free(struct stored **s);
/* Valid until the next call. NULL: a kind of record no detector looks at, or memory is out. */
const struct record_view *stored_see(struct stored *s, const struct record *r);

/*
 * All sessions of a file, interleaved as they are: records in, findings out, each with its
 * session. Bounded: the oldest of more than 65536 open sessions is forgotten.
 */
struct stored_detect;

struct stored_finding {
    const char *sid, *t, *vantage;
    const struct finding *finding;
    bool recorded; /* it was in the transcript already: not found anew */
};

MUST_CHECK struct stored_detect *stored_detect_new(
    const struct catalogue *c, void (*found)(void *arg, const struct stored_finding *f),
    void *arg);
void stored_detect_free(struct stored_detect **d);
void stored_detect_see(struct stored_detect *d, const struct record *r);

#endif
