/*
 * fuzz_line - a stream cut into lines.
 *
 * Always true: progress, no LF in a text, nothing lost, no CR left at its end; one
 * octet less is LINE_MORE, what follows does not matter.
 */
#include "fuzz/always.h"
#include "smtp/line.h"

static size_t ending_octets(const struct line *l)
{
    return l->used - l->text.len;
}

static void check_line(const struct line *l, struct span in)
{
    struct line alone = line_next(span_first(in, l->used));
    struct line cut = line_next(span_first(in, l->used - 1));

    ALWAYS(l->used > l->text.len && l->used <= in.len);
    ALWAYS(lies_within(l->text, span_first(in, l->used - 1)));
    ALWAYS(span_find(span_first(in, l->used), '\n') == l->used - 1);
    ALWAYS(l->text.len == 0 || l->text.ptr[l->text.len - 1] != '\r');
    for (size_t i = l->text.len; i < l->used - 1; i++)
        ALWAYS(in.ptr[i] == '\r');
    ALWAYS((l->end == LINE_LF) == (ending_octets(l) == 1));
    ALWAYS((l->end == LINE_CRLF) == (ending_octets(l) == 2));
    ALWAYS((l->end == LINE_CRCRLF) == (ending_octets(l) > 2));
    ALWAYS(alone.end == l->end && alone.used == l->used && cut.end == LINE_MORE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);

    for (;;) {
        struct line l = line_next(in);

        if (l.end == LINE_MORE) {
            ALWAYS(l.used == 0 && span_find(in, '\n') == in.len);
            return 0;
        }
        check_line(&l, in);
        in = span_drop(in, l.used);
    }
}
