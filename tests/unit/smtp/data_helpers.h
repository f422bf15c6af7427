/*
 * data_helpers - what the tests of the mail data filter share.
 *
 * A policy is the name of a preset, or the default with changed words:
 * "bare_lf=pass nul=normalize".
 */
#ifndef UNIT_DATA_HELPERS_H
#define UNIT_DATA_HELPERS_H

#include "unit/check.h"

#include "base/attributes.h"
#include "models/run_data.h"

#define END "\r\n.\r\n"

static struct data_run run, other;

static inline void set_rule(struct policy *p, const char *name, size_t name_len,
                            struct span word)
{
    for (unsigned r = RULE_DATA_BARE_LF; r <= RULE_DATA_EOD_HIGHBIT; r++) {
        const char *key = policy_rule_key((enum policy_rule)r);
        if (strncmp(key + strlen("data."), name, name_len) == 0 &&
            key[strlen("data.") + name_len] == '\0') {
            assert_true(policy_set(p, (enum policy_rule)r, word));
            return;
        }
    }
    fail_msg("no rule %s", name);
}

static inline struct policy make_policy(const char *words)
{
    struct policy p;

    for (unsigned preset = 0; preset < PRESET_COUNT; preset++) {
        policy_init(&p, (enum policy_preset)preset);
        if (strcmp(policy_preset_name((enum policy_preset)preset), words) == 0)
            return p;
    }
    policy_init(&p, PRESET_DEFAULT);
    while (*words != '\0') {
        size_t name = strcspn(words, "="), word = strcspn(words + name, " ") - 1;
        set_rule(&p, words, name, span_of(words + name + 1, word));
        words += name + 1 + word;
        words += *words == ' ';
    }
    return p;
}

static inline const char *notes_text(const struct notes *n)
{
    static char text[512];
    size_t len = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < n->len; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s@%ju*%u ",
                                note_name((enum note_id)n->list[i].id),
                                (uintmax_t)n->list[i].at, n->list[i].count);
    return text;
}

static inline void run_whole(struct data_run *r, const struct policy *p, struct span in)
{
    run_begin(r, p);
    run_part(r, in);
    assert_null(r->broken);
}

/* All ways to cut once, and each octet alone: nothing may tell them from `run`. */
static inline void check_cuts(const struct policy *p, struct span in, const char *what)
{
    for (size_t cut = 0; cut <= in.len; cut++) {
        run_begin(&other, p);
        run_part(&other, span_first(in, cut));
        run_part(&other, span_drop(in, cut));
        const char *why = other.broken ? other.broken : run_difference(&run, &other);
        if (why != NULL)
            fail_msg("%s: cut at %zu: %s", what, cut, why);
    }
    run_begin(&other, p);
    for (size_t i = 0; i < in.len; i++)
        run_part(&other, span_of(in.ptr + i, 1));
    const char *why = other.broken ? other.broken : run_difference(&run, &other);
    if (why != NULL)
        fail_msg("%s: octet by octet: %s", what, why);
}

#endif
