#include "unit/check.h"

#include "base/attributes.h"
#include "smtp/suggest.h"

static const struct {
    const char *word;
    const char *suggestion; /* NULL: none */
    enum verb verb;
} cases[] = {
    { "HLEO", "HELO", VERB_HELO },
    { "EHOL", "EHLO", VERB_EHLO },
    { "HELLO", "HELO", VERB_HELO },
    { "ELHO", "EHLO", VERB_EHLO },
    { "MAUL", "MAIL", VERB_MAIL },
    { "RCTP", "RCPT", VERB_RCPT },
    { "DTAA", "DATA", VERB_DATA },
    { "QIUT", "QUIT", VERB_QUIT },
    { "STARTLS", "STARTTLS", VERB_STARTTLS },
    { "STRTLS", "STARTTLS", VERB_STARTTLS },
    { "XAUTH2", "AUTH", VERB_AUTH },
    { "AUHT", "AUTH", VERB_AUTH },
    { "RESET", "RSET", VERB_RSET },
    { "LHLO", "EHLO", VERB_EHLO },
    { "hleo", "HELO", VERB_HELO },
    { "BDATA", "DATA", VERB_DATA }, /* as near to BDAT */
    { "EHL\007O", "EHLO", VERB_EHLO },
    { "MAILFROM:<a@example.com>", "MAIL FROM:", VERB_MAIL },
    { "mailfrom:<0123456789012345678901234567890123456789@example.com>",
      "MAIL FROM:", VERB_MAIL },
    { "MAILTO:<a@example.com>", "MAIL FROM:", VERB_MAIL },
    { "RCPTTO:<b@example.org>", "RCPT TO:", VERB_RCPT },
    { "RCPTFROM:<b@example.org>", "RCPT TO:", VERB_RCPT },
    { "XAUTH22", NULL, VERB_UNKNOWN },
    { "AUXX", NULL, VERB_UNKNOWN }, /* two edits of four letters */
    { "FOOBAR", NULL, VERB_UNKNOWN },
    { "X-LINK2STATE", NULL, VERB_UNKNOWN },
    { "DEBUG", NULL, VERB_UNKNOWN },
    { "USER", NULL, VERB_UNKNOWN },
    { "", NULL, VERB_UNKNOWN },
    { "STARTTLSSTARTTLSSTARTTLSSTARTTLS", NULL, VERB_UNKNOWN },
    { "STARTTLSSTARTTLSSTARTTLSSTARTTLSS", NULL, VERB_UNKNOWN },
};

static void words_are_recognised(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum verb verb = VERB_DOT;
        const char *s = suggest_verb(guarded_str(cases[i].word), &verb);

        check_number(s == NULL, cases[i].suggestion == NULL, cases[i].word);
        if (s != NULL)
            check_span(span_str(s), span_str(cases[i].suggestion), cases[i].word);
        check_number(verb, cases[i].verb, cases[i].word);
    }
}

static void every_marked_verb_is_a_candidate(void **state)
{
    (void)state;
    for (unsigned v = 0; v < VERB_DOT; v++) {
        enum verb meant;
        const char *name = verb_name((enum verb)v);
        bool marked = (verb_flags((enum verb)v) & VERB_SUGGEST) != 0;

        suggest_verb(guarded_str(name), &meant);
        check_number(meant == (enum verb)v, marked, name);
    }
}

static void probes(void **state)
{
    (void)state;
    assert_true(suggest_is_probe(guarded_str("DEBUG")));
    assert_true(suggest_is_probe(guarded_str("wiz")));
    assert_true(suggest_is_probe(guarded_str("KILL")));
    assert_true(suggest_is_probe(guarded_str("SHOWQ")));
    assert_true(suggest_is_probe(guarded_str("SHELL")));
    assert_false(suggest_is_probe(guarded_str("SHELLS")));
    assert_false(suggest_is_probe(guarded_str("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_recognised),
        cmocka_unit_test(every_marked_verb_is_a_candidate),
        cmocka_unit_test(probes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
