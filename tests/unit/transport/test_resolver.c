/* Names against a lookup and a clock of the test's own. Lookups of names that begin with "slow"
 * wait until let_go(). */
#include "transport/resolve.h"

#include "base/log.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned begun;  /* lookups */
    unsigned let_go; /* of those that wait, how many may end */
    unsigned held;
    unsigned last_octet; /* of the address answered; 0: no answer */
    bool denied;
    atomic_ullong now_ms;
    atomic_uint clock_reads;
} dns = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void lookup(void *arg, const char *host, struct resolved *out)
{
    (void)arg;
    pthread_mutex_lock(&dns.lock);
    dns.begun++;
    pthread_cond_broadcast(&dns.changed);
    if (strncmp(host, "slow", 4) == 0) {
        unsigned ticket = ++dns.held;
        while (dns.let_go < ticket)
            pthread_cond_wait(&dns.changed, &dns.lock);
    }
    if (dns.last_octet > 0) {
        out->list[0] = (struct addr){ .family = AF_INET, .ip = { 192, 0, 2 } };
        out->list[0].ip[3] = (uint8_t)dns.last_octet;
        out->count = 1;
    } else {
        out->error = "no such luck";
        out->denied = dns.denied;
    }
    pthread_mutex_unlock(&dns.lock);
}

static uint64_t now_ms(void *arg)
{
    (void)arg;
    atomic_fetch_add(&dns.clock_reads, 1);
    return atomic_load(&dns.now_ms);
}

static void passes(uint64_t ms)
{
    atomic_fetch_add(&dns.now_ms, ms);
}

static void answers(unsigned last_octet, bool denied)
{
    pthread_mutex_lock(&dns.lock);
    dns.last_octet = last_octet;
    dns.denied = denied;
    pthread_mutex_unlock(&dns.lock);
}

static unsigned begun(void)
{
    pthread_mutex_lock(&dns.lock);
    unsigned count = dns.begun;
    pthread_mutex_unlock(&dns.lock);
    return count;
}

static void wait_begun(unsigned count)
{
    pthread_mutex_lock(&dns.lock);
    while (dns.begun < count)
        pthread_cond_wait(&dns.changed, &dns.lock);
    pthread_mutex_unlock(&dns.lock);
}

static void let_go(unsigned count)
{
    pthread_mutex_lock(&dns.lock);
    dns.let_go += count;
    pthread_cond_broadcast(&dns.changed);
    pthread_mutex_unlock(&dns.lock);
}

/* ---- requests ---- */

static const struct resolver_config config = { .lookup = lookup, .now_ms = now_ms };
static struct resolver *resolver;
static uv_loop_t loop;
static struct resolver_loop names;

static int setup(void **state)
{
    (void)state;
    dns.begun = dns.let_go = dns.held = 0;
    answers(1, false);
    resolver = resolver_new(&config);
    return resolver == NULL || uv_loop_init(&loop) != 0 ||
           resolver_loop_init(&names, &loop, resolver) != 0;
}

