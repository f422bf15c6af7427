/*
 * Mail data under any policy, cut in any way.
 *
 * Input: four octets choose words and cuts, the rest is what the client sends. Whole and
 * in parts, with the same result; what was received is the input; under policies that
 * rewrite, the output keeps its invariants and no model of a receiver sees an end but
 * the real one; a chunk of BDAT has the same figures however it is cut.
 */
#include "models/run_data.h"
#include "models/smuggling_models.c"

#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHOICE_OCTETS = 4, INPUT_MAX = 8192 };

static struct data_run whole, parts;

static void require(const char *broken)
{
    if (broken == NULL)
        return;
    fprintf(stderr, "broken: %s\n", broken);
    abort();
}

/* The n-th of the words a rule may have, counted round and round. */
static uint8_t nth_word(enum policy_rule rule, unsigned n)
{
    uint32_t choices = policy_rule_choices(rule);
    unsigned count = (unsigned)__builtin_popcount(choices);

    for (n %= count; n > 0; n--)
        choices &= choices - 1;
    return (uint8_t)__builtin_ctz(choices);
}

static struct policy choose_policy(const uint8_t *choice)
{
    struct policy p;
    unsigned bits = (unsigned)(choice[0] | choice[1] << 8);

    policy_init(&p, PRESET_DEFAULT);
    for (unsigned r = RULE_DATA_BARE_LF; r <= RULE_DATA_EOD_HIGHBIT; r++, bits >>= 2)
        p.word[r] = nth_word((enum policy_rule)r, bits & 3);
    return p;
}

/* Nothing odd passes, and the dot is canonical: I1 to I3 are promised. */
static bool rewrites(const struct policy *p)
{
    for (unsigned r = RULE_DATA_BARE_LF; r <= RULE_DATA_DOT; r++)
        if (p->word[r] == WORD_PASS)
            return false;
    return true;
}

/* Sizes of the parts: small and large ones mixed, from a seed. */
static size_t next_part(uint32_t *seed)
{
    *seed = *seed * 1103515245 + 12345;
    unsigned r = *seed >> 16;

    return r % 4 != 0 ? 1 + r % 7 : 1 + r % 600;
}

static void check_models(const struct data_run *r)
{
    bool ended = r->ended && !r->d.refused;

    for (unsigned m = 0; m < SMUGGLING_MODELS; m++)
        if (smuggling_model_end(m, run_sent(r)) != (ended ? (long)r->sent_len : MODEL_NO_END))
            require(smuggling_model_name(m));
}

static void check_result(const struct data_run *r, const struct policy *p, struct span in)
{
    const struct data_stats *s = &r->d.stats;
    size_t end = r->ended ? 3 : 0;

    require(r->broken);
    if (!span_equal(run_received(r), span_first(in, r->received_len)))
        require("received is the input");
    if (r->ended ? r->received_len != r->used : in.len - r->received_len > 2)
        require("no more than two octets are kept back");
    if (s->octets != r->received_len - end ||
        s->octets_sent != r->sent_len - (r->d.refused ? 0 : end))
        require("octets are counted");
    if (s->lines != s->crlf + s->bare_lf + s->crcrlf)
        require("lines are counted");
    if (rewrites(p) || policy_get(p, RULE_DATA_EOD_LOOKALIKE) == WORD_REJECT)
        check_models(r);
    if (rewrites(p))
        require(run_invariants(r));
    if (r->ended && !r->d.refused && s->altered == span_equal(run_sent(r), run_received(r)))
        require("altered says the truth");
}

static void check_opaque(const struct policy *p, struct span in, uint32_t seed)
{
    data_init(&whole.d, p);
    data_opaque(&whole.d, in);
    data_opaque_end(&whole.d);
    data_init(&parts.d, p);
    while (in.len > 0) {
        size_t n = next_part(&seed);
        data_opaque(&parts.d, span_first(in, n));
        in = span_drop(in, n);
    }
    data_opaque_end(&parts.d);
    require(run_difference(&whole, &parts));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < CHOICE_OCTETS || size > INPUT_MAX)
        return 0;
    struct policy p = choose_policy(data);
    uint32_t seed = (uint32_t)(data[2] | data[3] << 8);
    struct span in = span_of(data + CHOICE_OCTETS, size - CHOICE_OCTETS), rest = in;

    run_begin(&whole, &p);
    run_part(&whole, in);
    check_result(&whole, &p, in);
    run_begin(&parts, &p);
    for (uint32_t s = seed; rest.len > 0;) {
        size_t n = next_part(&s);
        run_part(&parts, span_first(rest, n));
        rest = span_drop(rest, n);
    }
    require(parts.broken);
    require(run_difference(&whole, &parts));
    check_opaque(&p, in, seed);
    return 0;
}
