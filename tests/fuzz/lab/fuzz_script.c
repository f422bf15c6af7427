/*
 * fuzz_script - a script's text, whatever it is: an error with a line, or a script
 * whose parts are in bounds.
 */
#include <stdint.h>
#include <stdlib.h>

#include "lab/script.h"

static void invariant(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[256] = "";
    struct script *s = script_parse(span_of(data, size), "s", error, sizeof error);

    if (s == NULL) {
        invariant(error[0] == 's' && error[1] == ':');
        return 0;
    }
    invariant(s->rule_count <= SCRIPT_RULES_MAX && s->offer_count <= SCRIPT_OFFERS_MAX);
    for (unsigned i = 0; i < s->rule_count; i++) {
        const struct script_rule *r = &s->rules[i];
        invariant(r->event < SCRIPT_EVENTS && r->count > 0);
        invariant(r->count <= SCRIPT_ACTIONS_MAX + 1);
        for (unsigned a = 0; a < r->count; a++) {
            invariant(r->actions[a].ms <= SCRIPT_DELAY_MAX);
            invariant(r->actions[a].at + r->actions[a].octets <= s->bytes.len);
        }
    }
    script_free(&s);
    return 0;
}
