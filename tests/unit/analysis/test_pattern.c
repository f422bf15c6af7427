#include "unit/check.h"

#include "analysis/pattern.h"

struct pattern_case {
    const char *pattern, *text;
    bool fits;
    const char *must;
};

static const struct pattern_case cases[] = {
    { "^CheckPoint", "CheckPoint FireWall-1", true, "checkpoint" },
    { "^CheckPoint", "a CheckPoint", false, "checkpoint" },
    { "avast! SMTP", "x AVAST! smtp y", true, "avast! smtp" },
    { "a.bcd", "aXbcd", true, "bcd" },
    { "ab*cde", "acde", true, "cde" },
    { "abc*", "ab", true, "ab" },
    { "abc?d", "abd", true, "ab" },
    { "abc+d", "abccd", true, "abc" },
    { "abc{0,2}d", "abd", true, "ab" },
    { "abc{,2}d", "abd", true, "ab" },
    { "ab{2}c", "abbc", true, "ab" },
    { "(foo|bar)bazz", "barbazz", true, "bazz" },
    { "foo|bar", "bar", true, "" },
    { "x(foo)?y", "xy", true, "x" },
    { "[.]txt", "a.txt", true, ".txt" },
    { "[ab]txt", "btxt", true, "txt" },
    { "[^.]x", "ax", true, "x" },
    { "[]a]+z", "]z", true, "z" },
    { "[[:digit:]]q", "7q", true, "q" },
    { "5[.]4[.]1 Content", "541 5.4.1 content", true, "5.4.1 content" },
    { "a\\.b", "a.b", true, "a.b" },
    { "a\\.b", "axb", false, "a.b" },
    { "\\(x\\)", "(X)", true, "(x)" },
    { "\\<foo", "a foo", true, "foo" },
    { "^$", "", true, "" },
    { "^$", "a", false, "" },
    { "X{4,}", "aXXXXb", true, "x" },
    { "(a(b)c)+d", "abcd", true, "d" },
    /* escaped text */
    { "a\\\\000b", "a\001b", false, "a\\000b" },
    { "a\\\\001b", "a\001b", true, "a\\001b" },
    { "\\\\\"hi", "say \"hi", true, "\\\"hi" },
    { "\\\\377", "\377", true, "\\377" },
    { "\\\\t", "\t", true, "\\t" },
};

static void test_patterns(void **state)
{
    char error[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct pattern_case *c = &cases[i];
        struct pattern p;
        struct pattern_text t;
        if (!pattern_compile(&p, c->pattern, error, sizeof error))
            fail_msg("%s %s", c->pattern, error);
        if (strcmp(p.must, c->must) != 0)
            fail_msg("%s: must \"%s\", want \"%s\"", c->pattern, p.must, c->must);
        pattern_text_init(&t, guarded_str(c->text));
        if (pattern_fits(&p, &t) != c->fits)
            fail_msg("%s on %s", c->pattern, c->text);
        p.must[0] = '\0'; /* the literal never decides by itself */
        if (pattern_fits(&p, &t) != c->fits)
            fail_msg("%s on %s, without its literal", c->pattern, c->text);
        pattern_free(&p);
    }
}

static const struct {
    const char *pattern, *error;
} bad[] = {
    { "", "is empty" },
    { "(a)\\1", "back reference" },
    { "a{1,20001}", "repeats too much" },
    { "(a{1,200}){1,200}", "repeats too much" },
    { "((a{99}){99}){99}", "repeats too much" },
    { "a{99999999999999999999}", "repeats too much" },
    { "(a", "no extended regular expression" },
    { "[a", "no extended regular expression" },
    { "a\\", "no extended regular expression" },
    { "a{2,1}", "no extended regular expression" },
    { "caf\303\251", "not printable" },
    { "a\tb", "not printable" },
};

static void test_faults(void **state)
{
    char error[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct pattern p;
        if (pattern_compile(&p, bad[i].pattern, error, sizeof error))
            fail_msg("%s was taken", bad[i].pattern);
        if (strstr(error, bad[i].error) == NULL)
            fail_msg("%s: \"%s\"", bad[i].pattern, error);
    }
}

static void test_longest(void **state)
{
    char text[PATTERN_MAX + 2], error[200];
    struct pattern p;

    (void)state;
    memset(text, 'a', sizeof text);
    text[PATTERN_MAX + 1] = '\0';
    assert_false(pattern_compile(&p, text, error, sizeof error));
    assert_non_null(strstr(error, "1000"));
    text[PATTERN_MAX] = '\0';
    assert_true(pattern_compile(&p, text, error, sizeof error));
    assert_int_equal(strlen(p.must), PATTERN_MAX);
    pattern_free(&p);
}

/* Of a long text the first 2048 octets count, escaped or not. */
static void test_long_text(void **state)
{
    static unsigned char text[4096];
    struct pattern p;
    struct pattern_text t;
    char error[200];

    (void)state;
    assert_true(pattern_compile(&p, "here", error, sizeof error));
    for (size_t at = 2040; at < 2052; at++) {
        memset(text, 'a', sizeof text);
        memcpy(text + at, "here", 4);
        pattern_text_init(&t, guarded(span_of(text, sizeof text)));
        assert_int_equal(pattern_fits(&p, &t), at + 4 <= PATTERN_TEXT_MAX);
    }
    memset(text, 0, sizeof text);
    pattern_text_init(&t, guarded(span_of(text, sizeof text)));
    assert_true(t.len <= PATTERN_TEXT_MAX);
    assert_false(pattern_fits(&p, &t));
    pattern_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
