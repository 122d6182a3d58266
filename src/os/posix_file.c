/*
 * posix_file.c - one open file on POSIX systems: open, lock, transfer, grow, sync, map.
 *
 * Transfers. The system may interrupt a transfer or cut it short; it is then continued where it
 * stopped. An interruption is a signal that this process received, so it is repeated as often as it
 * comes; a call that returns 0 without an error is the file system's doing and would come for ever
 * (a write to a full FUSE or network file has done so), so the third in a row ends the transfer.
 *
 * Syncs are tried once. After a failed sync the kernel marks the pages clean, and a second try
 * reports a success that never happened (Rebello et al., "Can Applications Recover from fsync
 * Failures?", ATC 2020).
 *
 * Locks belong to the open file (OFD locks; where they are absent flock(), which does so too).
 * Record locks of the process would go when any descriptor of the file is closed anywhere in it.
 */
#include "os/posix_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fault.h"
#include "os/posix_fault.h"

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

enum {
    STANDARD_FDS = 3,            /* descriptors 0 to 2: input, output, error */
    ZERO_PROGRESS_MAX = 3,       /* transfers of 0 bytes in a row before giving up */
    TRANSFER_SIZE_MAX = 1 << 30, /* bytes: macOS refuses INT_MAX and more, Linux cuts short there */
    ZEROS_SIZE = 1 << 16,        /* bytes written at a time where the system cannot allocate */
};

static_assert(sizeof(off_t) == 8, "compile with -D_FILE_OFFSET_BITS=64");

struct posix_file {
    struct vs_file base; /* first: a vs_file of this table is a posix_file */
    int fd;              /* constant until close, as are the rest but for `locker` */
    bool writable;
    pid_t locker; /* the process that has locked it; 0: none. Set before others see the file */
    char path[];  /* for details only: the file may have been renamed since */
};

static inline struct posix_file *posix(struct vs_file *file)
{
    assert(file != NULL);
    return (struct posix_file *)file;
}

/* ---- open ---------------------------------------------------------------------------------- */

/*
 * O_NONBLOCK keeps a FIFO from hanging the open before it can be told from a file; regular files do
 * not know it. O_NOFOLLOW beside O_EXCL is for systems whose O_EXCL follows a dangling link.
 */
static int flags_of(enum vs_open_mode mode)
{
    static const int flags[] = {
        [VS_OPEN_READ] = O_RDONLY,
        [VS_OPEN_WRITE] = O_RDWR,
        [VS_OPEN_CREATE] = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
        [VS_OPEN_READ_OWN] = O_RDONLY | O_NOFOLLOW,
        [VS_OPEN_WRITE_OWN] = O_RDWR | O_NOFOLLOW,
    };
    assert((size_t)mode < sizeof flags / sizeof flags[0]);
    return flags[mode] | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
}

/*
 * A host that has closed its standard streams would give the store descriptor 1 or 2, and its next
 * message would land in the middle of a page: move away from those numbers.
 */
static int above_standard_fds(int fd)
{
    if (fd < 0 || fd >= STANDARD_FDS) {
        return fd;
    }
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STANDARD_FDS);
    int saved_errno = errno;
    (void)close(fd);
    errno = saved_errno;
    return moved;
}

static verso_err open_regular(const char *path, enum vs_open_mode mode, int *opened)
{
    int fd;
    do {
        fd = open(path, flags_of(mode), S_IRUSR | S_IWUSR);
    } while (fd < 0 && errno == EINTR);
    fd = above_standard_fds(fd);
    if (fd < 0) {
        return vs_posix_fault(mode == VS_OPEN_CREATE ? "create" : "open", path);
    }

    struct stat status;
    verso_err err = VERSO_OK;
    if (fstat(fd, &status) != 0) {
        err = vs_posix_fault("stat", path);
    } else if (!S_ISREG(status.st_mode)) {
        err = vs_fault(VERSO_FORMAT, "open %s: not a regular file", path);
    }
    if (err != VERSO_OK) {
        (void)close(fd);
        return err;
    }
    *opened = fd;
    return VERSO_OK;
}

