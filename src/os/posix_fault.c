/*
 * posix_fault.c - from errno to a code that the caller can act on.
 */
#include "os/posix_fault.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "os/fault.h"

enum { REASON_SIZE = 128 }; /* bytes; the longest text of glibc has 50 */

/* strerror() is not safe among threads, and strerror_r() is two functions of one name. */
static const char *reason_of(int number, char *buffer, size_t size)
{
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
    return strerror_r(number, buffer, size); /* may hand back a static text instead of the buffer */
#else
    if (strerror_r(number, buffer, size) != 0) {
        (void)snprintf(buffer, size, "errno %d", number);
    }
    return buffer;
#endif
}

static verso_err code_of(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return VERSO_NO_STORE;
    case EEXIST:
    case ENAMETOOLONG:
        return VERSO_INVALID;
    case EISDIR:
    case ENXIO: /* a socket, or a FIFO that nobody reads */
    case ELOOP: /* a symbolic link where none is followed */
        return VERSO_FORMAT;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return VERSO_NOSPC;
    case EACCES:
    case EPERM:
    case EROFS:
        return VERSO_ACCESS;
    case ENOMEM:
        return VERSO_NOMEM;
    default:
        return VERSO_IO;
    }
}

verso_err vs_posix_fault(const char *operation, const char *path)
{
    assert(operation != NULL);
    assert(path != NULL);

    int number = errno;
    char buffer[REASON_SIZE];
    verso_err err = vs_fault(code_of(number), "%s %s: %s", operation, path,
                             reason_of(number, buffer, sizeof buffer));
    errno = number;
    return err;
}
