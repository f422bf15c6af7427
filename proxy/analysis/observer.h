/*
 * observer - a session's records as they are written, each shown to the detectors; what they
 * find follows it.
 *
 * For whoever writes records: the same calls as record.h, and findings besides. Findings of the
 * end stand before the close record, which is the last.
 *
 * Owns: what the detectors know of the session, until observer_close() or observer_deinit().
 */
#ifndef ANALYSIS_OBSERVER_H
#define ANALYSIS_OBSERVER_H

#include "analysis/detect.h"
#include "transcript/record.h"

/* What all sessions of a thread share. */
struct observer_env {
    const struct catalogue *catalogue; /* NULL: findings name no product */
    struct detect_memory *memory;      /* NULL: nothing is looked for */
};

struct observer {
    const struct observer_env *env;
    struct recorder *recorder;
    struct detect *detect;
    uint64_t now_us; /* the time of findings; the caller's to set */
};

void observer_init(struct observer *w, const struct observer_env *env, struct recorder *r);
void observer_deinit(struct observer *w);

void observer_open(struct observer *w, const struct record_open *info);
void observer_connect(struct observer *w, const struct record_connect *info);
void witness_tls(struct observer *w, const struct record_tls *info);
void observer_event(struct observer *w, const struct event *e);
void observer_close(struct observer *w, const struct record_close *info);

#endif
