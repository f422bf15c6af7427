#include "lab/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lab/script_text.h"

static bool is_printable(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < ' ' || s.ptr[i] > '~')
            return false;
    }
    return s.len > 0 && s.ptr[0] != ' ';
}

MUST_CHECK static bool offer_statement(struct script *s, struct script_text *t)
{
    struct script_offer o;

    if (s->offer_count == SCRIPT_OFFERS_MAX)
        return text_fail(t, "at most %d offers", SCRIPT_OFFERS_MAX);
    if (!text_string(t, &o.at, &o.octets))
        return false;
    if (o.octets > SCRIPT_OFFER_MAX || !is_printable(script_bytes(s, o.at, o.octets)))
        return text_fail(t,
                         "expected a keyword and its parameters, printable, at most %d octets",
                         SCRIPT_OFFER_MAX);
    s->offers[s->offer_count++] = o;
    return true;
}

MUST_CHECK static bool without_statement(struct script *s, struct script_text *t)
{
    static const char *const names[] = {
#define X(name, line) #name,
        EXTENSIONS(X)
#undef X
    };
    struct span w = text_word(t);

    for (unsigned i = 0; i < EXTENSION_COUNT; i++) {
        if (text_is(w, names[i])) {
            s->without |= 1u << i;
            return true;
        }
    }
    return text_fail(t, "expected a keyword that is offered, such as PIPELINING");
}

MUST_CHECK static bool pieces_statement(struct script *s, struct script_text *t)
{
    if (!text_number(text_word(t), SCRIPT_REPLY_MAX, &s->piece_octets))
        return text_fail(t, "expected a number of octets, 1 to %d", SCRIPT_REPLY_MAX);
    if (text_at_line_end(t))
        return true;
    if (!text_is(text_word(t), "every"))
        return text_fail(t, "expected \"every\" or the end of the line");
    return text_time(t, &s->piece_ms);
}

/* What an action takes after its name. */
enum takes { TAKES_NOTHING, TAKES_STRING, TAKES_TIME };

static const struct {
    const char *name;
    enum takes takes;
    bool ends; /* no answer is implied */
} actions[] = {
    [SCRIPT_ANSWER] = { "answer", TAKES_NOTHING, true },
    [SCRIPT_REPLY] = { "reply", TAKES_STRING, true },
    [SCRIPT_CHALLENGE] = { "challenge", TAKES_STRING, false },
    [SCRIPT_DELAY] = { "delay", TAKES_TIME, false },
    [SCRIPT_CLOSE] = { "close", TAKES_NOTHING, true },
    [SCRIPT_RESET] = { "reset", TAKES_NOTHING, true },
    [SCRIPT_SILENCE] = { "silence", TAKES_NOTHING, true },
};

MUST_CHECK static bool action(struct script_text *t, struct script_action *a, bool *ends)
{
    struct span w = text_word(t);

    for (unsigned i = 0; i < ARRAY_LEN(actions); i++) {
        if (!text_is(w, actions[i].name))
            continue;
        *a = (struct script_action){ .kind = (uint8_t)i };
        *ends = *ends || actions[i].ends;
        if (actions[i].takes == TAKES_STRING)
            return text_string(t, &a->at, &a->octets);
        return actions[i].takes == TAKES_NOTHING || text_time(t, &a->ms);
    }
    return text_fail(t, "expected answer, reply, challenge, delay, close, reset or silence");
}

MUST_CHECK static bool event_of(struct script_text *t, unsigned *event)
{
    struct span w = text_word(t);

    if (text_is(w, "greeting"))
        *event = SCRIPT_GREETING;
    else if (text_is(w, "any"))
        *event = SCRIPT_ANY;
    else if (text_is(w, "end-of-data"))
        *event = VERB_DOT;
    else if (text_is(w, "unknown"))
        *event = VERB_UNKNOWN;
    else if ((*event = verb_lookup(w)) == VERB_UNKNOWN)
        return text_fail(t, "expected greeting, a verb, end-of-data, unknown or any");
    return true;
}

