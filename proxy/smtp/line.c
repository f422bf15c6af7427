#include "smtp/line.h"

struct line line_next(struct span in)
{
    size_t lf = span_find(in, '\n');
    size_t len = lf;

    if (lf == in.len)
        return (struct line){ .end = LINE_MORE };
    while (len > 0 && in.ptr[len - 1] == '\r')
        len--;
    return (struct line){
        .end = lf == len       ? LINE_LF
               : lf == len + 1 ? LINE_CRLF
                               : LINE_CRCRLF,
        .text = { in.ptr, len },
        .used = lf + 1,
    };
}
