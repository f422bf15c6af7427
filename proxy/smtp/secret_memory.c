#include "smtp/secret_memory.h"

#include "smtp/secret_text.h"

enum { ITEM_HEAD = 2, DECODED_MIN = 4 };

void secret_memory_init(struct secret_memory *m)
{
    buf_init(&m->items, SECRET_MEMORY_MAX);
    m->work = SECRET_WORK_MAX;
}

void secret_memory_free(struct secret_memory *m)
{
    volatile unsigned char *p = m->items.ptr; /* so that the compiler keeps it */

    for (uint32_t i = 0; i < m->items.size; i++)
        p[i] = 0;
    buf_release(&m->items);
}

/* Takes the next one from *rest; false: no more. */
static bool next_item(struct span *rest, struct span *item)
{
    if (rest->len < ITEM_HEAD)
        return false;
    *item = span_first(span_drop(*rest, ITEM_HEAD),
                       (size_t)rest->ptr[0] << 8 | (size_t)rest->ptr[1]);
    *rest = span_drop(*rest, ITEM_HEAD + item->len);
    return true;
}

static bool has_item(const struct secret_memory *m, struct span secret)
{
    struct span rest = buf_span(&m->items), item;

    while (next_item(&rest, &item))
        if (span_equal(item, secret))
            return true;
    return false;
}

bool secret_memory_add(struct secret_memory *m, struct span secret)
{
    unsigned char head[ITEM_HEAD] = { (unsigned char)(secret.len >> 8),
                                      (unsigned char)secret.len };

    if (secret.len < SECRET_SHORT_MIN || has_item(m, secret))
        return true;
    if (m->items.len + ITEM_HEAD + secret.len > SECRET_MEMORY_MAX)
        return false;
    if (!buf_append(&m->items, span_of(head, ITEM_HEAD)))
        return false;
    if (buf_append(&m->items, secret))
        return true;
    m->items.len -= ITEM_HEAD;
    return false;
}

/* ---- one rendering of a secret against one stretch of the reply ----------------------- */

struct compare {
    const struct secret_text *text;
    struct span reply;
    bool *marks;
    uint32_t *work; /* what may still be spent; 0: the comparison is not complete */
    uint64_t window;
    unsigned n; /* octets in the window */
};

static bool spend(struct compare *c, size_t steps)
{
    *c->work = steps < *c->work ? *c->work - (uint32_t)steps : 0;
    return *c->work > 0;
}

static void mark(struct compare *c, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++)
        memset(c->marks + c->text->at[i], 1, c->text->width[i]);
}

static void window_octets(uint64_t window, unsigned n, unsigned char out[SECRET_WINDOW])
{
    for (unsigned i = 0; i < n; i++)
        out[i] = (unsigned char)(window >> (8 * (n - 1 - i)));
}

static void mark_window(struct compare *c)
{
    unsigned char octets[SECRET_WINDOW];
    const unsigned char *from = c->text->octets, *end = from + c->text->len, *hit;

    window_octets(c->window, SECRET_WINDOW, octets);
    while (spend(c, SECRET_WINDOW) &&
           (hit = memmem(from, (size_t)(end - from), octets, SECRET_WINDOW)) != NULL) {
        if (!spend(c, (size_t)(hit - from)))
            return;
        mark(c, (size_t)(hit - c->text->octets), SECRET_WINDOW);
        from = hit + 1;
    }
    spend(c, (size_t)(end - from));
}

static void compare_begin(struct compare *c)
{
    c->window = 0;
    c->n = 0;
}

static void compare_octet(struct compare *c, unsigned char octet)
{
    if (secret_is_skipped(octet) || !spend(c, 1))
        return;
    c->window = c->window << 8 | secret_fold(octet);
    c->n += c->n < SECRET_WINDOW;
    if (c->n == SECRET_WINDOW && secret_text_may_have(c->text, c->window))
        mark_window(c);
}

static bool is_word_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || (secret_fold(c) >= 'a' && secret_fold(c) <= 'z');
}

/* A short secret that is over: only where it is a whole word. */
static void compare_end(struct compare *c)
{
    unsigned char octets[SECRET_WINDOW];
    const struct secret_text *t = c->text;

    if (c->n < SECRET_SHORT_MIN || c->n == SECRET_WINDOW || !spend(c, t->len))
        return;
    window_octets(c->window, c->n, octets);
    for (size_t i = 0; i + c->n <= t->len; i++) {
        size_t begin = t->at[i], end = t->at[i + c->n - 1] + t->width[i + c->n - 1];

        if (memcmp(t->octets + i, octets, c->n) == 0 &&
            (begin == 0 || !is_word_char(c->reply.ptr[begin - 1])) &&
            (end == c->reply.len || !is_word_char(c->reply.ptr[end])))
            mark(c, i, c->n);
    }
}

/* ---- renderings -------------------------------------------------------------------------- */

