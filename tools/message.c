/*
 * message.c - texts on standard error, each one line that begins with the command's name.
 *
 * Names of files and keys are printed as the user wrote them.
 */
#include "message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void begin(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

static void begin(const char *format, va_list arguments)
{
    (void)fflush(stdout); /* on a terminal, what was printed comes before what went wrong */
    (void)fputs("verso: ", stderr);
    (void)vfprintf(stderr, format, arguments);
}

int message_failed(verso_err err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    begin(format, arguments);
    va_end(arguments);
    const char *detail = verso_error_detail();
    (void)fprintf(stderr, ": %s", verso_strerror(err));
    (void)fprintf(stderr, detail[0] != '\0' ? " (%s)\n" : "%s\n", detail);
    return err == VERSO_NOT_FOUND || err == VERSO_GONE ? ENDS_NOT_FOUND : ENDS_ERROR;
}

int message_system_failed(const char *format, ...)
{
    int error = errno;
    va_list arguments;
    va_start(arguments, format);
    begin(format, arguments);
    va_end(arguments);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the command has one thread of its own */
    (void)fprintf(stderr, ": %s\n", strerror(error));
    return ENDS_ERROR;
}

void message(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    begin(format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
}

int message_usage(const char *verb, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    begin(format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "; see 'verso %s%s--help'\n", verb, verb[0] != '\0' ? " " : "");
    return ENDS_USAGE;
}
