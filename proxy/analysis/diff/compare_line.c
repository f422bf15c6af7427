/* compare_line - one command line that became another, was eaten, or was made up. */
#include "analysis/diff/compare.h"

#include "base/escape.h"

#include <ctype.h>

enum { PARAMETER_MAX = 64 };

/* Of an overlong line only the beginning was written down. */
static struct text known_part(const struct unit *u, const struct unit *other)
{
    struct text t = u->line;

    if ((u->cut || other->cut) && other->line.s.len < t.s.len)
        t.s.len = other->line.s.len;
    return t;
}

bool compare_same_line(const struct unit *near, const struct unit *far)
{
    if (!near->cut && !far->cut)
        return text_equal(near->line, far->line);
    return near->line_octets == far->line_octets &&
           text_equal(known_part(near, far), known_part(far, near));
}

/* ---- what kind of change ---- */

static bool is_noop_padded(const struct unit *near, const struct unit *far)
{
    struct span s = far->line.s;

    if (span_starts_with_nocase(near->line.s, SPAN_LIT("NOOP")) ||
        !span_starts_with_nocase(s, SPAN_LIT("NOOP")))
        return false;
    for (size_t i = 4; i < s.len; i++)
        if (s.ptr[i] > ' ')
            return false;
    return true;
}

/* Equal but for case and blanks. */
static bool is_normalised(struct span a, struct span b)
{
    size_t i = 0, k = 0;

    for (;;) {
        while (i < a.len && a.ptr[i] <= ' ' && a.ptr[i] != '\r' && a.ptr[i] != '\n')
            i++;
        while (k < b.len && b.ptr[k] <= ' ' && b.ptr[k] != '\r' && b.ptr[k] != '\n')
            k++;
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len;
        if (tolower(a.ptr[i++]) != tolower(b.ptr[k++]))
            return false;
    }
}

static bool has_verb(const struct unit *u, const char *verb)
{
    return span_equal(u->verb, span_str(verb));
}

static bool is_path_command(const struct unit *u)
{
    return has_verb(u, "MAIL") || has_verb(u, "RCPT");
}

static struct span without_ending(struct span s)
{
    while (s.len > 0 && (s.ptr[s.len - 1] == '\r' || s.ptr[s.len - 1] == '\n'))
        s.len--;
    return s;
}

/* The next parameter behind the path. */
static struct span next_word(struct span *s)
{
    *s = span_trim_left(*s);
    size_t blank = span_find(*s, ' ');
    struct span word = span_first(*s, blank);
    *s = span_drop(*s, blank);
    return word;
}

static bool contains_word(struct span s, struct span word)
{
    while (s.len > 0)
        if (span_equal_nocase(next_word(&s), word))
            return true;
    return false;
}

/* The first word of `s` that `other` has not. */
static struct span missing_word(struct span s, struct span other)
{
    while (s.len > 0) {
        struct span word = next_word(&s);
        if (word.len > 0 && !contains_word(other, word))
            return word;
    }
    return s;
}

struct path {
    struct span address, parameters;
};

static struct path path_of(struct span line)
{
    size_t colon = span_find(line, ':'), close = span_find(line, '>');
    struct span rest = span_drop(without_ending(line), colon + 1);

    if (close < line.len && close > colon)
        return (struct path){ span_trim(span_first(rest, close - colon)),
                              span_drop(rest, close - colon) };
    rest = span_trim_left(rest);
    struct span address = span_first(rest, span_find(rest, ' '));
    return (struct path){ address, span_drop(rest, address.len) };
}

/* The pipe character, which some boxes take for a shell's, became a blank. */
static bool is_pipe_blanked(struct span a, struct span b)
{
    size_t pipes = 0;

    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (a.ptr[i] == '|' && b.ptr[i] == ' ')
            pipes++;
        else if (a.ptr[i] != b.ptr[i])
            return false;
    }
    return pipes > 0;
}

/* Of the address, which is the recipient's own business (RFC 5321 2.4). */
static bool has_other_case(struct span a, struct span b)
{
    struct span x = path_of(a).address, y = path_of(b).address;

    return !span_equal(x, y) && span_equal_nocase(x, y);
}

/* A word for what happened to MAIL or RCPT; NULL: something else. */
static const char *path_change(const struct unit *near, const struct unit *far,
                               struct span *word)
{
    struct path a = path_of(near->line.s), b = path_of(far->line.s);

    if (is_pipe_blanked(near->line.s, far->line.s))
        return "pipe-blanked";
    bool same_address = span_equal(a.address, b.address);
    struct span gone = missing_word(a.parameters, b.parameters);
    struct span come = missing_word(b.parameters, a.parameters);
    if (same_address && gone.len > 0 && come.len == 0) {
        *word = span_first(gone, PARAMETER_MAX);
        return "parameter-removed";
    }
    if (same_address && come.len > 0 && gone.len == 0) {
        *word = span_first(come, PARAMETER_MAX);
        return "parameter-added";
    }
    if (same_address && gone.len > 0)
        return "parameter-changed";
    return same_address || gone.len > 0 ? NULL : "address-changed";
}

