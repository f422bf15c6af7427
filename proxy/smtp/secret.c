#include "smtp/secret.h"

#include "base/attributes.h"
#include "smtp/suggest.h"

enum { MECHANISM_OCTETS = 20 }; /* RFC 4422 3.1 */

static struct span without_ending(struct span line)
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

/* Any control separates words here: "AUTH PLAIN\0secret" must not slip through. */
static bool is_break(unsigned char c)
{
    return c <= 0x20 || c == 0x7f;
}

static struct span take_word(struct span *rest)
{
    size_t n = 0;

    while (rest->len > 0 && is_break(rest->ptr[0]))
        *rest = span_drop(*rest, 1);
    while (n < rest->len && !is_break(rest->ptr[n]))
        n++;
    struct span word = span_first(*rest, n);
    *rest = span_drop(*rest, n);
    return word;
}

/* All behind the words already taken, without the blanks before it. */
static struct span all_of(struct span rest)
{
    return span_trim_left(rest);
}

/*
 * A mechanism's name, in letters of one case: a response in its place, in base64,
 * nearly never looks like that.
 */
static bool is_mechanism(struct span word)
{
    bool upper = false, lower = false;

    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = word.ptr[i];
        bool other = (c >= '0' && c <= '9') || c == '-' || c == '_';

        upper = upper || (c >= 'A' && c <= 'Z');
        lower = lower || (c >= 'a' && c <= 'z');
        if (!other && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z'))
            return false;
    }
    return word.len > 0 && word.len <= MECHANISM_OCTETS && upper != lower;
}

static struct span find_auth(struct span rest)
{
    struct span behind = rest;

    return is_mechanism(take_word(&behind)) ? all_of(behind) : all_of(rest);
}

/* XCLIENT attributes: from the first LOGIN value to the end of the last. */
static struct span find_login(struct span rest)
{
    const unsigned char *start = NULL, *end = NULL;

    for (struct span word = take_word(&rest); word.len > 0; word = take_word(&rest)) {
        if (!span_starts_with_nocase(word, SPAN_LIT("LOGIN=")))
            continue;
        if (start == NULL)
            start = word.ptr + 6;
        end = word.ptr + word.len;
    }
    return start == NULL ? nothing(rest) : span_of(start, (size_t)(end - start));
}

/* Not our verb: an AUTH in another spelling, POP PASS and APOP, IMAP LOGIN. */
static struct span find_in_unknown(struct span word, struct span rest)
{
    enum verb meant;
    struct span behind = rest;
    struct span second = take_word(&behind);

    if (span_starts_with_nocase(word, SPAN_LIT("AUTH"))) {
        size_t n = 4;
        while (n < word.len && ((word.ptr[n] | 0x20) >= 'a' && (word.ptr[n] | 0x20) <= 'z'))
            n++;
        if (n == word.len)
            return all_of(rest);
        return all_of(span_of(word.ptr + n + 1, word.len + rest.len - n - 1)); /* AUTH=... */
    }
    size_t odd = 0; /* a control inside the verb may be a slip of the keyboard, too */
    while (odd < rest.len && !span_is_blank_char(rest.ptr[odd]))
        odd++;
    suggest_verb(span_of(word.ptr, word.len + odd), &meant);
    if (meant == VERB_AUTH)
        return all_of(span_drop(rest, odd));
    if (span_equal_nocase(word, SPAN_LIT("PASS")) ||
        span_equal_nocase(word, SPAN_LIT("APOP")) || span_equal_nocase(word, SPAN_LIT("LOGIN")))
        return all_of(rest);
    if (span_equal_nocase(second, SPAN_LIT("LOGIN")))
        return all_of(behind);
    if (span_equal_nocase(second, SPAN_LIT("AUTHENTICATE")))
        return find_auth(behind);
    return nothing(rest);
}

struct span secret_find(enum verb verb, enum secrecy secrecy, struct span line)
{
    struct span text = without_ending(line);
    struct span rest = text;
    struct span word = take_word(&rest);

    if (secrecy == SECRET_LINE)
        return text;
    if (secrecy == SECRET_ARG)
        return all_of(rest);
    switch (verb) {
    case VERB_AUTH:
        return find_auth(rest);
    case VERB_XCLIENT:
        return find_login(rest);
    case VERB_BURL:
        return take_word(&rest);
    case VERB_UNKNOWN:
        return find_in_unknown(word, rest);
    default:
        return nothing(text);
    }
}
