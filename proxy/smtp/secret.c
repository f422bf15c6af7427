#include "smtp/secret.h"

#include "smtp/line.h"
#include "smtp/path.h"
#include "smtp/secret_words.h"

enum { TAG_MAX = 8, DOMAIN_MAX = 255, LOCAL_PART_MAX = 64 };
enum { MARK_MAX = 4 }; /* octets between words, but for blanks: a byte order mark, quotes */

struct span secret_without_ending(struct span line)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\n')
        line.len--;
    while (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

static struct span nothing(struct span text)
{
    return (struct span){ text.ptr + text.len, 0 };
}

/* Empty at the end of the text, so that every answer has a place. */
static struct span behind(struct span text, struct span rest)
{
    rest = span_trim_left(rest);
    return rest.len > 0 ? rest : nothing(text);
}

/* ---- calm: does the line show an attempt? ------------------------------------------- */

/* Every word behind the path is KEYWORD=VALUE, or one of the keywords without a value. */
static bool is_envelope(struct span arg)
{
    const unsigned char *end = arg.len > 0 ? memrchr(arg.ptr, '>', arg.len) : NULL;
    struct span rest, word;

    if (end == NULL || (!span_starts_with_nocase(arg, SPAN_LIT("FROM:")) &&
                        !span_starts_with_nocase(arg, SPAN_LIT("TO:"))))
        return false;
    rest = span_drop(arg, (size_t)(end + 1 - arg.ptr));
    while ((rest = span_trim_left(rest)).len > 0) {
        word = span_first(rest, span_find(rest, ' '));
        rest = span_drop(rest, word.len);
        if (span_find(word, '=') == word.len &&
            !span_equal_nocase(word, SPAN_LIT("SMTPUTF8")) &&
            !span_equal_nocase(word, SPAN_LIT("REQUIRETLS")))
            return false;
    }
    return true;
}

static bool is_chunk(struct span arg)
{
    struct bdat chunk;

    return command_bdat(arg, &chunk) != BDAT_BAD;
}

/* A command as it should be: nothing else can stand in such a line. No second parse. */
static bool is_ordinary(const struct command *c)
{
    if ((c->faults & (FAULT_NUL | FAULT_BARE_CR | FAULT_CTRL | FAULT_8BIT_VERB)) != 0)
        return false;
    switch (verb_argument(c->verb)) {
    case ARGUMENT_PATH:
        return is_envelope(c->arg);
    case ARGUMENT_DOMAIN:
        return span_find(c->arg, ' ') == c->arg.len && span_find(c->arg, '\t') == c->arg.len;
    case ARGUMENT_CHUNK:
        return is_chunk(c->arg);
    case ARGUMENT_SECRET:
        return false;
    case ARGUMENT_IDENTITY:
        return true;
    case ARGUMENT_NONE:
        break;
    }
    return c->arg.len == 0;
}

static bool shows_attempt(struct span text)
{
    if (secret_has_auth(text))
        return true;
    for (struct span word = secret_take_word(&text); word.len > 0;
         word = secret_take_word(&text)) {
        enum secret_word kind = secret_word(word);
        if (kind != SECRET_WORD_OTHER && kind != SECRET_WORD_LEAD)
            return true;
    }
    return false;
}

/* ---- alert: is it harmless? ----------------------------------------------------------- */

/* Parameters that hold no text of the client's choice. */
static bool is_plain_parameter(struct span word)
{
    static const char *const plain[] = { "SIZE=",           "BODY=7BIT", "BODY=8BITMIME",
                                         "BODY=BINARYMIME", "RET=FULL",  "RET=HDRS",
                                         "AUTH=<>",         "SMTPUTF8",  "REQUIRETLS" };
    struct span size = span_drop(word, 5);

    if (span_starts_with_nocase(word, SPAN_LIT("SIZE="))) {
        for (size_t i = 0; i < size.len; i++)
            if (size.ptr[i] < '0' || size.ptr[i] > '9')
                return false;
        return true;
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (span_equal_nocase(word, span_str(plain[i])))
            return true;
    return false;
}

/* The parameters from the first one on that may hold a secret; all of a path in doubt. */
static struct span doubtful_in_path(const struct command *c, struct span text)
{
    struct notes notes = { .len = 0 };
    struct path path;
    struct span word;

    if (path_parse(c->arg, c->verb == VERB_MAIL ? PATH_FROM : PATH_TO, true, &path, &notes,
                   0) != PATH_OK ||
        path.path.len > LOCAL_PART_MAX + 1 + DOMAIN_MAX)
        return c->arg;
    for (struct span rest = span_trim_left(path.params); rest.len > 0;
         rest = span_trim_left(span_drop(rest, word.len))) {
        word = span_first(rest, span_find(rest, ' '));
        if (!is_plain_parameter(word))
            return rest;
    }
    return nothing(text);
}

/* What of a command is not known to be harmless; all of the text: look at its words. */
static struct span doubtful(const struct command *c, struct span text)
{
    if ((c->faults & (FAULT_NUL | FAULT_BARE_CR | FAULT_CTRL | FAULT_8BIT_VERB)) != 0)
        return text;
    switch (verb_argument(c->verb)) {
    case ARGUMENT_PATH:
        return doubtful_in_path(c, text);
    case ARGUMENT_DOMAIN:
        return c->arg.len == 0 || (c->arg.len <= DOMAIN_MAX && command_is_domain(c->arg))
                   ? nothing(text)
                   : text;
    case ARGUMENT_CHUNK:
        return is_chunk(c->arg) ? nothing(text) : text;
    case ARGUMENT_SECRET:
        return c->text.len == 0 ? nothing(text) : text;
    case ARGUMENT_NONE:
    case ARGUMENT_IDENTITY:
        break;
    }
    return c->arg.len == 0 ? nothing(text) : text;
}

/* ---- where the secret begins ----------------------------------------------------------- */

/* The tag of an IMAP command: "a1" of "a1 LOGIN". */
static bool is_tag(struct span word, struct span rest)
{
    struct span next = secret_take_word(&rest);

    return word.len <= TAG_MAX && (span_equal_nocase(next, SPAN_LIT("LOGIN")) ||
                                   span_equal_nocase(next, SPAN_LIT("AUTHENTICATE")));
}

/* Empty also when there is more than a mark in front of it: that may be a secret in 8 bits. */
static struct span next_word(struct span *rest)
{
    const unsigned char *from = rest->ptr;
    struct span word = secret_take_word(rest);
    unsigned marks = 0;

    for (; from < word.ptr; from++)
        marks += !span_is_blank_char(*from);
    return marks <= MARK_MAX ? word : span_first(word, 0);
}

/* Behind the words that lead up to it. */
static struct span behind_words(struct span text)
{
    struct span rest = text, word;
    unsigned leads = 0;

    for (;;) {
        struct span before = rest;

        word = next_word(&rest);
        if (word.len == 0)
            return behind(text, before);
        switch (secret_word(word)) {
        case SECRET_WORD_LEAD:
            if (++leads > SECRET_LEADS_MAX)
                return behind(text, before);
            continue;
        case SECRET_WORD_AUTH:
            before = rest;
            if (secret_word(next_word(&rest)) != SECRET_WORD_MECHANISM)
                rest = before;
            return behind(text, rest);
        case SECRET_WORD_LOGIN:
        case SECRET_WORD_MECHANISM: /* LOGIN is one, too */
            return behind(text, rest);
        case SECRET_WORD_OTHER:
            if (leads == 0 && is_tag(word, rest)) {
                leads = SECRET_LEADS_MAX;
                continue;
            }
            return behind(text, before);
        }
    }
}

/* XCLIENT attributes: from the first LOGIN value to the end of the last. */
static struct span find_login(struct span text, struct span rest)
{
    const unsigned char *start = NULL, *end = NULL;

    while ((rest = span_trim_left(rest)).len > 0) {
        struct span word = span_first(rest, span_find(rest, ' '));

        rest = span_drop(rest, word.len);
        if (!span_starts_with_nocase(word, SPAN_LIT("LOGIN=")))
            continue;
        if (start == NULL)
            start = word.ptr + 6;
        end = word.ptr + word.len;
    }
    return start == NULL ? nothing(text) : span_of(start, (size_t)(end - start));
}

static struct secret in_calm(const struct command *c, struct span text)
{
    bool attributes = c->verb == VERB_XCLIENT && c->faults == 0;
    struct secret s = { .octets = nothing(text) };

    if (is_ordinary(c) || !shows_attempt(text))
        return s;
    s.octets = attributes ? find_login(text, c->arg) : behind_words(text);
    s.attempt = !attributes || s.octets.len > 0;
    return s;
}

struct secret secret_find(const struct command *c, struct span text, enum secret_mode mode)
{
    struct secret s;

    if (mode == SECRET_CALM)
        return in_calm(c, text);
    s.octets = doubtful(c, text);
    s.attempt = s.octets.len > 0 && !is_ordinary(c) && shows_attempt(text);
    if (s.attempt || (s.octets.ptr == text.ptr && s.octets.len == text.len))
        s.octets = behind_words(text);
    return s;
}

/* ---- lines that nobody looks at ---------------------------------------------------------- */

static struct secret in_unfinished(struct span text, enum secret_mode mode)
{
    struct command c = command_parse(text);
    struct secret s = in_calm(&c, text);

    if (mode == SECRET_ALERT)
        s.octets = behind_words(text);
    return s;
}

struct secret secret_find_in_lines(struct span text, enum secret_mode mode)
{
    struct span whole = secret_without_ending(text), rest = text;
    struct secret s = { .octets = nothing(whole) };

    while (rest.len > 0) {
        struct line l = line_next(rest);
        struct span line = l.end == LINE_MORE ? rest : l.text;
        struct command c = command_parse(line);
        struct secret one =
            l.end == LINE_MORE ? in_unfinished(line, mode) : secret_find(&c, line, mode);

        s.attempt = s.attempt || one.attempt;
        if (one.attempt)
            mode = SECRET_ALERT;
        rest = l.end == LINE_MORE ? nothing(rest) : span_drop(rest, l.used);
        if (one.octets.len == 0 && (c.verb == VERB_DATA || c.verb == VERB_BDAT))
            one.octets = rest;
        if (one.octets.len == 0)
            continue;
        size_t at = (size_t)(one.octets.ptr - text.ptr);
        if (at < whole.len)
            s.octets = span_drop(whole, at);
        return s;
    }
    return s;
}
