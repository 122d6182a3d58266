/*
 * simulated_fixture.c - set up, tear down and shorthand for the tests of the simulated disk.
 */
#include "simulated_fixture.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"

struct simulated_disk *disk;
const struct vs_os *os;

void simulated_set_up(void)
{
    disk = simulated_disk_open(1);
    os = simulated_disk_os(disk);
}

void simulated_tear_down(void)
{
    simulated_disk_close(disk);
}

struct vs_file *open_file(const char *path, enum vs_open_mode mode)
{
    struct vs_file *file = NULL;
    cr_assert_eq(os->open(os, path, mode, &file), VERSO_OK, "%s", vs_fault_detail());
    return file;
}

struct vs_file *durable_file(const char *path, int byte, size_t sectors)
{
    char *bytes = malloc(sectors * SECTOR);
    cr_assert_not_null(bytes);
    memset(bytes, byte, sectors * SECTOR);
    simulated_disk_put(disk, path, bytes, sectors * SECTOR);
    free(bytes);
    return open_file(path, VS_OPEN_WRITE);
}

void write_sector(struct vs_file *file, size_t sector, int byte)
{
    char bytes[SECTOR];
    memset(bytes, byte, sizeof bytes);
    cr_assert_eq(os->write_at(file, sector * SECTOR, bytes, sizeof bytes), VERSO_OK);
}

void sync_file(struct vs_file *file)
{
    cr_assert_eq(os->sync_data(file), VERSO_OK);
}

char byte_of(struct simulated_disk *of, const char *path, size_t sector)
{
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(of, path, &size);
    cr_assert_not_null(bytes);
    cr_assert_lt(sector * SECTOR, size);
    return (char)bytes[sector * SECTOR];
}

uint64_t size_of(struct simulated_disk *of, const char *path)
{
    uint64_t size = 0;
    cr_assert_not_null(simulated_disk_bytes(of, path, &size));
    return size;
}

char crashed_byte(const char *path, size_t sector, uint64_t seed, enum simulated_crash mode)
{
    struct simulated_disk *image = simulated_disk_crash(disk, seed, mode);
    char byte = byte_of(image, path, sector);
    simulated_disk_close(image);
    return byte;
}

unsigned crashed_set(const char *path, size_t sector, const char *candidates)
{
    unsigned seen = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char byte = crashed_byte(path, sector, seed, SIMULATED_CRASH_RANDOM);
        const char *found = strchr(candidates, byte);
        cr_assert(found != NULL && byte != '\0', "seed=%" PRIu64 ": byte %d", seed, byte);
        seen |= 1U << (found - candidates);
    }
    return seen;
}