/* Before the first touch: current kernels otherwise read megabytes ahead for one page. */
static void advise_random(int fd)
{
#ifdef POSIX_FADV_RANDOM
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
#elif defined(F_RDAHEAD)
    (void)fcntl(fd, F_RDAHEAD, 0);
#else
    (void)fd;
#endif
}

verso_err vs_posix_open(const struct vs_os *os, const char *path, enum vs_open_mode mode,
                        struct vs_file **file)
{
    assert(path != NULL);
    assert(file != NULL);

    size_t path_size = strlen(path) + 1;
    struct posix_file *fresh = malloc(sizeof *fresh + path_size);
    if (fresh == NULL) {
        return vs_fault(VERSO_NOMEM, "open %s: out of memory", path);
    }
    int fd = -1;
    verso_err err = open_regular(path, mode, &fd);
    if (err != VERSO_OK) {
        free(fresh);
        return err;
    }
    advise_random(fd);
    fresh->base.os = os;
    fresh->fd = fd;
    fresh->writable = vs_open_writes(mode);
    fresh->locker = 0;
    memcpy(fresh->path, path, path_size);
    *file = &fresh->base;
    return VERSO_OK;
}

/* ---- lock and close ------------------------------------------------------------------------ */

/* `type` is that of a record lock: F_WRLCK, F_RDLCK or F_UNLCK. */
static int lock_by_flock(int fd, short type)
{
    int operation = type == F_WRLCK ? LOCK_EX : type == F_RDLCK ? LOCK_SH : LOCK_UN;
    return flock(fd, operation | LOCK_NB);
}

static int lock_whole(int fd, short type)
{
#ifdef F_OFD_SETLK
    struct flock range = {
        .l_type = type,
        .l_whence = SEEK_SET,
        .l_start = 0,
        .l_len = 0, /* to the end, however far the file grows */
        .l_pid = 0, /* OFD locks demand it */
    };
    int result = fcntl(fd, F_OFD_SETLK, &range);
    if (result == 0 || errno != EINVAL) {
        return result;
    }
    /* EINVAL: a kernel older than the header. It answers every process in the same way, so no two
       of them end up with different kinds of lock. */
#endif
    return lock_by_flock(fd, type);
}

verso_err vs_posix_lock(struct vs_file *file, bool exclusive)
{
    assert(posix(file)->writable || !exclusive);

    int result;
    do {
        result = lock_whole(posix(file)->fd, exclusive ? F_WRLCK : F_RDLCK);
    } while (result != 0 && errno == EINTR);
    if (result == 0) {
        posix(file)->locker = getpid();
        return VERSO_OK;
    }
    if (errno == EAGAIN || errno == EACCES) { /* POSIX leaves open which of them says "held" */
        return vs_fault(VERSO_BUSY, "lock %s: held by another handle or process",
                        posix(file)->path);
    }
    return vs_posix_fault("lock", posix(file)->path);
}

/* The lock is given up by itself, for a child of fork() has the same open file and would keep it; but
 * not by the child. */
void vs_posix_close(struct vs_file *file)
{
    if (file == NULL) {
        return;
    }
    if (posix(file)->locker == getpid()) {
        (void)lock_whole(posix(file)->fd, F_UNLCK);
    }
    (void)close(posix(file)->fd); /* never repeated: the number may be another thread's by now */
    free(posix(file));
}

static verso_err size_of(const struct posix_file *file, uint64_t *size)
{
    struct stat status;
    if (fstat(file->fd, &status) != 0) {
        return vs_posix_fault("stat", file->path);
    }
    *size = (uint64_t)status.st_size; /* never negative for a regular file */
    return VERSO_OK;
}

verso_err vs_posix_identify(struct vs_file *file, struct vs_file_identity *identity)
{
    assert(identity != NULL);

    struct stat status;
    if (fstat(posix(file)->fd, &status) != 0) {
        return vs_posix_fault("stat", posix(file)->path);
    }
    identity->device = (uint64_t)status.st_dev;
    identity->inode = (uint64_t)status.st_ino;
    identity->size = (uint64_t)status.st_size;
    identity->links = (uint64_t)status.st_nlink;
    return VERSO_OK;
}

/* ---- read and write ------------------------------------------------------------------------ */

static inline size_t transfer_size(size_t size)
{
    return size < TRANSFER_SIZE_MAX ? size : TRANSFER_SIZE_MAX;
}

