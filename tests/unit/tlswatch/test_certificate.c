#include "unit/check.h"

#include "base/attributes.h"
#include "tlswatch/der.h"
#include "tlswatch/certificate.h"

#include <stdint.h>

enum { CERTIFICATE_MAX = 4096 };

/* One part of a distinguished name: SET { SEQUENCE { OID 2.5.4.x, PrintableString } }. */
#define PART(x, len3, len2, len1, text)                                                        \
    "\x31" len3 "\x30" len2 "\x06\3\x55\4" x "\x13" len1 text
#define NAME "\x30\x0e" PART("\3", "\x0c", "\x0a", "\3", "a.b")
#define VALIDITY                                                                               \
    "\x30\x1e\x17\x0d"                                                                         \
    "260102030405Z\x17\x0d"                                                                    \
    "491231235959Z"
#define KEY "\x30\x03\x03\1\0"

struct make {
    unsigned char octets[CERTIFICATE_MAX];
    size_t len;
};

static void put(struct make *m, struct span s)
{
    assert_true(s.len <= sizeof m->octets - m->len);
    if (s.len > 0)
        memcpy(m->octets + m->len, s.ptr, s.len);
    m->len += s.len;
}

/* What was put since `from` becomes the value of an element. */
static void wrap(struct make *m, size_t from, unsigned char tag)
{
    size_t n = m->len - from;
    unsigned char head[4] = { tag, 0x82, (unsigned char)(n >> 8), (unsigned char)n };
    size_t head_len = 4;

    if (n < 128) {
        head[1] = (unsigned char)n;
        head_len = 2;
    } else if (n < 256) {
        head[1] = 0x81;
        head[2] = (unsigned char)n;
        head_len = 3;
    }
    assert_true(head_len <= sizeof m->octets - m->len);
    memmove(m->octets + from + head_len, m->octets + from, n);
    memcpy(m->octets + from, head, head_len);
    m->len += head_len;
}

/* A certificate with these for its issuer, validity, and subject. */
static struct span make(struct make *m, struct span issuer, struct span validity,
                        struct span subject)
{
    m->len = 0;
    put(m, SPAN_LIT("\xa0\3\2\1\2\2\1\7\x30\0"));
    put(m, issuer);
    put(m, validity);
    put(m, subject);
    put(m, SPAN_LIT(KEY "\xa3\2\x30\0"));
    wrap(m, 0, DER_SEQUENCE);
    put(m, SPAN_LIT("\x30\0\3\1\0"));
    wrap(m, 0, DER_SEQUENCE);
    return span_of(m->octets, m->len);
}

static const struct {
    struct span name;
    const char *want; /* NULL: malformed */
} names[] = {
    { SPAN_INIT(NAME), "CN=a.b" },
    { SPAN_INIT("\x30\0"), "" },
    { SPAN_INIT("\x30\x1b" PART("\6", "\x0b", "\x09", "\2", "DE")
                    PART("\3", "\x0c", "\x0a", "\3", "a.b")),
      "CN=a.b, C=DE" },
    { SPAN_INIT("\x30\x18\x31\x16\x30\x09\6\3\x55\4\3\x13\2"
                "ab\x30\x09\6\3\x55\4\x0b\x13\2"
                "cd"),
      "CN=ab + OU=cd" },
    /* what would be read as something else is escaped, what a terminal would obey is gone */
    { SPAN_INIT("\x30\x10" PART("\3", "\x0e", "\x0c", "\5", "a,+=b")), "CN=a\\,\\+\\=b" },
    { SPAN_INIT("\x30\x10" PART("\3", "\x0e", "\x0c", "\5", "a\0\x1b[m")), "CN=a??[m" },
    /* UTF-8, two and four octets a character */
    { SPAN_INIT("\x30\x10\x31\x0e\x30\x0c\6\3\x55\4\3\x0c\5"
                "caf\xc3\xa9"),
      "CN=caf??" },
    { SPAN_INIT("\x30\x0f\x31\x0d\x30\x0b\6\3\x55\4\3\x1e\4\0a\x20\xac"), "CN=a?" },
    { SPAN_INIT("\x30\x13\x31\x11\x30\x0f\6\3\x55\4\3\x1c\x08\0\0\0a\0\0\0b"), "CN=ab" },
    /* types without a name of their own: 2.5.4.99, 1.2.840.113549.1.1, 2.999, one too big */
    { SPAN_INIT("\x30\x0c" PART("\x63", "\x0a", "\x08", "\1", "x")), "2.5.4.99=x" },
    { SPAN_INIT("\x30\x11\x31\x0f\x30\x0d\6\x08\x2a\x86\x48\x86\xf7\x0d\1\1\x13\1x"),
      "1.2.840.113549.1.1=x" },
    { SPAN_INIT("\x30\x0b\x31\x09\x30\x07\6\2\x88\x37\x13\1x"), "2.999=x" },
    { SPAN_INIT("\x30\x0f\x31\x0d\x30\x0b\6\6\x2a\xff\xff\xff\xff\x7f\x13\1x"), "1.2=x" },
    { SPAN_INIT("\x30\x1d\x31\x1b\x30\x19\6\x0a\x09\x92\x26\x89\x93\xf2\x2c\x64\1\x19\x16\x0b"
                "example.org"),
      "DC=example.org" },
    { SPAN_INIT("\x30\x03\x31\1\0"), NULL },
    { SPAN_INIT("\x30\x02\x30\0"), NULL },
    { SPAN_INIT("\x31\0"), NULL },
    { SPAN_INIT("\x30\x0b\x31\x09\x30\x07\6\3\x55\4\3\5\0"), "CN=" },
    { SPAN_INIT("\x30\x09\x31\x07\x30\x05\6\3\x55\4\3"), NULL },         /* no value */
    { SPAN_INIT("\x30\x0d\x31\x0b\x30\x09\6\3\x55\4\3\5\0\5\0"), NULL }, /* two */
    { SPAN_INIT("\x30\x0a\x31\x08\x30\x06\2\1\0\x13\1x"), NULL },        /* no OID */
};

