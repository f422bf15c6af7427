/*
 * pair - which session of NEAR is which of FAR.
 *
 *   1. by connection      where there is no NAT, both ends of NEAR's connection are those of
 *                         FAR's; where the server's address is translated, and as a rule, its
 *                         beginning
 *   2. by client address  with the PROXY protocol, XCLIENT, source = "client", or a capture
 *   3. by dialogue        greeting, EHLO name, envelope, contents, figures, and the time once
 *                         the clocks are known to differ by how much
 *
 * Addresses that agree while everything that was said differs are no pair. Of sessions that
 * look alike the ones next in time go together, with less confidence.
 *
 * Limits: 64 sessions before and 64 behind are looked at by time, 64 by what was said.
 */
#ifndef ANALYSIS_DIFF_PAIR_H
#define ANALYSIS_DIFF_PAIR_H

#include "analysis/diff/index.h"

enum pair_how { BY_CONNECTION, BY_CLIENT, BY_DIALOGUE };

struct pair {
    uint32_t near, far; /* numbers of entries */
    uint8_t confidence; /* enum confidence */
    uint8_t how;        /* enum pair_how */
};

struct pairing {
    struct pair *list; /* in the order of NEAR */
    size_t len;
    bool clock_known;
    int64_t ahead_us; /* FAR's clock before NEAR's, roughly: a session's way is in it */
    bool translated;  /* FAR's server has another address than NEAR connects to */
};

/* Marks the entries that have a partner. False: memory is out. */
MUST_CHECK bool pair_sessions(struct pairing *p, const struct index *near,
                              const struct index *far);
void pairing_deinit(struct pairing *p);

const char *pair_how_name(uint8_t how);

/* This session should have been seen at the other vantage point; *apart: that one saw
 * nothing at all at the time. */
bool pair_is_missing(const struct index *own, const struct index *other,
                     const struct pairing *p, const struct entry *e, bool *apart);

#endif
