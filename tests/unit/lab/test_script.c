/* Scripts: what is understood, and what is said about what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab/script.h"

static void faults_name_line_and_expectation(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        { "once", "s:1: expected offer, without, pieces or on" },
        { "\n# a comment\n  ?\n", "s:3: expected offer, without, pieces or on" },
        { "offer AUTH", "s:1: expected a string in quotes" },
        { "offer \"\"", "s:1: expected a keyword and its parameters, printable, at most 500 "
                        "octets" },
        { "offer \"A\\n\"", "s:1: expected a keyword and its parameters, printable, at most "
                            "500 octets" },
        { "offer \"A\"*501", "s:1: expected a keyword and its parameters, printable, at most "
                             "500 octets" },
        { "offer \"A", "s:1: expected a closing quote" },
        { "offer \"A\" B", "s:1: expected the end of the line" },
        { "without TURN", "s:1: expected a keyword that is offered, such as PIPELINING" },
        { "pieces 0", "s:1: expected a number of octets, 1 to 65536" },
        { "pieces 65537", "s:1: expected a number of octets, 1 to 65536" },
        { "pieces 1 each 2s", "s:1: expected \"every\" or the end of the line" },
        { "pieces 1 every 2h", "s:1: expected a time up to one hour, such as 100ms, 2s or 5m" },
        { "on", "s:1: expected greeting, a verb, end-of-data, unknown or any" },
        { "on MIAL close", "s:1: expected greeting, a verb, end-of-data, unknown or any" },
        { "on MAIL", "s:1: expected answer, reply, challenge, delay, close, reset or silence" },
        { "on MAIL 0 close", "s:1: expected which one: 1 is the first" },
        { "on MAIL 1x close", "s:1: expected which one: 1 is the first" },
        { "on MAIL 4294967296 close", "s:1: expected which one: 1 is the first" },
        { "on MAIL delay", "s:1: expected a time up to one hour, such as 100ms, 2s or 5m" },
        { "on MAIL delay 61m", "s:1: expected a time up to one hour, such as 100ms, 2s or 5m" },
        { "on MAIL delay 0", "s:1: expected a time up to one hour, such as 100ms, 2s or 5m" },
        { "on MAIL reply \"\\q\"",
          "s:1: expected an escape as in C: \\r \\n \\t \\\\ \\\" \\x0d \\015" },
        { "on MAIL reply \"\\x\"",
          "s:1: expected an escape as in C: \\r \\n \\t \\\\ \\\" \\x0d \\015" },
        { "on MAIL reply \"\\777\"",
          "s:1: expected an escape as in C: \\r \\n \\t \\\\ \\\" \\x0d \\015" },
        { "on MAIL reply \"x\"*0", "s:1: expected how often the string is repeated" },
        { "on MAIL reply \"xx\"*32769", "s:1: at most 65536 octets in the strings of a rule" },
        { "on MAIL reply \"x\"*65536 \"x\"",
          "s:1: at most 65536 octets in the strings of a rule" },
        { "on MAIL answer answer answer answer answer answer answer answer answer",
          "s:1: at most 8 actions" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char error[256] = "";
        struct script *s = script_parse(span_str(cases[i].text), "s", error, sizeof error);
        assert_null(s);
        assert_string_equal(error, cases[i].error);
    }
}

static struct script *parsed(const char *text)
{
    char error[256] = "";
    size_t len = strlen(text);
    char *exact = malloc(len ? len : 1); /* ASan sees one octet too far */

    memcpy(exact, text, len);
    struct script *s = script_parse(span_of(exact, len), "s", error, sizeof error);
    free(exact);
    if (s == NULL)
        fail_msg("%s", error);
    return s;
}

