/* The clock is the loop's cached time, set by hand: no waiting, no luck. */
#include "transport/wheel.h"

#include "base/attributes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

enum { START_MS = 1000000 };

struct item {
    struct wheel_entry entry;
    uint64_t fired_ms;
    unsigned fired;
    uint64_t again_ms; /* set again for so much later */
    struct item *cancels;
};

static uv_loop_t loop;
static struct wheel wheel;

static void on_due(struct wheel_entry *e)
{
    struct item *i = CONTAINER_OF(e, struct item, entry);

    assert_false(list_is_linked(&e->in_bucket));
    i->fired++;
    i->fired_ms = uv_now(&loop);
    if (i->cancels != NULL)
        wheel_cancel(&wheel, &i->cancels->entry);
    if (i->again_ms != 0)
        wheel_set(&wheel, e, uv_now(&loop) + i->again_ms);
}

static int setup(void **state)
{
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    loop.time = START_MS;
    wheel_init(&wheel, &loop, on_due);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    wheel_deinit(&wheel);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    return 0;
}

static bool is_running(void)
{
    return uv_is_active((uv_handle_t *)&wheel.timer) != 0;
}

/* Steps of step_ms, as the timer makes them. */
static void pass(uint64_t ms, uint64_t step_ms)
{
    for (uint64_t to = loop.time + ms; loop.time < to;) {
        loop.time += to - loop.time < step_ms ? to - loop.time : step_ms;
        if (is_running())
            wheel.timer.timer_cb(&wheel.timer);
    }
}

static void test_never_early_at_most_a_tick_late(void **state)
{
    static const uint64_t delays[] = { 0,   1,     99,    100,    101,   299,
                                       300, 51100, 51200, 305000, 605000 };
    static const uint64_t steps[] = { WHEEL_TICK_MS, 37, 1700, 60000 };

    (void)state;
    for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
        struct item items[ARRAY_LEN(delays)] = { 0 };
        uint64_t from = loop.time;

        for (size_t i = 0; i < ARRAY_LEN(delays); i++)
            wheel_set(&wheel, &items[i].entry, from + delays[i]);
        pass(700000, steps[s]);
        for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
            assert_int_equal(items[i].fired, 1);
            assert_true(items[i].fired_ms >= from + delays[i]);
            assert_true(items[i].fired_ms <= from + delays[i] + WHEEL_TICK_MS + steps[s]);
        }
        assert_int_equal(wheel.entries, 0);
        assert_false(is_running());
    }
}

static void test_moves_later_and_earlier(void **state)
{
    struct item i = { 0 };

    (void)state;
    wheel_set(&wheel, &i.entry, START_MS + 1000);
    pass(900, WHEEL_TICK_MS);
    wheel_set(&wheel, &i.entry, START_MS + 5000);
    pass(4000, WHEEL_TICK_MS);
    assert_int_equal(i.fired, 0);
    wheel_cancel(&wheel, &i.entry);
    wheel_set(&wheel, &i.entry, START_MS + 600000);
    wheel_set(&wheel, &i.entry, loop.time + 100);
    pass(200, WHEEL_TICK_MS);
    assert_int_equal(i.fired, 1);
    pass(700000, 60000);
    assert_int_equal(i.fired, 1);
}

static void test_past_is_next_tick(void **state)
{
    struct item i = { 0 };

    (void)state;
    wheel_set(&wheel, &i.entry, START_MS - 5000);
    pass(WHEEL_TICK_MS, WHEEL_TICK_MS);
    assert_int_equal(i.fired, 1);
}

static void test_later_is_only_a_store(void **state)
{
    struct item i = { 0 };

    (void)state;
    wheel_set(&wheel, &i.entry, START_MS + 1000);
    uint64_t tick = i.entry.tick;
    wheel_set(&wheel, &i.entry, START_MS + 9000);
    assert_int_equal(i.entry.tick, tick);
    wheel_cancel(&wheel, &i.entry);
}

static void test_callbacks_may_set_and_cancel(void **state)
{
    struct item a = { 0 }, b = { 0 }, c = { 0 };

    (void)state;
    /* All in one bucket; whichever comes first takes the other away. */
    a.cancels = &b;
    b.cancels = &a;
    c.again_ms = WHEEL_TICK_MS;
    wheel_set(&wheel, &a.entry, START_MS + 50);
    wheel_set(&wheel, &b.entry, START_MS + 50);
    wheel_set(&wheel, &c.entry, START_MS + 50);
    pass(1000, WHEEL_TICK_MS);
    assert_int_equal(a.fired + b.fired, 1);
    assert_true(c.fired >= 4);
    wheel_cancel(&wheel, &c.entry);
    wheel_cancel(&wheel, &c.entry);
    assert_int_equal(wheel.entries, 0);
}

static void test_runs_only_while_needed(void **state)
{
    struct item i = { 0 };

    (void)state;
    assert_false(is_running());
    wheel_set(&wheel, &i.entry, START_MS + 300);
    assert_true(is_running());
    wheel_cancel(&wheel, &i.entry);
    pass(WHEEL_TICK_MS, WHEEL_TICK_MS);
    assert_false(is_running());
    loop.time += 10 * 3600 * 1000; /* asleep for long: the next entry is not late */
    uint64_t from = loop.time;
    wheel_set(&wheel, &i.entry, from + 300);
    pass(500, WHEEL_TICK_MS);
    assert_int_equal(i.fired, 1);
    assert_true(i.fired_ms >= from + 300 && i.fired_ms <= from + 400);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_never_early_at_most_a_tick_late),
        TEST(test_moves_later_and_earlier),
        TEST(test_later_is_only_a_store),
        TEST(test_callbacks_may_set_and_cancel),
        TEST(test_past_is_next_tick),
        TEST(test_runs_only_while_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
