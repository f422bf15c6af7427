/*
 * box_play - plays facts to a box and writes down its actions, a line each.
 *
 *   > what left for the server, < for the client, escaped; ~FIN, ~RST, ~TLS
 */
#ifndef UNIT_BOX_PLAY_H
#define UNIT_BOX_PLAY_H

#include "unit/check.h"

#include "base/escape.h"
#include "lab/simulator/box.h"
#include "lab/simulator/preset.h"

enum { PLAY_LOG_MAX = 1 << 18 };

struct play {
    struct rules rules;
    struct box *box;
    uint64_t now;
    char log[PLAY_LOG_MAX];
    size_t len;
};

static inline void play_log(struct play *p, enum side side, const char *what)
{
    int n = snprintf(p->log + p->len, sizeof p->log - p->len, "%c%s\n",
                     side == SERVER ? '>' : '<', what);

    assert_true(n > 0 && (size_t)n < sizeof p->log - p->len);
    p->len += (size_t)n;
}

static inline void play_collect(struct play *p)
{
    static char text[PLAY_LOG_MAX];
    struct box_action w;

    while (box_next(p->box, &w)) {
        switch (w.kind) {
        case BOX_SEND:
            assert_true(w.bytes.len > 0);
            escape(text, sizeof text, w.bytes);
            play_log(p, w.side, text);
            break;
        case BOX_FIN:
            play_log(p, w.side, "~FIN");
            break;
        case BOX_RESET:
            play_log(p, w.side, "~RST");
            break;
        case BOX_START_TLS:
            play_log(p, w.side, "~TLS");
            break;
        case BOX_LOG:
            break;
        }
    }
}

/* Valid until the next call. */
static inline struct play *play_new(const char *preset)
{
    static struct play p;
    char error[512];

    box_free(&p.box);
    p.len = 0;
    p.log[0] = '\0';
    p.now = 1000;
    if (!preset_find(preset, &p.rules, error, sizeof error))
        fail_msg("%s", error);
    p.box = box_new(&p.rules, 1);
    assert_non_null(p.box);
    box_time(p.box, p.now);
    box_connected(p.box);
    play_collect(&p);
    return &p;
}

static inline void play_bytes(struct play *p, enum side from, struct span bytes)
{
    box_bytes(p->box, from, guarded(bytes));
    play_collect(p);
}

/* What is written down so far is forgotten. */
static inline void play_forget(struct play *p)
{
    p->len = 0;
    p->log[0] = '\0';
}

#endif
