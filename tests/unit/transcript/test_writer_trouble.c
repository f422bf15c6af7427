/* The writer against full disks, slow pipes, threads and a sudden death. */
#include "unit/transcript/rig.h"

#include "transcript/content.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void limit_files(rlim_t octets)
{
    struct rlimit l;

    getrlimit(RLIMIT_FSIZE, &l);
    l.rlim_cur = octets;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* The disk is full in the middle of a line: clients wait, then all is there. */
static void full_disk_pauses(void **state)
{
    struct writer *w = open_writer((struct writer_config){ .flush_ms = 0 });
    struct stream *s = stream_new(w, on_room, NULL);
    unsigned n = 0;

    (void)state;
    limit_files(5000);
    while (!stream_is_blocked(s) && n < WAIT_MS) {
        note(s, n++);
        usleep(100);
    }
    assert_true(stream_is_blocked(s));
    for (unsigned more = 0; more < 100; more++)
        note(s, n++); /* what was already read is still taken */
    assert_true(lines_in(path) > 10);
    assert_int_equal(atomic_load(&rooms), 0);
    WAIT_FOR(STAT(w, write_errors) >= 2); /* it goes on trying */
    limit_files(RLIM_INFINITY);
    WAIT_FOR(!stream_is_blocked(s));
    WAIT_FOR(atomic_load(&rooms) == 1);
    stream_free(&s);
    writer_stop(&w, 5000);
    assert_int_equal(whole_lines_in(path), n);
}

/* It stays full: what is there are whole lines. */
static void full_disk_keeps_whole_lines(void **state)
{
    struct writer *w = open_writer((struct writer_config){ .flush_ms = 0 });
    struct stream *s = stream_new(w, NULL, NULL);

    (void)state;
    limit_files(5000);
    for (unsigned i = 0; i < 100; i++)
        note(s, i);
    WAIT_FOR(stream_is_blocked(s));
    stream_free(&s);
    writer_stop(&w, 0);
    limit_files(RLIM_INFINITY);
    assert_in_range(whole_lines_in(path), 10, 40);
}

static void full_disk_drops(void **state)
{
    struct writer *w = open_writer((struct writer_config){ .on_full = ON_FULL_DROP });
    struct stream *s = stream_new(w, on_room, NULL);
    unsigned n = 0, lost = 0;
    char last[32];

    (void)state;
    limit_files(5000);
    while (STAT(w, dropped) < 1000 && n < 100000) {
        note(s, n++);
        assert_false(stream_is_blocked(s));
    }
    limit_files(RLIM_INFINITY);
    uint64_t dropped = STAT(w, dropped);
    WAIT_FOR(STAT(w, octets) > 100000);
    note(s, n++);
    stream_free(&s);
    writer_stop(&w, 5000);
    char *text = file_text(path), *told = strstr(text, "\"kind\":\"lost\"");
    size_t lines = check_whole_lines(text);
    assert_non_null(told);
    assert_int_equal(sscanf(strstr(told, "\"records\":"), "\"records\":%u", &lost), 1);
    assert_true(lost >= dropped);
    assert_int_equal(lines - 1 + lost, n);
    assert_int_equal(count_text(text, "\"kind\":\"lost\""), 1);
    snprintf(last, sizeof last, "\"number %u;\"", n - 1);
    assert_true(told < strstr(text, last)); /* where they are missing, not at the end */
    free(text);
}

/* /dev/full: not a regular file, nothing ever goes out; a stop does not hang. */
static void device_is_full(void **state)
{
    struct writer *w = open_writer((struct writer_config){ .file = "/dev/full", .fd = -1 });
    struct stream *s = stream_new(w, on_room, NULL);

    (void)state;
    note(s, 1);
    WAIT_FOR(stream_is_blocked(s));
    assert_int_equal(STAT(w, octets), 0);
    stream_free(&s);
    writer_stop(&w, 100);
}

static void queue_is_bounded(void **state)
{
    struct writer *w = open_writer(
        (struct writer_config){ .file = "/dev/full", .fd = -1, .queue_octets = 300000 });
    struct stream *s = stream_new(w, NULL, NULL);
    unsigned n = 0;

    (void)state;
    while (STAT(w, dropped) == 0 && n < 100000)
        note(s, n++);
    assert_in_range(n, 600000 / 320 / 2, 1000000 / 200); /* twice the limit, and a chunk */
    stream_free(&s);
    writer_stop(&w, 0);
}

/* A pipe whose reader sleeps, then reads: the lines arrive whole and in order. */
static void slow_pipe(void **state)
{
    int fd[2];
    char buf[8192];
    size_t got = 0, lines = 0;
    ssize_t n;

    (void)state;
    assert_int_equal(pipe(fd), 0);
    struct writer *w = open_writer((struct writer_config){ .fd = fd[1], .flush_ms = 1000 });
    struct stream *s = stream_new(w, on_room, NULL);
    for (unsigned i = 0; i < 3000; i++)
        note(s, i);
    stream_flush(s);
    WAIT_FOR(STAT(w, write_errors) > 0);
    char *all = calloc(1, 3000 * 400);
    while (lines < 3000 && (n = read(fd[0], buf, sizeof buf)) > 0) {
        memcpy(all + got, buf, (size_t)n);
        got += (size_t)n;
        for (ssize_t i = 0; i < n; i++)
            lines += buf[i] == '\n';
    }
    assert_int_equal(check_whole_lines(all), 3000);
    for (unsigned i = 0; i < 3000; i += 100) {
        char want[32];
        snprintf(want, sizeof want, "\"number %u;\"", i);
        assert_non_null(strstr(all, want));
    }
    free(all);
    stream_free(&s);
    writer_stop(&w, 1000);
    close(fd[0]);
    close(fd[1]);
}

/* What was flushed survives a SIGKILL, and no half line is left. */
static void survives_kill(void **state)
{
    int ready[2];
    char c;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct writer *w = open_writer((struct writer_config){ .flush_ms = 1000 });
        struct stream *s = stream_new(w, NULL, NULL);
        for (unsigned i = 0; i < 1000; i++)
            note(s, i);
        stream_flush(s);
        while (STAT(w, octets) < 200000)
            usleep(1000);
        for (unsigned i = 0;; i++) {
            note(s, i);
            if (i == 1000 && write(ready[1], "x", 1) != 1)
                _exit(1);
        }
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ready[0]);
    close(ready[1]);
    struct writer *w = open_writer((struct writer_config){ .flush_ms = 1000 });
    writer_stop(&w, 1000); /* opening mends what a half write may have left */
    assert_true(whole_lines_in(path) >= 1000);
}

