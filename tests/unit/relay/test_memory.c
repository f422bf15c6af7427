#include "relay/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

enum { LIMIT = 1 << 20 };

static struct memory memory;
static unsigned woken[2];

static void on_room(void *arg)
{
    ++*(unsigned *)arg;
}

static void begin(struct memory_share *a, struct memory_share *b)
{
    memory_init(&memory, LIMIT);
    woken[0] = woken[1] = 0;
    memory_join(a, &memory, on_room, &woken[0]);
    memory_join(b, &memory, on_room, &woken[1]);
}

static void end(struct memory_share *a, struct memory_share *b)
{
    memory_leave(a);
    memory_leave(b);
    assert_int_equal(atomic_load(&memory.used), 0);
    memory_deinit(&memory);
}

static void without_a_limit(void **state)
{
    struct memory_share s;
    size_t held = 0;

    (void)state;
    memory_join(&s, NULL, on_room, NULL);
    memory_count(&s, &held, SIZE_MAX / 2);
    assert_int_equal(s.used, SIZE_MAX / 2);
    assert_true(memory_allows(&s, SIZE_MAX / 2));
    memory_count(&s, &held, 0);
    assert_int_equal(s.used, 0);
    memory_leave(&s);
}

/* What is taken from the process is never less than what is held, nor much more. */
static void counted_in_steps(void **state)
{
    struct memory_share a, b;
    size_t held[3] = { 0 };
    uint32_t random = 1;

    (void)state;
    begin(&a, &b);
    for (unsigned i = 0; i < 10000; i++) {
        random = random * 1103515245 + 12345;
        memory_count(&a, &held[i % 3], random >> 12 & 0xffff);
        assert_int_equal(a.used, held[0] + held[1] + held[2]);
        assert_true(a.taken >= a.used && a.taken <= a.used + 2 * (LIMIT / 1024));
        assert_int_equal(atomic_load(&memory.used), a.taken);
    }
    for (unsigned i = 0; i < 3; i++)
        memory_count(&a, &held[i], 0);
    end(&a, &b);
}

/* Who holds much waits first; who holds nothing never waits. */
static void the_more_it_holds_the_earlier_it_waits(void **state)
{
    struct memory_share a, b;
    size_t most = SIZE_MAX, held = 0;

    (void)state;
    begin(&a, &b);
    for (size_t all = 0; all <= 2 * LIMIT; all += LIMIT / 64) {
        memory_count(&a, &held, all);
        size_t allowed = memory_allowed(&b);

        assert_true(allowed <= most);
        most = allowed;
        assert_int_equal(allowed == SIZE_MAX, all <= LIMIT / 2);
        if (allowed < SIZE_MAX)
            assert_true(allowed <= LIMIT / 16);
        assert_true(memory_allows(&b, allowed));
        assert_true(memory_allows(&b, 0));
        assert_false(allowed < SIZE_MAX && memory_allows(&b, allowed + 1));
    }
    assert_int_equal(most, 0);
    memory_count(&a, &held, 0);
    assert_int_equal(memory_allowed(&b), SIZE_MAX);
    end(&a, &b);
}

/* Given back by one worker, another one is told: once, and only if it waits. */
static void who_waits_is_told(void **state)
{
    struct memory_share a, b;
    size_t held = 0;

    (void)state;
    begin(&a, &b);
    memory_count(&a, &held, LIMIT);
    memory_count(&a, &held, LIMIT / 2);
    assert_int_equal(woken[0] + woken[1], 0);
    memory_count(&a, &held, LIMIT);
    assert_false(memory_allows(&b, 1000));
    memory_count(&a, &held, LIMIT - LIMIT / 8);
    assert_int_equal(woken[1], 1);
    memory_count(&a, &held, 0);
    assert_int_equal(woken[1], 1);
    assert_int_equal(woken[0], 0);

    memory_count(&a, &held, LIMIT);
    assert_false(memory_allows(&b, 1000));
    memory_set_limit(&memory, 4 * LIMIT);
    assert_int_equal(woken[1], 2);
    assert_true(memory_allows(&b, 1000));
    memory_count(&a, &held, 0);
    end(&a, &b);
}

/* The three places where a release can fall: before the action to be told, between the action and
 * the look at what is used, and after both. Each time it is seen, or told. */
static void no_wake_up_is_lost(void **state)
{
    struct memory_share a, b;
    size_t held = 0;

    (void)state;
    begin(&a, &b);
    for (size_t left = 0; left < LIMIT; left += LIMIT / 16) {
        memory_count(&a, &held, LIMIT);
        woken[1] = 0;
        memory_count(&a, &held, left);
        assert_true(memory_allows(&b, 1));

        memory_count(&a, &held, LIMIT);
        atomic_store(&b.waiting, true); /* all that memory_allows() does before its look */
        memory_count(&a, &held, left);
        assert_int_equal(woken[1], 1);

        memory_count(&a, &held, LIMIT);
        assert_false(memory_allows(&b, 1));
        memory_count(&a, &held, left);
        assert_int_equal(woken[1], 2);
    }
    memory_count(&a, &held, 0);
    end(&a, &b);
}

enum { THREADS = 4, ROUNDS = 20000 };

static void wake_nobody(void *arg)
{
    (void)arg;
}

static void *come_and_go(void *arg)
{
    struct memory_share s;
    size_t held[4] = { 0 };
    uint32_t random = *(uint32_t *)arg;

    memory_join(&s, &memory, wake_nobody, NULL);
    for (unsigned i = 0; i < ROUNDS; i++) {
        random = random * 1103515245 + 12345;
        size_t *one = &held[random >> 30];
        memory_count(&s, one, memory_allows(&s, *one) ? *one + (random >> 16 & 0x3fff) : 0);
    }
    for (unsigned i = 0; i < 4; i++)
        memory_count(&s, &held[i], 0);
    memory_leave(&s);
    return NULL;
}

/* Whatever several workers do at a time, nothing stays behind. */
static void threads(void **state)
{
    pthread_t thread[THREADS];
    uint32_t seed[THREADS] = { 1, 2, 3, 4 };

    (void)state;
    memory_init(&memory, LIMIT);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, come_and_go, &seed[i]), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(atomic_load(&memory.used), 0);
    assert_true(list_is_empty(&memory.shares));
    memory_deinit(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit),
        cmocka_unit_test(counted_in_steps),
        cmocka_unit_test(the_more_it_holds_the_earlier_it_waits),
        cmocka_unit_test(who_waits_is_told),
        cmocka_unit_test(no_wake_up_is_lost),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
