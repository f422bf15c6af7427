/* One octet of a connection is changed, lost, or new: for tests of what finds it. */
#include "lab/simulator/box_private.h"

#include <stdio.h>

static const char *const names[] = {
    [MUTATION_CHANGE] = "change",
    [MUTATION_DELETE] = "delete",
    [MUTATION_INSERT] = "insert",
};

void mutate_init(struct box *b)
{
    const struct rules *r = b->rules;
    enum side side = r->mutated == 2 ? SERVER : CLIENT;

    b->mutate_at[CLIENT] = b->mutate_at[SERVER] = UINT64_MAX;
    if (r->mutation == MUTATION_NONE)
        return;
    if (r->mutated == 3)
        side = box_random(b, 2) == 0 ? CLIENT : SERVER;
    b->mutate_at[side] = box_random(b, r->mutation_within);
}

static enum mutation mutate_choose(struct box *b)
{
    if (b->rules->mutation != MUTATION_ANY)
        return b->rules->mutation;
    return (enum mutation)(MUTATION_CHANGE + box_random(b, 3));
}

static void mutate_octet(struct box *b, enum side to, unsigned char octet, uint64_t offset)
{
    enum mutation how = mutate_choose(b);
    unsigned char new = (unsigned char)(octet ^ (1 + box_random(b, 255)));
    char text[96];

    if (how != MUTATION_DELETE)
        box_emit(b, to, span_of(&new, 1));
    if (how == MUTATION_INSERT)
        box_emit(b, to, span_of(&octet, 1));
    snprintf(text, sizeof text, "mutation: %s %s at %ju, %02x %s%02x",
             to == SERVER ? "up" : "down", names[how], (uintmax_t)offset, octet,
             how == MUTATION_DELETE ? "lost, was " : "-> ",
             how == MUTATION_DELETE ? octet : new);
    box_log(b, text);
}

void mutate_bytes(struct box *b, enum side from, struct span in)
{
    enum side to = from == CLIENT ? SERVER : CLIENT;
    uint64_t at = b->mutate_at[from] - b->seen[from];

    if (b->mutate_at[from] >= b->seen[from] && at < in.len) {
        box_emit(b, to, span_first(in, (size_t)at));
        mutate_octet(b, to, in.ptr[at], b->mutate_at[from]);
        in = span_drop(in, (size_t)at + 1);
        b->seen[from] += at + 1;
    }
    box_emit(b, to, in);
    b->seen[from] += in.len;
}