/* Contents of clients that are not read any more hold what fills the queue. */
static void contents_under_way_do_not_block(void **state)
{
    enum { CONTENTS = 5 };
    struct writer *w = open_writer((struct writer_config){
        .content = CONTENT_LEVEL_FULL, .spool = folder, .queue_octets = 1, .flush_ms = 1000 });
    struct stream *s = stream_new(w, on_room, NULL);
    struct content_digest *d[CONTENTS];
    char name[16];

    (void)state;
    for (unsigned i = 0; i < CONTENTS; i++) {
        snprintf(name, sizeof name, "c%u", i);
        d[i] = content_digest_begin(s, name);
        content_add(d[i], CONTENT_SAME, SPAN_LIT("x"), true);
    }
    assert_true(stream_is_blocked(s));
    stream_flush(s);
    WAIT_FOR(!stream_is_blocked(s));
    WAIT_FOR(atomic_load(&rooms) == 1);
    for (unsigned i = 0; i < CONTENTS; i++)
        content_digest_free(&d[i], s);
    stream_free(&s);
    writer_stop(&w, 1000);
}

static void *busy(void *arg)
{
    struct stream *s = arg;

    for (unsigned i = 0; i < 3000; i++) {
        note(s, i);
        if (i % 50 == 0)
            stream_flush(s);
        while (stream_is_blocked(s))
            usleep(100);
    }
    return NULL;
}

static void many_threads(void **state)
{
    enum { THREADS = 4 };
    struct writer *w = open_writer(
        (struct writer_config){ .flush_ms = 1000, .queue_octets = 1, .rotate_octets = 200000 });
    struct stream *s[THREADS];
    pthread_t t[THREADS];

    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        s[i] = stream_new(w, on_room, NULL);
        assert_int_equal(pthread_create(&t[i], NULL, busy, s[i]), 0);
    }
    for (unsigned i = 0; i < 50; i++) {
        writer_reopen(w);
        usleep(1000);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        stream_free(&s[i]);
    }
    WAIT_FOR(STAT(w, records) == THREADS * 3000);
    assert_int_equal(STAT(w, dropped), 0);
    writer_stop(&w, 5000);
    assert_int_equal(each_file(whole_lines_in), THREADS * 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(full_disk_pauses),
        TEST(full_disk_keeps_whole_lines),
        TEST(full_disk_drops),
        TEST(device_is_full),
        TEST(queue_is_bounded),
        TEST(slow_pipe),
        TEST(survives_kill),
        TEST(many_threads),
        TEST(contents_under_way_do_not_block),
    };

    log_set_level(LOG_ERROR + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
