#include "base/escape.h"

#include <assert.h>

static size_t escape_one(char out[4], unsigned char c)
{
    static const char named[] = "\rr\nn\tt\\\\\"\"";

    for (size_t i = 0; i + 1 < sizeof named; i += 2) {
        if (c == (unsigned char)named[i]) {
            out[0] = '\\';
            out[1] = named[i + 1];
            return 2;
        }
    }
    if (c >= 0x20 && c < 0x7f) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    out[1] = (char)('0' + (c >> 6));
    out[2] = (char)('0' + ((c >> 3) & 7));
    out[3] = (char)('0' + (c & 7));
    return 4;
}

size_t escape(char *out, size_t size, struct span in)
{
    size_t len = 0, cut = 0; /* cut: where "..." would still fit */

    assert(size >= 8);
    if (size < 8) {
        if (size > 0)
            out[0] = '\0';
        return 0;
    }
    for (size_t i = 0; i < in.len; i++) {
        char one[4];
        size_t n = escape_one(one, in.ptr[i]);

        if (len + n > size - 1) {
            memcpy(out + cut, "...", 4);
            return cut + 3;
        }
        memcpy(out + len, one, n);
        len += n;
        if (len + 3 <= size - 1)
            cut = len;
    }
    out[len] = '\0';
    return len;
}
