/*
 * posix_fault.h - a failed system call as a verso_err with its detail.
 */
#ifndef VERSO_OS_POSIX_FAULT_H
#define VERSO_OS_POSIX_FAULT_H

#include "verso.h"

/**
 * The code for the present errno; the detail reads "<operation> <path>: <text of errno>".
 *
 * ENOENT and ENOTDIR become VERSO_NO_STORE, EEXIST and ENAMETOOLONG VERSO_INVALID, EISDIR and ENXIO
 * VERSO_FORMAT; full disks, quotas and file-size limits VERSO_NOSPC; missing permissions and
 * read-only file systems VERSO_ACCESS; ENOMEM VERSO_NOMEM; all else VERSO_IO. Any thread.
 */
verso_err vs_posix_fault(const char *operation, const char *path);

#endif
