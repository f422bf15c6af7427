/* A command's parts, and how a strict program would have written it. */
#include "lab/simulator/box_private.h"

struct command command_split(struct span line)
{
    size_t len = line.len;

    if (len > 0 && line.ptr[len - 1] == '\n')
        len--;
    if (len > 0 && len < line.len && line.ptr[len - 1] == '\r')
        len--;
    struct command c = { .text = span_first(line, len), .ending = span_drop(line, len) };
    size_t word = 0;
    while (word < c.text.len && !span_is_blank_char(c.text.ptr[word]))
        word++;
    c.word = span_first(c.text, word);
    c.rest = span_drop(c.text, word);
    c.verb = verb_lookup(c.word);
    return c;
}

struct span command_address(struct span text)
{
    size_t open = span_find(text, '<');
    struct span inner = span_drop(text, open + 1);
    const unsigned char *close = inner.len > 0 ? memrchr(inner.ptr, '>', inner.len) : NULL;

    return close != NULL ? span_first(inner, (size_t)(close - inner.ptr)) : span_of(NULL, 0);
}

/* A word of a list, case ignored. */
bool list_has(const char *list, struct span word)
{
    struct span rest = span_str(list);

    while (rest.len > 0) {
        size_t n = span_find(rest, ' ');
        if (n > 0 && span_equal_nocase(span_first(rest, n), word))
            return true;
        rest = span_drop(rest, n + 1);
    }
    return false;
}

static bool add_upper(struct buf *out, struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = s.ptr[i];

        if (c >= 'a' && c <= 'z')
            c = (unsigned char)(c - 32);
        if (!buf_append(out, span_of(&c, 1)))
            return false;
    }
    return true;
}

/* The next word; *rest is what follows. Empty: there is none. */
static struct span next_word(struct span *rest)
{
    struct span s = span_trim_left(*rest);
    size_t n = 0;

    while (n < s.len && !span_is_blank_char(s.ptr[n]))
        n++;
    *rest = span_drop(s, n);
    return span_first(s, n);
}

/* "from: <a@b> SIZE=1" -> "FROM:<a@b>"; what follows stays in *rest. */
static bool add_path(struct span *rest, struct buf *out)
{
    size_t colon = span_find(*rest, ':');
    struct span name = span_trim(span_first(*rest, colon));

    if (colon == rest->len)
        return true;
    *rest = span_drop(*rest, colon + 1);
    return buf_append(out, SPAN_LIT(" ")) && add_upper(out, name) &&
           buf_append(out, SPAN_LIT(":")) && buf_append(out, next_word(rest));
}

bool command_normalise(const struct command *c, struct buf *out)
{
    struct span rest = c->rest, word;
    bool ok = add_upper(out, c->word);

    if (c->verb == VERB_MAIL || c->verb == VERB_RCPT)
        ok = ok && add_path(&rest, out);
    while ((word = next_word(&rest)).len > 0)
        ok = ok && buf_append(out, SPAN_LIT(" ")) && buf_append(out, word);
    return ok && buf_append(out, SPAN_LIT("\r\n"));
}

bool command_parameters_known(const struct command *c, const char *known)
{
    struct span rest = c->rest, word;
    size_t close = span_find(rest, '>');

    rest = span_drop(rest, close + 1);
    while ((word = next_word(&rest)).len > 0)
        if (!list_has(known, span_first(word, span_find(word, '='))))
            return false;
    return true;
}