static void names_are_written_most_specific_first(void **state)
{
    struct make m;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct tls_facts f = { .detail = "" };
        struct span in = guarded(make(&m, SPAN_LIT(NAME), SPAN_LIT(VALIDITY), names[i].name));

        check_number(tls_certificate_facts(in, &f), names[i].want != NULL, "accepted");
        assert_string_equal(f.subject, names[i].want != NULL ? names[i].want : "");
        assert_string_equal(f.issuer, names[i].want != NULL ? "CN=a.b" : "");
        memset(&f, 0, sizeof f);
        in = guarded(make(&m, names[i].name, SPAN_LIT(VALIDITY), SPAN_LIT(NAME)));
        assert_int_equal(tls_certificate_facts(in, &f), names[i].want != NULL);
        assert_string_equal(f.issuer, names[i].want != NULL ? names[i].want : "");
        assert_int_equal(strlen(f.sha256), 64);
        assert_int_equal(strlen(f.spki_sha256), names[i].want != NULL ? 64 : 0);
    }
}

static const struct {
    struct span validity;
    const char *from, *to; /* NULL: malformed */
} validities[] = {
    { SPAN_INIT(VALIDITY), "2026-01-02T03:04:05Z", "2049-12-31T23:59:59Z" },
    { SPAN_INIT("\x30\x20\x17\x0d"
                "500101000000Z\x18\x0f"
                "20500101000000Z"),
      "1950-01-01T00:00:00Z", "2050-01-01T00:00:00Z" },
    { SPAN_INIT("\x30\x22\x18\x0f"
                "00000101000000Z\x18\x0f"
                "99991231235959Z"),
      "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z" },
    { SPAN_INIT("\x30\x1e\x17\x0d"
                "260102030405Z\x17\x0d"
                "491331235959Z"),
      NULL, NULL },
    { SPAN_INIT("\x30\x1e\x17\x0d"
                "260100030405Z\x17\x0d"
                "491231235959Z"),
      NULL, NULL },
    { SPAN_INIT("\x30\x1e\x17\x0d"
                "260102240405Z\x17\x0d"
                "491231235959Z"),
      NULL, NULL },
    { SPAN_INIT("\x30\x1e\x17\x0d"
                "260102036005Z\x17\x0d"
                "491231235959Z"),
      NULL, NULL },
    { SPAN_INIT("\x30\x1e\x17\x0d"
                "260102030460Z\x17\x0d"
                "491231235959Z"),
      NULL, NULL },
    { SPAN_INIT("\x30\x1e\x17\x0d"
                "26010203040:Z\x17\x0d"
                "491231235959Z"),
      NULL, NULL },
    { SPAN_INIT("\x30\x1e\x17\x0d"
                "2601020304 5Z\x17\x0d"
                "491231235959Z"),
      NULL, NULL },
    { SPAN_INIT("\x30\x1e\x17\x0d"
                "260102030405z\x17\x0d"
                "491231235959Z"),
      NULL, NULL },
    { SPAN_INIT("\x30\x1c\x17\x0b"
                "2601020304Z\x17\x0d"
                "491231235959Z"),
      NULL, NULL },
    { SPAN_INIT("\x30\x1e\x18\x0d"
                "260102030405Z\x17\x0d"
                "491231235959Z"),
      NULL, NULL },
    { SPAN_INIT("\x30\x1e\x04\x0d"
                "260102030405Z\x17\x0d"
                "491231235959Z"),
      NULL, NULL },
    { SPAN_INIT("\x30\x20\x17\x0d"
                "260102030405Z\x17\x0d"
                "491231235959Z\5\0"),
      NULL, NULL },
    { SPAN_INIT("\x30\x0f\x17\x0d"
                "260102030405Z"),
      NULL, NULL },
};

