/*
 * file_guard.c - see file_guard.h.
 */
#include "store/file_guard.h"

enum { CACHE_PAGE = 4096 }; /* no system has smaller ones; of larger ones some are read twice */

verso_err vs_file_guard(struct vs_file *file, uint64_t at, size_t size)
{
    if (file == NULL) {
        return VERSO_OK;
    }
    for (size_t done = 0; done < size; done += CACHE_PAGE) {
        uint8_t byte;
        verso_err err = file->os->read_at(file, at + done, &byte, sizeof byte);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}
