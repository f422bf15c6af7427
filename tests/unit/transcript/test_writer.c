/* The writer on a good day: flushing, appending, rotating, reopening. */
#include "unit/transcript/rig.h"

#include <time.h>

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
    c.file = path;
    struct writer *w = writer_start(&c, error, sizeof error);
    assert_non_null(w);
    assert_string_equal(error, "");
    writer_stop(&w, 1000);
}

/* What cannot be made is told as that, not as what a second try says of a missing file. */
static void first_reason(void **state)
{
    bool root = geteuid() == 0;
    struct writer_config c = { .file = path, .fd = -1 };
    char error[256];

    (void)state;
    assert_int_equal(chmod(folder, 0555), 0);
    assert_int_equal(root ? seteuid(65534) : 0, 0);
    assert_null(writer_start(&c, error, sizeof error));
    assert_int_equal(root ? seteuid(0) : 0, 0);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_non_null(strstr(error, "Permission denied"));
}

static void links_of_others(void **state)
{
    struct writer_config c = { .file = path, .fd = -1 };
    char error[512], inside[128];

    (void)state;
    if (geteuid() != 0)
        skip();
    snprintf(inside, sizeof inside, "%s/t.jsonl/mails", folder);
    assert_int_equal(symlink("/tmp", path), 0);
    assert_int_equal(lchown(path, 4711, 4711), 0);
    assert_null(writer_start(&c, error, sizeof error));
    assert_non_null(strstr(error, "a symbolic link of another user"));
    c = (struct writer_config){
        .file = "/dev/null", .fd = -1, .content = CONTENT_LEVEL_FULL, .spool = path
    };
    assert_null(writer_start(&c, error, sizeof error));
    assert_non_null(strstr(error, "a symbolic link of another user"));
    c.spool = inside;
    assert_null(writer_start(&c, error, sizeof error));
    assert_non_null(strstr(error, "a symbolic link of another user"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(flush_and_stop),  TEST(each_record_at_once), TEST(appends),
        TEST(start_errors),    TEST(first_reason),        TEST(links_of_others),
        TEST(rotates_by_size), TEST(rotates_by_age),      TEST(follows_the_clock),
        TEST(reopens),
    };

    log_set_level(LOG_ERROR + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
