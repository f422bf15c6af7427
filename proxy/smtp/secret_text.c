#include "smtp/secret_text.h"

int secret_hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int secret_escaped(struct span s)
{
    if (s.len < 3 || (s.ptr[0] != '%' && s.ptr[0] != '+' && s.ptr[0] != '='))
        return -1;
    int high = secret_hex_digit(s.ptr[1]), low = secret_hex_digit(s.ptr[2]);

    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static size_t digits_len(struct span s)
{
    size_t n = 0;

    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    return n;
}

/* "5.7.8 ": a class, a subject, a detail (RFC 3463). */
static size_t enhanced_len(struct span text)
{
    static const uint8_t most[] = { 1, 3, 3 };
    size_t at = 0;

    for (unsigned i = 0; i < 3; i++) {
        size_t n = digits_len(span_drop(text, at));

        if (n == 0 || n > most[i])
            return 0;
        at += n;
        if (i < 2 && (at == text.len || text.ptr[at++] != '.'))
            return 0;
    }
    return at == text.len || secret_is_skipped(text.ptr[at]) ? at : 0;
}

size_t secret_code_len(struct span line)
{
    if (digits_len(line) != 3)
        return 0;
    if (line.len > 3 && line.ptr[3] != ' ' && line.ptr[3] != '-')
        return line.ptr[3] == '\r' || line.ptr[3] == '\n' ? 3 : 0;
    return 4 + enhanced_len(span_drop(line, 4)) <= line.len
               ? 4 + enhanced_len(span_drop(line, 4))
               : line.len;
}

/* A stretch begins with the end of the one before. */
static void keep_tail(struct secret_text *t)
{
    size_t n = t->len < SECRET_WINDOW ? t->len : SECRET_WINDOW - 1;
    size_t from = t->len - n;

    memmove(t->octets, t->octets + from, n);
    memmove(t->at, t->at + from, n * sizeof *t->at);
    memmove(t->width, t->width + from, n);
    t->len = n;
}

static void note_windows(struct secret_text *t)
{
    uint64_t window = 0;

    memset(t->windows, 0, sizeof t->windows);
    for (size_t i = 0; i < t->len; i++) {
        window = window << 8 | t->octets[i];
        if (i + 1 < SECRET_WINDOW)
            continue;
        uint16_t h = secret_hash(window);
        t->windows[h / 64] |= UINT64_C(1) << (h % 64);
    }
}

bool secret_text_next(struct secret_reader *r, struct secret_text *t)
{
    struct span reply = r->reply;
    bool more = false;

    if (r->at >= reply.len)
        return false;
    keep_tail(t);
    while (r->at < reply.len && t->len < SECRET_TEXT_MAX) {
        struct span rest = span_drop(reply, r->at);
        bool begins = r->at == 0 || reply.ptr[r->at - 1] == '\n';
        size_t code = begins ? secret_code_len(rest) : 0;
        int escaped = r->decode ? secret_escaped(rest) : -1;

        if (code > 0 || (escaped < 0 && secret_is_skipped(rest.ptr[0]))) {
            r->at += code > 0 ? code : 1;
            continue;
        }
        t->octets[t->len] = secret_fold(escaped >= 0 ? (unsigned char)escaped : rest.ptr[0]);
        t->at[t->len] = (uint32_t)r->at;
        t->width[t->len] = escaped >= 0 ? 3 : 1;
        more = true;
        r->at += t->width[t->len++];
    }
    note_windows(t);
    return more;
}
