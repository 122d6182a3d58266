/*
 * errors.c - texts for codes, and the version of the library.
 */
#include "os/fault.h"
#include "verso.h"

const char *verso_strerror(verso_err err)
{
    switch (err) {
    case VERSO_OK:
        return "success";
    case VERSO_NOT_FOUND:
        return "not found";
    case VERSO_EXISTS:
        return "exists already";
    case VERSO_INVALID:
        return "invalid argument";
    case VERSO_TOO_BIG:
        return "key or value too big";
    case VERSO_GONE:
        return "the root is no longer kept";
    case VERSO_NOMEM:
        return "out of memory";
    case VERSO_NOSPC:
        return "no space left";
    case VERSO_IO:
        return "input/output error";
    case VERSO_CORRUPT:
        return "the store is damaged";
    case VERSO_WAL_CORRUPT:
        return "acknowledged commits in the log are damaged";
    case VERSO_WAL_MISSING:
        return "the log that the store needs is missing";
    case VERSO_MISMATCH:
        return "log or page size do not belong to this store";
    case VERSO_FORMAT:
        return "not a Verso store, or of an unknown format";
    case VERSO_BUSY:
        return "the store is open elsewhere";
    case VERSO_ACCESS:
        return "permission denied";
    case VERSO_NO_STORE:
        return "no such store";
    case VERSO_READ_ONLY:
        return "the store is open for reading only";
    case VERSO_UNKNOWN:
        return "outcome unknown until the store is opened anew";
    case VERSO_POISONED:
        return "a sync failed before; writes are refused";
    case VERSO_MUST_ABORT:
        return "a change failed halfway: abort, or roll back to a savepoint";
    case VERSO_FORKED:
        return "the handle was opened before fork()";
    case VERSO_ORDER:
        return "keys do not ascend";
    case VERSO_LIMIT:
        return "a limit is reached";
    default:
        return "unknown error";
    }
}

const char *verso_error_detail(void)
{
    return vs_fault_detail();
}

const char *verso_library_version(void)
{
    return VERSO_VERSION_STRING;
}
