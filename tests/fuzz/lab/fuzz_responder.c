/*
 * fuzz_responder - a script, a NUL, then a client's bytes. However these are cut, the
 * same octets are answered; memory stays bounded; nothing follows the end.
 */
#include <stdint.h>
#include <stdlib.h>

#include "lab/responder.h"

enum { REPLIES_MAX = 1 << 22, STEPS_MAX = 100000 };

static void invariant(bool holds)
{
    if (!holds)
        abort();
}

static void collect(struct responder *r, struct buf *replies)
{
    invariant(r->out.len <= 4 * SCRIPT_REPLY_MAX);
    invariant(r->line.size <= RESPONSE_OCTETS_MAX);
    if (!buf_append(replies, buf_span(&r->out)))
        r->mood = RESPONDER_CLOSING; /* enough seen */
    buf_release(&r->out);
}

static enum responder_state converse(const struct script *s, struct span in, size_t piece,
                                     struct buf *replies)
{
    struct responder r;
    unsigned steps = 0;

    responder_init(&r, "mx.test", s);
    responder_start(&r);
    collect(&r, replies);
    while (in.len > 0 && r.mood != RESPONDER_CLOSING && r.mood != RESPONDER_RESETTING) {
        invariant(++steps < STEPS_MAX + 2 * in.len);
        if (r.mood == RESPONDER_WAITING) {
            responder_go_on(&r);
        } else {
            size_t used = responder_take(&r, span_first(in, piece));
            invariant(used > 0);
            in = span_drop(in, used);
        }
        collect(&r, replies);
    }
    enum responder_state mood = r.mood;
    responder_deinit(&r);
    return mood;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = { 1, 7, SIZE_MAX };
    struct span in = span_of(data, size);
    size_t end = span_find(in, '\0');
    char error[256];
    struct script *s = script_parse(span_first(in, end), "s", error, sizeof error);
    struct buf replies[ARRAY_LEN(pieces)];
    enum responder_state moods[ARRAY_LEN(pieces)];

    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        buf_init(&replies[i], REPLIES_MAX);
        moods[i] = converse(s, span_drop(in, end + 1), pieces[i], &replies[i]);
        invariant(
            replies[0].len > REPLIES_MAX - 4 * SCRIPT_REPLY_MAX ||
            (moods[0] == moods[i] && span_equal(buf_span(&replies[0]), buf_span(&replies[i]))));
    }
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        buf_release(&replies[i]);
    script_free(&s);
    return 0;
}
