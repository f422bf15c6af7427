#include "base/sid.h"

#include "base/clock.h"

#include <string.h>
#include <strings.h>
#include <sys/random.h>

void sid_source_init(struct sid_source *s)
{
    *s = (struct sid_source){ 0 };
    if (getrandom(s->seed, sizeof s->seed, 0) == (ssize_t)sizeof s->seed)
        return;
    s->seed[0] = clock_monotonic_us(); /* no kernel refuses; the address differs */
    s->seed[1] = (uint64_t)(uintptr_t)s;
}

/* xorshift128+ (Vigna 2014). */
static uint64_t chance(struct sid_source *s)
{
    uint64_t x = s->seed[0], y = s->seed[1];

    s->seed[0] = y;
    x ^= x << 23;
    s->seed[1] = x ^ y ^ (x >> 17) ^ (y >> 26);
    return s->seed[1] + y;
}

static void put_be(uint8_t *out, uint64_t v, unsigned octets)
{
    for (unsigned i = octets; i-- > 0; v >>= 8)
        out[i] = (uint8_t)v;
}

void sid_next(struct sid_source *s, uint64_t t_us, uint8_t out[SID_OCTETS])
{
    uint64_t ms = t_us / 1000 & 0xffffffffffffu;

    if (ms > s->ms) {
        s->ms = ms;
        s->low = chance(s);
        s->high = (uint16_t)(chance(s) >> 49); /* the top bit is room to count up */
    } else if (++s->low == 0) {
        s->high++;
    }
    put_be(out, s->ms, 6);
    put_be(out + 6, s->high, 2);
    put_be(out + 8, s->low, 8);
}

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

bool sid_parse(struct span text, struct sid *out)
{
    *out = (struct sid){ 0, 0 };
    if (text.len != SID_TEXT || text.ptr[0] < '0' || text.ptr[0] > '7')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = memchr(alphabet, text.ptr[i], sizeof alphabet - 1);
        if (at == NULL)
            return false;
        out->high = out->high << 5 | out->low >> 59;
        out->low = out->low << 5 | (uint64_t)(at - alphabet);
    }
    return true;
}

/* 130 bits in 26 groups of 5: the last 12 are in `low` (60 bits), and so on. */
void sid_text(const struct sid *s, char out[SID_TEXT + 1])
{
    struct sid left = *s;

    for (unsigned i = SID_TEXT; i-- > 0;) {
        out[i] = alphabet[left.low & 31];
        left.low = left.low >> 5 | left.high << 59;
        left.high >>= 5;
    }
    out[SID_TEXT] = '\0';
}

void sid_format(const uint8_t sid[SID_OCTETS], char out[SID_TEXT + 1])
{
    struct sid s = { 0, 0 };

    for (unsigned i = 0; i < 8; i++) {
        s.high = s.high << 8 | sid[i];
        s.low = s.low << 8 | sid[8 + i];
    }
    sid_text(&s, out);
}

bool sid_fits(const char *sid, const char *part)
{
    size_t len = strlen(part), all = strlen(sid);

    return len <= all &&
           (strncasecmp(sid, part, len) == 0 || strcasecmp(sid + all - len, part) == 0);
}
