/*
 * stop.h - how the benchmark ends when something fails.
 *
 * A benchmark that went on after an error would print figures of work that was not done: every
 * failure ends the program at once, with a text that says what failed.
 */
#ifndef VERSO_BENCH_STOP_H
#define VERSO_BENCH_STOP_H

#include <stddef.h>

/** Print "verso-bench: " and the text to standard error and exit with 1. Any thread. */
_Noreturn void stop_with(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** calloc() that stops the program when memory is out. Free the result with free(). */
void *allocate(size_t count, size_t size);

#endif
