/*
 * run_length.h - how long a test goes on, and what it says it has done.
 *
 * The usual length suits every run of the suite. Longer runs name another one in an environment
 * variable, and read the counts from lines of their own: "count NAME NUMBER".
 */
#ifndef VERSO_TESTS_RUN_LENGTH_H
#define VERSO_TESTS_RUN_LENGTH_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** The number in an environment variable, or `usual` where that is not set. */
static inline uint64_t run_length(const char *variable, uint64_t usual)
{
    const char *text = getenv(variable); // NOLINT(concurrency-mt-unsafe): before any thread
    return text == NULL ? usual : strtoull(text, NULL, 10);
}

/** Say how many of something this process did. One name may occur in several lines: they add up. */
static inline void run_count(const char *name, uint64_t number)
{
    printf("count %s %" PRIu64 "\n", name, number);
    (void)fflush(stdout);
}

#endif
