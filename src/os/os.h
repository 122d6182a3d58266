/*
 * os.h - everything the engine asks of the system, as one replaceable table of functions.
 *
 * No other floor makes a system call for files, clocks or random bytes, so a simulated disk can
 * stand behind the whole engine (tests/simulated_disk.h). vs_os_real() is the system itself.
 *
 * Threads: every function may be called by any thread; one file's functions may run concurrently.
 * Errors: a verso_err whose detail (vs_fault(), fault.h) names the operation, the path and errno.
 */
#ifndef VERSO_OS_OS_H
#define VERSO_OS_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verso.h"

/** An open file; each implementation embeds this first in its own struct. */
struct vs_file {
    const struct vs_os *os;
};

/** How vs_os.open opens. */
enum vs_open_mode {
    VS_OPEN_READ = 0,   /* must exist */
    VS_OPEN_WRITE = 1,  /* must exist; read and write */
    VS_OPEN_CREATE = 2, /* must not exist (O_EXCL), mode 0600; read and write */
    /* a companion file, whose name only the engine gives: a symbolic link there is not followed */
    VS_OPEN_READ_OWN = 3,
    VS_OPEN_WRITE_OWN = 4,
};

/** Does the mode allow writing? */
static inline bool vs_open_writes(enum vs_open_mode mode)
{
    return mode != VS_OPEN_READ && mode != VS_OPEN_READ_OWN;
}

/** What identifies a file and bounds it. */
struct vs_file_identity {
    uint64_t device;
    uint64_t inode;
    uint64_t size;  /* bytes */
    uint64_t links; /* 0: deleted while open */
};

struct vs_os {
    void *context; /* the implementation's own */

    /**
     * Open a regular file. VERSO_NO_STORE: not there. VERSO_FORMAT: a directory or other non-file,
     * a symbolic link where none is followed. VERSO_ACCESS: EACCES,
     * EPERM or EROFS. VERSO_INVALID: VS_OPEN_CREATE and it exists.
     */
    verso_err (*open)(const struct vs_os *os, const char *path, enum vs_open_mode mode,
                      struct vs_file **file);
    /** NULL is allowed. Every mapping of the file must have been unmapped. */
    void (*close)(struct vs_file *file);
    verso_err (*identify)(struct vs_file *file, struct vs_file_identity *identity);

    /**
     * Lock the whole file for this process and this handle, without waiting; the lock goes with
     * close or death. Tied to the open file, not to the process (OFD locks), so that a second
     * handle in one process is refused too. VERSO_BUSY: held elsewhere.
     */
    verso_err (*lock)(struct vs_file *file, bool exclusive);

    /** Read exactly `size` bytes; VERSO_CORRUPT if the file ends before. */
    verso_err (*read_at)(struct vs_file *file, uint64_t offset, void *buffer, size_t size);
    /** Write exactly `size` bytes; retries interrupted and short writes. VERSO_NOSPC or
     * VERSO_IO. */
    verso_err (*write_at)(struct vs_file *file, uint64_t offset, const void *bytes, size_t size);
    /**
     * Grow to `size` bytes of zeros with real blocks behind the new ones; a longer file stays as it
     * is, and so does one for which there is no room. VERSO_NOSPC.
     */
    verso_err (*allocate)(struct vs_file *file, uint64_t size);
    /** Cut to `size` bytes. */
    verso_err (*truncate)(struct vs_file *file, uint64_t size);
    /** Contents durable; file length too if a read needs it (fdatasync). Never retried. */
    verso_err (*sync_data)(struct vs_file *file);
    /** Contents and all metadata durable (fsync). */
    verso_err (*sync_full)(struct vs_file *file);

    verso_err (*rename)(const struct vs_os *os, const char *from, const char *to);
    /** The same, but never over anything: VERSO_EXISTS if there is something at `to`. */
    verso_err (*rename_new)(const struct vs_os *os, const char *from, const char *to);
    /** VERSO_NO_STORE if not there. */
    verso_err (*unlink)(const struct vs_os *os, const char *path);
    /**
     * `path` so that it leads to the same place when the process has changed its working directory;
     * where it cannot be made so, as it is. The caller frees it. VERSO_NOMEM.
     */
    verso_err (*absolute)(const struct vs_os *os, const char *path, char **absolute);
    /** Make creation, renaming and deletion in the directory that holds `path` durable. */
    verso_err (*sync_directory)(const struct vs_os *os, const char *path);
    /**
     * Call `each` with the path of every regular file whose path begins with `prefix` (a path; its
     * directory part is kept as given), in no particular order, until one call fails: that code is
     * returned. `each` may unlink the file that it was given.
     */
    verso_err (*list)(const struct vs_os *os, const char *prefix,
                      verso_err (*each)(void *argument, const char *path), void *argument);

    /**
     * Map `size` bytes of the file read-only and shared, advised for random access before the first
     * touch. `size` may exceed the file's length: bytes beyond its end may be touched only after it
     * has grown over them. VERSO_NOMEM if the address space does not suffice.
     */
    verso_err (*map)(struct vs_file *file, size_t size, const uint8_t **address);
    void (*unmap)(struct vs_file *file, const uint8_t *address, size_t size);
    /**
     * Start reading [offset, offset + size) of the file, mapped from `address` on, into memory; a
     * hint.
     */
    void (*prefetch)(struct vs_file *file, const uint8_t *address, uint64_t offset, size_t size);

    /** Wall clock, microseconds since 1970 UTC; may jump. */
    int64_t (*clock_us)(const struct vs_os *os);
    /** The same as of the last tick, some milliseconds ago at most; a few nanoseconds. */
    int64_t (*coarse_clock_us)(const struct vs_os *os);
    /** Monotonic clock, microseconds; for intervals. */
    int64_t (*monotonic_us)(const struct vs_os *os);
    /** Unpredictable bytes, for store ids. */
    verso_err (*random)(const struct vs_os *os, void *buffer, size_t size);
    /** False: no threads of the engine's own; the owner of the simulated disk drives everything. */
    bool background;
};

/** The system itself; a static object. */
const struct vs_os *vs_os_real(void);

#endif