static inline bool is_in_range(uint64_t offset, size_t size)
{
    return size <= INT64_MAX && offset <= (uint64_t)INT64_MAX - size;
}

verso_err vs_posix_read_at(struct vs_file *file, uint64_t offset, void *buffer, size_t size)
{
    assert(buffer != NULL || size == 0);
    if (!is_in_range(offset, size)) {
        return vs_fault(VERSO_CORRUPT, "read %s: offset %ju is beyond any file", posix(file)->path,
                        (uintmax_t)offset);
    }

    uint8_t *next = buffer;
    while (size > 0) {
        ssize_t count = pread(posix(file)->fd, next, transfer_size(size), (off_t)offset);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return vs_posix_fault("read", posix(file)->path);
        }
        if (count == 0) {
            return vs_fault(VERSO_CORRUPT, "read %s: it ends at byte %ju, %zu bytes early",
                            posix(file)->path, (uintmax_t)offset, size);
        }
        next += count;
        offset += (uint64_t)count;
        size -= (size_t)count;
    }
    return VERSO_OK;
}

verso_err vs_posix_write_at(struct vs_file *file, uint64_t offset, const void *bytes, size_t size)
{
    assert(bytes != NULL || size == 0);
    assert(posix(file)->writable);
    if (!is_in_range(offset, size)) {
        errno = EFBIG;
        return vs_posix_fault("write", posix(file)->path);
    }

    const uint8_t *next = bytes;
    unsigned zero_progress = 0;
    while (size > 0) {
        ssize_t count = pwrite(posix(file)->fd, next, transfer_size(size), (off_t)offset);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return vs_posix_fault("write", posix(file)->path);
        }
        zero_progress = count == 0 ? zero_progress + 1 : 0;
        if (zero_progress == ZERO_PROGRESS_MAX) {
            return vs_fault(VERSO_IO, "write %s: no progress at byte %ju", posix(file)->path,
                            (uintmax_t)offset);
        }
        next += count;
        offset += (uint64_t)count;
        size -= (size_t)count;
    }
    return VERSO_OK;
}

/* ---- length -------------------------------------------------------------------------------- */

static verso_err set_size(struct posix_file *file, uint64_t size)
{
    int result;
    do {
        result = ftruncate(file->fd, (off_t)size);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? VERSO_OK : vs_posix_fault("set length of", file->path);
}

static verso_err write_zeros(struct posix_file *file, uint64_t from, uint64_t to)
{
    static const uint8_t zeros[ZEROS_SIZE];
    while (from < to) {
        size_t part = to - from < ZEROS_SIZE ? (size_t)(to - from) : ZEROS_SIZE;
        verso_err err = vs_posix_write_at(&file->base, from, zeros, part);
        if (err != VERSO_OK) {
            return err;
        }
        from += part;
    }
    return VERSO_OK;
}

/*
 * Ask the system for blocks behind [from, to); the length must become `to`. Returns 0 or an errno.
 * On Linux fallocate() rather than posix_fallocate(): where the file system cannot do it, glibc's
 * writes a byte into each block, thousands of small writes instead of a few large ones.
 */
static int allocate_blocks(int fd, uint64_t from, uint64_t to)
{
#if defined(__linux__)
    return fallocate(fd, 0, (off_t)from, (off_t)(to - from)) == 0 ? 0 : errno;
#elif defined(__APPLE__)
    fstore_t request = {
        .fst_flags = F_ALLOCATEALL,
        .fst_posmode = F_PEOFPOSMODE, /* behind the blocks that the file has */
        .fst_length = (off_t)(to - from),
    };
    if (fcntl(fd, F_PREALLOCATE, &request) != 0) {
        return errno;
    }
    return ftruncate(fd, (off_t)to) == 0 ? 0 : errno;
#else
    return posix_fallocate(fd, (off_t)from, (off_t)(to - from));
#endif
}

/* Whether the answer to a request for blocks says that this file system or kernel gives none. */
static bool cannot_allocate(int number)
{
    static const int answers[] = {EOPNOTSUPP, ENOTSUP, EINVAL, ENOSYS}; /* some are one number */
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (number == answers[i]) {
            return true;
        }
    }
    return false;
}

