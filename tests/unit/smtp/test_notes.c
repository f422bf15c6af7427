#include "unit/check.h"

#include "smtp/local_reply.h"
#include "smtp/notes.h"

static void names_are_kebab_case_and_unique(void **state)
{
    (void)state;
    for (unsigned i = 0; i < NOTE_COUNT; i++) {
        const char *name = note_name((enum note_id)i);

        check_number(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(name), name);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(name, note_name((enum note_id)j));
    }
}

/* A sender reads a sentence, never an id. */
static void refusals_are_sentences(void **state)
{
    static const enum note_id refusing[] = {
        NOTE_DATA_BARE_LF,     NOTE_DATA_BARE_CR,       NOTE_DATA_CRCRLF,
        NOTE_DATA_NUL,         NOTE_DATA_DOT_UNSTUFFED, NOTE_DATA_EOD_LOOKALIKE,
        NOTE_DATA_EOD_HIGHBIT, NOTE_BDAT_BARE_LF,
    };

    (void)state;
    for (unsigned i = 0; i < sizeof refusing / sizeof *refusing; i++)
        assert_string_not_equal(note_refusal(refusing[i]), note_refusal(NOTE_CMD_NUL));
    for (unsigned i = 0; i < NOTE_COUNT; i++) {
        const char *text = note_refusal((enum note_id)i);

        assert_null(strstr(text, note_name((enum note_id)i)));
        assert_true(strlen("554 5.6.0 Message refused: ") + strlen(text) + 2 <=
                    LOCAL_REPLY_MAX);
    }
}

static void a_repeat_only_counts(void **state)
{
    struct notes n = { .len = 0 };

    (void)state;
    assert_false(notes_has(&n, NOTE_CMD_NUL));
    notes_add(&n, NOTE_CMD_NUL, 7);
    notes_add(&n, NOTE_CMD_TAB, 9);
    notes_add(&n, NOTE_CMD_NUL, 11);
    assert_int_equal(n.len, 2);
    assert_int_equal(n.list[0].id, NOTE_CMD_NUL);
    assert_int_equal(n.list[0].at, 7);
    assert_int_equal(n.list[0].count, 2);
    assert_int_equal(n.list[1].count, 1);
    assert_true(notes_has(&n, NOTE_CMD_NUL));
    assert_true(notes_has(&n, NOTE_CMD_TAB));
    assert_false(notes_has(&n, NOTE_CMD_8BIT));
}

static void the_set_is_bounded(void **state)
{
    struct notes n = { .len = 0 };

    (void)state;
    for (unsigned i = 0; i < NOTE_COUNT; i++)
        notes_add(&n, (enum note_id)i, i);
    assert_int_equal(n.len, NOTES_MAX);
    assert_true(notes_has(&n, (enum note_id)(NOTES_MAX - 1)));
    assert_false(notes_has(&n, (enum note_id)NOTES_MAX));
    notes_add(&n, (enum note_id)0, 99); /* a full set still counts what it knows */
    assert_int_equal(n.list[0].count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_kebab_case_and_unique),
        cmocka_unit_test(refusals_are_sentences),
        cmocka_unit_test(a_repeat_only_counts),
        cmocka_unit_test(the_set_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
