/*
 * file_guard.h - mapped bytes read by a call before they are touched.
 *
 * What a mapping shows and the system cannot read ends the process by a signal (SIGBUS): a sector
 * that is unreadable, a file that somebody has cut. A call that reads the same bytes gives an error
 * instead, and leaves them in the page cache, where the mapping finds them.
 *
 * Threads: any.
 */
#ifndef VERSO_STORE_FILE_GUARD_H
#define VERSO_STORE_FILE_GUARD_H

#include "os/os.h"

/**
 * Read one byte of each 4 KiB of [at, at + size), which is all that brings them into memory.
 *
 * @param file  NULL: nothing is guarded.
 * @retval VERSO_IO       The system cannot read them.
 * @retval VERSO_CORRUPT  The file ends before.
 */
verso_err vs_file_guard(struct vs_file *file, uint64_t at, size_t size);

#endif
