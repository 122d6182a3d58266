/*
 * failing_memory.h - malloc() and its kin, failing on command, and counted.
 *
 * A test that links failing_memory.c gets it in the place of malloc(), calloc(), realloc(),
 * strdup(), strndup() and free() for all that is linked into it statically: the engine and the test
 * itself. So arm it only around calls of the engine. What shared libraries allocate is neither counted nor failed.
 * Reserving address space (os/memory.h) fails in its turn, too, but is not counted as held.
 * Threads: one; a test that lets the engine run threads of its own cannot use it.
 */
#ifndef VERSO_TESTS_FAILING_MEMORY_H
#define VERSO_TESTS_FAILING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The `nth` allocation from now on (1: the next) fails; `for_ever`: and all after it. */
void failing_memory_arm(uint64_t nth, bool for_ever);

/** None fails any more. @return How many have failed since failing_memory_arm(). */
uint64_t failing_memory_disarm(void);

/** Reservations of address space of more than so many bytes fail; 0: they may be of any size. */
void failing_memory_bound(size_t reservation_max);

/** Allocations not yet freed: the same number before and after shows that nothing leaks. */
int64_t failing_memory_held(void);

#endif
