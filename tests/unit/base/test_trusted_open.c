/* Links of others are not followed, wherever they stand. Those of others need root to make. */
#include "base/trusted_open.h"
#include "unit/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { SOMEBODY = 4711, WE = 65534, LINES_MAX = 200 };

static char folder[] = "/tmp/trusted-open-XXXXXX";

/* "NAME": a path in the folder of the test; valid for eight calls. */
static const char *in(const char *name)
{
    static char text[8][LINES_MAX];
    static unsigned n;

    n = (n + 1) % 8;
    snprintf(text[n], sizeof text[n], "%s/%s", folder, name);
    return text[n];
}

static void make_link(const char *name, const char *to, uid_t owner)
{
    assert_int_equal(symlink(to, in(name)), 0);
    if (geteuid() == 0)
        assert_int_equal(lchown(in(name), owner, (gid_t)-1), 0);
}

/* Opened, and it is the file of that path. */
static void check_opens(const char *path, const char *is)
{
    struct stat a, b;
    int fd = trusted_open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

    if (fd < 0)
        fail_msg("%s: %s", path, strerror(errno));
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fstat(fd, &a), 0);
    assert_int_equal(stat(is, &b), 0);
    assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
    close(fd);
}

static void check_refuses(const char *path, int error)
{
    int fd = trusted_open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

    if (fd >= 0 || errno != error)
        fail_msg("%s: %s, wanted %s", path, fd >= 0 ? "opened" : strerror(errno),
                 strerror(error));
}

static void plain_paths(void **state)
{
    (void)state;
    check_opens(in("file"), in("file"));
    check_opens(in("a/../a//file"), in("a/file"));
    check_opens(in("./a/./file"), in("a/file"));
    check_refuses(in("a/"), EISDIR);
    check_refuses(in("file/"), ENOTDIR);
    check_refuses(in("file/x"), ENOTDIR);
    check_refuses(in("no/x"), ENOENT);
    check_refuses("", ENOENT);
    assert_int_equal(chdir(folder), 0);
    check_opens("here", in("here"));
    check_opens("a/file", in("a/file"));
    assert_int_equal(chdir("/"), 0);
    check_opens("/dev/null", "/dev/null");
}

static void long_paths(void **state)
{
    static char path[5000];

    (void)state;
    memset(path, '/', sizeof path - 1);
    check_refuses(path, ENAMETOOLONG);
    memset(path, 'x', 300);
    path[300] = '\0';
    check_refuses(path, ENAMETOOLONG);
}

static void our_links_are_followed(void **state)
{
    (void)state;
    make_link("l-file", "file", geteuid());
    make_link("l-abs", in("file"), geteuid());
    make_link("l-a", "a", geteuid());
    make_link("l-two", "l-a/l-in", geteuid());
    make_link("a/l-in", "../new", geteuid());
    check_opens(in("l-file"), in("file"));
    check_opens(in("l-abs"), in("file"));
    check_opens(in("l-a/file"), in("a/file"));
    check_opens(in("l-two"), in("new"));
    make_link("l-round", "l-round", geteuid());
    check_refuses(in("l-round"), ELOOP);
    make_link("l-none", "no/x", geteuid());
    check_refuses(in("l-none"), ENOENT);
}

/* What is open already, whatever it is called: /dev/stdout. */
static void open_files_are_followed(void **state)
{
    char path[64];
    int fd = open(in("open"), O_WRONLY | O_CREAT, 0600);

    (void)state;
    assert_true(fd >= 0);
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    check_opens(path, in("open"));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    check_opens(path, in("open"));
    assert_int_equal(unlink(in("open")), 0);
    int again = trusted_open(path, O_WRONLY, 0);
    assert_true(again >= 0);
    close(again);
    close(fd);
}

static void links_of_others_are_not(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    make_link("o-file", "file", SOMEBODY);
    make_link("o-a", "a", SOMEBODY);
    make_link("o-made", "made", SOMEBODY);
    make_link("l-o", "o-a/file", 0);
    check_refuses(in("o-file"), ELOOP);
    check_refuses(in("o-a/file"), ELOOP);
    check_refuses(in("o-made"), ELOOP);
    check_refuses(in("l-o"), ELOOP);
    assert_int_not_equal(access(in("made"), F_OK), 0);
    assert_true(trusted_open(in("o-a"), O_PATH | O_DIRECTORY, 0) < 0);
    assert_int_equal(errno, ELOOP);
}

/* Not as root: its links are followed, and one's own. */
static void as_another_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    make_link("r-b", "b", 0);
    make_link("w-b", "b", WE);
    make_link("o-b", "b", SOMEBODY);
    assert_int_equal(seteuid(WE), 0);
    check_opens(in("r-b/1"), in("b/1"));
    check_opens(in("w-b/2"), in("b/2"));
    check_refuses(in("o-b/3"), ELOOP);
    check_refuses(in("a/none"), EACCES);
    assert_int_equal(seteuid(0), 0);
}

/* In a folder of all somebody may have made the file before. */
static void files_of_others_in_a_folder_of_all(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(mknod(in("b/theirs"), S_IFREG | 0666, 0), 0);
    assert_int_equal(chown(in("b/theirs"), SOMEBODY, (gid_t)-1), 0);
    assert_int_equal(mknod(in("a/theirs"), S_IFREG | 0666, 0), 0);
    assert_int_equal(chown(in("a/theirs"), SOMEBODY, (gid_t)-1), 0);
    int fd = trusted_open(in("b/theirs"), O_WRONLY | O_APPEND, 0);
    assert_true(fd < 0 && errno == EPERM);
    check_opens(in("a/theirs"), in("a/theirs"));
}

static int make_folders(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(mkdir(in("a"), 0755), 0);
    assert_int_equal(mkdir(in("b"), 0755), 0);
    assert_int_equal(chmod(in("b"), 01777), 0);
    return 0;
}

static int remove_folders(void **state)
{
    char command[LINES_MAX];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_paths),
        cmocka_unit_test(long_paths),
        cmocka_unit_test(our_links_are_followed),
        cmocka_unit_test(open_files_are_followed),
        cmocka_unit_test(links_of_others_are_not),
        cmocka_unit_test(as_another_user),
        cmocka_unit_test(files_of_others_in_a_folder_of_all),
    };

    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
