/*
 * fuzz_reply - a stream of replies.
 *
 * Always true: the canonical form parses to one reply with the same code, is
 * canonical itself and holds no NUL and no CR or LF but in pairs; one octet less is
 * REPLY_MORE without a note, what follows does not matter.
 */
#include "fuzz/always.h"
#include "smtp/reply.h"

static void check_octets(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        ALWAYS(s.ptr[i] != '\0');
        ALWAYS(s.ptr[i] != '\r' || (i + 1 < s.len && s.ptr[i + 1] == '\n'));
        ALWAYS(s.ptr[i] != '\n' || (i > 0 && s.ptr[i - 1] == '\r'));
    }
}

static void check_canonical(const struct reply *r)
{
    struct notes notes = { .len = 0 };
    struct reply again;
    struct buf out;

    buf_init(&out, 2 * REPLY_MAX);
    if (reply_canonical(r->received, &out)) {
        struct span text = buf_span(&out);

        check_octets(text);
        ALWAYS(r->canonical == span_equal(text, r->received));
        if (text.len <= REPLY_MAX) { /* an LF made CRLF is longer */
            enum reply_result result = reply_parse(text, &again, &notes, 0);
            ALWAYS(result == REPLY_OK || result == REPLY_TOO_LONG);
            ALWAYS(result != REPLY_OK || (again.canonical && again.code == r->code));
            ALWAYS(result != REPLY_OK || again.received.len == text.len);
        }
    }
    buf_release(&out);
}

static void check_cuts(struct span received, enum reply_result result)
{
    struct notes notes = { .len = 0 };
    struct reply r;

    ALWAYS(reply_parse(received, &r, &notes, 0) == result || result == REPLY_TOO_LONG);
    notes.len = 0;
    ALWAYS(reply_parse(span_first(received, received.len - 1), &r, &notes, 0) == REPLY_MORE);
    ALWAYS(notes.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    enum reply_result result = REPLY_OK;

    reply_looks_masked(in);
    while (result == REPLY_OK) {
        struct notes notes = { .len = 0 };
        struct reply r;

        result = reply_parse(in, &r, &notes, 0);
        if (result == REPLY_MORE)
            break;
        ALWAYS(r.received.len > 0 && lies_within(r.received, in));
        ALWAYS(lies_within(r.enhanced, r.received));
        check_cuts(r.received, result);
        if (result == REPLY_OK) {
            ALWAYS(r.code >= 200 && r.code <= 599);
            check_canonical(&r);
        }
        in = span_drop(in, r.received.len);
    }
    return 0;
}
