/*
 * failing_calls.h - calls from one part of the engine into the store floor, failing on command: what
 * they answer when a page turns out damaged, memory ends, or the disk is full just then.
 *
 * A test that links failing_calls.c gets it in the place of the functions listed there, for calls
 * between object files. A *point* is one of these functions, called from one place in the code; it
 * may be met many times. While recording or armed, every page of the file is cold: it is verified
 * anew at each touch, as after a failed sync.
 * Threads: one; a test that lets the engine run threads of its own cannot use it.
 */
#ifndef VERSO_TESTS_FAILING_CALLS_H
#define VERSO_TESTS_FAILING_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct failing_point {
    const char *call; /* the function's name */
    const void *site; /* where it was called from */
    uint64_t met;     /* how often */
};

/** Note all points from now on. */
void failing_calls_record(void);

/** Stop that. @param[out] points  Valid until the next failing_calls_record(). @return How many. */
size_t failing_calls_recorded(const struct failing_point **points);

/** The `nth` call at this point from now on (1: the next) fails. */
void failing_calls_arm(const struct failing_point *point, uint64_t nth);

/** None fails any more. @return Whether one has failed. */
bool failing_calls_disarm(void);

#endif
