#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 1024

static atomic_int min_level = LOG_INFO; /* of all threads; a reload changes it */

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&min_level, (int)level, memory_order_relaxed);
}

void log_at(enum log_level level, const char *fmt, ...)
{
    static const char *const name[] = { "debug", "info ", "warn ", "error" };
    char line[LINE_MAX_OCTETS];
    struct tm tm;
    va_list ap;

    if ((int)level < atomic_load_explicit(&min_level, memory_order_relaxed))
        return;
    uint64_t now_us = clock_wall_us();
    time_t now = (time_t)(now_us / 1000000);
    gmtime_r(&now, &tm);
    size_t len = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &tm);
    len += (size_t)snprintf(line + len, sizeof line - len, ".%03uZ %s ",
                            (unsigned)(now_us / 1000 % 1000), name[level]);
    va_start(ap, fmt);
    int n = vsnprintf(line + len, sizeof line - len - 1, fmt, ap);
    va_end(ap);
    if (n > 0)
        len += (size_t)n < sizeof line - len - 1 ? (size_t)n : sizeof line - len - 2;
    line[len++] = '\n';
    ssize_t done = write(STDERR_FILENO, line, len);
    (void)done; /* nowhere left to complain */
}
