/*
 * posix_directory.h - the functions of struct vs_os (os.h) that work on names in a directory.
 *
 * Each keeps the contract of the field that bears its name.
 */
#ifndef VERSO_OS_POSIX_DIRECTORY_H
#define VERSO_OS_POSIX_DIRECTORY_H

#include "os/os.h"

verso_err vs_posix_rename(const struct vs_os *os, const char *from, const char *to);
verso_err vs_posix_rename_new(const struct vs_os *os, const char *from, const char *to);
verso_err vs_posix_unlink(const struct vs_os *os, const char *path);
verso_err vs_posix_absolute(const struct vs_os *os, const char *path, char **absolute);
verso_err vs_posix_sync_directory(const struct vs_os *os, const char *path);
verso_err vs_posix_list(const struct vs_os *os, const char *prefix,
                        verso_err (*each)(void *argument, const char *path), void *argument);

#endif
