/*
 * clock - the time of a session: since 1970, and it never goes back.
 *
 * The wall clock is read once, when the clock is set; from then on the monotonic clock moves
 * it. So every duration is a difference of two times of one clock, whatever is done to the wall
 * clock meanwhile. After the wall clock was set, sessions under way keep the old time; new ones
 * have the new one.
 *
 * All times are microseconds.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

struct clock {
    uint64_t ahead_us; /* of the monotonic clock; modulo 2^64 */
};

void clock_set(struct clock *c);
/* Since 1970, as far as the clock knows. */
uint64_t clock_now_us(const struct clock *c);

/* The wall clock: for what has no duration. */
uint64_t clock_wall_us(void);
/* Since some moment in the past: for durations alone. */
uint64_t clock_monotonic_us(void);
/* CLOCK_MONOTONIC in `ms` from now: for pthread_cond_timedwait() and sem_clockwait(). */
struct timespec clock_in_ms(unsigned ms);

#endif
