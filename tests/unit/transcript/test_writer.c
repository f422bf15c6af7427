/* The writer against bad disks, rotation, threads and a sudden death. */
#include "unit/transcript/lines.h"

#include "base/log.h"
#include "transcript/record.h"
#include "transcript/writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { WAIT_MS = 20000 };

static char folder[64], path[96];
static atomic_int rooms;

static int make(void **state)
{
    (void)state;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/t.jsonl", folder);
    atomic_store(&rooms, 0);
    return 0;
}

static int each_file(int (*use)(const char *))
{
    DIR *d = opendir(folder);
    struct dirent *e;
    int n = 0;

    while ((e = readdir(d)) != NULL) {
        char file[512];
        if (e->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", folder, e->d_name);
        n += use(file);
    }
    closedir(d);
    return n;
}

static int clean(void **state)
{
    (void)state;
    each_file(unlink);
    return rmdir(folder);
}

static int whole_lines_in(const char *file)
{
    char *text = file_text(file);
    size_t n = check_whole_lines(text);

    free(text);
    return (int)n;
}

/* While it grows: another process may see a part of the last write. */
static int lines_in(const char *file)
{
    char *text = file_text(file);
    size_t n = count_text(text, "\n");

    free(text);
    return (int)n;
}

static int one(const char *file)
{
    return access(file, F_OK) == 0;
}

static void on_room(void *arg)
{
    (void)arg;
    atomic_fetch_add(&rooms, 1);
}

static struct writer *open_writer(struct writer_config c)
{
    char error[256];

    c.vantage = "unit";
    if (c.file == NULL && c.fd == 0) {
        c.file = path;
        c.fd = -1;
    }
    struct writer *w = writer_start(&c, error, sizeof error);
    if (w == NULL)
        fail_msg("%s", error);
    return w;
}

/* About 300 octets. */
static void note(struct stream *s, unsigned i)
{
    struct recorder r;
    char text[32];

    recorder_init(&r, s, 1795424641000000u);
    snprintf(text, sizeof text, "number %u;", i);
    struct record_open o = { .t_us = 1795424641000000u,
                             .listener = span_str(text),
                             .mode = SPAN_LIT("observe"),
                             .client = SPAN_LIT("192.0.2.1:12345"),
                             .server = SPAN_LIT("192.0.2.2:25") };
    record_open(&r, &o);
}

/* Waits for what another thread does; only a test that fails waits long. */
#define WAIT_FOR(condition)                                                                    \
    do {                                                                                       \
        unsigned waited = 0;                                                                   \
        while (!(condition)) {                                                                 \
            usleep(1000);                                                                      \
            if (++waited > WAIT_MS)                                                            \
                fail_msg("waited in vain for %s", #condition);                                 \
        }                                                                                      \
    } while (0)

static uint64_t stat_of(struct writer *w, size_t offset)
{
    struct writer_stats s;
    uint64_t v;

    writer_get_stats(w, &s);
    memcpy(&v, (char *)&s + offset, sizeof v);
    return v;
}

#define STAT(w, name) stat_of((w), offsetof(struct writer_stats, name))

static void flush_and_stop(void **state)
{
    struct writer *w = open_writer((struct writer_config){ .flush_ms = 1000 });
    struct stream *s = stream_new(w, NULL, NULL);

    (void)state;
    note(s, 1);
    assert_int_equal(whole_lines_in(path), 0);
    stream_flush(s);
    WAIT_FOR(lines_in(path) == 1);
    note(s, 2);
    stream_flush(s);
    stream_flush(s);
    WAIT_FOR(STAT(w, octets) > 0 && lines_in(path) == 2);
    assert_int_equal(STAT(w, records), 2);
    note(s, 3);
    writer_stop(&w, 1000); /* before stream_free: takes the last record */
    note(s, 4);            /* nobody's any more */
    stream_free(&s);
    assert_int_equal(whole_lines_in(path), 3);
    assert_null(w);
}

static void each_record_at_once(void **state)
{
    struct writer *w = open_writer((struct writer_config){ .flush_ms = 0 });
    struct stream *s = stream_new(w, NULL, NULL);

    (void)state;
    for (int i = 1; i <= 500; i++) {
        note(s, (unsigned)i);
        if (i % 100 == 0)
            WAIT_FOR(lines_in(path) == i);
    }
    stream_free(&s);
    writer_stop(&w, 1000);
}

static void appends(void **state)
{
    static const struct {
        const char *before;
        size_t lines;      /* of it that stay */
        const char *after; /* how the file begins then */
    } cases[] = {
        { "{\"v\":1,\"kind\":\"a\"}\n", 1, "{\"v\":1,\"kind\":\"a\"}\n{\"v\":1," },
        { "{\"v\":1,\"kind\":\"a\"}\n{\"v\":1,\"ki", 1,
          "{\"v\":1,\"kind\":\"a\"}\n{\"v\":1,\"kind\":\"open" },
        { "{\"v", 0, "{\"v\":1,\"kind\":\"open" },
        { "other", 1, "other\n{\"v\":1," }, /* not ours: kept */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *f = fopen(path, "wb");
        fputs(cases[i].before, f);
        fclose(f);
        struct writer *w = open_writer((struct writer_config){ .flush_ms = 1000 });
        struct stream *s = stream_new(w, NULL, NULL);
        note(s, 1);
        stream_free(&s);
        writer_stop(&w, 1000);
        char *text = file_text(path);
        assert_memory_equal(text, cases[i].after, strlen(cases[i].after));
        assert_int_equal(count_text(text, "\n"), cases[i].lines + 1);
        free(text);
    }
}

static void start_errors(void **state)
{
    char error[256];
    struct writer_config c = { .file = "/nonexistent/t.jsonl", .fd = -1 };

    (void)state;
    assert_null(writer_start(&c, error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/t.jsonl"));
    assert_non_null(strstr(error, "No such file"));
    c.file = "";
    assert_null(writer_start(&c, error, sizeof error));
    assert_string_equal(error, "");
}

static void rotates_by_size(void **state)
{
    struct writer *w =
        open_writer((struct writer_config){ .flush_ms = 1000, .rotate_octets = 10000 });
    struct stream *s = stream_new(w, NULL, NULL);
    char taken[128];
    struct stat st;

    (void)state;
    snprintf(taken, sizeof taken, "%s.2", path); /* somebody's file: must stay */
    FILE *f = fopen(taken, "wb");
    fputs("{\"v\":1,\"kind\":\"mine\"}\n", f);
    fclose(f);
    for (unsigned i = 0; i < 1000; i++)
        note(s, i);
    stream_free(&s);
    WAIT_FOR(STAT(w, rotations) > 10);
    writer_stop(&w, 1000);
    assert_int_equal(each_file(whole_lines_in), 1001);
    char *mine = file_text(taken);
    assert_string_equal(mine, "{\"v\":1,\"kind\":\"mine\"}\n");
    free(mine);
    snprintf(taken, sizeof taken, "%s.1", path);
    assert_int_equal(stat(taken, &st), 0);
    assert_in_range(st.st_size, 9000, 10000);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void rotates_by_age(void **state)
{
    struct writer *w =
        open_writer((struct writer_config){ .flush_ms = 0, .rotate_seconds = 1 });
    struct stream *s = stream_new(w, NULL, NULL);
    unsigned written = 0;

    (void)state;
    while (STAT(w, rotations) < 2 && written < WAIT_MS) {
        note(s, written++);
        usleep(1000);
    }
    stream_free(&s);
    writer_stop(&w, 1000);
    assert_int_equal(each_file(whole_lines_in), written);
    assert_true(written < WAIT_MS);
}

static void follows_the_clock(void **state)
{
    char template[128];

    (void)state;
    snprintf(template, sizeof template, "%s/%%Y-%%S.jsonl", folder);
    struct writer *w = open_writer((struct writer_config){ .file = template, .fd = -1 });
    struct stream *s = stream_new(w, NULL, NULL);
    time_t begin = time(NULL);
    unsigned written = 0;

    while (time(NULL) < begin + 3) {
        note(s, written++);
        usleep(2000);
    }
    stream_free(&s);
    writer_stop(&w, 1000);
    assert_int_equal(each_file(whole_lines_in), written);
    assert_in_range(each_file(one), 3, 5);
}

static void reopens(void **state)
{
    struct writer *w = open_writer((struct writer_config){ .flush_ms = 0 });
    struct stream *s = stream_new(w, NULL, NULL);
    char moved[128];

    (void)state;
    note(s, 1);
    WAIT_FOR(lines_in(path) == 1);
    snprintf(moved, sizeof moved, "%s/moved", folder);
    assert_int_equal(rename(path, moved), 0);
    note(s, 2);
    WAIT_FOR(lines_in(moved) == 2);
    writer_reopen(w);
    WAIT_FOR(access(path, F_OK) == 0); /* at once, not with the next record */
    note(s, 3);
    WAIT_FOR(lines_in(path) == 1);
    assert_int_equal(whole_lines_in(moved), 2);
    stream_free(&s);
    writer_stop(&w, 1000);
}

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

static void full_disk_drops(void **state)
{
    struct writer *w = open_writer((struct writer_config){ .on_full = ON_FULL_DROP });
    struct stream *s = stream_new(w, on_room, NULL);
    unsigned n = 0, lost = 0;

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

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(flush_and_stop),    TEST(each_record_at_once),
        TEST(appends),           TEST(start_errors),
        TEST(rotates_by_size),   TEST(rotates_by_age),
        TEST(follows_the_clock), TEST(reopens),
        TEST(full_disk_pauses),  TEST(full_disk_drops),
        TEST(device_is_full),    TEST(queue_is_bounded),
        TEST(slow_pipe),         TEST(survives_kill),
        TEST(many_threads),
    };

    log_set_level(LOG_ERROR + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
