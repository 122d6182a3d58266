/*
 * machine.c - append to a preallocated, written file, as the best log could.
 *
 * The file is filled in single pages after POSIX_FADV_RANDOM: with large folios in the page cache
 * a short write and its sync cost up to half as much again on current kernels, and the limit
 * should be the best that the machine can do.
 */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "clock.h"
#include "directory.h"
#include "stop.h"

enum { APPEND_BYTES = 200, PAGE_BYTES = 4096, FILE_PAGES = 8192 };

static int open_written_file(const char *path)
{
    static const uint8_t page[PAGE_BYTES];
    int file = open(path, O_CREAT | O_RDWR | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0 || posix_fallocate(file, 0, (off_t)FILE_PAGES * PAGE_BYTES) != 0) {
        stop_with("cannot make %s: %s", path, strerror(errno));
    }
    posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
    for (int i = 0; i < FILE_PAGES; i++) {
        if (pwrite(file, page, sizeof page, (off_t)i * PAGE_BYTES) != (ssize_t)sizeof page) {
            stop_with("cannot write %s: %s", path, strerror(errno));
        }
    }
    if (fsync(file) != 0) {
        stop_with("cannot sync %s: %s", path, strerror(errno));
    }
    return file;
}

double machine_append(const char *directory, bool with_sync, double seconds, uint32_t count_max,
                      struct latencies *latencies)
{
    struct path path = path_join(directory, "append");
    int file = open_written_file(path.text);
    uint8_t record[APPEND_BYTES];
    memset(record, 0x5a, sizeof record);
    latencies_reserve(latencies, count_max);

    off_t offset = 0;
    uint32_t count = 0;
    uint64_t start_ns = now_ns();
    uint64_t end_ns = start_ns + (uint64_t)(seconds * 1e9);
    uint64_t now = start_ns;
    while (count < count_max && now < end_ns) {
        if (pwrite(file, record, sizeof record, offset) != (ssize_t)sizeof record ||
            (with_sync && fdatasync(file) != 0)) {
            stop_with("cannot append to %s: %s", path.text, strerror(errno));
        }
        offset = (offset + APPEND_BYTES) % ((off_t)FILE_PAGES * PAGE_BYTES - APPEND_BYTES);
        uint64_t before = now;
        now = now_ns();
        latencies_add(latencies, now - before);
        count++;
    }
    double rate = (double)count * 1e9 / (double)(now > start_ns ? now - start_ns : 1);
    close(file);
    unlink(path.text);
    return rate;
}

bool machine_written_bytes(const char *directory, uint64_t *bytes)
{
    enum { SECTOR_BYTES = 512 };
    struct stat status;
    if (stat(directory, &status) != 0) {
        return false;
    }
    char path[64];
    snprintf(path, sizeof path, "/sys/dev/block/%u:%u/stat", major(status.st_dev),
             minor(status.st_dev));
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    uint64_t sectors = 0; /* the seventh number, see Documentation/block/stat.rst of Linux */
    int fields = fscanf(file, "%*u %*u %*u %*u %*u %*u %" SCNu64, &sectors);
    fclose(file);
    if (fields != 1) {
        return false;
    }
    *bytes = sectors * SECTOR_BYTES;
    return true;
}
