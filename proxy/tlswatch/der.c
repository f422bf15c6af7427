#include "tlswatch/der.h"

#include "base/octets.h"

enum { TAG_LONG = 0x1f, LENGTH_LONG = 0x80, LENGTH_OCTETS_MAX = 3 };

static bool take_length(struct span *in, size_t *len)
{
    uint32_t n, value;

    if (!octets_number(in, 1, &n))
        return false;
    *len = n;
    if (n < LENGTH_LONG)
        return true;
    n -= LENGTH_LONG;
    if (n == 0 || n > LENGTH_OCTETS_MAX || !octets_number(in, n, &value))
        return false;
    *len = value;
    /* The shortest form there is (X.690 10.1). */
    return value >= LENGTH_LONG && value >> (8 * (n - 1)) != 0;
}

bool der_next(struct span *in, struct der *out)
{
    struct span rest = *in;
    uint32_t tag;
    size_t len;

    if (!octets_number(&rest, 1, &tag) || (tag & TAG_LONG) == TAG_LONG ||
        !take_length(&rest, &len) || !octets_take(&rest, len, &out->value))
        return false;
    out->tag = tag;
    out->whole = span_first(*in, in->len - rest.len);
    *in = rest;
    return true;
}

bool der_expect(struct span *in, unsigned tag, struct der *out)
{
    struct span rest = *in;

    if (!der_next(&rest, out) || out->tag != tag)
        return false;
    *in = rest;
    return true;
}
