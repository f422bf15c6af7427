#include "models/receivers.h"

#include "models/smuggling_models.c"
#include "smtp/command.h"

#include <string.h>

/* ---- sizes ------------------------------------------------------------------------- */

enum overflow { REFUSES, WRAPS, SATURATES, TURNS_ZERO };

static const struct size_model {
    const char *name;
    uint64_t most; /* the largest size it can hold */
    enum overflow overflow;
    bool lenient;    /* blanks and a sign before the digits */
    bool base;       /* 0x means hexadecimal, 0 octal */
    unsigned digits; /* it looks at so many; 0: at all */
} size_models[] = {
    { "strict", INT64_MAX, REFUSES, false, false, 0 },
    { "scanf %u (Exim 4.96)", UINT32_MAX, WRAPS, true, false, 0 },
    { "modulo 2^31", INT32_MAX, WRAPS, true, false, 0 },
    { "modulo 2^64", UINT64_MAX, WRAPS, false, false, 0 },
    { "atoi", INT32_MAX, SATURATES, true, false, 0 },
    { "strtoul of 32 bits", UINT32_MAX, SATURATES, true, false, 0 },
    { "strtoll", INT64_MAX, SATURATES, true, false, 0 },
    { "negative is nothing, 32 bits", INT32_MAX, TURNS_ZERO, true, false, 0 },
    { "negative is nothing, 64 bits", INT64_MAX, TURNS_ZERO, true, false, 0 },
    { "strtoul with base 0", UINT64_MAX, SATURATES, true, true, 0 },
    { "ten digits", UINT64_MAX, WRAPS, false, false, 10 },
    { "nineteen digits", UINT64_MAX, WRAPS, true, false, 19 },
};

_Static_assert(ARRAY_LEN(size_models) == SIZE_READINGS, "the header counts the readings");

const char *size_reading_name(unsigned reading)
{
    return size_models[reading].name;
}

static unsigned digit_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16;
}

/* False: more than the model can hold. */
static bool add_digit(const struct size_model *m, uint64_t *n, unsigned base, unsigned digit)
{
    bool fits = *n <= (m->most - digit) / base;

    if (fits)
        *n = *n * base + digit;
    else if (m->overflow == WRAPS)
        *n = (*n * base + digit) & m->most;
    else if (m->overflow == SATURATES)
        *n = m->most;
    return fits || m->overflow == WRAPS;
}

static unsigned take_base(struct span *arg)
{
    if (arg->len > 2 && arg->ptr[0] == '0' && (arg->ptr[1] | 0x20) == 'x') {
        *arg = span_drop(*arg, 2);
        return 16;
    }
    return arg->len > 1 && arg->ptr[0] == '0' ? 8 : 10;
}

bool size_reading(unsigned reading, struct span arg, uint64_t *octets)
{
    const struct size_model *m = &size_models[reading];
    bool negative = false, fits = true;
    unsigned base, digits = 0;

    if (m->lenient) {
        while (arg.len > 0 && (arg.ptr[0] == ' ' || arg.ptr[0] == '\t'))
            arg = span_drop(arg, 1);
        negative = arg.len > 0 && arg.ptr[0] == '-';
        if (negative || (arg.len > 0 && arg.ptr[0] == '+'))
            arg = span_drop(arg, 1);
    }
    base = m->base ? take_base(&arg) : 10;
    *octets = 0;
    while (digits < arg.len && digit_value(arg.ptr[digits]) < base &&
           (m->digits == 0 || digits < m->digits))
        fits = add_digit(m, octets, base, digit_value(arg.ptr[digits++])) && fits;
    if (digits == 0 || (!fits && m->overflow == REFUSES))
        return false;
    if (m->overflow == TURNS_ZERO && (negative || !fits))
        *octets = 0;
    else if (negative)
        *octets = (UINT64_C(0) - *octets) & m->most;
    if (m->overflow != REFUSES)
        return true;
    arg = span_trim_left(span_drop(arg, digits));
    return arg.len == 0 || span_equal_nocase(arg, SPAN_LIT("LAST"));
}

/* ---- the stream -------------------------------------------------------------------- */

void receiver_init(struct receiver *r, unsigned sizes, unsigned ends, bool cr_ends)
{
    memset(r, 0, offsetof(struct receiver, octets));
    r->sizes = sizes;
    r->ends = ends;
    r->cr_ends = cr_ends;
}

