#include "transcript/file.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/trusted_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    NUMBER_MAX = 1000000,
    POLL_MS = 1000,    /* a pipe that takes nothing for so long is failing */
    LOOK_BACK = 65536, /* for the end of the last whole line */
};

struct file {
    struct sink sink;
    const struct writer_config *config;
    int fd;    /* -1: to be opened */
    bool ours; /* opened here */
    bool regular;
    bool cannot_rotate; /* said once per file */
    uint64_t size;
    uint64_t opened_us; /* clock_monotonic_us() */
    time_t named;       /* when the name was last made */
    unsigned number;    /* of the last rotated file */
    char path[PATH_MAX];
};

bool writer_file_name(const char *template, time_t now, char out[PATH_MAX])
{
    struct tm tm;

    if (strchr(template, '%') == NULL)
        return (size_t)snprintf(out, PATH_MAX, "%s", template) < PATH_MAX;
    gmtime_r(&now, &tm);
    /* The format is the operator's, from the configuration. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return strftime(out, PATH_MAX, template, &tm) > 0;
#pragma GCC diagnostic pop
}

/* Offset behind the last LF of the file, as far as LOOK_BACK reaches; -1: none there. */
static off_t last_line_end(int fd, off_t size)
{
    unsigned char buf[4096];

    for (off_t back = 0; back < size && back < LOOK_BACK;) {
        off_t n = size - back < (off_t)sizeof buf ? size - back : (off_t)sizeof buf;
        if (pread(fd, buf, (size_t)n, size - back - n) != n)
            return -1;
        const unsigned char *lf = memrchr(buf, '\n', (size_t)n);
        if (lf != NULL)
            return size - back - n + (lf - buf) + 1;
        back += n;
    }
    return size <= LOOK_BACK ? 0 : -1;
}

/* A cut last line of ours goes; anything else that does not end in LF gets one. */
static int mend_end(struct file *f)
{
    static const char ours[] = "{\"v\":1,";
    char start[sizeof ours - 1] = { 0 };
    off_t size = (off_t)f->size, end = last_line_end(f->fd, size);

    if (size == 0 || end == size)
        return 0;
    ssize_t n = end < 0 ? 0 : pread(f->fd, start, sizeof start, end);
    if (n > 0 && memcmp(start, ours, (size_t)n) == 0) {
        log_warn("transcript %s: removed the last line, which was incomplete", f->path);
        f->size = (uint64_t)end;
        return ftruncate(f->fd, end) == 0 ? 0 : errno;
    }
    if (write(f->fd, "\n", 1) != 1)
        return errno;
    f->size++;
    return 0;
}

static void file_adopt(struct file *f, int fd, bool ours)
{
    struct stat st;

    f->fd = fd;
    f->ours = ours;
    f->regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    f->size = f->regular ? (uint64_t)st.st_size : 0;
    f->sink.middle = false;
    f->cannot_rotate = false;
}

/* 0 or an errno. What cannot be read may be written to all the same: devices, drop boxes. If
 * it may not, the first reason counts: the second knows nothing of a file to be made. */
static int open_path(struct file *f, int *fd)
{
    *fd = trusted_open(f->path, O_RDWR | O_APPEND | O_CREAT, (mode_t)f->config->file_mode);
    int error = *fd < 0 ? errno : 0;
    if (error == EACCES)
        *fd = trusted_open(f->path, O_WRONLY | O_APPEND, 0);
    return *fd < 0 ? error : 0;
}

static int file_open(struct file *f)
{
    time_t now = (time_t)(clock_wall_us() / 1000000);
    int fd;

    f->opened_us = clock_monotonic_us();
    f->named = now;
    if (f->config->fd >= 0 || strcmp(f->config->file, "-") == 0) {
        bool unnamed = f->config->file[0] == '\0' || strcmp(f->config->file, "-") == 0;
        snprintf(f->path, sizeof f->path, "%s",
                 f->config->fd < 0 ? "standard output"
                 : unnamed         ? "pipe"
                                   : f->config->file);
        file_adopt(f, f->config->fd >= 0 ? f->config->fd : STDOUT_FILENO, false);
        return 0;
    }
    if (!writer_file_name(f->config->file, now, f->path))
        return ENAMETOOLONG;
    int error = open_path(f, &fd);
    if (error != 0)
        return error;
    file_adopt(f, fd, true);
    return f->regular ? mend_end(f) : 0;
}

static void file_close(struct file *f)
{
    if (f->fd >= 0 && f->ours)
        close(f->fd);
    f->fd = -1;
}

/* Renames without ever replacing a file. 0 or an errno. */
static int rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    if (link(from, to) != 0)
        return errno;
    return unlink(from) == 0 ? 0 : errno;
}

static int rotate_name(struct file *f)
{
    char to[PATH_MAX + 16];
    int error = EEXIST;

    while (error == EEXIST && f->number < NUMBER_MAX) {
        snprintf(to, sizeof to, "%s.%u", f->path, ++f->number);
        error = rename_new(f->path, to);
    }
    return error;
}

