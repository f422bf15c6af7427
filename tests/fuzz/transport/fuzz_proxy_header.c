/*
 * What comes where a PROXY header should: the first octet says what is allowed.
 *
 * Always: the answer does not depend on what follows the header, nothing but MORE comes
 * before the answer, and what was understood is understood again when written.
 */
#include "transport/proxy_header.h"

#include "fuzz/always.h"

/* Heap blocks of exact size: one octet too far is seen. */
static enum proxy_result read_exactly(struct span in, enum proxy_versions allowed,
                                      struct proxy_header *h)
{
    unsigned char *copy = malloc(in.len + (in.len == 0));

    ALWAYS(copy != NULL);
    if (in.len > 0)
        memcpy(copy, in.ptr, in.len);
    enum proxy_result r = proxy_header_read(span_of(copy, in.len), allowed, h);
    free(copy);
    return r;
}

static void check_again(const struct proxy_header *h, unsigned version)
{
    unsigned char out[PROXY_HEADER_ROOM];
    struct proxy_header again;
    size_t len = proxy_header_write(version, &h->source, &h->destination, out);

    ALWAYS(len <= PROXY_HEADER_ROOM);
    ALWAYS(read_exactly(span_of(out, len), PROXY_ANY, &again) == PROXY_OK);
    ALWAYS(again.used == len && again.version == version && again.local == h->local);
    ALWAYS(addr_equal(&again.source, &h->source));
    ALWAYS(addr_equal(&again.destination, &h->destination));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = size > 0 ? span_of(data + 1, size - 1) : span_of(NULL, 0);
    enum proxy_versions allowed = size > 0 ? (enum proxy_versions)(data[0] & 3) : PROXY_ANY;
    struct proxy_header whole, part;
    enum proxy_result end = read_exactly(in, allowed, &whole), before = PROXY_MORE;
    size_t look = in.len < PROXY_HEADER_MAX ? in.len : PROXY_HEADER_MAX;

    ALWAYS(end != PROXY_MORE || in.len < PROXY_HEADER_MAX);
    ALWAYS((end == PROXY_BAD) == (whole.why != NULL));
    for (size_t cut = 0; cut <= look; cut++) {
        enum proxy_result r = read_exactly(span_first(in, cut), allowed, &part);

        ALWAYS(before == PROXY_MORE || r == before);
        ALWAYS(end != PROXY_OK || (r == PROXY_OK) == (cut >= whole.used));
        before = r;
    }
    ALWAYS(before == end);
    if (end != PROXY_OK)
        return 0;
    ALWAYS(whole.used > 0 && whole.used <= in.len && (whole.version & allowed) != 0);
    ALWAYS(whole.local == (whole.source.family == 0));
    ALWAYS(whole.source.family == whole.destination.family);
    check_again(&whole, 1);
    check_again(&whole, 2);
    return 0;
}
