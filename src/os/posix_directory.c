/*
 * posix_directory.c - rename, delete, list, and make all of that durable, on POSIX systems.
 */
#include "os/posix_directory.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fault.h"
#include "os/posix_fault.h"

verso_err vs_posix_rename(const struct vs_os *os, const char *from, const char *to)
{
    (void)os;
    if (rename(from, to) != 0) {
        return vs_posix_fault("rename", from);
    }
    return VERSO_OK;
}

/* A hard link is the one way known to all POSIX systems to give a name that must be free. Whoever
   dies between link and unlink leaves two names of one whole file. */
verso_err vs_posix_rename_new(const struct vs_os *os, const char *from, const char *to)
{
    (void)os;
#ifdef RENAME_NOREPLACE
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
        return VERSO_OK;
    }
    bool unsupported = errno == EINVAL || errno == ENOSYS; /* by this file system, this kernel */
#else
    bool unsupported = true;
#endif
    if (unsupported && link(from, to) == 0) {
        verso_err err = vs_posix_unlink(os, from);
        if (err != VERSO_OK) { /* who is told that it failed must not find it done */
            (void)unlink(to);
        }
        return err;
    }
    if (errno == EEXIST) {
        return vs_fault(VERSO_EXISTS, "rename %s to %s: the name is taken", from, to);
    }
    return vs_posix_fault("rename", from);
}

verso_err vs_posix_unlink(const struct vs_os *os, const char *path)
{
    (void)os;
    if (unlink(path) != 0) {
        return vs_posix_fault("unlink", path);
    }
    return VERSO_OK;
}

/* A working directory may have no path, being deleted or outside of the root directory, and the two
   together may be longer than the system takes. */
verso_err vs_posix_absolute(const struct vs_os *os, const char *path, char **absolute)
{
    (void)os;
    char here[PATH_MAX];
    bool as_it_is = path[0] == '/' || getcwd(here, sizeof here) == NULL || here[0] != '/' ||
                    strlen(here) + 1 + strlen(path) >= sizeof here;
    size_t size = (as_it_is ? 0 : strlen(here) + 1) + strlen(path) + 1;
    char *joined = malloc(size);
    if (joined == NULL) {
        return vs_fault(VERSO_NOMEM, "path of %s: out of memory", path);
    }
    (void)snprintf(joined, size, "%s%s%s", as_it_is ? "" : here, as_it_is ? "" : "/", path);
    *absolute = joined;
    return VERSO_OK;
}

/* How many bytes of `path` name its directory, the final slash included; 0: the working
   directory. */
static size_t directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

/* The directory part of `path` on its own; NULL if memory is exhausted. The caller frees it. */
static char *directory_of(const char *path)
{
    size_t length = directory_length(path);
    return length == 0 ? strdup(".") : strndup(path, length);
}

verso_err vs_posix_sync_directory(const struct vs_os *os, const char *path)
{
    (void)os;
    char *directory = directory_of(path);
    if (directory == NULL) {
        return vs_fault(VERSO_NOMEM, "sync directory of %s: out of memory", path);
    }

    verso_err err = VERSO_OK;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        err = vs_posix_fault("open directory", directory);
        goto out;
    }
    /* EINVAL says that this file system has no such operation: its directories are as durable as
       they will ever be. */
    if (fsync(fd) != 0 && errno != EINVAL) {
        err = vs_posix_fault("sync directory", directory);
    }
    (void)close(fd);
out:
    free(directory);
    return err;
}

/* *regular: the entry is a file and no link. Who cannot tell must not pass it over: it may be the
   segment of a log that has the newest commits. One that is gone by now was none. */
static verso_err is_regular_file(DIR *stream, const char *name, bool *regular)
{
    struct stat status;
    int result = fstatat(dirfd(stream), name, &status, AT_SYMLINK_NOFOLLOW);
    *regular = result == 0 && S_ISREG(status.st_mode);
    return result == 0 || errno == ENOENT ? VERSO_OK : vs_posix_fault("stat", name);
}

/* Call `each` with `name` behind the first `directory_size` bytes of `prefix`. */
static verso_err visit(const char *prefix, size_t directory_size, const char *name,
                       verso_err (*each)(void *argument, const char *path), void *argument)
{
    size_t name_size = strlen(name) + 1; /* with the final zero */
    char *path = malloc(directory_size + name_size);
    if (path == NULL) {
        return vs_fault(VERSO_NOMEM, "list %s: out of memory", prefix);
    }
    memcpy(path, prefix, directory_size);
    memcpy(path + directory_size, name, name_size);
    verso_err err = each(argument, path);
    free(path);
    return err;
}

verso_err vs_posix_list(const struct vs_os *os, const char *prefix,
                        verso_err (*each)(void *argument, const char *path), void *argument)
{
    (void)os;
    assert(each != NULL);

    char *directory = directory_of(prefix);
    if (directory == NULL) {
        return vs_fault(VERSO_NOMEM, "list %s: out of memory", prefix);
    }
    verso_err err = VERSO_OK;
    DIR *stream = opendir(directory);
    if (stream == NULL) {
        err = vs_posix_fault("list directory", directory);
        goto out;
    }

    size_t directory_size = directory_length(prefix);
    const char *name_prefix = prefix + directory_size;
    size_t name_prefix_size = strlen(name_prefix);
    while (err == VERSO_OK) {
        errno = 0;
        /* The stream is this call's own, so no other thread can touch it.
           NOLINTNEXTLINE(concurrency-mt-unsafe) */
        const struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            if (errno != 0) {
                err = vs_posix_fault("list directory", directory);
            }
            break;
        }
        bool regular = false;
        if (strncmp(entry->d_name, name_prefix, name_prefix_size) == 0) {
            err = is_regular_file(stream, entry->d_name, &regular);
        }
        if (regular) {
            err = visit(prefix, directory_size, entry->d_name, each, argument);
        }
    }
    (void)closedir(stream);
out:
    free(directory);
    return err;
}
