#include "unit/check.h"

#include "base/pool.h"

static void blocks_come_back(void **state)
{
    struct pool p;

    (void)state;
    pool_init(&p, 64, 2);
    void *a = pool_take(&p);
    assert_non_null(a);
    memset(a, 0xdd, 64);
    pool_give(&p, a);
    assert_int_equal(p.kept, 1);
    assert_ptr_equal(pool_take(&p), a);
    assert_int_equal(p.kept, 0);
    pool_give(&p, a);
    pool_deinit(&p);
    assert_int_equal(p.kept, 0);
}

static void it_keeps_no_more_than_told(void **state)
{
    struct pool p;
    void *blocks[5];

    (void)state;
    pool_init(&p, sizeof(void *), 3);
    for (unsigned i = 0; i < 5; i++) {
        blocks[i] = pool_take(&p);
        assert_non_null(blocks[i]);
        for (unsigned j = 0; j < i; j++)
            assert_ptr_not_equal(blocks[i], blocks[j]);
    }
    for (unsigned i = 0; i < 5; i++)
        pool_give(&p, blocks[i]); /* two go to free(): the sanitizer would tell */
    assert_int_equal(p.kept, 3);
    pool_deinit(&p);
    pool_deinit(&p);
}

static void a_pool_may_keep_nothing(void **state)
{
    struct pool p;

    (void)state;
    pool_init(&p, 32, 0);
    pool_give(&p, pool_take(&p));
    assert_int_equal(p.kept, 0);
    assert_null(p.free_list);
    pool_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_back),
        cmocka_unit_test(it_keeps_no_more_than_told),
        cmocka_unit_test(a_pool_may_keep_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