static void times_are_checked_and_written_as_rfc3339(void **state)
{
    struct make m;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(validities); i++) {
        struct tls_facts f = { .detail = "" };
        bool ok = validities[i].from != NULL;
        struct span in =
            guarded(make(&m, SPAN_LIT(NAME), validities[i].validity, SPAN_LIT(NAME)));

        check_number(tls_certificate_facts(in, &f), ok, "accepted");
        assert_string_equal(f.not_before, ok ? validities[i].from : "");
        assert_string_equal(f.not_after, ok ? validities[i].to : "");
    }
}

/* Whole parts and characters as far as there is room. */
static void long_names_are_cut(void **state)
{
    struct tls_facts f = { .detail = "" };
    struct make name = { .len = 0 }, m;
    size_t parts = 0;

    (void)state;
    put(&name, SPAN_LIT(PART("\x0b", "\x0c", "\x0a", "\3", ",,,")));
    for (; parts < 30; parts++)
        put(&name, SPAN_LIT(PART("\x0b", "\x0c", "\x0a", "\3", "a,b")));
    wrap(&name, 0, DER_SEQUENCE);
    assert_true(tls_certificate_facts(guarded(make(&m, SPAN_LIT("\x30\0"), SPAN_LIT(VALIDITY),
                                                   span_of(name.octets, name.len))),
                                      &f));
    assert_in_range(strlen(f.subject), sizeof f.subject - 3, sizeof f.subject - 1);
    assert_string_equal(f.subject + 190 - 190 % 9, "OU=a\\,b, ");
}

static void too_many_parts_are_refused(void **state)
{
    struct make m;

    (void)state;
    for (unsigned parts = 32; parts <= 33; parts++) {
        struct tls_facts f = { .detail = "" };
        struct make name = { .len = 0 };

        for (unsigned i = 0; i < parts; i++)
            put(&name, SPAN_LIT(PART("\x0b", "\x0a", "\x08", "\1", "x")));
        wrap(&name, 0, DER_SEQUENCE);
        assert_int_equal(
            tls_certificate_facts(guarded(make(&m, SPAN_LIT(NAME), SPAN_LIT(VALIDITY),
                                               span_of(name.octets, name.len))),
                                  &f),
            parts <= 32);
    }
}

static void nothing_follows_the_signature(void **state)
{
    struct make m;
    struct tls_facts f = { .detail = "" };
    struct der certificate;
    struct span in = make(&m, SPAN_LIT(NAME), SPAN_LIT(VALIDITY), SPAN_LIT(NAME));
    struct make more = { .len = 0 };

    (void)state;
    assert_true(der_expect(&in, DER_SEQUENCE, &certificate));
    put(&more, certificate.value);
    put(&more, SPAN_LIT("\5\0"));
    wrap(&more, 0, DER_SEQUENCE);
    assert_false(tls_certificate_facts(guarded(span_of(more.octets, more.len)), &f));
}

/* Cut off, with an octet changed, with one too many: never read past the end, and what is
 * not a certificate leaves nothing but its fingerprint. */
static void damage_is_survived(void **state)
{
    static const unsigned char values[] = { 0x00, 0x01, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xff };
    struct make m;
    struct span whole = make(&m, SPAN_LIT(NAME), SPAN_LIT(VALIDITY), SPAN_LIT(NAME));
    struct tls_facts f;

    (void)state;
    for (size_t n = 0; n <= whole.len + 1; n++) {
        memset(&f, 0, sizeof f);
        assert_int_equal(tls_certificate_facts(guarded(span_of(m.octets, n)), &f),
                         n == whole.len);
        assert_int_equal(strlen(f.sha256), 64);
        assert_int_equal(strlen(f.subject), n == whole.len ? 6 : 0);
    }
    for (size_t i = 0; i < whole.len; i++) {
        for (size_t v = 0; v < sizeof values; v++) {
            unsigned char was = m.octets[i];

            m.octets[i] = values[v];
            memset(&f, 0, sizeof f);
            if (!tls_certificate_facts(guarded(whole), &f))
                assert_true(f.subject[0] == '\0' && f.not_after[0] == '\0' &&
                            f.spki_sha256[0] == '\0');
            m.octets[i] = was;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_written_most_specific_first),
        cmocka_unit_test(times_are_checked_and_written_as_rfc3339),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(too_many_parts_are_refused),
        cmocka_unit_test(nothing_follows_the_signature),
        cmocka_unit_test(damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
