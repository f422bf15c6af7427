#include "smtp/secret_foreign.h"

#include "base/attributes.h"

/* Parts of the names that secrets have in header fields, forms and commands. */
static const char *const names[] = {
    "cookie", "pass", "pwd", "mstshash", "token", "secret", "credential", "apikey", "api-key",
};

/* Where the first of these names in the text ends; its length: nowhere. */
static size_t behind_name(struct span text, struct span name)
{
    for (size_t at = 0; at + name.len <= text.len; at++)
        if (span_starts_with_nocase(span_drop(text, at), name))
            return at + name.len;
    return text.len;
}

/* "user:password" of the first URL that has one; the text's length: there is none. */
static size_t user_of_url(struct span text)
{
    static const char mark[] = "://";
    const unsigned char *p;

    for (size_t at = 0; at < text.len;) {
        struct span rest = span_drop(text, at);
        size_t n = 0;

        p = memmem(rest.ptr, rest.len, mark, sizeof mark - 1);
        if (p == NULL)
            break;
        at = (size_t)(p - text.ptr) + sizeof mark - 1;
        rest = span_drop(text, at);
        while (n < rest.len && rest.ptr[n] > ' ' && rest.ptr[n] != '/' && rest.ptr[n] != '@')
            n++;
        if (n < rest.len && rest.ptr[n] != '@')
            continue;
        return at; /* or cut off: it may be one */
    }
    return text.len;
}

struct span secret_find_foreign(struct span text, enum secret_mode mode)
{
    struct span whole = secret_without_ending(text);
    size_t first = (size_t)(secret_find_in_lines(text, mode).octets.ptr - text.ptr);
    size_t at = user_of_url(whole);

    first = at < first ? at : first;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        at = behind_name(whole, span_str(names[i]));
        first = at < first ? at : first;
    }
    return span_drop(whole, first);
}
