#include "unit/check.h"

#include "smtp/close_reason.h"
#include "smtp/verb.h"

static void lookup_knows_every_name_in_any_case(void **state)
{
    (void)state;
    for (unsigned v = 0; v < VERB_DOT; v++) {
        const char *name = verb_name((enum verb)v);
        char lower[16] = "";

        for (size_t i = 0; name[i] != '\0'; i++)
            lower[i] = (char)(name[i] | 0x20);
        check_number(verb_lookup(guarded_str(name)), v, name);
        check_number(verb_lookup(guarded_str(lower)), v, name);
        check_number(verb_lookup(guarded(span_first(span_str(name), strlen(name) - 1))),
                     VERB_UNKNOWN, name);
    }
}

static void lookup_knows_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(verb_lookup(guarded_str("")), VERB_UNKNOWN);
    assert_int_equal(verb_lookup(guarded_str(".")), VERB_UNKNOWN);
    assert_int_equal(verb_lookup(guarded_str("MAILX")), VERB_UNKNOWN);
    assert_int_equal(verb_lookup(guarded(SPAN_LIT("QUI\0"))), VERB_UNKNOWN);
    assert_int_equal(verb_lookup(guarded_str("\xcd"
                                             "AIL")),
                     VERB_UNKNOWN);
}

static void the_two_verbs_of_no_list(void **state)
{
    (void)state;
    assert_string_equal(verb_name(VERB_DOT), ".");
    assert_string_equal(verb_name(VERB_UNKNOWN), "");
    assert_int_equal(verb_flags(VERB_UNKNOWN), 0);
}

/* What follows these cannot be understood before their reply (protocol: RFC 2920 3.1). */
static void sync_verbs(void **state)
{
    (void)state;
    for (unsigned v = 0; v < VERB_COUNT; v++) {
        bool sync = v == VERB_EHLO || v == VERB_HELO || v == VERB_STARTTLS || v == VERB_AUTH ||
                    v == VERB_DATA || v == VERB_QUIT || v == VERB_XCLIENT;

        check_number((verb_flags((enum verb)v) & VERB_SYNC) != 0, sync,
                     verb_name((enum verb)v));
    }
}

static void tallies(void **state)
{
    unsigned counted[TALLY_COUNT] = { 0 };

    (void)state;
    for (unsigned v = 0; v < VERB_COUNT; v++) {
        const char *name = verb_name((enum verb)v);
        enum verb_tally tally = verb_tally((enum verb)v);

        if (tally != TALLY_OTHER && tally != TALLY_UNKNOWN)
            assert_true(span_equal_nocase(span_str(verb_tally_name(tally)), span_str(name)));
        counted[tally]++;
    }
    for (unsigned i = 0; i < TALLY_COUNT; i++)
        assert_true(i == TALLY_OTHER || counted[i] == 1);
    assert_string_equal(verb_tally_name(verb_tally(VERB_HELP)), "other");
    assert_string_equal(verb_tally_name(verb_tally(VERB_DOT)), "other");
    assert_string_equal(verb_tally_name(verb_tally(VERB_UNKNOWN)), "unknown");
}

static void close_reasons_have_names_of_their_own(void **state)
{
    (void)state;
    for (unsigned r = 0; r < CLOSE_COUNT; r++) {
        assert_true(strlen(close_text((enum close_reason)r)) > 0);
        for (unsigned q = 0; q < r; q++)
            assert_string_not_equal(close_name((enum close_reason)r),
                                    close_name((enum close_reason)q));
    }
    assert_false(close_is_error(CLOSE_QUIT));
    assert_true(close_is_error(CLOSE_NO_MEMORY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookup_knows_every_name_in_any_case),
        cmocka_unit_test(lookup_knows_nothing_else),
        cmocka_unit_test(the_two_verbs_of_no_list),
        cmocka_unit_test(sync_verbs),
        cmocka_unit_test(tallies),
        cmocka_unit_test(close_reasons_have_names_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
