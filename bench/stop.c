/*
 * stop.c - the one way out after a failure.
 */
#include "stop.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void stop_with(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fputs("verso-bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(EXIT_FAILURE);
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (memory == NULL) {
        stop_with("out of memory (%zu x %zu bytes)", count, size);
    }
    return memory;
}
