#include "smtp/policy.h"

static const char *const words[] = {
#define X(id, text) text,
    POLICY_WORDS(X)
#undef X
};

_Static_assert(WORD_COUNT <= 32, "a set of words is 32 bits");

#define ONE(word) (UINT32_C(1) << WORD_##word)

static const struct {
    const char *key;
    uint32_t choices;
    uint8_t preset[PRESET_COUNT];
} rules[] = {
#define RULE(id, key, choices, normal, observe, strict)                                        \
    { key, choices, { WORD_##normal, WORD_##observe, WORD_##strict } },
#include "smtp/policy.def"
#undef RULE
};

_Static_assert(ARRAY_LEN(rules) == RULE_COUNT, "a rule has no entry");

void policy_init(struct policy *p, enum policy_preset preset)
{
    *p = (struct policy){ .limit_fixed = COMMAND_LINE_OCTETS,
                          .limit_auth_line = AUTH_LINE_OCTETS };
    for (unsigned r = 0; r < RULE_COUNT; r++)
        p->word[r] = rules[r].preset[preset];
}

bool policy_set(struct policy *p, enum policy_rule r, struct span word)
{
    for (unsigned w = 0; w < WORD_COUNT; w++) {
        if ((rules[r].choices >> w & 1) != 0 && span_equal(word, span_str(words[w]))) {
            p->word[r] = (uint8_t)w;
            return true;
        }
    }
    return false;
}

const char *policy_rule_key(enum policy_rule r)
{
    return rules[r].key;
}

uint32_t policy_rule_choices(enum policy_rule r)
{
    return rules[r].choices;
}

enum policy_word policy_preset_word(enum policy_preset preset, enum policy_rule r)
{
    return (enum policy_word)rules[r].preset[preset];
}

const char *policy_word_text(enum policy_word w)
{
    return words[w];
}

const char *policy_preset_name(enum policy_preset preset)
{
    static const char *const names[PRESET_COUNT] = { "default", "observe", "strict" };

    return names[preset];
}
