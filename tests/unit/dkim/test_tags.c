/* Tag lists: what is a signature, what is none, and what is read from it. */
#include "unit/check.h"

#include "dkim/tags.h"

#define BH "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="

#define GOOD "v=1; a=rsa-sha256; d=a.test; s=s1; h=from; b=AAAA; bh=" BH

static const struct {
    const char *value;
    enum dkim_result result;
    bool arc;
} cases[] = {
    { GOOD, DKIM_OK, false },
    { GOOD ";", DKIM_OK, false },
    { GOOD "; \r\n\t", DKIM_OK, false },
    { " " GOOD "; x=12345; t=1; q=dns/txt; i=@a.test; z=From:a|To:b", DKIM_OK, false },
    { GOOD "; unknown_9=; c=simple", DKIM_OK, false },
    { "v=1;a=rsa-sha256;d=a.test;s=s1;h=from;b=;bh=" BH, DKIM_OK, false },
    { "v = 1 ; a\r\n =\r\n rsa-sha256 ; d=a.test; s=s1; h=from; b=AAAA;"
      " bh = 2jUSOH9NhtVGCQWN\r\n\tr9BrIAPreKQj O6Sn7XIkfJVOzv8= ",
      DKIM_OK, false },
    { "v=1; a=ed25519-SHA256; c=Relaxed/Relaxed; d=a.test; s=s1; h=from; b=A; bh=" BH, DKIM_OK,
      false },
    { "i=1; a=rsa-sha256; d=a.test; s=s1; h=from; b=AAAA; bh=" BH, DKIM_OK, true },
    { "i=50; a=rsa-sha256; d=a.test; s=s1; h=from; b=AAAA; bh=" BH, DKIM_OK, true },

    { GOOD "; l=0", DKIM_OK, false },
    { GOOD "; l=18446744073709551616", DKIM_OK, false },
    { GOOD "; l=", DKIM_MALFORMED, false },
    { GOOD "; l=-1", DKIM_MALFORMED, false },
    { GOOD "; l=12x", DKIM_MALFORMED, false },

    { "i=0; a=rsa-sha256; d=a.test; s=s1; h=from; b=AAAA; bh=" BH, DKIM_MALFORMED, true },
    { "i=51; a=rsa-sha256; d=a.test; s=s1; h=from; b=AAAA; bh=" BH, DKIM_MALFORMED, true },
    { "i=x; a=rsa-sha256; d=a.test; s=s1; h=from; b=AAAA; bh=" BH, DKIM_MALFORMED, true },
    { "a=rsa-sha256; d=a.test; s=s1; h=from; b=AAAA; bh=" BH, DKIM_MALFORMED, true },
    { "a=rsa-sha256; d=a.test; s=s1; h=from; b=AAAA; bh=" BH, DKIM_MALFORMED, false },

    { "v=2; a=rsa-sha256; d=a.test; s=s1; h=from; b=AAAA; bh=" BH, DKIM_UNKNOWN, false },
    { "v=1; a=rsa-sha512; d=a.test; s=s1; h=from; b=AAAA; bh=" BH, DKIM_UNKNOWN, false },
    { "v=1; a=sha256; d=a.test; s=s1; h=from; b=AAAA; bh=" BH, DKIM_UNKNOWN, false },
    { GOOD "; c=relaxed/nofws", DKIM_UNKNOWN, false },
    { GOOD "; c=relaxed/relaxed/x", DKIM_UNKNOWN, false },

    { "", DKIM_MALFORMED, false },
    { ";", DKIM_MALFORMED, false },
    { "v=1;; a=rsa-sha256; d=a.test; s=s1; h=from; b=AAAA; bh=" BH, DKIM_MALFORMED, false },
    { "v=1; a", DKIM_MALFORMED, false },
    { GOOD "; =x", DKIM_MALFORMED, false },
    { GOOD "; 1a=x", DKIM_MALFORMED, false },
    { GOOD "; a-b=x", DKIM_MALFORMED, false },
    { GOOD "; v=1", DKIM_MALFORMED, false },
    { GOOD "; bh=" BH, DKIM_MALFORMED, false },
    { "v=1; A=rsa-sha256; d=a.test; s=s1; h=from; b=AAAA; bh=" BH, DKIM_MALFORMED, false },
    { "v=1; a=rsa-sha256; s=s1; h=from; b=AAAA; bh=" BH, DKIM_MALFORMED, false },
    { "v=1; a=rsa-sha256; d=a.test; h=from; b=AAAA; bh=" BH, DKIM_MALFORMED, false },
    { "v=1; a=rsa-sha256; d=a.test; s=s1; b=AAAA; bh=" BH, DKIM_MALFORMED, false },
    { "v=1; a=rsa-sha256; d=a.test; s=s1; h=from; bh=" BH, DKIM_MALFORMED, false },
    { "v=1; a=rsa-sha256; d=a.test; s=s1; h=from; b=AAAA", DKIM_MALFORMED, false },

    /* base64: too short, too long, padding wrong, not of the alphabet */
    { "v=1; a=rsa-sha256; d=a.test; s=s1; h=from; b=A; bh=", DKIM_MALFORMED, false },
    { "v=1; a=rsa-sha256; d=a.test; s=s1; h=from; b=A; bh=2jUS", DKIM_MALFORMED, false },
    { "v=1; a=rsa-sha256; d=a.test; s=s1; h=from; b=A; bh=2jUS" BH, DKIM_MALFORMED, false },
    { "v=1; a=rsa-sha256; d=a.test; s=s1; h=from; b=A; bh=" BH "=", DKIM_MALFORMED, false },
    { "v=1; a=rsa-sha256; d=a.test; s=s1; h=from; b=A; "
      "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8",
      DKIM_MALFORMED, false },
    { "v=1; a=rsa-sha256; d=a.test; s=s1; h=from; b=A; "
      "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv=8",
      DKIM_MALFORMED, false },
    { "v=1; a=rsa-sha256; d=a.test; s=s1; h=from; b=A; "
      "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVO_v8=",
      DKIM_MALFORMED, false },
    { "v=1; a=rsa-sha1; d=a.test; s=s1; h=from; b=A; bh=" BH, DKIM_MALFORMED, false },
    { "v=1; a=rsa-sha1; d=a.test; s=s1; h=from; b=A; bh=uoq1oCgLlTqpdDX/iUbLy7J1Wic=", DKIM_OK,
      false },
};

