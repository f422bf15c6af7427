/*
 * run_data - puts octets through the data filter in given cuts, as unit tests, fuzz
 * target and models need it; every part lies in a heap block of its exact size.
 */
#ifndef MODELS_RUN_DATA_H
#define MODELS_RUN_DATA_H

#include "smtp/data.h"

#include <stdlib.h>

enum { RUN_MAX = 1 << 16 };

/* Tells of what the filter must never do: the caller says how. */
#define RUN_CHECK(d, what, cond)                                                               \
    do {                                                                                       \
        if (!(cond) && (d)->broken == NULL)                                                    \
            (d)->broken = (what);                                                              \
    } while (0)

struct data_run {
    struct data d;
    unsigned char received[RUN_MAX], sent[RUN_MAX];
    size_t received_len, sent_len;
    size_t used; /* octets of the input, terminator included */
    bool ended;
    bool silence; /* lookalike_open behind the last octet taken */
    unsigned pieces;
    const char *broken; /* NULL, or the rule that did not hold */
};

static inline void run_append(struct data_run *r, const struct data_piece *p)
{
    bool fits =
        p->received.len <= RUN_MAX - r->received_len && p->sent.len <= RUN_MAX - r->sent_len;

    RUN_CHECK(r, "output is bounded", fits);
    RUN_CHECK(r, "same means the same view",
              !p->same || (p->sent.ptr == p->received.ptr && p->sent.len == p->received.len));
    if (!fits)
        return;
    if (p->received.len > 0)
        memcpy(r->received + r->received_len, p->received.ptr, p->received.len);
    if (p->sent.len > 0)
        memcpy(r->sent + r->sent_len, p->sent.ptr, p->sent.len);
    r->received_len += p->received.len;
    r->sent_len += p->sent.len;
    r->pieces++;
}

static inline void run_begin(struct data_run *r, const struct policy *policy)
{
    r->received_len = r->sent_len = r->used = 0;
    r->ended = r->silence = false;
    r->pieces = 0;
    r->broken = NULL;
    data_init(&r->d, policy);
}

/* One read of the input; nothing happens once the data has ended. */
static inline void run_part(struct data_run *r, struct span part)
{
    if (r->ended || part.len == 0)
        return;
    unsigned char *copy = malloc(part.len);
    if (copy == NULL)
        abort();
    memcpy(copy, part.ptr, part.len);
    struct span in = span_of(copy, part.len);
    struct data_piece piece;
    enum data_result result;

    while ((result = data_next(&r->d, &in, &piece)) == DATA_PIECE) {
        RUN_CHECK(r, "a piece has octets", piece.received.len > 0);
        run_append(r, &piece);
    }
    if (result == DATA_END) {
        RUN_CHECK(r, "the end is dot CRLF", span_equal(piece.received, SPAN_LIT(".\r\n")));
        run_append(r, &piece);
        r->ended = true;
    }
    RUN_CHECK(r, "all is used before the end", r->ended || in.len == 0);
    r->used += part.len - in.len;
    r->silence = r->d.lookalike_open;
    free(copy);
}

/* The content as received and as sent, terminator included if there was one. */
static inline struct span run_received(const struct data_run *r)
{
    return span_of(r->received, r->received_len);
}

static inline struct span run_sent(const struct data_run *r)
{
    return span_of(r->sent, r->sent_len);
}

/* I1 to I3 of data.h on all that was sent. NULL, or what does not hold. */
static inline const char *run_invariants(const struct data_run *r)
{
    struct span s = run_sent(r);
    bool refused_end = r->d.refused || !r->ended;

    for (size_t i = 0; i < s.len; i++) {
        bool bol = i == 0 || s.ptr[i - 1] == '\n';
        if (s.ptr[i] == '\0')
            return "I2: NUL";
        if (s.ptr[i] == '\r' && (i + 1 == s.len || s.ptr[i + 1] != '\n'))
            return "I1: CR without LF";
        if (s.ptr[i] == '\n' && (i == 0 || s.ptr[i - 1] != '\r'))
            return "I1: LF without CR";
        if (bol && s.ptr[i] == '.' && (i + 1 == s.len || s.ptr[i + 1] != '.') &&
            (refused_end || i + 3 != s.len))
            return "I3: a dot alone";
    }
    return NULL;
}

/* What tells two runs over the same octets apart, or NULL. */
static inline const char *run_difference(const struct data_run *a, const struct data_run *b)
{
    if (!span_equal(run_sent(a), run_sent(b)))
        return "sent";
    if (!span_equal(run_received(a), run_received(b)))
        return "received";
    if (a->ended != b->ended || a->used != b->used)
        return "end";
    if (a->d.refused != b->d.refused || a->d.refused_by != b->d.refused_by)
        return "refused";
    if (a->silence != b->silence)
        return "lookalike_open";
    if (memcmp(&a->d.stats, &b->d.stats, offsetof(struct data_stats, signed_headers)) != 0 ||
        a->d.stats.signed_headers != b->d.stats.signed_headers ||
        a->d.stats.altered != b->d.stats.altered)
        return "stats";
    if (a->d.notes.len != b->d.notes.len)
        return "notes";
    for (unsigned i = 0; i < a->d.notes.len; i++) {
        const struct note *x = &a->d.notes.list[i], *y = &b->d.notes.list[i];
        if (x->id != y->id || x->at != y->at || x->count != y->count)
            return "a note";
    }
    return NULL;
}

#endif
