#include "unit/check.h"

#include "analysis/report/story.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned gone;

static bool keep_none(void *arg, const struct story *s)
{
    (void)arg;
    (void)s;
    gone++;
    return false;
}

static bool keep_all(void *arg, const struct story *s)
{
    (void)arg;
    return s->step_count < 1000;
}

static struct record record_of(unsigned session, unsigned n, const char *reply)
{
    char error[READER_ERROR_MAX];
    size_t room = strlen(reply) + 512;
    char *line = malloc(room);
    struct record r;

    assert_non_null(line);
    snprintf(
        line, room,
        "{\"v\":1,\"kind\":\"command\",\"t\":\"2026-11-23T09:00:00.%06uZ\",\"sid\":\""
        "01M83MCDR0%016u\",\"n\":%u,\"vantage\":\"v\",\"verb\":\"RCPT\",\"at\":0,"
        "\"received\":\"RCPT TO:<x>\\r\\n\",\"action\":\"relayed\",\"origin\":\"upstream\","
        "\"reply\":\"%s\",\"code\":250,\"reply_us\":1}",
        n % 1000000, session, n, reply);
    if (!record_parse(span_str(line), &r, error))
        fail_msg("%s", error);
    free(line);
    return r;
}

static struct story *see(struct stories *all, unsigned session, unsigned n, const char *reply)
{
    struct record r = record_of(session, n, reply);
    struct story *s = stories_of(all, &r);

    assert_non_null(s);
    stories_see(all, s, &r);
    record_free(&r);
    return s;
}

/* The first ones, the last ones, and what a finding points to. */
static void long_sessions_keep_what_matters(void **state)
{
    struct stories *all = stories_new(&(struct stories_env){ keep_all, NULL });
    struct found f = { .id = "SV-01", .record = 100 };
    struct story *s = NULL;
    uint64_t skipped = 0;
    bool marked = false;

    (void)state;
    for (unsigned n = 1; n <= 5000; n++) {
        s = see(all, 1, n, "250 ok\\r\\n");
        if (n == 101)
            assert_non_null(stories_found(all, s, &f, NULL));
    }
    assert_int_equal(s->step_count, STORY_STEPS_MAX);
    assert_int_equal(s->steps[0]->n, 1);
    assert_int_equal(s->steps[STORY_STEPS_FIRST - 1]->n, STORY_STEPS_FIRST);
    assert_int_equal(s->steps[STORY_STEPS_MAX - 1]->n, 5000);
    for (unsigned i = 0; i < s->step_count; i++) {
        skipped += s->steps[i]->skipped;
        marked |= s->steps[i]->n == 100;
        assert_true(i == 0 || s->steps[i]->n > s->steps[i - 1]->n);
    }
    assert_true(marked);
    assert_int_equal(skipped, 5000 - STORY_STEPS_MAX);
    stories_free(&all);
}

static void open_sessions_have_a_limit(void **state)
{
    struct stories *all = stories_new(&(struct stories_env){ keep_none, NULL });

    (void)state;
    gone = 0;
    for (unsigned i = 0; i < STORIES_OPEN_MAX + 100; i++)
        see(all, i, 1, "250 ok\\r\\n");
    assert_int_equal(gone, 100);
    stories_finish(all);
    assert_int_equal(gone, STORIES_OPEN_MAX + 100);
    stories_free(&all);
}

/* Big replies of many sessions: details are dropped, sessions are not. */
static void memory_has_a_limit(void **state)
{
    struct stories *all = stories_new(&(struct stories_env){ keep_none, NULL });
    char reply[2001];
    unsigned thin = 0, sessions = 2000;

    (void)state;
    memset(reply, 'a', sizeof reply - 1);
    reply[sizeof reply - 1] = '\0';
    for (unsigned n = 1; n <= 60; n++)
        for (unsigned i = 0; i < sessions; i++)
            thin += see(all, i, n, reply)->thin;
    assert_true(thin > 0);
    assert_true(stories_size(all) <= STORIES_MEMORY + (64 << 10));
    gone = 0;
    stories_finish(all);
    assert_int_equal(gone, sessions);
    assert_int_equal(stories_size(all), 0);
    stories_free(&all);
}

/* What comes behind the end is no step; the session stays a while for its findings. */
static void ended_sessions_wait(void **state)
{
    struct stories *all = stories_new(&(struct stories_env){ keep_none, NULL });
    char sid[SID_TEXT + 1];
    struct story *s = see(all, 1, 1, "250 ok\\r\\n");

    (void)state;
    gone = 0;
    memcpy(sid, s->node.sid, sizeof sid);
    stories_end(all, s);
    stories_end(all, s);
    assert_int_equal(see(all, 1, 2, "250 ok\\r\\n")->step_count, 1);
    for (unsigned i = 0; i < STORIES_BEHIND; i++) {
        assert_ptr_equal(stories_find(all, sid), s);
        stories_end(all, see(all, i + 2, 1, "250 ok\\r\\n"));
    }
    assert_null(stories_find(all, sid));
    assert_int_equal(gone, 1);
    stories_free(&all);
}

static void kept_sessions_have_a_limit(void **state)
{
    struct stories *all = stories_new(&(struct stories_env){ keep_all, NULL });
    const struct story *s;

    (void)state;
    for (unsigned i = 0; i < 3 * STORIES_KEPT_MAX; i++)
        stories_end(all, see(all, i, 1, "250 ok\\r\\n"));
    stories_finish(all);
    assert_true(stories_kept(all, STORIES_KEPT_MAX - 1, &s));
    assert_false(stories_kept(all, STORIES_KEPT_MAX, &s));
    stories_free(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_sessions_keep_what_matters),
        cmocka_unit_test(open_sessions_have_a_limit),
        cmocka_unit_test(memory_has_a_limit),
        cmocka_unit_test(ended_sessions_wait),
        cmocka_unit_test(kept_sessions_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
