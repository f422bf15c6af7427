/*
 * witness - a session's records as they are written, each shown to the detectors; what they
 * find follows it.
 *
 * For whoever writes records: the same calls as record.h, and findings besides. Findings of the
 * end stand before the close record, which is the last.
 *
 * Owns: what the detectors know of the session, until witness_close() or witness_deinit().
 */
#ifndef ANALYSIS_WITNESS_H
#define ANALYSIS_WITNESS_H

#include "analysis/detect.h"
#include "transcript/record.h"

/* What all sessions of a thread share. */
struct witness_env {
    const struct catalogue *catalogue; /* NULL: findings name no product */
    struct detect_memory *memory;      /* NULL: nothing is looked for */
};

struct witness {
    const struct witness_env *env;
    struct recorder *recorder;
    struct detect *detect;
    uint64_t now_us; /* the time of findings; the caller's to set */
};

void witness_init(struct witness *w, const struct witness_env *env, struct recorder *r);
void witness_deinit(struct witness *w);

void witness_open(struct witness *w, const struct record_open *info);
void witness_connect(struct witness *w, const struct record_connect *info);
void witness_tls(struct witness *w, const struct record_tls *info);
void witness_event(struct witness *w, const struct event *e);
void witness_close(struct witness *w, const struct record_close *info);

#endif
