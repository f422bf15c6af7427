#include "base/clock.h"

static uint64_t read_us(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_wall_us(void)
{
    return read_us(CLOCK_REALTIME);
}

uint64_t clock_monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

struct timespec clock_in_ms(unsigned ms)
{
    uint64_t us = clock_monotonic_us() + ms * UINT64_C(1000);

    return (struct timespec){ .tv_sec = (time_t)(us / 1000000),
                              .tv_nsec = (long)(us % 1000000) * 1000 };
}

void clock_set(struct clock *c)
{
    c->ahead_us = clock_wall_us() - clock_monotonic_us();
}

uint64_t clock_now_us(const struct clock *c)
{
    return clock_monotonic_us() + c->ahead_us;
}
