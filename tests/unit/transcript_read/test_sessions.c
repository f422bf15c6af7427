/* Sessions by id, in the order they came. */
#include "unit/check.h"

#include "transcript/read/sessions.h"

enum { MANY = 300 };

static void of_many(void **state)
{
    static struct session_node node[MANY];
    static struct sessions all;
    char sid[SID_TEXT + 1];

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(sid, sizeof sid, "01ARZ3NDEKTSV4RRFFQ69G%04u", i % 10000u);
        assert_null(sessions_find(&all, sid));
        sessions_add(&all, &node[i], sid);
        assert_ptr_equal(sessions_find(&all, sid), &node[i]);
    }
    assert_int_equal(all.open.len, MANY);
    assert_ptr_equal(sessions_oldest(&all), &node[0]);
    sessions_end(&all, &node[7]);
    sessions_end(&all, &node[3]);
    assert_true(node[7].ended);
    assert_ptr_equal(sessions_oldest(&all), &node[7]);
    sessions_remove(&all, &node[7]);
    assert_null(sessions_find(&all, node[7].sid));
    assert_ptr_equal(sessions_oldest(&all), &node[3]);
    assert_int_equal(all.open.len + all.ended.len, MANY - 1);
    for (unsigned i = 0; i < MANY - 1; i++)
        sessions_remove(&all, sessions_oldest(&all));
    assert_null(sessions_oldest(&all));
    assert_int_equal(all.open.len + all.ended.len, 0);
    assert_null(sessions_find(&all, node[0].sid));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(of_many) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
