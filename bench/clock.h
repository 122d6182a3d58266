/*
 * clock.h - the time that everything is measured with.
 */
#ifndef VERSO_BENCH_CLOCK_H
#define VERSO_BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

/** Nanoseconds of a clock that never jumps; one reading costs some 25 ns. Any thread. */
static inline uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/** How many a second, of `count` things done since `start_ns`. */
static inline double rate_since(uint64_t start_ns, uint64_t count)
{
    uint64_t elapsed_ns = now_ns() - start_ns;
    return (double)count * 1e9 / (double)(elapsed_ns > 0 ? elapsed_ns : 1);
}

#endif
