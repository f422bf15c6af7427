/* flow - one direction of TCP: any order, any overlap, any place of the wrap. */
#include "unit/check.h"

#include "capture/flow.h"

#include "base/attributes.h"

enum { LENGTH = 64 };

static const uint32_t starts[] = { 0, 1000, UINT32_MAX - 20, INT32_MAX - 10 };

struct got {
    unsigned char octets[2 * LENGTH];
    size_t len;
};

static void take(struct got *g, struct flow *f, struct segment s, bool *same)
{
    const struct held *h;

    *same = flow_trim(f, &s, 0) && *same;
    if (s.payload.len > 0 && flow_is_next(f, &s)) {
        memcpy(g->octets + g->len, s.payload.ptr, s.payload.len);
        g->len += s.payload.len;
        flow_pass(f, s.payload);
    } else if (s.payload.len > 0) {
        *same = flow_hold(f, &s, 0) && *same;
    }
    while ((h = flow_ready(f)) != NULL) {
        assert_true(g->len + h->len <= sizeof g->octets);
        memcpy(g->octets + g->len, h->bytes, h->len);
        g->len += h->len;
        flow_take(f);
    }
}

static struct segment piece(const unsigned char *stream, uint32_t start, size_t at, size_t len)
{
    return (struct segment){ .seq = start + (uint32_t)at,
                             .flags = SEGMENT_ACK,
                             .payload = guarded(span_of(stream + at, len)) };
}

static uint32_t chance(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Pieces that overlap in any way, in any order: the stream, once all was there. */
static void any_order(void **state)
{
    unsigned char stream[LENGTH];

    (void)state;
    for (unsigned i = 0; i < LENGTH; i++)
        stream[i] = (unsigned char)(i * 7);
    for (uint32_t run = 0; run < 4000; run++) {
        uint32_t seed = run, start = starts[run % ARRAY_LEN(starts)];
        struct got g = { .len = 0 };
        struct flow f;
        size_t held = 0;
        bool same = true;

        flow_init(&f, &held);
        flow_start(&f, start);
        for (unsigned i = 0; i < 4000 && g.len < LENGTH; i++) {
            size_t at = chance(&seed) % LENGTH, len = 1 + chance(&seed) % (LENGTH - at);
            take(&g, &f, piece(stream, start, at, len < 9 ? len : 9), &same);
        }
        check_span(span_of(g.octets, g.len), span_of(stream, LENGTH), "stream");
        assert_true(same);
        check_number(held, 0, "held");
        check_number(f.next, start + LENGTH, "next");
        flow_deinit(&f);
    }
}

static void first_octets_win(void **state)
{
    struct got g = { .len = 0 };
    struct flow f;
    size_t held = 0;
    bool same = true;

    (void)state;
    flow_init(&f, &held);
    flow_start(&f, 10);
    take(&g, &f, (struct segment){ .seq = 14, .payload = SPAN_LIT("EF") }, &same);
    assert_true(same);
    take(&g, &f, (struct segment){ .seq = 12, .payload = SPAN_LIT("cdXYgh") }, &same);
    assert_false(same); /* while it was held */
    same = true;
    take(&g, &f, (struct segment){ .seq = 10, .payload = SPAN_LIT("ab") }, &same);
    assert_true(same);
    check_span(span_of(g.octets, g.len), SPAN_LIT("abcdEFgh"), "octets");
    take(&g, &f, (struct segment){ .seq = 10, .payload = SPAN_LIT("ab") }, &same);
    assert_true(same);
    take(&g, &f, (struct segment){ .seq = 10, .payload = SPAN_LIT("aB") }, &same);
    assert_false(same); /* after it was given out */
    same = true;
    take(&g, &f, (struct segment){ .seq = 18, .payload = SPAN_LIT("i") }, &same);
    take(&g, &f, (struct segment){ .seq = 18, .payload = SPAN_LIT("?") }, &same);
    assert_true(same); /* a keepalive may hold anything */
    check_number(g.len, 9, "octets given out");
    flow_deinit(&f);
}

static void end_of_stream(void **state)
{
    struct got g = { .len = 0 };
    struct segment fin = { .seq = 5, .flags = SEGMENT_FIN, .payload = SPAN_LIT("yz") };
    struct flow f;
    size_t held = 0;
    bool same = true;

    (void)state;
    flow_init(&f, &held);
    flow_start(&f, 0);
    take(&g, &f, fin, &same);
    assert_true(f.fin);
    check_number(f.fin_seq, 7, "its place");
    take(&g, &f, (struct segment){ .seq = 6, .payload = SPAN_LIT("zBEHIND") }, &same);
    take(&g, &f, (struct segment){ .seq = 0, .payload = SPAN_LIT("abcde") }, &same);
    check_span(span_of(g.octets, g.len), SPAN_LIT("abcdeyz"), "nothing is behind a FIN");
    flow_end(&f);
    check_number(f.next, 8, "a FIN counts as one");
    flow_deinit(&f);
}

static void what_is_missing(void **state)
{
    struct flow f;
    size_t held = 0;

    (void)state;
    flow_init(&f, &held);
    check_number(flow_missing(&f), 0, "nothing is known");
    flow_start(&f, UINT32_MAX);
    flow_acknowledge(&f, 9);
    flow_acknowledge(&f, 4);
    check_number(flow_missing(&f), 10, "acknowledged");
    flow_skip(&f, 8);
    check_number(flow_missing(&f), 0, "one may be a FIN");
    flow_deinit(&f);
}

static void limits(void **state)
{
    struct flow f;
    size_t held = 0;
    uint32_t n = 0;

    (void)state;
    flow_init(&f, &held);
    flow_start(&f, 0);
    while (!flow_is_full(&f)) {
        n += 2;
        assert_true(flow_hold(&f, &(struct segment){ .seq = n, .payload = SPAN_LIT("x") }, 0));
    }
    check_number(f.pieces, FLOW_PIECES_MAX + 1, "pieces");
    assert_true(held > 0 && held == f.held);
    flow_discard(&f);
    check_number(held, 0, "discarded");
    flow_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order),     cmocka_unit_test(first_octets_win),
        cmocka_unit_test(end_of_stream), cmocka_unit_test(what_is_missing),
        cmocka_unit_test(limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
