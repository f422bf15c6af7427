#include "base/trusted_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    LINKS_MAX = 40, /* as the kernel */
    GO_ON = -2,     /* neither a descriptor nor a failure */
};

struct walk {
    int dir; /* where `rest` begins, O_PATH */
    unsigned links;
    char rest[PATH_MAX];
};

static bool is_trusted(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

static int fail(int error)
{
    errno = error;
    return -1;
}

/* close() that keeps errno. */
static void drop(int fd)
{
    int error = errno;

    if (fd >= 0)
        close(fd);
    errno = error;
}

static void enter(struct walk *w, int dir)
{
    drop(w->dir);
    w->dir = dir;
}

/* Takes the first name off the rest; "." when there is none. True: it was the last. */
static bool next_name(struct walk *w, char name[PATH_MAX])
{
    const char *start = w->rest + strspn(w->rest, "/");
    size_t len = strcspn(start, "/");

    memcpy(name, start, len);
    name[len] = '\0';
    if (len == 0)
        memcpy(name, ".", sizeof ".");
    memmove(w->rest, start + len, strlen(start + len) + 1);
    return w->rest[0] == '\0';
}

/* The rest goes on behind the link's target. */
static int follow(struct walk *w, int link)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t n = readlinkat(link, "", target, sizeof target);

    if (n < 0)
        return -1;
    if (n == 0 || ++w->links > LINKS_MAX)
        return fail(n == 0 ? ENOENT : ELOOP);
    memcpy(rest, w->rest, sizeof rest);
    if ((size_t)n + strlen(rest) >= sizeof w->rest)
        return fail(ENAMETOOLONG);
    memcpy(w->rest, target, (size_t)n);
    memcpy(w->rest + n, rest, strlen(rest) + 1);
    if (w->rest[0] == '/')
        enter(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    return w->dir < 0 ? -1 : GO_ON;
}

/* Links of /proc, as /dev/stdout is one, lead to what is open: no text says where. */
static bool is_of_proc(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* What is no link is entered; a link is followed. `flags`: to open what a link of /proc leads
 * to. Its descriptor, GO_ON or -1. */
static int step(struct walk *w, const char *name, int flags, mode_t mode)
{
    int fd = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st = { .st_uid = (uid_t)-1 };
    int result;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && !S_ISLNK(st.st_mode)) {
        enter(w, fd);
        return GO_ON;
    }
    if (!is_trusted(&st))
        result = fail(ELOOP);
    else if (is_of_proc(fd))
        result = openat(w->dir, name, flags | O_CLOEXEC, mode);
    else
        result = follow(w, fd);
    drop(fd);
    return result;
}

/* A folder on the way. GO_ON or -1. */
static int step_in(struct walk *w, const char *name)
{
    int fd = step(w, name, O_PATH | O_DIRECTORY, 0);

    if (fd < 0)
        return fd;
    enter(w, fd);
    return GO_ON;
}

static bool is_planted(int dir, int fd)
{
    struct stat folder, file;

    return fstat(dir, &folder) == 0 && fstat(fd, &file) == 0 && (folder.st_mode & S_IWOTH) &&
           (S_ISREG(file.st_mode) || S_ISFIFO(file.st_mode)) && !is_trusted(&file);
}

/* By errno: what open() says of a link. */
static bool maybe_link(int flags)
{
    return errno == ELOOP || (errno == ENOTDIR && (flags & O_DIRECTORY));
}

/* The descriptor, GO_ON when it was a link, or -1. */
static int open_last(struct walk *w, const char *name, int flags, mode_t mode)
{
    int fd = openat(w->dir, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);

    if (fd < 0)
        return maybe_link(flags) ? step(w, name, flags, mode) : -1;
    if (!is_planted(w->dir, fd))
        return fd;
    close(fd);
    return fail(EPERM);
}

int trusted_open(const char *path, int flags, mode_t mode)
{
    struct walk w = { .dir = -1 };
    char name[PATH_MAX];
    int fd = GO_ON;

    if (path[0] == '\0')
        return fail(ENOENT);
    if ((size_t)snprintf(w.rest, sizeof w.rest, "%s", path) >= sizeof w.rest)
        return fail(ENAMETOOLONG);
    w.dir = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (w.dir < 0)
        return -1;
    while (fd == GO_ON)
        fd = next_name(&w, name) ? open_last(&w, name, flags, mode) : step_in(&w, name);
    drop(w.dir);
    return fd;
}

const char *trusted_open_reason(int error)
{
    switch (error) {
    case ELOOP:
        return "it is, or leads through, a symbolic link of another user: name the file "
               "itself, "
               "or give the link to root (chown -h root)";
    case EPERM:
        return "not permitted: the file is another user's, in a folder where everybody may "
               "write (remove it, or use another folder), or it must not change (lsattr)";
    default:
        return strerror(error);
    }
}
