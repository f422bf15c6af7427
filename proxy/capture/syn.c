#include "capture/syn.h"

#include "base/attributes.h"
#include "base/octets.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    KIND_END = 0,
    KIND_NOP = 1,
    KIND_MSS = 2,
    KIND_SCALE = 3,
    KIND_SACK = 4,
    KIND_TIMES = 8
};

struct list {
    char *out;
    size_t len;
};

PRINTF_LIKE(2, 3)
static void add(struct list *l, const char *fmt, ...)
{
    size_t room = SYN_TEXT_MAX - l->len;
    va_list args;
    int n;

    va_start(args, fmt);
    n = snprintf(l->out + l->len, room, "%s", l->len > 0 ? ", " : "");
    if ((size_t)n < room)
        n += vsnprintf(l->out + l->len + n, room - (size_t)n, fmt, args);
    va_end(args);
    l->len += (size_t)n < room ? (size_t)n : room - 1;
}

static void add_option(struct list *l, const unsigned char *option, size_t len)
{
    if (option[0] == KIND_MSS && len == 4)
        add(l, "mss %u", octets_u16(option + 2));
    else if (option[0] == KIND_SCALE && len == 3)
        add(l, "scale %u", option[2]);
    else if (option[0] == KIND_SACK && len == 2)
        add(l, "sack");
    else if (option[0] == KIND_TIMES && len == 10)
        add(l, "timestamps");
    else
        add(l, "option %u", option[0]);
}

size_t syn_text(struct span options, char out[SYN_TEXT_MAX])
{
    struct list l = { .out = out };

    out[0] = '\0';
    while (options.len > 0 && options.ptr[0] != KIND_END) {
        size_t len = options.ptr[0] == KIND_NOP ? 1 : options.len < 2 ? 0 : options.ptr[1];
        if (options.ptr[0] != KIND_NOP && (len < 2 || len > options.len)) {
            add(&l, "malformed");
            break;
        }
        if (options.ptr[0] != KIND_NOP)
            add_option(&l, options.ptr, len);
        options = span_drop(options, len);
    }
    return l.len;
}
