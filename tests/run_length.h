/*
 * run_length.h - how long a test goes on, and what it says it has done.
 *
 * The usual length suits every run of the suite. Longer runs name another one in an environment
 * variable, and read the counts from lines of their own: "count NAME NUMBER". VERSO_TEST_SHARE=N
 * asks all tests at once for one part in N of the usual: for builds in which each step is slow.
 */
#ifndef VERSO_TESTS_RUN_LENGTH_H
#define VERSO_TESTS_RUN_LENGTH_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** The number in an environment variable, or `usual` where that is not set, or is 0. */
static inline uint64_t run_number(const char *variable, uint64_t usual)
{
    const char *text = getenv(variable); // NOLINT(concurrency-mt-unsafe): before any thread
    uint64_t given = text == NULL ? 0 : strtoull(text, NULL, 10);
    return given > 0 ? given : usual;
}

/** How many of something to do: as the variable says, or the share of the usual number. */
static inline uint64_t run_length(const char *variable, uint64_t usual)
{
    uint64_t share = run_number("VERSO_TEST_SHARE", 1);
    return run_number(variable, usual > share ? usual / share : 1);
}

/** One of how many to do, the others being passed over: as the variable says, or the usual stride. */
static inline uint64_t run_stride(const char *variable, uint64_t usual)
{
    return run_number(variable, usual * run_number("VERSO_TEST_SHARE", 1));
}

/** Say how many of something this process did. One name may occur in several lines: they add up. */
static inline void run_count(const char *name, uint64_t number)
{
    printf("count %s %" PRIu64 "\n", name, number);
    (void)fflush(stdout);
}

#endif
