#include "app/privileges.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

unsigned privileges_raise_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        limit.rlim_cur = soft;
    return limit.rlim_cur > UINT_MAX ? UINT_MAX : (unsigned)limit.rlim_cur;
}

static bool become(const struct passwd *pw)
{
    if (geteuid() == pw->pw_uid && getuid() == pw->pw_uid)
        return true;
    return initgroups(pw->pw_name, pw->pw_gid) == 0 &&
           setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == 0 &&
           setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == 0;
}

bool privileges_drop(const char *user, char *error, size_t size)
{
    if (user == NULL || *user == '\0') {
        if (geteuid() == 0)
            log_warn("running as root: set `user` in the configuration");
    } else {
        errno = 0;
        const struct passwd *pw = getpwnam(user);
        if (pw == NULL) {
            snprintf(error, size, "user \"%s\": %s", user,
                     errno != 0 ? strerror(errno) : "no such user");
            return false;
        }
        if (!become(pw)) {
            snprintf(error, size,
                     "cannot become user \"%s\": %s (start as root, or leave `user` empty)",
                     user, strerror(errno));
            return false;
        }
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        log_warn("cannot give up new privileges: %s", strerror(errno));
    return true;
}