static void breaks(struct receiver *r, const char *how)
{
    if (r->broken == NULL)
        r->broken = how;
}

static void check_content(struct receiver *r, struct span part)
{
    for (size_t i = 0; i < part.len; i++)
        if (part.ptr[i] >= 'A' && part.ptr[i] <= 'Z')
            breaks(r, "takes a command for content");
}

static struct span unread(const struct receiver *r)
{
    return span_of(r->octets + r->at, r->len - r->at);
}

/* False: there is no whole line. */
static bool take_line(struct receiver *r, struct span *line)
{
    struct span in = unread(r);
    size_t n = 0;

    while (n < in.len && in.ptr[n] != '\n' && !(r->cr_ends && in.ptr[n] == '\r'))
        n++;
    if (n == in.len)
        return false;
    r->at += n + 1;
    r->after_cr = in.ptr[n] == '\r';
    *line = span_first(in, n);
    if (n > 0 && line->ptr[n - 1] == '\r')
        line->len--;
    return true;
}

static void obey(struct receiver *r)
{
    if (!r->answered) {
        r->stopped = true;
        return;
    }
    r->answered = false;
    r->stopped = true;
    receiver_reply(r, r->code);
}

static void read_command(struct receiver *r, struct span line)
{
    struct command c = command_parse(line);

    if (line.len == 0)
        return; /* the LF of an end of data, where CR ends lines */
    if (line.ptr[0] < 'A' || line.ptr[0] > 'Z') {
        breaks(r, "takes content for a command");
        return;
    }
    r->verb = c.verb;
    r->refuses = c.verb == VERB_BDAT && !size_reading(r->sizes, c.arg, &r->left);
    if (c.verb == VERB_BDAT && !r->refuses)
        r->mode = RECEIVER_CHUNK;
    else
        obey(r);
}

static bool read_chunk(struct receiver *r)
{
    struct span in = unread(r);

    if (in.len > r->left)
        in.len = (size_t)r->left;
    check_content(r, in);
    r->at += in.len;
    r->left -= in.len;
    if (r->left > 0)
        return false;
    r->mode = RECEIVER_COMMAND;
    obey(r);
    return true;
}

static bool read_data(struct receiver *r)
{
    struct span in = unread(r);
    long end = smuggling_model_end(r->ends, in);

    if (end == MODEL_NO_END)
        return false;
    check_content(r, span_first(in, (size_t)end));
    r->at += (size_t)end;
    r->mode = RECEIVER_COMMAND;
    r->verb = VERB_DOT;
    obey(r);
    return true;
}

/* Of a CR LF, where CR ends lines. */
static void skip_lf(struct receiver *r)
{
    if (r->after_cr && r->at < r->len) {
        r->at += r->octets[r->at] == '\n';
        r->after_cr = false;
    }
}

static void read_on(struct receiver *r)
{
    struct span line;
    bool more = true;

    while (more && !r->stopped && r->broken == NULL) {
        skip_lf(r);
        switch (r->mode) {
        case RECEIVER_COMMAND:
            if ((more = take_line(r, &line)))
                read_command(r, line);
            break;
        case RECEIVER_AUTH:
            if ((more = take_line(r, &line))) {
                check_content(r, line);
                obey(r);
            }
            break;
        case RECEIVER_CHUNK:
            more = read_chunk(r);
            break;
        case RECEIVER_DATA:
            more = read_data(r);
            break;
        }
    }
}

void receiver_take(struct receiver *r, struct span bytes)
{
    size_t room = RECEIVER_OCTETS_MAX - r->len;
    size_t n = bytes.len < room ? bytes.len : room;

    if (n > 0)
        memcpy(r->octets + r->len, bytes.ptr, n);
    r->len += n;
    read_on(r);
}

void receiver_reply(struct receiver *r, unsigned code)
{
    if (!r->stopped) {
        r->answered = true;
        r->code = code;
        return;
    }
    r->stopped = false;
    if (r->mode == RECEIVER_AUTH || r->verb == VERB_AUTH)
        r->mode = code / 100 == 3 ? RECEIVER_AUTH : RECEIVER_COMMAND;
    else if (r->verb == VERB_DATA && code / 100 == 3)
        r->mode = RECEIVER_DATA;
    read_on(r);
}

void receiver_gives_up_content(struct receiver *r)
{
    r->mode = RECEIVER_COMMAND;
    r->left = 0;
    r->at = r->len;
}