static void lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dkim_signature s;
        dkim_tags_read(guarded_str(cases[i].value), cases[i].arc, &s);
        if (s.result != cases[i].result)
            fail_msg("\"%s\": %s", cases[i].value, dkim_result_name(s.result));
        check_number(s.arc, cases[i].arc, cases[i].value);
        check_number(s.hash_len > 0, s.result == DKIM_OK, cases[i].value);
        for (size_t cut = 0; cut < strlen(cases[i].value); cut++) /* reads nothing outside */
            dkim_tags_read(guarded(span_of(cases[i].value, cut)), cases[i].arc, &s);
    }
}

static void values(void **state)
{
    static const unsigned char hash[] = { 0xda, 0x35, 0x12, 0x38, 0x7f, 0x4d, 0x86, 0xd5,
                                          0x46, 0x09, 0x05, 0x8d, 0xaf, 0xd0, 0x6b, 0x20,
                                          0x03, 0xeb, 0x78, 0xa4, 0x23, 0x3b, 0xa4, 0xa7,
                                          0xed, 0x72, 0x24, 0x7c, 0x95, 0x4e, 0xce, 0xff };
    struct dkim_signature s;

    (void)state;
    dkim_tags_read(SPAN_LIT("i=3; a=rsa-sha256; c=simple/relaxed; l=0123; d=b\xc3\xbc.test; "
                            "s=a b\x01; h=x; b=; bh=" BH),
                   true, &s);
    assert_int_equal(s.result, DKIM_OK);
    assert_int_equal(s.instance, 3);
    assert_true(s.relaxed && !s.sha1 && s.limited);
    assert_int_equal(s.length, 123);
    assert_string_equal(s.algorithm, "rsa-sha256");
    assert_string_equal(s.domain, "b??.test");
    assert_string_equal(s.selector, "a?b?");
    assert_int_equal(s.hash_len, 32);
    assert_memory_equal(s.expected, hash, sizeof hash);
    dkim_tags_read(SPAN_LIT(GOOD "; c=relaxed; l=99999999999999999999999"), false, &s);
    assert_false(s.relaxed);
    assert_true(s.length == UINT64_MAX);
}

/* d= of 255 octets is taken, of 256 not. */
static void long_domains(void **state)
{
    char text[600], name[300];

    (void)state;
    memset(name, 'd', sizeof name);
    for (int len = 254; len < 258; len++) {
        struct dkim_signature s;
        int n = snprintf(text, sizeof text, "v=1; a=rsa-sha256; d=%.*s; s=s; h=x; b=; bh=" BH,
                         len, name);
        dkim_tags_read(guarded(span_of(text, (size_t)n)), false, &s);
        assert_int_equal(s.result, len < DKIM_DOMAIN_SIZE ? DKIM_OK : DKIM_MALFORMED);
        assert_int_equal(strlen(s.domain), len < DKIM_DOMAIN_SIZE ? len : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(values),
        cmocka_unit_test(long_domains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
