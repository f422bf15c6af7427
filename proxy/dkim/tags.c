#include "dkim/tags.h"

enum tag {
    TAG_V,
    TAG_A,
    TAG_B,
    TAG_BH,
    TAG_C,
    TAG_D,
    TAG_H,
    TAG_I,
    TAG_L,
    TAG_S,
    TAG_COUNT,
};

static const char *const names[TAG_COUNT] = {
    "v", "a", "b", "bh", "c", "d", "h", "i", "l", "s"
};

enum {
    NEEDED_ALWAYS =
        1 << TAG_A | 1 << TAG_B | 1 << TAG_BH | 1 << TAG_D | 1 << TAG_H | 1 << TAG_S,
    NEEDED_DKIM = NEEDED_ALWAYS | 1 << TAG_V,
    NEEDED_ARC = NEEDED_ALWAYS | 1 << TAG_I,
};

/* The values by name, and which are there. */
struct tags {
    struct span value[TAG_COUNT];
    unsigned present;
};

/* Folding white space, as lenient as receivers are: any CR or LF counts. */
static bool is_fws(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trim(struct span s)
{
    while (s.len > 0 && is_fws(s.ptr[s.len - 1]))
        s.len--;
    while (s.len > 0 && is_fws(s.ptr[0]))
        s = span_drop(s, 1);
    return s;
}

static bool is_alpha(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_tag_name(struct span s)
{
    if (s.len == 0 || !is_alpha(s.ptr[0]))
        return false;
    for (size_t i = 1; i < s.len; i++) {
        if (!is_alpha(s.ptr[i]) && !is_digit(s.ptr[i]) && s.ptr[i] != '_')
            return false;
    }
    return true;
}

/* False: twice, or no tag at all. Names are case-sensitive; unknown ones are skipped. */
static bool take_tag(struct tags *t, struct span text)
{
    size_t equals = span_find(text, '=');
    struct span name = trim(span_first(text, equals));

    if (equals == text.len || !is_tag_name(name))
        return false;
    for (unsigned i = 0; i < TAG_COUNT; i++) {
        if (!span_equal(name, span_str(names[i])))
            continue;
        if (t->present & 1U << i)
            return false;
        t->present |= 1U << i;
        t->value[i] = trim(span_drop(text, equals + 1));
    }
    return true;
}

static bool tags_split(struct tags *t, struct span list)
{
    while (list.len > 0) {
        size_t n = span_find(list, ';');
        struct span one = trim(span_first(list, n));
        bool last = n == list.len;

        list = span_drop(list, n + 1);
        if (one.len == 0 && (last || trim(list).len == 0))
            break; /* the semicolon at the end is optional */
        if (!take_tag(t, one))
            return false;
    }
    return true;
}

/* -1: none of the alphabet. */
static int sextet(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* base64 with FWS anywhere (RFC 6376 2.10), into exactly `size` octets. */
static bool read_base64(struct span text, unsigned char *out, unsigned size)
{
    unsigned done = 0, held = 0, bits = 0, digits = 0, pads = 0;

    for (size_t i = 0; i < text.len; i++) {
        int value = sextet(text.ptr[i]);
        if (is_fws(text.ptr[i]))
            continue;
        if (text.ptr[i] == '=') {
            pads++;
            continue;
        }
        if (value < 0 || pads > 0)
            return false;
        held = held << 6 | (unsigned)value;
        digits++;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        if (done == size)
            return false;
        out[done++] = (unsigned char)(held >> bits);
    }
    return done == size && pads <= 2 && (digits + pads) % 4 == 0;
}

/* False: longer than the room. */
static bool copy_printable(struct span text, char *out, size_t size)
{
    if (text.len >= size)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool plain = text.ptr[i] > ' ' && text.ptr[i] < 0x7F;
        out[i] = (char)(plain ? text.ptr[i] : '?');
    }
    out[text.len] = '\0';
    return true;
}

/* Digits only; stays at the largest number. */
static bool read_number(struct span text, uint64_t *out)
{
    uint64_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(text.ptr[i] - '0');
        if (!is_digit(text.ptr[i]))
            return false;
        n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
    }
    *out = n;
    return text.len > 0;
}

/* "rsa-sha256", "ed25519-sha256", ...: what is signed with does not matter, only the digest. */
static bool read_algorithm(struct span a, struct dkim_signature *s)
{
    size_t dash = span_find(a, '-');
    struct span digest = span_drop(a, dash + 1);

    s->sha1 = span_equal_nocase(digest, SPAN_LIT("sha1"));
    s->hash_len = s->sha1 ? 20 : 32;
    return s->sha1 || span_equal_nocase(digest, SPAN_LIT("sha256"));
}

/* "header/body"; the body's default is simple. */
static bool read_canonicalization(struct span c, struct dkim_signature *s)
{
    struct span body = span_drop(c, span_find(c, '/') + 1);

    s->relaxed = span_equal_nocase(body, SPAN_LIT("relaxed"));
    return s->relaxed || body.len == 0 || span_equal_nocase(body, SPAN_LIT("simple"));
}

static enum dkim_result read_hash(const struct tags *t, struct dkim_signature *s)
{
    bool version = s->arc || span_equal(t->value[TAG_V], SPAN_LIT("1"));
    bool algorithm = read_algorithm(t->value[TAG_A], s);
    bool canonical = read_canonicalization(t->value[TAG_C], s);

    if (!version || !algorithm || !canonical) {
        s->hash_len = 0;
        return DKIM_UNKNOWN;
    }
    if (read_base64(t->value[TAG_BH], s->expected, s->hash_len))
        return DKIM_OK;
    s->hash_len = 0;
    return DKIM_MALFORMED;
}

void dkim_tags_read(struct span value, bool arc, struct dkim_signature *s)
{
    unsigned needed = arc ? NEEDED_ARC : NEEDED_DKIM;
    struct tags t = { .present = 0 };
    uint64_t instance = 0;

    *s = (struct dkim_signature){ .result = DKIM_MALFORMED, .arc = arc };
    bool good = tags_split(&t, value);
    good &= copy_printable(t.value[TAG_D], s->domain, sizeof s->domain);
    good &= copy_printable(t.value[TAG_S], s->selector, sizeof s->selector);
    good &= copy_printable(t.value[TAG_A], s->algorithm, sizeof s->algorithm);
    s->limited = t.present & 1U << TAG_L;
    if (s->limited)
        good &= read_number(t.value[TAG_L], &s->length);
    if (arc) /* RFC 8617 4.2.1: 1 to 50 */
        good &= read_number(t.value[TAG_I], &instance) && instance > 0 && instance <= 50;
    if (!good || (t.present & needed) != needed)
        return;
    s->instance = (uint8_t)instance;
    s->result = read_hash(&t, s);
}
