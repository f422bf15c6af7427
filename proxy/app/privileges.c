#include "app/privileges.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "transport/origin.h"

#define BIT(capability) (UINT64_C(1) << (capability))

struct capabilities {
    uint64_t effective, permitted, inheritable;
};

unsigned raise_fd_limit(void)
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

/* ---- what is needed ---- */

static const char *transparent_key(const struct relay_settings *s, bool started)
{
    if (s->source_client)
        return "source = \"client\"";
    if (s->intercept == INTERCEPT_TPROXY && !started)
        return "intercept = \"tproxy\"";
    return NULL;
}

bool privileges_suffice(const struct config *c, bool started, char *error, size_t size)
{
    static const char give[] =
        "start as root, or grant it: setcap cap_net_raw,cap_net_bind_service+ep FILE, "
        "AmbientCapabilities=CAP_NET_RAW CAP_NET_BIND_SERVICE of systemd, or docker run "
        "--cap-add=NET_RAW";

    for (unsigned i = 0; i < c->listener_count; i++) {
        const struct relay_settings *s = c->listeners[i].settings;
        const char *key = transparent_key(s, started);

        if (key == NULL)
            continue;
        if (origin_allowed())
            return true;
        snprintf(
            error, size,
            "listener \"%s\": %s requires the capability CAP_NET_RAW, which this process %s",
            s->name, key, started ? "dropped at startup: restart it" : "does not have: ");
        if (!started)
            snprintf(error + strlen(error), size - strlen(error), "%s", give);
        return false;
    }
    return true;
}

/* ---- capabilities, without libcap ---- */

static bool capabilities_get(struct capabilities *c)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, data) != 0)
        return false;
    c->effective = data[0].effective | (uint64_t)data[1].effective << 32;
    c->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    c->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return true;
}

/* Exactly these are left, and none for programs that it might start. */
static bool capabilities_reduce(uint64_t keep)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
        { .effective = (uint32_t)keep, .permitted = (uint32_t)keep },
        { .effective = (uint32_t)(keep >> 32), .permitted = (uint32_t)(keep >> 32) },
    };
    struct capabilities now;

    if (!capabilities_get(&now))
        return false;
    if (now.effective == keep && now.permitted == keep && now.inheritable == 0)
        return true;
    /* Ambient capabilities go with the inheritable ones. */
    return syscall(SYS_capset, &header, data) == 0;
}

/* Not possible for everybody, and of no use to who gets no new privileges: as far as it goes.
 */
static void capabilities_bound(uint64_t keep)
{
    for (unsigned long i = 0; i < 64 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
        if ((keep & BIT(i)) == 0)
            (void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    }
}

/* The weaker of the two that the sockets of clients may be made with. */
static uint64_t capability_to_keep(const struct config *c)
{
    struct capabilities now;

    for (unsigned i = 0; i < c->listener_count; i++) {
        if (!c->listeners[i].settings->source_client || !capabilities_get(&now))
            continue;
        return (now.permitted & BIT(CAP_NET_RAW)) != 0 ? BIT(CAP_NET_RAW)
                                                       : now.permitted & BIT(CAP_NET_ADMIN);
    }
    return 0;
}

/* ---- the user ---- */

static bool is_user(const struct passwd *pw)
{
    return geteuid() == pw->pw_uid && getuid() == pw->pw_uid;
}

static bool become(const struct passwd *pw, uint64_t keep)
{
    if (is_user(pw))
        return true;
    return prctl(PR_SET_KEEPCAPS, keep != 0, 0, 0, 0) == 0 &&
           initgroups(pw->pw_name, pw->pw_gid) == 0 &&
           setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == 0 &&
           setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == 0 &&
           prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == 0;
}

static bool change_user(const char *user, uint64_t keep, char *error, size_t size)
{
    errno = 0;
    const struct passwd *pw = getpwnam(user);

    if (pw == NULL) {
        snprintf(error, size, "user \"%s\": %s", user,
                 errno != 0 ? strerror(errno) : "no such user");
        return false;
    }
    if (!is_user(pw))
        capabilities_bound(keep);
    if (!become(pw, keep)) {
        snprintf(error, size,
                 "cannot switch to user \"%s\": %s (start as root, or leave `user` empty)",
                 user, strerror(errno));
        return false;
    }
    return true;
}

bool privileges_drop(const struct config *c, char *error, size_t size)
{
    uint64_t keep = capability_to_keep(c);

    if (c->user != NULL && *c->user != '\0') {
        if (!change_user(c->user, keep, error, size))
            return false;
    } else if (geteuid() == 0) {
        log_warn("running as root: set `user` in the configuration");
    }
    if (geteuid() != 0 && !capabilities_reduce(keep)) {
        snprintf(error, size, "cannot drop capabilities: %s", strerror(errno));
        return false;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        log_warn("cannot set no_new_privs: %s", strerror(errno));
    return true;
}