static void statements_mean_what_they_say(void **state)
{
    struct script *s = parsed("offer \"AUTH PLAIN\" # why\r\n\n\twithout size\n"
                              "PIECES 3 every 10ms\n"
                              "On mail 2 Delay 2 reply \"4\" \"x\"*3 \"y\" close\n"
                              "on end-of-data delay 5m");

    (void)state;
    assert_int_equal(s->offer_count, 1);
    assert_true(span_equal(script_bytes(s, s->offers[0].at, s->offers[0].octets),
                           SPAN_LIT("AUTH PLAIN")));
    assert_int_equal(s->without, 1u << EXTENSION_SIZE);
    assert_int_equal(s->piece_octets, 3);
    assert_int_equal(s->piece_ms, 10);
    assert_int_equal(s->rule_count, 2);
    const struct script_rule *r = &s->rules[0];
    assert_int_equal(r->event, VERB_MAIL);
    assert_int_equal(r->nth, 2);
    assert_int_equal(r->count, 3);
    assert_int_equal(r->actions[0].kind, SCRIPT_DELAY);
    assert_int_equal(r->actions[0].ms, 2000);
    assert_int_equal(r->actions[1].kind, SCRIPT_REPLY);
    assert_true(
        span_equal(script_bytes(s, r->actions[1].at, r->actions[1].octets), SPAN_LIT("4xxxy")));
    assert_int_equal(r->actions[2].kind, SCRIPT_CLOSE);
    r = &s->rules[1];
    assert_int_equal(r->event, VERB_DOT);
    assert_int_equal(r->count, 2); /* the answer is implied */
    assert_int_equal(r->actions[0].ms, 300000);
    assert_int_equal(r->actions[1].kind, SCRIPT_ANSWER);
    script_free(&s);
    assert_null(s);
    script_free(&s);
}

static void first_rule_that_fits_acts(void **state)
{
    struct script *s = parsed("on MAIL 2 close\non MAIL reset\non any 7 silence\n"
                              "on greeting close\n");

    (void)state;
    assert_ptr_equal(script_find(s, VERB_MAIL, 2, 7), &s->rules[0]);
    assert_ptr_equal(script_find(s, VERB_MAIL, 3, 7), &s->rules[1]);
    assert_ptr_equal(script_find(s, VERB_RCPT, 1, 7), &s->rules[2]);
    assert_null(script_find(s, VERB_RCPT, 7, 1));
    assert_ptr_equal(script_find(s, SCRIPT_GREETING, 1, 7), &s->rules[3]);
    assert_null(script_find(NULL, VERB_MAIL, 1, 1));
    script_free(&s);
}

static void numbers_of_statements_are_limited(void **state)
{
    static const char rule[] = "on MAIL close\n", offer[] = "offer \"X\"\n";
    static char text[(SCRIPT_RULES_MAX + 1) * sizeof rule];
    char error[256];

    (void)state;
    for (size_t i = 0; i <= SCRIPT_RULES_MAX; i++)
        memcpy(text + i * (sizeof rule - 1), rule, sizeof rule);
    assert_null(script_parse(span_str(text), "s", error, sizeof error));
    assert_string_equal(error, "s:1001: at most 1000 rules");
    for (size_t i = 0; i <= SCRIPT_OFFERS_MAX; i++)
        memcpy(text + i * (sizeof offer - 1), offer, sizeof offer);
    assert_null(script_parse(span_str(text), "s", error, sizeof error));
    assert_string_equal(error, "s:17: at most 16 offers");
}

static void files_are_read_and_missed(void **state)
{
    char name[] = "/tmp/test_script_XXXXXX", error[256];
    int fd = mkstemp(name);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "on MAIL close\n", 14), 14);
    struct script *s = script_load(name, error, sizeof error);
    assert_non_null(s);
    assert_int_equal(s->rule_count, 1);
    script_free(&s);
    assert_int_equal(ftruncate(fd, SCRIPT_OCTETS_MAX + 1), 0);
    assert_null(script_load(name, error, sizeof error));
    assert_non_null(strstr(error, "longer than 1048576 octets"));
    close(fd);
    unlink(name);
    assert_null(script_load(name, error, sizeof error));
    assert_non_null(strstr(error, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_name_line_and_expectation),
        cmocka_unit_test(statements_mean_what_they_say),
        cmocka_unit_test(first_rule_that_fits_acts),
        cmocka_unit_test(numbers_of_statements_are_limited),
        cmocka_unit_test(files_are_read_and_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
