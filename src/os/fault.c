/*
 * fault.c - one buffer a thread for the text of its last fault.
 *
 * The text lives in thread-local storage of fixed size: recording a fault never allocates, so it
 * works when memory has run out, and two threads cannot mix their texts.
 */
#include "os/fault.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { DETAIL_SIZE = 512 }; /* bytes, with the final zero */

static _Thread_local char detail[DETAIL_SIZE];
static _Thread_local const char *last = ""; /* `detail`, or a static text */

verso_err vs_fault(verso_err err, const char *format, ...)
{
    assert(err != VERSO_OK);
    assert(format != NULL);

    int saved_errno = errno; /* callers may still want to look at it */
    char text[DETAIL_SIZE];  /* apart from `detail`, which may be among the arguments */
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    (void)snprintf(detail, sizeof detail, "%s", length < 0 ? format : text);
    last = detail;
    errno = saved_errno;
    return err;
}

verso_err vs_fault_text(verso_err err, const char *text)
{
    assert(err != VERSO_OK);
    last = text;
    return err;
}

const char *vs_fault_detail(void)
{
    return last;
}
