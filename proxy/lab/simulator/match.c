#include "lab/simulator/match.h"

#include <string.h>
#include <strings.h>

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

void match_init(struct match *m, const char *text)
{
    *m = (struct match){ .text = text, .len = strlen(text) };
}

/* The longest beginning of the text, shorter than n, that its first n octets end with. */
static size_t border(const struct match *m, size_t n)
{
    for (size_t k = n - 1; k > 0; k--)
        if (strncasecmp(m->text, m->text + n - k, k) == 0)
            return k;
    return 0;
}

bool match_octet(struct match *m, unsigned char c)
{
    while (lower((unsigned char)m->text[m->at]) != lower(c)) {
        if (m->at == 0)
            return false;
        m->at = border(m, m->at);
    }
    if (++m->at < m->len)
        return false;
    m->at = 0;
    return true;
}
