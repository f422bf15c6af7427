/*
 * rig - what the tests of the writer share: a folder, records of about 300 octets, and
 * waiting for what another thread does.
 */
#ifndef UNIT_TRANSCRIPT_RIG_H
#define UNIT_TRANSCRIPT_RIG_H

#include "unit/transcript/lines.h"

#include "base/log.h"
#include "transcript/record.h"
#include "transcript/writer.h"

#include <dirent.h>
#include <stdatomic.h>

enum { WAIT_MS = 20000 };

static char folder[64], path[96];
static atomic_int rooms;

static inline int make(void **state)
{
    (void)state;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/t.jsonl", folder);
    atomic_store(&rooms, 0);
    return 0;
}

static inline int each_file(int (*use)(const char *))
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

static inline int clean(void **state)
{
    (void)state;
    each_file(unlink);
    return rmdir(folder);
}

static inline int whole_lines_in(const char *file)
{
    char *text = file_text(file);
    size_t n = check_whole_lines(text);

    free(text);
    return (int)n;
}

/* While it grows: another process may see a part of the last write. */
static inline int lines_in(const char *file)
{
    char *text = file_text(file);
    size_t n = count_text(text, "\n");

    free(text);
    return (int)n;
}

static inline int one(const char *file)
{
    return access(file, F_OK) == 0;
}

static inline void on_room(void *arg)
{
    (void)arg;
    atomic_fetch_add(&rooms, 1);
}

static inline struct writer *open_writer(struct writer_config c)
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
static inline void note(struct stream *s, unsigned i)
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

static inline uint64_t stat_of(struct writer *w, size_t offset)
{
    struct writer_stats s;
    uint64_t v;

    writer_get_stats(w, &s);
    memcpy(&v, (char *)&s + offset, sizeof v);
    return v;
}

#define STAT(w, name) stat_of((w), offsetof(struct writer_stats, name))

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, clean)

#endif
