#include "transcript/json.h"

#include <endian.h>
#include <time.h>

/* How an octet is written: 0 as it is, 'u' \u00xx, '2' as two octets of UTF-8, else \x. */
static const unsigned char form[256] = {
    [0x00] = 'u', 'u',           'u',          'u',          'u', 'u', 'u', 'u',
    'b',          't',           'n',          'u',          'f', 'r', 'u', 'u',
    [0x10] = 'u', 'u',           'u',          'u',          'u', 'u', 'u', 'u',
    'u',          'u',           'u',          'u',          'u', 'u', 'u', 'u',
    ['"'] = '"',  ['\\'] = '\\', [0x7f] = 'u', [0x80] = 'u', 'u', 'u', 'u', 'u',
    'u',          'u',           'u',          'u',          'u', 'u', 'u', 'u',
    'u',          'u',           'u',          [0x90] = 'u', 'u', 'u', 'u', 'u',
    'u',          'u',           'u',          'u',          'u', 'u', 'u', 'u',
    'u',          'u',           'u',          [0xa0] = '2', '2', '2', '2', '2',
    '2',          '2',           '2',          '2',          '2', '2', '2', '2',
    '2',          '2',           '2',          [0xb0] = '2', '2', '2', '2', '2',
    '2',          '2',           '2',          '2',          '2', '2', '2', '2',
    '2',          '2',           '2',          [0xc0] = '2', '2', '2', '2', '2',
    '2',          '2',           '2',          '2',          '2', '2', '2', '2',
    '2',          '2',           '2',          [0xd0] = '2', '2', '2', '2', '2',
    '2',          '2',           '2',          '2',          '2', '2', '2', '2',
    '2',          '2',           '2',          [0xe0] = '2', '2', '2', '2', '2',
    '2',          '2',           '2',          '2',          '2', '2', '2', '2',
    '2',          '2',           '2',          [0xf0] = '2', '2', '2', '2', '2',
    '2',          '2',           '2',          '2',          '2', '2', '2', '2',
    '2',          '2',           '2',
};

static const char digits[] = "0123456789abcdef";

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

void json_u64(struct json *j, uint64_t v)
{
    unsigned char text[JSON_U64_MAX], *p = text + sizeof text;

    if (v < 10) {
        *j->p++ = (unsigned char)('0' + v);
        return;
    }
    while (v >= 100) {
        p -= 2;
        memcpy(p, pairs + v % 100 * 2, 2);
        v /= 100;
    }
    if (v >= 10) {
        p -= 2;
        memcpy(p, pairs + v * 2, 2);
    } else {
        *--p = (unsigned char)('0' + v);
    }
    json_raw(j, p, (size_t)(text + sizeof text - p));
}

/* The high bit of the first octet that is not written as it is; behind it, of these and
 * perhaps of others. */
static uint64_t special_in(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t control = x - ones * 0x20;         /* below 0x20: borrows */
    uint64_t quote = (x ^ (ones * '"')) - ones; /* equal: borrows */
    uint64_t back = (x ^ (ones * '\\')) - ones;
    uint64_t del = x + ones; /* 0x7f: carries into the high bit */

    return (x | control | quote | back | del) & high;
}

static inline void json_octet(struct json *j, unsigned char c)
{
    unsigned char f = form[c];

    if (f == 0) {
        *j->p++ = c;
    } else if (f == '2') {
        *j->p++ = (unsigned char)(0xc0 | c >> 6);
        *j->p++ = (unsigned char)(0x80 | (c & 0x3f));
    } else if (f == 'u') {
        JSON_LIT(j, "\\u00");
        *j->p++ = (unsigned char)digits[c >> 4];
        *j->p++ = (unsigned char)digits[c & 15];
    } else {
        *j->p++ = '\\';
        *j->p++ = f;
    }
}

void json_octets(struct json *j, struct span s)
{
    const unsigned char *p = s.ptr;
    size_t left = s.len;

    if (!json_fits(j, s.len * JSON_OCTET_MAX))
        return;
    while (left >= 8) {
        uint64_t x, special;
        memcpy(&x, p, 8);
        memcpy(j->p, &x, 8); /* there is room for more than what is plain */
        special = special_in(le64toh(x));
        size_t plain = special ? (size_t)__builtin_ctzll(special) / 8 : 8;
        j->p += plain;
        p += plain;
        left -= plain;
        if (special != 0) {
            json_octet(j, *p++);
            left--;
        }
    }
    while (left-- > 0)
        json_octet(j, *p++);
}

/* Eight digits at a time: the digits of each octet spread over two, "0" or "a" - 10 added. */
static void hex4(unsigned char *out, const unsigned char *in)
{
    uint64_t x =
        (uint64_t)in[0] | (uint64_t)in[1] << 16 | (uint64_t)in[2] << 32 | (uint64_t)in[3] << 48;
    uint64_t d = (x >> 4 & 0x000f000f000f000fu) | (x & 0x000f000f000f000fu) << 8;
    uint64_t letter = (d + 0x0606060606060606u) >> 4 & 0x0101010101010101u;

    d = htole64(d + 0x3030303030303030u + letter * ('a' - '0' - 10));
    memcpy(out, &d, sizeof d);
}

void json_hex(struct json *j, const unsigned char *octets, size_t len)
{
    if (!json_fits(j, 2 * len))
        return;
    for (; len >= 4; len -= 4, octets += 4, j->p += 8)
        hex4(j->p, octets);
    for (size_t i = 0; i < len; i++) {
        *j->p++ = (unsigned char)digits[octets[i] >> 4];
        *j->p++ = (unsigned char)digits[octets[i] & 15];
    }
}

static void put_pair(unsigned char *out, int v)
{
    memcpy(out, pairs + v * 2, 2);
}

void json_second(unsigned char out[JSON_SECOND_LEN], uint64_t second)
{
    const uint64_t last = 253402300799u; /* 9999-12-31T23:59:59 */
    time_t t = (time_t)(second < last ? second : last);
    struct tm tm;

    gmtime_r(&t, &tm);
    int year = tm.tm_year + 1900;
    put_pair(out, year / 100);
    put_pair(out + 2, year % 100);
    out[4] = '-';
    put_pair(out + 5, tm.tm_mon + 1);
    out[7] = '-';
    put_pair(out + 8, tm.tm_mday);
    out[10] = 'T';
    put_pair(out + 11, tm.tm_hour);
    out[13] = ':';
    put_pair(out + 14, tm.tm_min);
    out[16] = ':';
    put_pair(out + 17, tm.tm_sec);
}

void json_microseconds(struct json *j, uint32_t us)
{
    put_pair(j->p, (int)(us / 10000 % 100));
    put_pair(j->p + 2, (int)(us / 100 % 100));
    put_pair(j->p + 4, (int)(us % 100));
    j->p[6] = 'Z';
    j->p += 7;
}