static void compare_plain(struct compare *c, struct span s)
{
    compare_begin(c);
    for (size_t i = 0; i < s.len; i++)
        compare_octet(c, s.ptr[i]);
    compare_end(c);
}

static void compare_hex(struct compare *c, struct span s)
{
    static const char digits[] = "0123456789abcdef";

    compare_begin(c);
    for (size_t i = 0; i < s.len; i++) {
        compare_octet(c, (unsigned char)digits[s.ptr[i] >> 4]);
        compare_octet(c, (unsigned char)digits[s.ptr[i] & 15]);
    }
}

/* From the first octet at which this alignment begins, without the padding at the end. */
static void compare_base64(struct compare *c, struct span s)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    unsigned have = 0;

    compare_begin(c);
    for (size_t i = 0; i < s.len; i++) {
        bits = bits << 8 | s.ptr[i];
        have += 8;
        while (have >= 6) {
            have -= 6;
            compare_octet(c, (unsigned char)letters[bits >> have & 63]);
        }
    }
    if (have > 0)
        compare_octet(c, (unsigned char)letters[bits << (6 - have) & 63]);
}

static void compare_all(struct compare *c, struct span s)
{
    compare_plain(c, s);
    compare_hex(c, s);
    for (size_t skip = 0; skip < 3; skip++)
        compare_base64(c, span_drop(s, skip));
}

/* ---- decoded ---- */

static int base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Of the word at the front, which is taken from *rest. */
static size_t decode_base64(struct span *rest, unsigned char *out)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0, i;

    for (i = 0; i < rest->len && base64_value(rest->ptr[i]) >= 0; i++) {
        bits = bits << 6 | (uint32_t)base64_value(rest->ptr[i]);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (unsigned char)(bits >> have);
        }
    }
    *rest = span_drop(*rest, i > 0 ? i : 1);
    return i >= DECODED_MIN ? n : 0;
}

static size_t decode_hex(struct span *rest, unsigned char *out)
{
    size_t n = 0, i;

    for (i = 0; i + 1 < rest->len && secret_hex_digit(rest->ptr[i]) >= 0 &&
                secret_hex_digit(rest->ptr[i + 1]) >= 0;
         i += 2)
        out[n++] = (unsigned char)(secret_hex_digit(rest->ptr[i]) << 4 |
                                   secret_hex_digit(rest->ptr[i + 1]));
    *rest = span_drop(*rest, i > 0 ? i : 1);
    return n >= DECODED_MIN ? n : 0;
}

static size_t decode_escapes(struct span *rest, unsigned char *out)
{
    size_t n = 0;
    bool escapes = false;

    while (rest->len > 0) {
        int escaped = secret_escaped(*rest);

        escapes = escapes || escaped >= 0;
        out[n++] = escaped >= 0 ? (unsigned char)escaped : rest->ptr[0];
        *rest = span_drop(*rest, escaped >= 0 ? 3 : 1);
    }
    return escapes ? n : 0;
}

static void compare_item(struct compare *c, struct span item)
{
    static size_t (*const decoders[])(
        struct span *, unsigned char *) = { decode_base64, decode_hex, decode_escapes };
    unsigned char decoded[SECRET_MEMORY_MAX];

    compare_all(c, item);
    for (unsigned i = 0; i < ARRAY_LEN(decoders); i++) {
        struct span rest = item;
        while (rest.len > 0)
            compare_all(c, span_of(decoded, decoders[i](&rest, decoded)));
    }
}

static bool has_escapes(struct span reply)
{
    for (size_t i = 0; i < reply.len; i++)
        if (secret_escaped(span_drop(reply, i)) >= 0)
            return true;
    return false;
}

/* Each octet of a reply pays for some of the work it makes. */
static void earn(struct secret_memory *m, size_t octets)
{
    size_t room = SECRET_WORK_MAX - m->work;

    m->work +=
        (uint32_t)(octets < room / SECRET_WORK_OCTET ? octets * SECRET_WORK_OCTET : room);
}

bool secret_memory_find(struct secret_memory *m, struct span reply, bool *marks)
{
    bool again = has_escapes(reply);

    earn(m, reply.len);

    for (unsigned pass = 0; pass <= (unsigned)again; pass++) {
        struct secret_reader reader = { .reply = reply, .decode = pass == 1 };
        struct secret_text text;

        text.len = 0;
        while (secret_text_next(&reader, &text)) {
            struct compare c = {
                .text = &text, .reply = reply, .marks = marks, .work = &m->work
            };
            struct span rest = buf_span(&m->items), item;
            while (m->work > 0 && next_item(&rest, &item))
                compare_item(&c, item);
        }
    }
    return m->work > 0;
}

void secret_memory_mark_all(struct span reply, bool *marks)
{
    struct secret_reader reader = { .reply = reply };
    struct secret_text text;

    text.len = 0;
    while (secret_text_next(&reader, &text))
        for (size_t i = 0; i < text.len; i++)
            marks[text.at[i]] = true;
}
