#include "unit/check.h"

#include "smtp/policy.h"

static bool rule_allows(enum policy_rule r, enum policy_word w)
{
    return (policy_rule_choices(r) >> w & 1) != 0;
}

static void presets_choose_what_the_rules_allow(void **state)
{
    (void)state;
    for (unsigned p = 0; p < PRESET_COUNT; p++) {
        struct policy policy;

        policy_init(&policy, (enum policy_preset)p);
        for (unsigned r = 0; r < RULE_COUNT; r++) {
            enum policy_word w = policy_get(&policy, (enum policy_rule)r);

            assert_true(rule_allows((enum policy_rule)r, w));
            assert_int_equal(w, policy_preset_word((enum policy_preset)p, (enum policy_rule)r));
        }
        assert_int_equal(policy.limit_fixed, 512);
        assert_int_equal(policy.limit_auth_line, 12288);
    }
}

static void set_takes_allowed_words_only(void **state)
{
    (void)state;
    for (unsigned r = 0; r < RULE_COUNT; r++) {
        for (unsigned w = 0; w < WORD_COUNT; w++) {
            const char *text = policy_word_text((enum policy_word)w);
            struct policy policy;

            policy_init(&policy, PRESET_DEFAULT);
            enum policy_word before = policy_get(&policy, (enum policy_rule)r);
            bool allowed = rule_allows((enum policy_rule)r, (enum policy_word)w);
            assert_int_equal(policy_set(&policy, (enum policy_rule)r, guarded_str(text)),
                             allowed);
            assert_int_equal(policy_get(&policy, (enum policy_rule)r), allowed ? w : before);
        }
    }
}

static void set_refuses_other_words(void **state)
{
    struct policy p;

    (void)state;
    policy_init(&p, PRESET_DEFAULT);
    assert_false(policy_set(&p, RULE_VRFY, guarded_str("")));
    assert_false(policy_set(&p, RULE_VRFY, guarded_str("PASS")));
    assert_false(policy_set(&p, RULE_VRFY, guarded_str("pas")));
    assert_false(policy_set(&p, RULE_VRFY, guarded_str("passs")));
    assert_int_equal(policy_get(&p, RULE_VRFY), WORD_REPLY252);
}

/* The defaults that keep an upstream from being smuggled to must not slip. */
static void the_default_preset_is_safe(void **state)
{
    struct policy p;

    (void)state;
    policy_init(&p, PRESET_DEFAULT);
    assert_int_equal(policy_get(&p, RULE_DATA_BARE_LF), WORD_NORMALIZE);
    assert_int_equal(policy_get(&p, RULE_DATA_BARE_CR), WORD_NORMALIZE);
    assert_int_equal(policy_get(&p, RULE_DATA_NUL), WORD_REJECT);
    assert_int_equal(policy_get(&p, RULE_DATA_DOT), WORD_CANONICAL);
    assert_int_equal(policy_get(&p, RULE_DATA_EOD_LOOKALIKE), WORD_REJECT);
    assert_int_equal(policy_get(&p, RULE_DATA_EARLY), WORD_REJECT);
    assert_int_equal(policy_get(&p, RULE_EHLO_UNKNOWN), WORD_STRIP);
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(policy_preset_name(PRESET_DEFAULT), "default");
    assert_string_equal(policy_preset_name(PRESET_OBSERVE), "observe");
    assert_string_equal(policy_preset_name(PRESET_STRICT), "strict");
    assert_string_equal(policy_rule_key(RULE_CMD_8BIT), "cmd.eight_bit");
    for (unsigned r = 0; r < RULE_COUNT; r++)
        for (unsigned q = 0; q < r; q++)
            assert_string_not_equal(policy_rule_key((enum policy_rule)r),
                                    policy_rule_key((enum policy_rule)q));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_choose_what_the_rules_allow),
        cmocka_unit_test(set_takes_allowed_words_only),
        cmocka_unit_test(set_refuses_other_words),
        cmocka_unit_test(the_default_preset_is_safe),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
