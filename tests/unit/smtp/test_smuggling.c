/*
 * The promise of the data filter, tried out in full: for every input of up to six of
 * the octets that matter, followed by a real end, no model of a receiver sees an end
 * where the sender did not send one. What a refused message has let out shows none.
 *
 * One policy has no protection at all. It must fail, or this test cannot.
 */
#include "unit/check.h"

#include "base/attributes.h"
#include "models/run_data.h"
#include "models/smuggling_models.c"

enum { OCTETS_MAX = 6, INPUTS = 55987 };

static const unsigned char alphabet[] = { '\r', '\n', '.', 'A', '\0', ' ' };

/* Rules in the order: bare_lf bare_cr crcrlf nul dot eod_lookalike. */
static const enum policy_rule rules[] = {
    RULE_DATA_BARE_LF, RULE_DATA_BARE_CR, RULE_DATA_CRCRLF,
    RULE_DATA_NUL,     RULE_DATA_DOT,     RULE_DATA_EOD_LOOKALIKE,
};

struct smuggling_case {
    const char *name;
    const char *words[ARRAY_LEN(rules)];
    bool rewrites; /* I1 to I3 hold */
};

static struct data_run run;

static void set_policy(struct policy *p, const struct smuggling_case *c)
{
    policy_init(p, PRESET_DEFAULT);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        assert_true(policy_set(p, rules[i], span_str(c->words[i])));
}

/* The n-th input of its length: a number in base 6. */
static struct span nth_input(unsigned char *out, size_t len, unsigned n)
{
    for (size_t i = 0; i < len; i++, n /= ARRAY_LEN(alphabet))
        out[i] = alphabet[n % ARRAY_LEN(alphabet)];
    memcpy(out + len, "\r\n.\r\n", 5);
    return span_of(out, len + 5);
}

static void check_run(const struct smuggling_case *c, struct span in)
{
    const char *why = run.broken;

    if (why == NULL && c->rewrites)
        why = run_invariants(&run);
    if (why != NULL)
        fail_msg("%s: %s (input of %zu)", c->name, why, in.len);
    assert_true(run.ended);
    assert_int_equal(run.used, smuggling_model_end(0, in)); /* where the RFC sees the end */
    check_span(run_received(&run), span_first(in, run.used), c->name);
}

/* Models that see an end where there is none. */
static unsigned count_fooled(void)
{
    long want = run.d.refused ? MODEL_NO_END : (long)run.sent_len;
    unsigned fooled = 0;

    for (unsigned m = 0; m < SMUGGLING_MODELS; m++)
        fooled += smuggling_model_end(m, run_sent(&run)) != want;
    return fooled;
}

/* Returns in how many inputs at least one model was fooled. */
static unsigned try_all(const struct smuggling_case *c, unsigned *accepted)
{
    unsigned inputs = 0, smuggled = 0;
    struct policy policy;
    unsigned char octets[OCTETS_MAX + 5];

    set_policy(&policy, c);
    *accepted = 0;
    for (unsigned len = 0, of_len = 1; len <= OCTETS_MAX; len++, of_len *= 6) {
        for (unsigned n = 0; n < of_len; n++) {
            struct span in = nth_input(octets, len, n);
            run_begin(&run, &policy);
            run_part(&run, in);
            check_run(c, in);
            inputs++;
            *accepted += !run.d.refused;
            smuggled += count_fooled() > 0;
        }
    }
    assert_int_equal(inputs, INPUTS);
    return smuggled;
}

static void no_receiver_is_fooled(void **state)
{
    static const struct smuggling_case cases[] = {
        { "rewrite",
          { "normalize", "normalize", "normalize", "normalize", "canonical", "neutralize" },
          true },
        { "bare CR to CRLF",
          { "normalize", "crlf", "normalize", "normalize", "canonical", "neutralize" },
          true },
        { "bare LF to space",
          { "space", "normalize", "normalize", "normalize", "canonical", "neutralize" },
          true },
        { "default",
          { "normalize", "normalize", "normalize", "reject", "canonical", "reject" },
          true },
        { "pass all, with the guard",
          { "pass", "pass", "pass", "pass", "pass", "reject" },
          false },
        { "refuse all", { "reject", "reject", "reject", "reject", "reject", "reject" }, true },
    };
    unsigned accepted;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check_number(try_all(&cases[i], &accepted), 0, cases[i].name);
        assert_true(accepted > 0);
    }
}

static void without_any_protection_they_are(void **state)
{
    static const struct smuggling_case bare = {
        "pass all", { "pass", "pass", "pass", "pass", "pass", "pass" }, false
    };
    unsigned accepted;

    (void)state;
    assert_true(try_all(&bare, &accepted) > 0);
    assert_int_equal(accepted, INPUTS);
}

/* Each model differs from the strict one in the way its name says. */
static void models_see_what_they_should(void **state)
{
    static const struct {
        struct span octets;
        const char *fooled; /* names, in order */
    } cases[] = {
        { SPAN_INIT("a\r\n.b\r\n"), "" },
        { SPAN_INIT("a\r\n.\r\n"),
          "strict lf-strip1 lf-stripall any strict-nulskip lf-nulskip any-nulskip strict-cstr "
          "lf-cstr any-cstr strict-rtrim lf-rtrim any-rtrim sendmail-lax exim-crlf exim-lf " },
        { SPAN_INIT("a\n.\n"), "lf-strip1 lf-stripall any lf-nulskip any-nulskip lf-cstr "
                               "any-cstr lf-rtrim any-rtrim sendmail-lax exim-lf " },
        { SPAN_INIT("a\r.\r"), "any any-nulskip any-cstr any-rtrim " },
        { SPAN_INIT("a\r\n.\r\r\n"),
          "lf-stripall any lf-nulskip any-nulskip any-cstr lf-rtrim any-rtrim " },
        { SPAN_INIT("a\r\n\0.\r\n"), "strict-nulskip lf-nulskip any-nulskip " },
        { SPAN_INIT("a\r\n.\0b\r\n"), "strict-cstr lf-cstr any-cstr " },
        { SPAN_INIT("a\r\n. \r\n"), "strict-rtrim lf-rtrim any-rtrim " },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char got[512] = "";
        size_t len = 0;
        for (unsigned m = 0; m < SMUGGLING_MODELS; m++)
            if (smuggling_model_end(m, cases[i].octets) != MODEL_NO_END)
                len += (size_t)snprintf(got + len, sizeof got - len, "%s ",
                                        smuggling_model_name(m));
        assert_string_equal(got, cases[i].fooled);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_see_what_they_should),
        cmocka_unit_test(no_receiver_is_fooled),
        cmocka_unit_test(without_any_protection_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
