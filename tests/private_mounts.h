/*
 * private_mounts.h - file systems of a test's own, mounted in a user namespace, which needs no rights.
 *
 * A namespace is entered by a child process, for good. Where the system does not allow that, the child
 * ends with PRIVATE_MOUNTS_SKIPPED, and the test says so and is skipped.
 */
#ifndef VERSO_TESTS_PRIVATE_MOUNTS_H
#define VERSO_TESTS_PRIVATE_MOUNTS_H

#include <stdbool.h>

enum { PRIVATE_MOUNTS_SKIPPED = 77 }; /* exit code */

/** Become root of a namespace in which mounting is allowed. @return false: the system forbids it. */
bool private_mounts_enter(void);

/** Mount a tmpfs of that size at `folder`, or (MS_REMOUNT) change the one that is there. */
bool private_mounts_disk(const char *folder, unsigned kib, unsigned long flags);

/**
 * Run `work` in a child process that has a tmpfs of `kib` KiB at a new, empty `folder`. It must end
 * the child by itself where something is wrong, by an exit code that is not 0.
 *
 * @return The child's wait status; the test is skipped where no such disk can be had.
 */
int private_mounts_run(unsigned kib, void (*work)(const char *folder));

/** In such a child: what must not happen ends it, with a line on standard error. */
void private_mounts_demand(bool holds, const char *what);

#endif
