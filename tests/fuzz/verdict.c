/*
 * verdict.c - which codes are answers and which are faults.
 */
#include "verdict.h"

#include <stdio.h>
#include <stdlib.h>

void verdict_require(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "FAULT: %s (%s)\n", what, verso_error_detail());
        abort();
    }
}

bool verdict_is_damage(verso_err err)
{
    return err == VERSO_CORRUPT || err == VERSO_WAL_CORRUPT || err == VERSO_WAL_MISSING ||
           err == VERSO_MISMATCH;
}

bool verdict_read(verso_err err, bool sound, const char *what)
{
    bool is_answer = err == VERSO_OK || err == VERSO_NOT_FOUND;
    verdict_require(is_answer || !sound, what);
    verdict_require(is_answer || err == VERSO_CORRUPT, what);
    return err == VERSO_OK;
}

bool verdict_change(verso_err err, bool sound, const char *what)
{
    bool is_answer = err == VERSO_OK || err == VERSO_NOT_FOUND || err == VERSO_EXISTS ||
                     err == VERSO_NOSPC || err == VERSO_LIMIT;
    verdict_require(is_answer || !sound, what);
    verdict_require(is_answer || err == VERSO_CORRUPT || err == VERSO_MUST_ABORT ||
                        err == VERSO_POISONED || err == VERSO_UNKNOWN,
                    what);
    return err == VERSO_OK;
}