/* One octet here or there is damage, not somebody's rewriting. */
static bool is_small(struct delta d)
{
    return d.sent <= 1 && d.received <= 1;
}

/* ---- findings ---- */

static struct diff_finding *line_found(struct compare *c, enum diff_class id, const char *sub,
                                       const struct unit *near, const struct unit *far)
{
    struct diff_finding *f = compare_found(c, id, sub, unit_name(near));

    f->way = WAY_COMMAND;
    compare_show_delta(f, near, known_part(near, far), far, known_part(far, near));
    return f;
}

static void say_altered(struct compare *c, const struct unit *near, const struct unit *far)
{
    struct text a = known_part(near, far), b = known_part(far, near);
    struct delta d = text_delta(a, b);
    const char *sub = d.sent == 0 ? "inserted" : d.received == 0 ? "deleted" : "replaced";
    struct diff_finding *f = line_found(c, CLASS_ALTERED, sub, near, far);

    f->f.severity = SEVERITY_HIGH;
    if (d.sent + d.received == 0) {
        compare_say(f,
                    "the overlong command %s is of another length: %llu bytes were sent, "
                    "%llu arrived",
                    f->subject, (unsigned long long)near->line_octets,
                    (unsigned long long)far->line_octets);
        return;
    }
    compare_say(f, "%s was altered on the way at byte %zu: %zu bytes %s", f->subject, d.at,
                d.sent == 0 ? d.received : d.sent, sub);
}

static bool say_masked(struct compare *c, const struct unit *near, const struct unit *far)
{
    enum mask_kind mask = mask_of(near->line, far->line);
    static const enum diff_class ids[] = { CLASS_ALTERED, CLASS_STARS, CLASS_ONE_STAR,
                                           CLASS_LETTERS };

    if (mask == MASK_NONE)
        return false;
    struct diff_finding *f = line_found(c, ids[mask], "command", near, far);
    f->rule = mask;
    compare_say(f,
                "%s was overwritten in place with %s on the way: %llu bytes, the length "
                "stayed",
                f->subject, mask == MASK_LETTERS ? "X" : "*",
                (unsigned long long)f->received.len);
    return true;
}

/* What happened to the line as a whole, where that has a name; *word: to which part. */
static const char *rewriting(const struct unit *near, const struct unit *far, struct span *word)
{
    struct delta d = text_delta(near->line, far->line);
    bool same_verb = near->verb.len > 0 && span_equal(near->verb, far->verb);
    const char *sub = NULL;

    *word = (struct span){ NULL, 0 };
    if (has_verb(near, "EHLO") && has_verb(far, "HELO"))
        return "ehlo-to-helo";
    if (same_verb && is_path_command(near) && has_other_case(near->line.s, far->line.s))
        return "address-case";
    if (is_normalised(near->line.s, far->line.s))
        return is_small(d) ? "case-or-blank" : "normalised";
    if (same_verb && is_path_command(near))
        sub = path_change(near, far, word);
    else if (same_verb && (has_verb(near, "EHLO") || has_verb(near, "HELO")))
        sub = "name";
    return sub != NULL && (!is_small(d) || strcmp(sub, "pipe-blanked") == 0) ? sub : NULL;
}

static bool say_rewritten(struct compare *c, const struct unit *near, const struct unit *far)
{
    char part[PARAMETER_MAX + 16];
    struct diff_finding *f;
    struct span word;

    if (has_verb(near, "BDAT") && has_verb(far, "BDAT")) {
        f = line_found(c, CLASS_CHUNK, "size", near, far);
        compare_say(f, "the size or the LAST of a BDAT chunk was rewritten on the way");
        return true;
    }
    const char *sub = rewriting(near, far, &word);
    if (sub == NULL)
        return false;
    f = line_found(c, CLASS_ARGUMENT, sub, near, far);
    if (strcmp(sub, "normalised") == 0 || strcmp(sub, "case-or-blank") == 0)
        f->f.severity = SEVERITY_LOW;
    f->rule = compare_hash(0, span_first(word, span_find(word, '=')));
    escape(part, sizeof part, word);
    compare_say(f, "%s was rewritten on the way: %s%s%s", f->subject, sub,
                word.len > 0 ? ", " : "", part);
    return true;
}

void compare_lines(struct compare *c, const struct unit *near, const struct unit *far)
{
    if (is_noop_padded(near, far)) {
        struct diff_finding *f = line_found(c, CLASS_NOOP, "replaced", near, far);
        f->rule = 0;
        compare_say(f, "%s became NOOP on the way%s", f->subject,
                    near->line.s.len == far->line.s.len ? ", padded to the same length" : "");
        return;
    }
    if (!say_masked(c, near, far) && !say_rewritten(c, near, far))
        say_altered(c, near, far);
}
