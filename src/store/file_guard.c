/*
 * file_guard.c - see file_guard.h.
 */
#include "store/file_guard.h"

enum { CACHE_PAGE = 4096 }; /* no system has smaller ones; of larger ones some are read twice */

verso_err vs_file_guard(struct vs_file *file, uint64_t at, size_t size)
{
    verso_err err = VERSO_OK;
    for (size_t done = 0; file != NULL && done < size && err == VERSO_OK; done += CACHE_PAGE) {
        uint8_t byte;
        err = file->os->read_at(file, at + done, &byte, sizeof byte);
    }
    return err;
}
