/* detect_lines - replies line by line, and the words in them. */
#include "analysis/detect_private.h"

#include "base/hash64.h"

enum { CODE_OCTETS = 4 }; /* with its separator */

bool detect_next_line(struct span *rest, struct reply_line *line)
{
    size_t lf = span_find(*rest, '\n');

    if (rest->len == 0)
        return false;
    line->whole = span_first(*rest, lf);
    while (line->whole.len > 0 && line->whole.ptr[line->whole.len - 1] == '\r')
        line->whole.len--;
    line->text = span_drop(line->whole, CODE_OCTETS);
    *rest = span_drop(*rest, lf + 1);
    return true;
}

struct span detect_first_line(struct span reply)
{
    return span_first(reply, span_find(reply, '\r'));
}

/* "AUTH=LOGIN" is an old way to write it. */
struct span detect_keyword(struct span text)
{
    struct span word = detect_first_word(text);

    return span_first(word, span_find(word, '='));
}

bool detect_is_common_keyword(struct span word)
{
    static const char *const common[] = { "PIPELINING", "SIZE",     "8BITMIME",
                                          "STARTTLS",   "DSN",      "ENHANCEDSTATUSCODES",
                                          "CHUNKING",   "SMTPUTF8", "HELP",
                                          "AUTH",       "VRFY",     "ETRN" };

    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        if (span_equal_nocase(word, span_str(common[i])))
            return true;
    return false;
}

struct span detect_first_word(struct span text)
{
    size_t n = 0;

    while (n < text.len && !span_is_blank_char(text.ptr[n]))
        n++;
    return span_first(text, n);
}

struct span detect_plain_text(struct span text)
{
    struct span word = detect_first_word(text);
    unsigned dots = 0;

    for (size_t i = 0; i < word.len; i++) {
        bool digit = word.ptr[i] >= '0' && word.ptr[i] <= '9';
        if (!digit && word.ptr[i] != '.')
            return text;
        dots += !digit;
    }
    return dots == 2 ? span_trim_left(span_drop(text, word.len)) : text;
}

uint64_t detect_number(struct span text)
{
    uint64_t n = 0;

    for (size_t i = 0; i < text.len && i < 18; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            break;
        n = n * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    return n;
}

bool detect_has_word(struct span text, const char *word)
{
    struct span w = span_str(word);

    for (size_t i = 0; i + w.len <= text.len; i++)
        if (span_equal_nocase(span_of(text.ptr + i, w.len), w))
            return true;
    return false;
}

unsigned detect_code(struct span reply)
{
    unsigned code = 0;

    for (size_t i = 0; i < 3; i++) {
        if (i >= reply.len || reply.ptr[i] < '0' || reply.ptr[i] > '9')
            return 0;
        code = code * 10 + (unsigned)(reply.ptr[i] - '0');
    }
    return code;
}

struct span detect_find_x(struct span text, size_t least)
{
    while (text.len >= least) {
        text = span_drop(text, span_find(text, 'X'));
        size_t n = 0;
        while (n < text.len && text.ptr[n] == 'X')
            n++;
        if (n >= least)
            return span_first(text, n);
        text = span_drop(text, n);
    }
    return span_of(NULL, 0);
}

uint64_t detect_hash(const void *text, size_t len)
{
    uint64_t h = hash64(span_of(text, len));

    return h != 0 ? h : 1; /* 0 says: none */
}

const struct catalogue_entry *detect_match(const struct detect_ctx *k,
                                           enum catalogue_place place, struct span line,
                                           enum detector id)
{
    const struct catalogue *c = k->env->catalogue;
    const struct catalogue_entry *e = NULL;

    if (c == NULL || line.len == 0)
        return NULL;
    uint64_t key[] = { detect_hash(line.ptr, line.len), catalogue_stamp(c), place };
    uint64_t text = detect_hash(key, sizeof key);
    bool once = place == PLACE_HEADER; /* another one in every mail */
    if (!once && is_known_unmatched(k->env->memory, text))
        return NULL;
    e = catalogue_match(c, place, line, NULL);
    if (e == NULL && !once)
        remember_unmatched(k->env->memory, text);
    while (e != NULL && !detect_names(e, id))
        e = catalogue_match(c, place, line, e);
    return e;
}