static int file_rotate(struct file *f)
{
    int error = rotate_name(f);

    if (error != 0 && error != ENOENT) { /* moved away by somebody: open a new one */
        log_error("transcript %s: cannot rotate: %s; it keeps growing", f->path,
                  strerror(error));
        f->cannot_rotate = true;
        return 0;
    }
    f->sink.rotations++;
    file_close(f);
    return file_open(f);
}

static bool too_old(const struct file *f)
{
    uint64_t age = f->config->rotate_seconds;

    return age != 0 && f->size > 0 && (clock_monotonic_us() - f->opened_us) / 1000000 >= age;
}

/* Follows the clock: another name, or an age. */
static int file_follow_time(struct file *f)
{
    time_t now = (time_t)(clock_wall_us() / 1000000);
    char name[PATH_MAX];

    if (f->fd < 0)
        return file_open(f);
    if (!f->ours || now == f->named)
        return 0;
    f->named = now;
    if (!writer_file_name(f->config->file, now, name))
        return ENAMETOOLONG;
    if (strcmp(name, f->path) != 0) {
        f->number = 0;
        file_close(f);
        return file_open(f);
    }
    if (f->regular && !f->cannot_rotate && too_old(f))
        return file_rotate(f);
    return 0;
}

/* How much of the lines the file may take before it is rotated; at least one line. */
static size_t until_full(const struct file *f, struct span lines)
{
    uint64_t max = f->config->rotate_octets;
    size_t room = max > f->size ? (size_t)(max - f->size) : 0;

    if (max == 0 || !f->ours || !f->regular || f->cannot_rotate || lines.len <= room)
        return lines.len;
    const unsigned char *lf = room ? memrchr(lines.ptr, '\n', room) : NULL;
    if (lf != NULL)
        return (size_t)(lf - lines.ptr) + 1;
    return f->size > 0 ? 0 : span_find(lines, '\n') + 1;
}

/* After k octets and an error: back to the last whole line. Returns what stays. */
static size_t take_back(struct file *f, const unsigned char *p, size_t k)
{
    const unsigned char *lf = memrchr(p, '\n', k);
    size_t whole = lf ? (size_t)(lf - p) + 1 : 0;
    struct stat st;

    if (whole == k || !f->regular)
        return k;
    if (fstat(f->fd, &st) != 0 || (uint64_t)st.st_size != f->size + k)
        return k; /* somebody else writes there, too */
    return ftruncate(f->fd, (off_t)(f->size + whole)) == 0 ? whole : k;
}

/* A pipe may be stuck for ever: never write more than it surely takes at once. */
static ssize_t write_some(const struct file *f, struct span s)
{
    struct pollfd p = { .fd = f->fd, .events = POLLOUT };

    if (f->regular)
        return write(f->fd, s.ptr, s.len);
    if (poll(&p, 1, POLL_MS) > 0)
        return write(f->fd, s.ptr, s.len < PIPE_BUF ? s.len : PIPE_BUF);
    errno = EAGAIN;
    return -1;
}

/* One stretch into the file as it is. */
static int write_all(struct file *f, struct span s, size_t *done)
{
    size_t k = 0;
    int error = 0;

    while (k < s.len && error == 0) {
        ssize_t n = write_some(f, span_drop(s, k));
        if (n >= 0)
            k += (size_t)n;
        else if (errno != EINTR)
            error = errno;
    }
    if (error != 0)
        k = take_back(f, s.ptr, k);
    f->size += k;
    f->sink.middle = k > 0 ? s.ptr[k - 1] != '\n' : f->sink.middle;
    *done += k;
    return error;
}

static int sink_open(struct sink *s)
{
    return file_open((struct file *)s);
}

static int sink_write(struct sink *s, struct span lines, size_t *done)
{
    struct file *f = (struct file *)s;

    while (*done < lines.len) {
        int error = f->sink.middle ? 0 : file_follow_time(f);
        if (error != 0)
            return error;
        struct span left = span_drop(lines, *done);
        size_t n = f->sink.middle ? left.len : until_full(f, left);
        error = n > 0 ? write_all(f, span_first(left, n), done) : file_rotate(f);
        if (error != 0)
            return error;
    }
    return 0;
}

static int sink_reopen(struct sink *s)
{
    file_close((struct file *)s);
    return file_open((struct file *)s);
}

static void sink_close(struct sink *s)
{
    file_close((struct file *)s);
    free(s);
}

static void sink_name(const struct sink *s, char *out, size_t size)
{
    snprintf(out, size, "%s", ((const struct file *)s)->path);
}

struct sink *file_new(const struct writer_config *c)
{
    static const struct sink_ops ops = { sink_open, sink_write, sink_reopen, sink_close,
                                         sink_name };
    struct file *f = malloc(sizeof *f);

    if (f == NULL)
        return NULL;
    *f = (struct file){ .sink = { .ops = &ops }, .config = c, .fd = -1 };
    return &f->sink;
}
