/*
 * child_exit.h - how a child of fork() ends in a test.
 *
 * Not by exit(), which would run what the parent has registered for its own end; but _exit() alone
 * would lose what the child has done from the count of coverage.
 */
#ifndef VERSO_TESTS_CHILD_EXIT_H
#define VERSO_TESTS_CHILD_EXIT_H

#include <stdnoreturn.h>
#include <unistd.h>

#ifdef VERSO_COVERAGE
void __gcov_dump(void); /* of GCC's run-time library */
#endif

static inline noreturn void child_exit(int status)
{
#ifdef VERSO_COVERAGE
    __gcov_dump();
#endif
    _exit(status);
}

#endif
