/* Words for people: nothing that is written down is without them. */
#include "unit/check.h"

#include "smtp/notes.h"
#include "transcript/read/note_words.h"

static void every_note_has_words(void **state)
{
    (void)state;
    for (unsigned id = 0; id < NOTE_COUNT; id++) {
        const char *name = note_name((enum note_id)id);
        const char *words = note_words(name);
        if (words == NULL || words[0] == '\0')
            fail_msg("%s has no words in note_words.def", name);
    }
    assert_null(note_words("no-such-note"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_note_has_words) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