verso_err vs_posix_allocate(struct vs_file *file, uint64_t size)
{
    assert(posix(file)->writable);
    if (!is_in_range(size, 0)) {
        errno = EFBIG;
        return vs_posix_fault("allocate", posix(file)->path);
    }
    uint64_t old_size = 0;
    verso_err err = size_of(posix(file), &old_size);
    if (err != VERSO_OK || size <= old_size) {
        return err;
    }

    int number;
    do {
        number = allocate_blocks(posix(file)->fd, old_size, size);
    } while (number == EINTR);
    if (number == 0) {
        return VERSO_OK;
    }
    if (cannot_allocate(number)) {
        err = write_zeros(posix(file), old_size, size);
    } else {
        errno = number;
        err = vs_posix_fault("allocate", posix(file)->path);
    }
    if (err != VERSO_OK) { /* what was got before the disk ran full must not stay occupied */
        int result = ftruncate(posix(file)->fd, (off_t)old_size);
        (void)result; /* the first error is the one to report */
    }
    return err;
}

verso_err vs_posix_truncate(struct vs_file *file, uint64_t size)
{
    assert(posix(file)->writable);
    assert(is_in_range(size, 0));
    return set_size(posix(file), size);
}

/* ---- sync ---------------------------------------------------------------------------------- */

/*
 * On macOS fsync() reaches the drive but not its platters; F_FULLFSYNC does, except on file systems
 * that do not know it (network ones mostly), for which fsync() is all there is.
 */
static int sync_everything(int fd)
{
#ifdef F_FULLFSYNC
    if (fcntl(fd, F_FULLFSYNC) == 0) {
        return 0;
    }
    if (errno != ENOTSUP && errno != EINVAL && errno != ENOTTY) {
        return -1;
    }
#endif
    return fsync(fd);
}

static int sync_contents(int fd)
{
#ifdef F_FULLFSYNC
    return sync_everything(fd);
#else
    return fdatasync(fd);
#endif
}

verso_err vs_posix_sync_data(struct vs_file *file)
{
    if (sync_contents(posix(file)->fd) != 0) {
        return vs_posix_fault("sync", posix(file)->path);
    }
    return VERSO_OK;
}

verso_err vs_posix_sync_full(struct vs_file *file)
{
    if (sync_everything(posix(file)->fd) != 0) {
        return vs_posix_fault("sync", posix(file)->path);
    }
    return VERSO_OK;
}

/* ---- map ----------------------------------------------------------------------------------- */

verso_err vs_posix_map(struct vs_file *file, size_t size, const uint8_t **address)
{
    assert(size > 0);
    assert(address != NULL);

    void *mapped = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_NORESERVE, posix(file)->fd, 0);
    if (mapped == MAP_FAILED) {
        /* too long a range, too much locked, too long a range under valgrind */
        if (errno == EOVERFLOW || errno == EAGAIN || errno == EINVAL) {
            errno = ENOMEM;
        }
        return vs_posix_fault("map", posix(file)->path);
    }
    (void)madvise(mapped, size, MADV_RANDOM);
    *address = mapped;
    return VERSO_OK;
}

void vs_posix_unmap(struct vs_file *file, const uint8_t *address, size_t size)
{
    (void)file;
    if (address == NULL) {
        return;
    }
    /* The const binds readers, not the owner; -Wcast-qual would refuse to drop it directly.
       NOLINTNEXTLINE(performance-no-int-to-ptr) */
    int result = munmap((void *)(uintptr_t)address, size);
    assert(result == 0);
    (void)result;
}

void vs_posix_prefetch(struct vs_file *file, const uint8_t *address, uint64_t offset, size_t size)
{
#ifdef POSIX_FADV_WILLNEED
    (void)address; /* the page cache is the same one, and an advice on the file splits no mapping */
    (void)posix_fadvise(posix(file)->fd, (off_t)offset, (off_t)size, POSIX_FADV_WILLNEED);
#else
    (void)file;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = ((uintptr_t)address + (uintptr_t)offset) / page * page;
    uintptr_t end = (uintptr_t)address + (uintptr_t)offset + size;
    (void)madvise((void *)start, end - start, MADV_WILLNEED);
#endif
}
