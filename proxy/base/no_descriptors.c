#include "base/no_descriptors.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/resource.h>

enum { EVERY_SECONDS = 10 };

/* True for one thread in EVERY_SECONDS. */
static bool is_due(void)
{
    static _Atomic int64_t next;
    int64_t due = atomic_load(&next), now = (int64_t)(clock_monotonic_us() / 1000000);

    return now >= due && atomic_compare_exchange_strong(&next, &due, now + EVERY_SECONDS);
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
        log_error("no file descriptors left in the whole system, %s: check sysctl fs.file-max "
                  "and which process uses so many",
                  consequence);
        return;
    }
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    log_error("no file descriptors left, the limit of this process is %llu, %s: raise "
              "LimitNOFILE= (systemd) or ulimit -n, or lower limits.sessions",
              (unsigned long long)limit.rlim_cur, consequence);
}
