/*
 * os_posix.c - the table of functions for POSIX systems, with its clocks and random bytes.
 */
#include <assert.h>
#include <time.h>
#include <unistd.h>
#if defined(__APPLE__) || defined(__linux__)
#include <sys/random.h>
#endif

#include "os/os.h"
#include "os/posix_directory.h"
#include "os/posix_fault.h"
#include "os/posix_file.h"

enum { ENTROPY_SIZE_MAX = 256 }; /* bytes: getentropy() refuses more at once */

static int64_t microseconds(clockid_t clock)
{
    struct timespec now = {0, 0};
    int result = clock_gettime(clock, &now);
    assert(result == 0); /* these clocks exist on every system that Verso runs on */
    (void)result;
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t clock_us(const struct vs_os *os)
{
    (void)os;
    return microseconds(CLOCK_REALTIME);
}

static int64_t coarse_clock_us(const struct vs_os *os)
{
    (void)os;
#if defined(CLOCK_REALTIME_COARSE)
    return microseconds(CLOCK_REALTIME_COARSE);
#else
    return microseconds(CLOCK_REALTIME);
#endif
}

static int64_t monotonic_us(const struct vs_os *os)
{
    (void)os;
    return microseconds(CLOCK_MONOTONIC);
}

static verso_err random_bytes(const struct vs_os *os, void *buffer, size_t size)
{
    (void)os;
    char *next = buffer;
    while (size > 0) {
        size_t part = size < ENTROPY_SIZE_MAX ? size : ENTROPY_SIZE_MAX;
        if (getentropy(next, part) != 0) {
            return vs_posix_fault("read", "random bytes");
        }
        next += part;
        size -= part;
    }
    return VERSO_OK;
}

static const struct vs_os real = {
    .context = NULL,
    .open = vs_posix_open,
    .close = vs_posix_close,
    .identify = vs_posix_identify,
    .lock = vs_posix_lock,
    .read_at = vs_posix_read_at,
    .write_at = vs_posix_write_at,
    .allocate = vs_posix_allocate,
    .truncate = vs_posix_truncate,
    .sync_data = vs_posix_sync_data,
    .sync_full = vs_posix_sync_full,
    .rename = vs_posix_rename,
    .rename_new = vs_posix_rename_new,
    .unlink = vs_posix_unlink,
    .absolute = vs_posix_absolute,
    .sync_directory = vs_posix_sync_directory,
    .list = vs_posix_list,
    .map = vs_posix_map,
    .unmap = vs_posix_unmap,
    .prefetch = vs_posix_prefetch,
    .clock_us = clock_us,
    .coarse_clock_us = coarse_clock_us,
    .monotonic_us = monotonic_us,
    .random = random_bytes,
    .background = true,
};

const struct vs_os *vs_os_real(void)
{
    return &real;
}
