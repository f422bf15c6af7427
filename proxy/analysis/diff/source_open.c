#include "analysis/diff/source_open.h"

#include "base/escape.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COPY_OCTETS = 256 * 1024 };

static bool fail(char error[SOURCE_ERROR_MAX], const char *name, const char *why)
{
    char safe[256];

    escape(safe, sizeof safe, span_str(name));
    snprintf(error, SOURCE_ERROR_MAX, "%s: %s", safe, why);
    return false;
}

static const char *temporary_folder(void)
{
    const char *folder = getenv("TMPDIR");

    return folder != NULL && folder[0] != '\0' ? folder : "/tmp";
}

/* An unlinked file; -1: errno says why. */
static int temporary(void)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/smtpscope-diff.XXXXXX", temporary_folder());
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static bool write_all(int fd, const unsigned char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* All that comes from `from`, into a temporary file; -1: errno. */
static int copy_of(int from)
{
    unsigned char *part = malloc(COPY_OCTETS);
    int to = part != NULL ? temporary() : -1;
    ssize_t n = 0;

    while (to >= 0 && (n = read(from, part, COPY_OCTETS)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || !write_all(to, part, (size_t)n)) {
            int code = errno;
            close(to);
            to = -1;
            errno = code;
        }
    }
    free(part);
    return to;
}

/* pcap in both orders and with nanoseconds, pcapng. */
static bool is_capture(int fd)
{
    static const unsigned char magics[][4] = { { 0xa1, 0xb2, 0xc3, 0xd4 },
                                               { 0xd4, 0xc3, 0xb2, 0xa1 },
                                               { 0xa1, 0xb2, 0x3c, 0x4d },
                                               { 0x4d, 0x3c, 0xb2, 0xa1 },
                                               { 0x0a, 0x0d, 0x0d, 0x0a } };
    unsigned char head[4];

    if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(magics); i++)
        if (memcmp(head, magics[i], sizeof head) == 0)
            return true;
    return false;
}

static bool make_spool(struct source_import *import)
{
    if (import->spool[0] != '\0')
        return true;
    int n = snprintf(import->spool, sizeof import->spool, "%s/smtpscope-diff.XXXXXX",
                     temporary_folder());
    if (n < (int)sizeof import->spool && mkdtemp(import->spool) != NULL)
        return true;
    import->spool[0] = '\0';
    return false;
}

void source_import_end(struct source_import *import)
{
    DIR *d = import->spool[0] != '\0' ? opendir(import->spool) : NULL;

    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    if (d != NULL)
        closedir(d);
    if (import->spool[0] != '\0')
        rmdir(import->spool);
    import->spool[0] = '\0';
}

/* The capture is its standard input, the transcript its output. */
static bool run_importer(const struct source_import *import, const char *name, int capture,
                         int transcript)
{
    const char *const words[] = { import->program, "-",    "-o",      "-",
                                  "--content",     "full", "--spool", import->spool,
                                  "--vantage",     name,   NULL };
    char *argv[ARRAY_LEN(words)];
    posix_spawn_file_actions_t files;
    int status = -1;
    pid_t pid;

    memcpy(argv, words, sizeof argv);
    if (posix_spawn_file_actions_init(&files) != 0)
        return false;
    bool started = posix_spawn_file_actions_adddup2(&files, capture, STDIN_FILENO) == 0 &&
                   posix_spawn_file_actions_adddup2(&files, transcript, STDOUT_FILENO) == 0 &&
                   posix_spawn(&pid, import->program, &files, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&files);
    while (started && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return started && WIFEXITED(status) && WEXITSTATUS(status) < 2;
}

/* What the importer makes of the capture; -1: `error` says why. */
static int imported(int capture, const char *name, struct source_import *import,
                    char error[SOURCE_ERROR_MAX])
{
    bool can = import->program != NULL;
    int fd = can && make_spool(import) ? temporary() : -1;

    if (fd >= 0 && lseek(capture, 0, SEEK_SET) == 0 && run_importer(import, name, capture, fd))
        return fd;
    fail(error, name,
         can ? "this is a capture, and smtpscope-import could not read it"
             : "this is a capture; make a transcript of it with 'smtpscope import' first");
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Replaces the descriptor; false: there is none in its place, and it stays. */
static bool replace(int *fd, int by)
{
    if (by < 0)
        return false;
    close(*fd);
    *fd = by;
    return true;
}

static bool make_regular(struct source_file *f, char error[SOURCE_ERROR_MAX])
{
    struct stat st;

    if (fstat(f->fd, &st) != 0)
        return fail(error, f->name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return fail(error, f->name, "this is a folder; name the files in it");
    if (!S_ISREG(st.st_mode) && !replace(&f->fd, copy_of(f->fd)))
        return fail(error, f->name, strerror(errno));
    return true;
}

bool source_file_open(struct source_file *f, const char *name, struct source_import *import,
                      char error[SOURCE_ERROR_MAX])
{
    bool standard = strcmp(name, "-") == 0;
    struct stat st;

    f->name = standard ? "standard input" : name;
    f->fd =
        standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(name, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0)
        return fail(error, f->name, strerror(errno));
    if (make_regular(f, error) &&
        (!is_capture(f->fd) || replace(&f->fd, imported(f->fd, f->name, import, error)))) {
        if (fstat(f->fd, &st) == 0) {
            f->size = (uint64_t)st.st_size;
            return true;
        }
        fail(error, f->name, strerror(errno));
    }
    close(f->fd);
    return false;
}
