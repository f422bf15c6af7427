#include "transcript/read/reader.h"

#include "base/escape.h"
#include "transcript/read/shape.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_OCTETS = 65536,
    WATCHED_MAX = 65536, /* sessions */
    NAME_SHOWN_MAX = 256,
};

/*
 *   0 .. line      lines already given out
 *   line .. seen   of the current line, no newline in it
 *   seen .. used   read, not looked at
 */
struct reader {
    char *path;
    char name[NAME_SHOWN_MAX]; /* safe for a terminal */
    int fd;
    unsigned char *buf;
    size_t line, seen, used, size;
    bool skipping; /* the rest of a line that is too long */
    uint64_t lines;
    json_t *last; /* sid -> n, of the sessions under way */
    char error[READER_ERROR_MAX];
};

struct reader *reader_open(const char *path, char error[READER_ERROR_MAX])
{
    struct reader *r = calloc(1, sizeof *r);
    bool standard = strcmp(path, "-") == 0;

    if (r != NULL) {
        r->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
        r->path = strdup(path);
        r->last = json_object();
        r->size = 2 * READ_OCTETS;
        r->buf = malloc(r->size);
        escape(r->name, sizeof r->name, span_str(standard ? "standard input" : path));
    }
    if (r != NULL && r->fd >= 0 && r->path != NULL && r->last != NULL && r->buf != NULL)
        return r;
    char safe[NAME_SHOWN_MAX];
    int code = r != NULL && r->fd < 0 ? errno : ENOMEM;
    escape(safe, sizeof safe, span_str(path));
    snprintf(error, READER_ERROR_MAX, "%s: %s", safe, strerror(code));
    reader_close(&r);
    return NULL;
}

void reader_close(struct reader **rp)
{
    struct reader *r = *rp;

    *rp = NULL;
    if (r == NULL)
        return;
    if (r->fd > STDIN_FILENO)
        close(r->fd);
    json_decref(r->last);
    free(r->buf);
    free(r->path);
    free(r);
}

const char *reader_error(const struct reader *r)
{
    return r->error;
}

const char *reader_name(const struct reader *r)
{
    return r->name;
}

uint64_t reader_line(const struct reader *r)
{
    return r->lines;
}

bool reader_has_line(const struct reader *r)
{
    return span_find(span_of(r->buf + r->seen, r->used - r->seen), '\n') < r->used - r->seen;
}

bool reader_is_regular(const struct reader *r)
{
    struct stat st;

    return fstat(r->fd, &st) == 0 && S_ISREG(st.st_mode);
}

size_t reader_cut(const struct reader *r)
{
    return r->used - r->line;
}

static void set_error(struct reader *r, const char *what)
{
    snprintf(r->error, sizeof r->error, "%s:%llu: %.*s", r->name, (unsigned long long)r->lines,
             READER_ERROR_MAX - NAME_SHOWN_MAX - 32, what);
}

/* Room for one more read: forgets what was given out, grows up to the longest line. */
static bool make_room(struct reader *r)
{
    assert(r->line <= r->seen && r->seen <= r->used && r->used <= r->size);
    if (r->line > 0) {
        memmove(r->buf, r->buf + r->line, r->used - r->line);
        r->used -= r->line;
        r->seen -= r->line;
        r->line = 0;
    }
    if (r->size - r->used >= READ_OCTETS)
        return true;
    size_t size = 2 * r->size;
    unsigned char *p = realloc(r->buf, size);
    if (p == NULL)
        return false;
    r->buf = p;
    r->size = size;
    return true;
}

/* 1: there is more; 0: not now; -1: failed. */
static int read_more(struct reader *r)
{
    ssize_t n;

    if (!make_room(r)) {
        set_error(r, "out of memory");
        return -1;
    }
    do
        n = read(r->fd, r->buf + r->used, READ_OCTETS);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        set_error(r, strerror(errno));
    else
        r->used += (size_t)n;
    return n > 0 ? 1 : (int)n;
}

/* 1: *line is the next one; 0: not now; -1: failed; -2: too long. */
static int next_line(struct reader *r, struct span *line)
{
    for (;;) {
        size_t n = span_find(span_of(r->buf + r->seen, r->used - r->seen), '\n');
        bool whole = r->seen + n < r->used;
        bool skipped = r->skipping;
        r->seen += n;
        if (whole) {
            *line = span_of(r->buf + r->line, r->seen - r->line);
            r->line = ++r->seen;
            r->skipping = false;
            if (skipped)
                continue;
            r->lines++;
            return 1;
        }
        if (skipped || r->seen - r->line > READER_LINE_MAX) {
            r->line = r->seen;
            r->skipping = true;
            r->lines += !skipped;
        }
        if (r->skipping && !skipped)
            return -2;
        int more = read_more(r);
        if (more <= 0)
            return more;
    }
}

/* How many records of its session are missing before this one. */
static bool watch_order(struct reader *r, struct record *out)
{
    json_t *before = json_object_get(r->last, out->sid);
    uint64_t last = (uint64_t)json_integer_value(before);

    if (before != NULL && out->n <= last) {
        set_error(r, "field \"n\" does not rise within the session");
        return false;
    }
    out->missing = before != NULL ? out->n - last - 1 : 0;
    if (out->kind == RECORD_CLOSE) {
        json_object_del(r->last, out->sid);
        return true;
    }
    if (json_object_size(r->last) >= WATCHED_MAX)
        json_object_clear(r->last);
    json_object_set_new(r->last, out->sid, json_integer((json_int_t)out->n));
    return true;
}

enum reader_result reader_next(struct reader *r, struct record *out)
{
    char error[READER_ERROR_MAX];
    struct span line;

    switch (next_line(r, &line)) {
    case 1:
        break;
    case 0:
        return READER_END;
    case -1:
        return READER_FAILED;
    default:
        set_error(r, "the line is longer than 4 MiB");
        return READER_BAD;
    }
    if (!record_parse(line, out, error)) {
        set_error(r, error);
        return READER_BAD;
    }
    if (watch_order(r, out))
        return READER_RECORD;
    record_free(out);
    return READER_BAD;
}

static void restart(struct reader *r)
{
    r->line = r->seen = r->used = 0;
    r->skipping = false;
    r->lines = 0;
}

bool reader_follow(struct reader *r)
{
    struct stat now, named;

    if (r->fd <= STDIN_FILENO || fstat(r->fd, &now) != 0 || !S_ISREG(now.st_mode))
        return false;
    if (stat(r->path, &named) != 0)
        return false; /* renamed and not yet made again */
    if (named.st_ino == now.st_ino && named.st_dev == now.st_dev) {
        off_t at = lseek(r->fd, 0, SEEK_CUR);
        if (now.st_size >= at || lseek(r->fd, 0, SEEK_SET) != 0)
            return false;
        restart(r);
        return true;
    }
    int fd = open(r->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    close(r->fd);
    r->fd = fd;
    restart(r);
    return true;
}
