#include "lab/received.h"

#include <inttypes.h>
#include <stdio.h>

/* What was read last; the first octet of a message is at the start of a line too. */
enum state {
    LINE_START,
    LINE_TEXT,
    LINE_CR,   /* a CR within or after text */
    START_DOT, /* a dot at the start of a line, not counted yet */
    DOT_CR,    /* that dot, then CR: neither is counted yet */
};

bool received_begin(struct received *r)
{
    *r = (struct received){ .digest = XXH3_createState(), .state = LINE_START };
    if (r->digest == NULL)
        return false;
    XXH3_128bits_reset(r->digest);
    return true;
}

void received_end(struct received *r)
{
    XXH3_freeState(r->digest);
    r->digest = NULL;
}

void received_chunk(struct received *r, struct span in)
{
    if (in.len == 0)
        return;
    XXH3_128bits_update(r->digest, in.ptr, in.len);
    r->octets += in.len;
}

/* Text up to and with the next LF; returns how much. */
static size_t take_text(struct received *r, struct span in)
{
    size_t lf = span_find(in, '\n');
    size_t used = lf < in.len ? lf + 1 : in.len;
    bool after_cr = lf > 0 ? in.ptr[lf - 1] == '\r' : r->state == LINE_CR;

    if (lf == in.len)
        r->state = in.ptr[in.len - 1] == '\r' ? LINE_CR : LINE_TEXT;
    else
        r->state = after_cr ? LINE_START : LINE_TEXT;
    received_chunk(r, span_first(in, used));
    return used;
}

size_t received_data(struct received *r, struct span in, bool *ended)
{
    size_t at = 0;

    *ended = false;
    while (at < in.len && !*ended) {
        unsigned char c = in.ptr[at];
        if (r->state == LINE_START && c == '.') {
            r->state = START_DOT;
            at++;
        } else if (r->state == START_DOT && c == '\r') {
            r->state = DOT_CR;
            at++;
        } else if (r->state == DOT_CR && c == '\n') {
            *ended = true;
            at++;
        } else {
            if (r->state == DOT_CR)
                received_chunk(r, SPAN_LIT("\r"));
            at += take_text(r, span_drop(in, at));
        }
    }
    return at;
}

void received_text(const struct received *r, char out[RECEIVED_TEXT_MAX])
{
    XXH128_hash_t h = XXH3_128bits_digest(r->digest);

    snprintf(out, RECEIVED_TEXT_MAX, "%" PRIu64 " octets, xxh128 %016" PRIx64 "%016" PRIx64,
             r->octets, (uint64_t)h.high64, (uint64_t)h.low64);
}
