/*
 * policy - what to do about each kind of fault: one word per rule.
 *
 * A policy is a plain value: copy it, set words, hand out const pointers. Rules,
 * words and presets come from policy.def; the configuration file, its reference
 * and the vectors use the same keys.
 *
 * Presets: `observe` lets everything through that can be let through safely,
 * `default` repairs what is harmless and refuses the rest, `strict` refuses
 * every fault. Observe *mode* is more than the preset: see session.h.
 */
#ifndef SMTP_POLICY_H
#define SMTP_POLICY_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdint.h>

#define POLICY_WORDS(X)                                                                        \
    X(NORMALIZE, "normalize")                                                                  \
    X(REJECT, "reject")                                                                        \
    X(PASS, "pass")                                                                            \
    X(SPACE, "space")                                                                          \
    X(CRLF, "crlf")                                                                            \
    X(CANONICAL, "canonical")                                                                  \
    X(NEUTRALIZE, "neutralize")                                                                \
    X(HOLD, "hold")                                                                            \
    X(CLOSE, "close")                                                                          \
    X(IGNORE, "ignore")                                                                        \
    X(LOCAL, "local")                                                                          \
    X(LENIENT, "lenient")                                                                      \
    X(STRICT, "strict")                                                                        \
    X(REPLY252, "reply252")                                                                    \
    X(REJECT502, "reject502")                                                                  \
    X(ADVERTISED, "advertised")                                                                \
    X(PASSTHROUGH, "passthrough")                                                              \
    X(TERMINATE, "terminate")                                                                  \
    X(REFUSE, "refuse")                                                                        \
    X(AUTO, "auto")                                                                            \
    X(SERIALIZE, "serialize")                                                                  \
    X(EXTENSIONS, "extensions")                                                                \
    X(STRICT512, "strict512")                                                                  \
    X(FIXED, "fixed")                                                                          \
    X(STRIP, "strip")                                                                          \
    X(ACCEPT, "accept")

enum policy_word {
#define X(id, text) WORD_##id,
    POLICY_WORDS(X)
#undef X
        WORD_COUNT
};

enum policy_rule {
#define RULE(id, key, choices, normal, observe, strict) RULE_##id,
#include "smtp/policy.def"
#undef RULE
    RULE_COUNT
};

enum policy_preset { PRESET_DEFAULT, PRESET_OBSERVE, PRESET_STRICT, PRESET_COUNT };

enum {
    COMMAND_LINE_OCTETS = 512, /* RFC 5321 4.5.3.1.4, with CRLF */
    AUTH_LINE_OCTETS = 12288,  /* RFC 4954 4, without CRLF */
};

struct policy {
    uint8_t word[RULE_COUNT]; /* enum policy_word */
    uint32_t limit_fixed;     /* octets with CRLF, for limit.mode = "fixed:N" */
    uint32_t limit_auth_line; /* octets without CRLF */
};

void policy_init(struct policy *p, enum policy_preset preset);

static inline enum policy_word policy_get(const struct policy *p, enum policy_rule r)
{
    return (enum policy_word)p->word[r];
}

/* False when the rule does not know the word; nothing changes then. */
MUST_CHECK bool policy_set(struct policy *p, enum policy_rule r, struct span word);

const char *policy_rule_key(enum policy_rule r);
/* Bit WORD_x is set when the rule may be set to that word. */
uint32_t policy_rule_choices(enum policy_rule r);
enum policy_word policy_preset_word(enum policy_preset preset, enum policy_rule r);
const char *policy_word_text(enum policy_word w);
const char *policy_preset_name(enum policy_preset preset);

#endif
