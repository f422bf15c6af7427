/* The emitter: every octet, at every place, against an emitter of one octet at a time. */
#include "unit/check.h"

#include "transcript/json.h"
#include "base/sid.h"

#include <stdio.h>
#include <time.h>

static size_t plain_form(char *out, unsigned char c)
{
    const char *named = strchr("\bb\tt\nn\ff\rr\"\"\\\\", c);

    if (c != 0 && named != NULL && (c < 0x20 || c == '"' || c == '\\'))
        return (size_t)sprintf(out, "\\%c", c == '"' || c == '\\' ? c : named[1]);
    if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        return (size_t)sprintf(out, "\\u%04x", c);
    if (c < 0x7f)
        return (size_t)sprintf(out, "%c", c);
    return (size_t)sprintf(out, "%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
}

/* In a heap block of the greatest size the header promises. */
static void check_octets(struct span s)
{
    size_t room = s.len * JSON_OCTET_MAX, want_len = 0;
    unsigned char *got = malloc(room ? room : 1);
    char *want = malloc(room + 8);
    struct json j = { .p = got };

    json_octets(&j, guarded(s));
    for (size_t i = 0; i < s.len; i++)
        want_len += plain_form(want + want_len, s.ptr[i]);
    check_span(span_of(got, (size_t)(j.p - got)), span_of(want, want_len), "octets");
    free(got);
    free(want);
}

static void every_octet_at_every_place(void **state)
{
    unsigned char text[19];

    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 'a', sizeof text);
            text[at] = (unsigned char)c;
            check_octets(span_of(text, sizeof text));
            check_octets(span_of(text, at + 1));
        }
        memset(text, (int)c, sizeof text);
        check_octets(span_of(text, sizeof text));
    }
}

static void random_texts(void **state)
{
    unsigned char text[257];
    uint32_t x = 1;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        for (size_t i = 0; i < sizeof text; i++) {
            x = x * 1664525 + 1013904223;
            text[i] = round % 2 ? (unsigned char)(x >> 24)
                                : (unsigned char)"ab\r\n\"\\\x7f\xff"[x >> 24 & 7];
        }
        check_octets(span_of(text, x >> 8 & 255));
    }
}

static void numbers(void **state)
{
    static const uint64_t cases[] = { 0,   9,    10,    11,         99,         100,
                                      101, 9999, 10000, 4294967295, 4294967296, UINT64_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char want[JSON_U64_MAX + 1];
        unsigned char *got = malloc(JSON_U64_MAX);
        struct json j = { .p = got };
        int len = snprintf(want, sizeof want, "%llu", (unsigned long long)cases[i]);
        json_u64(&j, cases[i]);
        check_span(span_of(got, (size_t)(j.p - got)), span_of(want, (size_t)len), want);
        free(got);
    }
}

static void hex(void **state)
{
    unsigned char all[256], got[512];
    char want[513];

    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        all[i] = (unsigned char)i;
        sprintf(want + 2 * i, "%02x", i);
    }
    for (size_t len = 0; len <= 256; len++) {
        struct json j = { .p = got };
        json_hex(&j, all, len);
        check_span(span_of(got, (size_t)(j.p - got)), span_of(want, 2 * len), "hex");
    }
}

static void times(void **state)
{
    static const struct {
        uint64_t second;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00" },
        { 951782399, "2000-02-28T23:59:59" },
        { 951782400, "2000-02-29T00:00:00" },
        { 1795424641, "2026-11-23T09:04:01" },
        { 253402300799u, "9999-12-31T23:59:59" },
        { UINT64_MAX, "9999-12-31T23:59:59" }, /* four digits, whatever the clock says */
    };
    unsigned char got[JSON_SECOND_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_second(got, cases[i].second);
        check_span(span_of(got, sizeof got), span_str(cases[i].text), cases[i].text);
    }
    unsigned char us[8];
    struct json j = { .p = us };
    json_microseconds(&j, 1020);
    check_span(span_of(us, (size_t)(j.p - us)), SPAN_LIT("001020Z"), "microseconds");
}

static void ids(void **state)
{
    static const uint8_t known[16] = { 0x01, 0x56, 0x3e, 0x3a, 0xb5, 0xd3, 0xd6, 0x76,
                                       0x4c, 0x61, 0xef, 0xb9, 0x93, 0x02, 0xbd, 0x5b };
    char text[SID_TEXT + 1], last[SID_TEXT + 1] = "";
    struct sid_source s, other;
    uint8_t sid[SID_OCTETS];

    (void)state;
    sid_format(known, text);
    assert_string_equal(text, "01ARZ3NDEKTSV4RRFFQ69G5FAV"); /* the ULID specification's */
    memset(sid, 0xff, sizeof sid);
    sid_format(sid, text);
    assert_string_equal(text, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");

    sid_source_init(&s);
    sid_source_init(&other);
    for (unsigned i = 0; i < 10000; i++) {
        /* the same millisecond, later ones, and a clock that is set back */
        uint64_t t = 1795424641000000u + i / 7 * 1000 - (i > 5000 ? 3600000000u : 0);
        sid_next(&s, t, sid);
        sid_format(sid, text);
        assert_true(strcmp(last, text) < 0);
        memcpy(last, text, sizeof last);
    }
    sid_next(&other, 1795424641000000u, sid);
    sid_format(sid, text);
    assert_memory_equal(text, "01", 2);
    assert_memory_not_equal(text + 10, last + 10, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_octet_at_every_place),
        cmocka_unit_test(random_texts),
        cmocka_unit_test(numbers),
        cmocka_unit_test(hex),
        cmocka_unit_test(times),
        cmocka_unit_test(ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
