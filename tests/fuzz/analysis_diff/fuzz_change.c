/*
 * fuzz_change - two texts, separated by "%%%%".
 *
 * Always: nothing is told of equal texts, something of others; what is told lies inside both
 * texts.
 */
#include "fuzz/always.h"

#include "analysis/diff/change.h"

#include <string.h>

static struct span sent, received;
static uint64_t told;

static void look(const struct spot *s)
{
    if (s->count == 0)
        return;
    told += s->count;
    ALWAYS(s->sent_at <= sent.len && s->sent_len <= sent.len - s->sent_at);
    ALWAYS(s->received_at <= received.len && s->received_len <= received.len - s->received_at);
}

static void look_at_octets(const struct change *c)
{
    for (unsigned v = 0; v < 256; v++) {
        const struct octet_change *o = &c->octets[v];
        look(&o->deleted);
        look(&o->replaced);
        look(&o->expanded);
        look(&o->cut);
        ALWAYS(o->deleted.count + o->replaced.count + o->expanded.count + o->cut.count <=
               c->octets_sent[v]);
    }
}

static void look_at_lines(const struct change *c)
{
    const struct spot *const spots[] = {
        &c->dots_gone,   &c->dots_new,      &c->ended_at_dots,  &c->ended,
        &c->folded,      &c->cut,           &c->trimmed,        &c->collapsed,
        &c->altered,     &c->new_header,    &c->new_end,        &c->new_middle,
        &c->gone_header, &c->gone_end,      &c->gone_middle,    &c->other_header,
        &c->other_part,  &c->blank_end_new, &c->blank_end_gone,
    };

    for (size_t i = 0; i < sizeof spots / sizeof *spots; i++)
        look(spots[i]);
    for (unsigned a = 0; a < LINE_END_COUNT; a++)
        for (unsigned b = 0; b < LINE_END_COUNT; b++)
            look(&c->ends[a][b]);
    for (unsigned a = 0; a < DOTS_MAX; a++)
        for (unsigned b = 0; b < DOTS_MAX; b++)
            look(&c->dots[a][b]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct change c;
    const unsigned char *between = size > 0 ? memmem(data, size, "%%%%", 4) : NULL;

    if (between == NULL)
        return 0;
    /* Copies of their own, so that an octet too far is seen. */
    sent.len = (size_t)(between - data);
    received.len = size - sent.len - 4;
    unsigned char *a = malloc(sent.len + (sent.len == 0)),
                  *b = malloc(received.len + (received.len == 0));
    ALWAYS(a != NULL && b != NULL);
    memcpy(a, data, sent.len);
    memcpy(b, between + 4, received.len);
    sent.ptr = a;
    received.ptr = b;
    told = 0;
    change_find(&c, sent, received);
    look_at_octets(&c);
    look_at_lines(&c);
    ALWAYS((told == 0) == span_equal(sent, received));
    ALWAYS(c.new_name.len == 0 || lies_within(c.new_name, sent) ||
           lies_within(c.new_name, received));
    free(a);
    free(b);
    return 0;
}
