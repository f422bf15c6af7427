#include "unit/check.h"

#include "base/list.h"

struct item {
    int value;
    struct list at;
};

static void check_order(const struct list *l, const int *values, size_t count)
{
    size_t i = 0;

    LIST_EACH (item, l, struct item, at) {
        assert_true(i < count);
        assert_int_equal(item->value, values[i++]);
    }
    assert_int_equal(i, count);
}

static void all_zero_is_empty(void **state)
{
    struct list l = { 0 };
    struct item one = { .value = 1 };

    (void)state;
    assert_true(list_is_empty(&l));
    assert_null(LIST_FIRST(&l, struct item, at));
    check_order(&l, NULL, 0);
    assert_false(list_is_linked(&one.at));
    list_prepend(&l, &one.at);
    assert_true(list_is_linked(&one.at));
    list_remove(&one.at);
    assert_false(list_is_linked(&one.at));
    assert_true(list_is_empty(&l));
    assert_null(LIST_FIRST(&l, struct item, at));
}

static void order_is_kept(void **state)
{
    struct item item[4] = { { .value = 0 }, { .value = 1 }, { .value = 2 }, { .value = 3 } };
    struct list l = { 0 };

    (void)state;
    for (int i = 1; i < 4; i++)
        list_append(&l, &item[i].at);
    list_prepend(&l, &item[0].at);
    check_order(&l, (int[]){ 0, 1, 2, 3 }, 4);
    list_remove(&item[2].at);
    check_order(&l, (int[]){ 0, 1, 3 }, 3);
    list_remove(&item[0].at);
    list_append(&l, &item[0].at);
    check_order(&l, (int[]){ 1, 3, 0 }, 3);
    list_remove(&item[0].at);
    list_remove(&item[1].at);
    list_remove(&item[3].at);
    assert_true(list_is_empty(&l));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_zero_is_empty),
        cmocka_unit_test(order_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
