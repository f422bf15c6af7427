#include "lab/script.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"

/*
 * 0 .. at    understood
 * at .. len  the rest of the text
 */
struct script_text {
    struct span text;
    size_t at;
    unsigned line;
    struct buf *strings;
    const char *name;
    char *error;
    size_t error_size;
};

/* Always false, so that a caller can return it. */
MUST_CHECK PRINTF_LIKE(2, 3) static bool text_fail(struct script_text *t, const char *fmt, ...)
{
    int n = snprintf(t->error, t->error_size, "%s:%u: ", t->name, t->line);
    va_list args;

    if (n < 0 || (size_t)n >= t->error_size)
        return false;
    va_start(args, fmt);
    vsnprintf(t->error + n, t->error_size - (size_t)n, fmt, args);
    va_end(args);
    return false;
}

/* The next octet, '\n' at the end of the line or of the text. */
static unsigned char peek(const struct script_text *t)
{
    return t->at < t->text.len ? t->text.ptr[t->at] : '\n';
}

static void skip_blanks(struct script_text *t)
{
    while (span_is_blank_char(peek(t)) || peek(t) == '\r')
        t->at++;
}

/* Goes to the next line; false at the end of the text. */
static bool text_next_line(struct script_text *t)
{
    if (t->line > 0)
        t->at += span_find(span_drop(t->text, t->at), '\n') + 1;
    t->line++;
    return t->at < t->text.len;
}

/* Nothing but blanks and a comment are left of the line. */
static bool text_at_line_end(struct script_text *t)
{
    skip_blanks(t);
    return peek(t) == '\n' || peek(t) == '#';
}

static bool text_at_number(struct script_text *t)
{
    skip_blanks(t);
    return peek(t) >= '0' && peek(t) <= '9';
}

static bool is_word_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-';
}

/* Letters, digits and "-"; empty when the next byte is none of these. */
static struct span text_word(struct script_text *t)
{
    skip_blanks(t);
    size_t from = t->at;
    while (is_word_char(peek(t)))
        t->at++;
    return span_of(t->text.ptr + from, t->at - from);
}

static bool text_is(struct span w, const char *name)
{
    return span_equal_nocase(w, span_str(name));
}

/* 1 to max; false when the text is anything else. */
static bool text_number(struct span w, uint32_t max, uint32_t *out)
{
    uint64_t n;

    if (!number_decimal(w, max, &n))
        return false;
    *out = (uint32_t)n;
    return n > 0;
}

static bool text_time(struct script_text *t, uint32_t *ms)
{
    static const struct {
        const char *name;
        uint32_t ms;
    } units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 } };
    struct span w = text_word(t);
    size_t digits = 0;

    while (digits < w.len && w.ptr[digits] >= '0' && w.ptr[digits] <= '9')
        digits++;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (text_is(span_drop(w, digits), units[i].name) &&
            text_number(span_first(w, digits), SCRIPT_DELAY_MAX / units[i].ms, ms)) {
            *ms *= units[i].ms;
            return true;
        }
    }
    return text_fail(t, "expected a time up to one hour, such as 100ms, 2s or 5m");
}

static int digit_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* Up to `most` digits of this base; -1 when there is none. */
static int code(struct script_text *t, int base, int most)
{
    int value = 0, i = 0;

    for (; i < most && digit_value(peek(t)) < base; i++)
        value = value * base + digit_value(t->text.ptr[t->at++]);
    return i > 0 && value <= 255 ? value : -1;
}

/* After the backslash: the octet meant, or -1. */
static int escaped(struct script_text *t)
{
    static const char letters[] = "rntabefv\\\"'?";
    static const char octets[] = "\r\n\t\a\b\033\f\v\\\"'?";
    unsigned char c = peek(t);
    const char *found = c != '\0' ? strchr(letters, c) : NULL;

    if (found != NULL) {
        t->at++;
        return octets[found - letters];
    }
    if (c != 'x')
        return code(t, 8, 3);
    t->at++;
    return code(t, 16, 2);
}

/* One string in quotes, its octets appended to the script's. */
MUST_CHECK static bool quoted(struct script_text *t)
{
    struct buf *bytes = t->strings;

    t->at++;
    while (peek(t) != '"') {
        int c = peek(t);
        if (c == '\n')
            return text_fail(t, "expected a closing quote");
        t->at++;
        if (c == '\\' && (c = escaped(t)) < 0)
            return text_fail(t,
                             "expected an escape as in C: \\r \\n \\t \\\\ \\\" \\x0d \\015");
        unsigned char octet = (unsigned char)c;
        if (!buf_append(bytes, span_of(&octet, 1)))
            return text_fail(t, "too many octets in all strings");
    }
    t->at++;
    return true;
}

/* The octets from `from` on, n times. */
MUST_CHECK static bool repeat(struct script_text *t, uint32_t from, uint32_t n)
{
    struct buf *bytes = t->strings;
    uint32_t len = bytes->len - from;
    unsigned char *copy = malloc(len + 1u);
    bool ok = copy != NULL && (uint64_t)len * n <= SCRIPT_REPLY_MAX;

    if (copy != NULL && len > 0)
        memcpy(copy, bytes->ptr + from, len);
    for (uint32_t i = 1; ok && i < n; i++)
        ok = buf_append(bytes, span_of(copy, len));
    free(copy);
    return ok || text_fail(t, "at most %d octets in the strings of a rule", SCRIPT_REPLY_MAX);
}

/* "..." ["..."*N ...], in the script's bytes from *at on. */
static bool text_string(struct script_text *t, uint32_t *at, uint32_t *octets)
{
    *at = t->strings->len;
    skip_blanks(t);
    if (peek(t) != '"')
        return text_fail(t, "expected a string in quotes");
    while (peek(t) == '"') {
        uint32_t from = t->strings->len, n;
        if (!quoted(t))
            return false;
        skip_blanks(t);
        if (peek(t) == '*') {
            t->at++;
            if (!text_number(text_word(t), SCRIPT_REPLY_MAX, &n))
                return text_fail(t, "expected how often the string is repeated");
            if (!repeat(t, from, n))
                return false;
            skip_blanks(t);
        }
    }
    *octets = t->strings->len - *at;
    return true;
}

/* ---- statements ---- */

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
