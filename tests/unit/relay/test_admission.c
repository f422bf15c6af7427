#include "relay/admission.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static struct addr address(const char *text)
{
    const char *why = NULL;
    struct addr a;

    if (!addr_parse(&a, text, &why))
        fail_msg("%s: %s", text, why);
    return a;
}

static struct relay_settings *limits(uint32_t sessions, uint32_t per_client)
{
    struct relay_settings *s = settings_new();

    s->sessions = sessions;
    s->per_client = per_client;
    return s;
}

static void test_session_limit(void **state)
{
    struct relay_settings *s = limits(2, 0);
    struct admission *a = admission_new();
    struct addr c = address("192.0.2.1:1");

    (void)state;
    assert_int_equal(admission_enter(a, &c, s), ADMIT_YES);
    assert_int_equal(admission_enter(a, &c, s), ADMIT_YES);
    assert_int_equal(admission_enter(a, &c, s), ADMIT_SESSION_LIMIT);
    assert_int_equal(admission_sessions(a), 2);
    admission_leave(a, &c, s);
    assert_int_equal(admission_enter(a, &c, s), ADMIT_YES);
    admission_leave(a, &c, s);
    admission_leave(a, &c, s);
    assert_int_equal(admission_sessions(a), 0);
    admission_free(&a);
    assert_null(a);
    settings_unref(&s);
}

static void test_client_networks(void **state)
{
    static const struct {
        const char *first, *second;
        uint8_t prefix4, prefix6;
        enum admit answer;
    } cases[] = {
        { "192.0.2.1:1", "192.0.2.1:2", 32, 64, ADMIT_CLIENT_LIMIT },
        { "192.0.2.1:1", "192.0.2.2:1", 32, 64, ADMIT_YES },
        { "192.0.2.1:1", "192.0.2.2:1", 24, 64, ADMIT_CLIENT_LIMIT },
        { "[2001:db8::1]:1", "[2001:db8::ffff]:1", 32, 64, ADMIT_CLIENT_LIMIT },
        { "[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", 32, 64, ADMIT_YES },
        { "[::ffff:192.0.2.1]:1", "192.0.2.1:2", 32, 64, ADMIT_CLIENT_LIMIT },
        { "192.0.2.1:1", "[c000:201::]:1", 32, 64, ADMIT_YES },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct relay_settings *s = limits(100, 1);
        struct admission *a = admission_new();
        struct addr first = address(cases[i].first), second = address(cases[i].second);

        s->prefix4 = cases[i].prefix4;
        s->prefix6 = cases[i].prefix6;
        assert_int_equal(admission_enter(a, &first, s), ADMIT_YES);
        assert_int_equal(admission_enter(a, &second, s), cases[i].answer);
        admission_leave(a, &first, s);
        if (cases[i].answer != ADMIT_YES)
            assert_int_equal(admission_enter(a, &second, s), ADMIT_YES);
        admission_leave(a, &second, s);
        admission_free(&a); /* asserts that no network is left */
        settings_unref(&s);
    }
}

enum { THREADS = 4, ROUNDS = 20000, LIMIT = 3 };

struct crowd {
    struct admission *admission;
    struct relay_settings *settings;
    atomic_uint inside, most;
};

static void *come_and_go(void *arg)
{
    struct crowd *c = arg;
    struct addr who = address("192.0.2.1:1");

    for (unsigned i = 0; i < ROUNDS; i++) {
        if (admission_enter(c->admission, &who, c->settings) != ADMIT_YES)
            continue;
        unsigned inside = atomic_fetch_add(&c->inside, 1) + 1;
        if (inside > atomic_load(&c->most))
            atomic_store(&c->most, inside);
        atomic_fetch_sub(&c->inside, 1);
        admission_leave(c->admission, &who, c->settings);
    }
    return NULL;
}

static void test_threads_never_pass_the_limit(void **state)
{
    struct crowd c = { .admission = admission_new(), .settings = limits(100, LIMIT) };
    pthread_t thread[THREADS];

    (void)state;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, come_and_go, &c), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_in_range(atomic_load(&c.most), 1, LIMIT);
    assert_int_equal(admission_sessions(c.admission), 0);
    admission_free(&c.admission);
    settings_unref(&c.settings);
}

static void test_descriptors(void **state)
{
    (void)state;
    descriptors_set_limit(4);
    assert_true(descriptors_take(2));
    assert_true(descriptors_take(2));
    assert_false(descriptors_take(1));
    descriptors_give(2);
    assert_true(descriptors_take(1));
    assert_false(descriptors_take(2));
    descriptors_give(3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_limit),
        cmocka_unit_test(test_client_networks),
        cmocka_unit_test(test_threads_never_pass_the_limit),
        cmocka_unit_test(test_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
