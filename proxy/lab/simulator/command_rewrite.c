/* Commands as a strict program would have written them. */
#include "lab/simulator/box_private.h"

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