static void close_loop(void)
{
    resolver_loop_close(&names);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static int teardown(void **state)
{
    (void)state;
    close_loop();
    resolver_free(&resolver);
    assert_null(resolver);
    return 0;
}

static unsigned order;

struct request {
    struct resolve wait;
    struct resolved got;
    unsigned answers, place;
    struct request *cancels; /* when it is answered */
};

static void on_answer(void *owner, const struct resolved *answer)
{
    struct request *q = owner;

    q->got = *answer;
    q->answers++;
    q->place = ++order;
    if (q->cancels != NULL)
        resolve_cancel(&names, &q->cancels->wait);
}

static void ask(struct request *q, const char *host)
{
    q->answers = 0;
    if (resolve_start(&names, &q->wait, host, on_answer, q, &q->got))
        q->answers++;
}

static void settle(const struct request *q)
{
    while (q->answers == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(q->answers, 1);
}

/* What is answered: the last octet of the only address, or 0. */
static unsigned answered(const struct request *q)
{
    assert_int_equal(q->answers, 1);
    assert_true(q->got.count == 1 || q->got.error != NULL);
    return q->got.count == 1 ? q->got.list[0].ip[3] : 0;
}

static unsigned resolve(const char *host)
{
    struct request q = { .cancels = NULL };

    ask(&q, host);
    settle(&q);
    return answered(&q);
}

/* The answer that is there without any waiting. */
static unsigned at_once(const char *host)
{
    struct request q = { .cancels = NULL };

    ask(&q, host);
    return answered(&q);
}

static bool is_kept(void *arg, const char *host)
{
    return strcmp(arg, host) == 0;
}

/* ---- tests ---- */

static void test_one_lookup_a_name(void **state)
{
    struct request q[40] = { { .cancels = NULL } };

    (void)state;
    order = 0;
    for (unsigned i = 0; i < ARRAY_LEN(q); i++)
        ask(&q[i], i % 2 == 0 ? "slow.test" : "SLOW.test");
    wait_begun(1);
    assert_int_equal(resolver_lookups(resolver), 1);
    assert_int_equal(resolve("other.test"), 1);
    for (unsigned i = 0; i < ARRAY_LEN(q); i++)
        assert_int_equal(q[i].answers, 0);
    let_go(1);
    for (unsigned i = 0; i < ARRAY_LEN(q); i++) {
        settle(&q[i]);
        assert_int_equal(answered(&q[i]), 1);
        assert_int_equal(q[i].place, i + 2); /* in the order of asking */
    }
    assert_int_equal(begun(), 2);
    assert_int_equal(resolver_names(resolver), 2);
}

static void test_names_do_not_wait_for_each_other(void **state)
{
    enum { STUCK = 20 };
    struct request q[STUCK] = { { .cancels = NULL } };
    char host[32];

    (void)state;
    for (unsigned i = 0; i < STUCK; i++) {
        snprintf(host, sizeof host, "slow%u.test", i);
        ask(&q[i], host);
    }
    wait_begun(STUCK);
    assert_int_equal(resolver_lookups(resolver), STUCK);
    assert_int_equal(resolve("other.test"), 1);
    let_go(STUCK);
    for (unsigned i = 0; i < STUCK; i++)
        settle(&q[i]);
}

static void test_fresh(void **state)
{
    (void)state;
    assert_int_equal(resolve("mx.test"), 1);
    answers(2, false);
    passes(RESOLVER_FRESH_MS - 1);
    assert_int_equal(at_once("mx.test"), 1);
    assert_int_equal(begun(), 1);
    passes(1);
    assert_int_equal(resolve("mx.test"), 2);
    assert_int_equal(begun(), 2);
}

static void test_failed(void **state)
{
    (void)state;
    answers(0, false);
    assert_int_equal(resolve("mx.test"), 0);
    answers(1, false);
    passes(RESOLVER_FAILED_MS - 1);
    assert_int_equal(at_once("mx.test"), 0);
    assert_int_equal(begun(), 1);
    passes(1);
    assert_int_equal(resolve("mx.test"), 1);
}

static void test_stale_when_asking_fails(void **state)
{
    (void)state;
    assert_int_equal(resolve("mx.test"), 1);
    passes(RESOLVER_FRESH_MS);
    answers(0, false);
    assert_int_equal(resolve("mx.test"), 1);
    assert_int_equal(begun(), 2);
    assert_int_equal(at_once("mx.test"), 1); /* nobody waits for a name known to fail */
    passes(RESOLVER_FAILED_MS);
    assert_int_equal(at_once("mx.test"), 1);
    wait_begun(3);
    while (resolver_lookups(resolver) > 0)
        uv_run(&loop, UV_RUN_ONCE);
    answers(2, false);
    passes(RESOLVER_FAILED_MS);
    assert_int_equal(at_once("mx.test"), 1);
    while (resolver_lookups(resolver) > 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(at_once("mx.test"), 2);
}

static void test_stale_when_asking_takes_long(void **state)
{
    struct request q = { .cancels = NULL };

    (void)state;
    let_go(1);
    assert_int_equal(resolve("slow.test"), 1);
    passes(RESOLVER_FRESH_MS);
    answers(2, false);
    ask(&q, "slow.test");
    assert_int_equal(q.answers, 0);
    wait_begun(2);
    passes(RESOLVER_MOMENT_MS);
    assert_int_equal(at_once("slow.test"), 1);
    assert_true(uv_is_active((uv_handle_t *)&names.moment));
    uv_timer_start(&names.moment, names.moment.timer_cb, 0, 0); /* the moment is over, now */
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(answered(&q), 1);
    let_go(1);
    while (resolver_lookups(resolver) > 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(at_once("slow.test"), 2);
}

/* It waits a moment for the new addresses. */
static void test_not_stale_when_asking_is_quick(void **state)
{
    struct request q = { .cancels = NULL };

    (void)state;
    let_go(1);
    assert_int_equal(resolve("slow.test"), 1);
    passes(RESOLVER_FRESH_MS);
    answers(2, false);
    ask(&q, "slow.test");
    passes(RESOLVER_MOMENT_MS - 1);
    let_go(1);
    settle(&q);
    assert_int_equal(answered(&q), 2);
}

static void test_stale_has_an_end(void **state)
{
    (void)state;
    assert_int_equal(resolve("mx.test"), 1);
    answers(0, false);
    passes(RESOLVER_STALE_MS - 1);
    assert_int_equal(resolve("mx.test"), 1);
    passes(RESOLVER_FAILED_MS);
    assert_int_equal(resolve("mx.test"), 0);
}

static void test_name_is_gone(void **state)
{
    (void)state;
    assert_int_equal(resolve("mx.test"), 1);
    passes(RESOLVER_FRESH_MS);
    answers(0, true);
    assert_int_equal(resolve("mx.test"), 0);
    assert_int_equal(at_once("mx.test"), 0);
}

static void test_cancel(void **state)
{
    struct request q[4] = { { .cancels = &q[1] } };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(q); i++)
        ask(&q[i], "slow.test");
    resolve_cancel(&names, &q[2].wait);
    resolve_cancel(&names, &q[2].wait);
    let_go(1);
    settle(&q[3]);
    settle(&q[0]);
    assert_int_equal(q[1].answers + q[2].answers, 0); /* one when it was ready already */
    resolve_cancel(&names, &q[0].wait);               /* answered: nothing to cancel */
}

static void test_cancel_of_all(void **state)
{
    struct request q = { .cancels = NULL };
    char kept[] = "mx.test";

    (void)state;
    ask(&q, "slow.test");
    wait_begun(1);
    resolve_cancel(&names, &q.wait);
    let_go(1);
    while (resolver_lookups(resolver) > 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(q.answers, 0);
    assert_int_equal(at_once("slow.test"), 1); /* not in vain */
    resolver_reload(resolver, is_kept, kept);
    assert_int_equal(resolver_names(resolver), 0);
}

static void test_reload(void **state)
{
    char kept[] = "mx.test";

    (void)state;
    assert_int_equal(resolve(kept), 1);
    assert_int_equal(resolve("old.test"), 1);
    resolver_reload(resolver, is_kept, kept);
    assert_int_equal(resolver_names(resolver), 1);
    answers(2, false);
    assert_int_equal(resolve(kept), 2); /* asked again */
}

static void test_reload_while_asking(void **state)
{
    struct request q = { .cancels = NULL };
    char kept[] = "mx.test";

    (void)state;
    ask(&q, "slow.test");
    wait_begun(1);
    resolver_reload(resolver, is_kept, kept);
    assert_int_equal(resolver_names(resolver), 1);
    let_go(1);
    settle(&q); /* a session that began before */
    assert_int_equal(answered(&q), 1);
    assert_int_equal(resolver_names(resolver), 0);
}

/* The end of the program: nothing waits for a lookup. */
static void test_end_while_asking(void **state)
{
    struct request q = { .cancels = NULL };

    (void)state;
    ask(&q, "slow.test");
    wait_begun(1);
    resolve_cancel(&names, &q.wait);
    close_loop();
    resolver_free(&resolver);
    unsigned reads = atomic_load(&dns.clock_reads);
    let_go(1);
    while (atomic_load(&dns.clock_reads) == reads) /* what it learns still has a place */
        sched_yield();
}

/* ---- many threads ---- */

enum { THREADS = 4, ROUNDS = 500 };

struct asker {
    uv_loop_t loop;
    struct resolver_loop names;
    unsigned done, failed;
};

static void on_asker(void *owner, const struct resolved *answer)
{
    struct asker *a = owner;

    a->done++;
    a->failed += answer->count == 0;
}

static void *asks(void *arg)
{
    struct asker *a = arg;
    struct resolve wait;
    struct resolved got;
    static const char *const hosts[] = { "a.test", "b.test", "c.test" };

    for (unsigned i = 0; i < ROUNDS; i++) {
        passes(RESOLVER_FRESH_MS / 4);
        if (resolve_start(&a->names, &wait, hosts[i % ARRAY_LEN(hosts)], on_asker, a, &got))
            on_asker(a, &got);
        while (a->done == i)
            uv_run(&a->loop, UV_RUN_ONCE);
    }
    resolver_loop_close(&a->names);
    uv_run(&a->loop, UV_RUN_DEFAULT);
    return NULL;
}

static void test_threads(void **state)
{
    struct asker askers[THREADS] = { { .done = 0 } };
    pthread_t thread[THREADS];

    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(uv_loop_init(&askers[i].loop), 0);
        assert_int_equal(resolver_loop_init(&askers[i].names, &askers[i].loop, resolver), 0);
        assert_int_equal(pthread_create(&thread[i], NULL, asks, &askers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(uv_loop_close(&askers[i].loop), 0);
        assert_int_equal(askers[i].done, ROUNDS);
        assert_int_equal(askers[i].failed, 0);
    }
    assert_in_range(begun(), 3, THREADS * ROUNDS);
}

/* ---- getaddrinfo() ---- */

static void test_system(void **state)
{
    struct resolver *own = resolver_new(&(struct resolver_config){ .lookup = NULL });
    struct request q = { .cancels = NULL };

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(resolver_loop_init(&names, &loop, own), 0);
    ask(&q, "127.0.0.1");
    settle(&q);
    assert_int_equal(answered(&q), 1);
    assert_int_equal(q.got.list[0].ip[0], 127);
    assert_int_equal(q.got.list[0].port, 0);
    close_loop();
    resolver_free(&own);
}

#define NAMES(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NAMES(test_one_lookup_a_name),
        NAMES(test_names_do_not_wait_for_each_other),
        NAMES(test_fresh),
        NAMES(test_failed),
        NAMES(test_stale_when_asking_fails),
        NAMES(test_stale_when_asking_takes_long),
        NAMES(test_not_stale_when_asking_is_quick),
        NAMES(test_stale_has_an_end),
        NAMES(test_name_is_gone),
        NAMES(test_cancel),
        NAMES(test_cancel_of_all),
        NAMES(test_reload),
        NAMES(test_reload_while_asking),
        cmocka_unit_test_setup(test_end_while_asking, setup),
        NAMES(test_threads),
        cmocka_unit_test(test_system),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
