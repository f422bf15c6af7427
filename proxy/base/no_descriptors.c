#include "base/no_descriptors.h"

#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>
#include <sys/resource.h>

enum { EVERY_SECONDS = 10 };

/* True for one thread in EVERY_SECONDS. */
static bool is_due(void)
{
    static _Atomic int64_t next;
    struct timespec now;
    int64_t due = atomic_load(&next);

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec >= due &&
           atomic_compare_exchange_strong(&next, &due, (int64_t)now.tv_sec + EVERY_SECONDS);
}

bool no_descriptors_is(int error)
{
    return error == EMFILE || error == -EMFILE || error == ENFILE || error == -ENFILE;
}

void no_descriptors_tell(int error, const char *consequence)
{
    struct rlimit limit = { .rlim_cur = 0 };

    if (!is_due())
        return;
    if (error == ENFILE || error == -ENFILE) {
        log_error("no file descriptor left in the whole system, %s: sysctl fs.file-max, and "
                  "which process has so many",
                  consequence);
        return;
    }
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    log_error("no file descriptor left, this process may have %llu, %s: raise LimitNOFILE= of "
              "systemd or ulimit -n, or lower limits.sessions",
              (unsigned long long)limit.rlim_cur, consequence);
}