MUST_CHECK static bool on_statement(struct script *s, struct script_text *t)
{
    struct script_rule rule = { 0 };
    uint32_t from = s->bytes.len;
    bool ends = false;

    if (s->rule_count == SCRIPT_RULES_MAX)
        return text_fail(t, "at most %d rules", SCRIPT_RULES_MAX);
    if (!event_of(t, &rule.event))
        return false;
    if (text_at_number(t) && !text_number(text_word(t), UINT32_MAX, &rule.nth))
        return text_fail(t, "expected which one: 1 is the first");
    do {
        if (rule.count == SCRIPT_ACTIONS_MAX)
            return text_fail(t, "at most %d actions", SCRIPT_ACTIONS_MAX);
        if (!action(t, &rule.actions[rule.count++], &ends))
            return false;
    } while (!text_at_line_end(t));
    if (s->bytes.len - from > SCRIPT_REPLY_MAX)
        return text_fail(t, "at most %d octets in the strings of a rule", SCRIPT_REPLY_MAX);
    if (!ends)
        rule.actions[rule.count++].kind = SCRIPT_ANSWER;
    s->rules[s->rule_count++] = rule;
    return true;
}

MUST_CHECK static bool statement(struct script *s, struct script_text *t)
{
    static const struct {
        const char *name;
        bool (*parse)(struct script *s, struct script_text *t);
    } statements[] = {
        { "offer", offer_statement },
        { "without", without_statement },
        { "pieces", pieces_statement },
        { "on", on_statement },
    };
    struct span w = text_word(t);

    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        if (text_is(w, statements[i].name))
            return statements[i].parse(s, t) &&
                   (text_at_line_end(t) || text_fail(t, "expected the end of the line"));
    }
    return text_fail(t, "expected offer, without, pieces or on");
}

MUST_CHECK static bool parse_lines(struct script *s, struct script_text *t)
{
    while (text_next_line(t)) {
        if (!text_at_line_end(t) && !statement(s, t))
            return false;
    }
    return true;
}

struct script *script_parse(struct span text, const char *name, char *error, size_t size)
{
    struct script *s = calloc(1, sizeof *s);

    if (s != NULL) {
        struct script_text t = { text, 0, 0, &s->bytes, name, error, size };
        buf_init(&s->bytes, SCRIPT_STRINGS_MAX);
        s->rules = calloc(SCRIPT_RULES_MAX, sizeof *s->rules);
        if (s->rules != NULL && parse_lines(s, &t))
            return s;
    }
    if (s == NULL || s->rules == NULL)
        snprintf(error, size, "%s: out of memory", name);
    script_free(&s);
    return NULL;
}

struct script *script_load(const char *file, char *error, size_t size)
{
    unsigned char *text = malloc(SCRIPT_OCTETS_MAX + 1u);
    FILE *f = text != NULL ? fopen(file, "rb") : NULL;
    struct script *s = NULL;

    if (f == NULL) {
        snprintf(error, size, "%s: %s", file, strerror(errno));
        free(text);
        return NULL;
    }
    size_t n = fread(text, 1, SCRIPT_OCTETS_MAX + 1u, f);
    if (ferror(f))
        snprintf(error, size, "%s: %s", file, strerror(errno));
    else if (n > SCRIPT_OCTETS_MAX)
        snprintf(error, size, "%s: longer than %d octets", file, SCRIPT_OCTETS_MAX);
    else
        s = script_parse(span_of(text, n), file, error, size);
    fclose(f);
    free(text);
    return s;
}

void script_free(struct script **sp)
{
    struct script *s = *sp;

    *sp = NULL;
    if (s == NULL)
        return;
    buf_release(&s->bytes);
    free(s->rules);
    free(s);
}

const struct script_rule *script_find(const struct script *s, unsigned event, uint32_t nth,
                                      uint32_t any)
{
    for (unsigned i = 0; s != NULL && i < s->rule_count; i++) {
        const struct script_rule *r = &s->rules[i];
        uint32_t n = r->event == SCRIPT_ANY ? any : nth;
        bool fits = r->event == event || (r->event == SCRIPT_ANY && event != SCRIPT_GREETING);
        if (fits && (r->nth == 0 || r->nth == n))
            return r;
    }
    return NULL;
}

struct span script_bytes(const struct script *s, uint32_t at, uint32_t octets)
{
    return octets > 0 ? span_of(s->bytes.ptr + at, octets) : SPAN_LIT("");
}
