/*
 * simulated_disk_test.c - the simulated disk keeps what it promises: no more and no less.
 *
 * The crash tests of the engine are worth what this disk is worth. Each of its freedoms is shown to
 * be taken (over a number of seeds every outcome occurs), and each of its duties to be kept.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/fault.h"
#include "simulated_disk.h"

enum { SECTOR = SIMULATED_SECTOR_SIZE, SEEDS = 200 };

static struct simulated_disk *disk;
static const struct vs_os *os;

static void set_up(void)
{
    disk = simulated_disk_open(1);
    os = simulated_disk_os(disk);
}

static void tear_down(void)
{
    simulated_disk_close(disk);
}

TestSuite(simulated_disk, .init = set_up, .fini = tear_down);

/* ---- shorthand ----------------------------------------------------------------------------- */

static struct vs_file *open_file(const char *path, enum vs_open_mode mode)
{
    struct vs_file *file = NULL;
    cr_assert_eq(os->open(os, path, mode, &file), VERSO_OK, "%s", vs_fault_detail());
    return file;
}

/* A durable file of `sectors` sectors filled with `byte`, still open. */
static struct vs_file *durable_file(const char *path, int byte, size_t sectors)
{
    char *bytes = malloc(sectors * SECTOR);
    cr_assert_not_null(bytes);
    memset(bytes, byte, sectors * SECTOR);
    simulated_disk_put(disk, path, bytes, sectors * SECTOR);
    free(bytes);
    return open_file(path, VS_OPEN_WRITE);
}

static void write_sector(struct vs_file *file, size_t sector, int byte)
{
    char bytes[SECTOR];
    memset(bytes, byte, sizeof bytes);
    cr_assert_eq(os->write_at(file, sector * SECTOR, bytes, sizeof bytes), VERSO_OK);
}

static void sync_file(struct vs_file *file)
{
    cr_assert_eq(os->sync_data(file), VERSO_OK);
}

/* First byte of a sector of a file that exists. */
static char byte_of(struct simulated_disk *of, const char *path, size_t sector)
{
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(of, path, &size);
    cr_assert_not_null(bytes);
    cr_assert_lt(sector * SECTOR, size);
    return (char)bytes[sector * SECTOR];
}

static uint64_t size_of(struct simulated_disk *of, const char *path)
{
    uint64_t size = 0;
    cr_assert_not_null(simulated_disk_bytes(of, path, &size));
    return size;
}

/* The byte that a crash leaves in a sector. */
static char crashed_byte(const char *path, size_t sector, uint64_t seed, enum simulated_crash mode)
{
    struct simulated_disk *image = simulated_disk_crash(disk, seed, mode);
    char byte = byte_of(image, path, sector);
    simulated_disk_close(image);
    return byte;
}

/* Which of `candidates` RANDOM crashes leave in a sector, as a set of bits; others fail the test. */
static unsigned crashed_set(const char *path, size_t sector, const char *candidates)
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

/* ---- contents ------------------------------------------------------------------------------ */

Test(simulated_disk, reads_back_what_was_written)
{
    struct vs_file *file = open_file("d/f", VS_OPEN_CREATE);
    cr_assert_eq(os->write_at(file, 1000, "hello", 5), VERSO_OK);
    char bytes[7];
    cr_assert_eq(os->read_at(file, 998, bytes, 7), VERSO_OK);
    cr_assert_eq(memcmp(bytes, "\0\0hello", 7), 0);
    os->close(file);
}

Test(simulated_disk, refuses_to_read_beyond_the_end)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    char bytes[2];
    cr_assert_eq(os->read_at(file, SECTOR - 1, bytes, 1), VERSO_OK);
    cr_assert_eq(os->read_at(file, SECTOR - 1, bytes, 2), VERSO_CORRUPT);
    cr_assert_eq(os->read_at(file, UINT64_MAX, bytes, 1), VERSO_CORRUPT);
    os->close(file);
}

Test(simulated_disk, shows_each_write_in_a_mapping_that_never_moves)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    const uint8_t *address = NULL;
    cr_assert_eq(os->map(file, (size_t)1 << 44, &address), VERSO_NOMEM);
    cr_assert_eq(os->map(file, SIMULATED_FILE_SIZE_MAX, &address), VERSO_OK);
    cr_assert_eq(os->allocate(file, 1 << 20), VERSO_OK);
    cr_assert_eq(address[(1 << 20) - 1], 0);
    cr_assert_eq(os->write_at(file, 12345, "x", 1), VERSO_OK);
    cr_assert_eq(address[12345], 'x');
    cr_assert_eq(os->allocate(file, 64 << 20), VERSO_OK);
    cr_assert_eq(address[12345], 'x');
    os->unmap(file, address, SIMULATED_FILE_SIZE_MAX);
    os->close(file);
}

/* Whether memory can be read, found out without a fault: the system reads it for us. */
static bool is_readable(const uint8_t *address)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    ssize_t count = write(ends[1], address, 1);
    cr_assert(count == 1 || errno == EFAULT);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return count == 1;
}

Test(simulated_disk, ends_a_mapping_with_the_last_page_of_the_file)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    const uint8_t *address = NULL;
    cr_assert_eq(os->map(file, 1 << 20, &address), VERSO_OK);
    cr_assert(is_readable(address + 4095));
    cr_assert(!is_readable(address + 4096));
    cr_assert_eq(os->allocate(file, 5000), VERSO_OK);
    cr_assert(is_readable(address + 8191));
    cr_assert(!is_readable(address + 8192));
    cr_assert_eq(os->truncate(file, 0), VERSO_OK);
    cr_assert(!is_readable(address));
    os->unmap(file, address, 1 << 20);
    os->close(file);
}

Test(simulated_disk, opens_as_the_real_system_does)
{
    struct vs_file *file = NULL;
    cr_assert_eq(os->open(os, "f", VS_OPEN_READ, &file), VERSO_NO_STORE);
    cr_assert_eq(os->open(os, "f", VS_OPEN_WRITE, &file), VERSO_NO_STORE);
    os->close(open_file("f", VS_OPEN_CREATE));
    cr_assert_eq(os->open(os, "f", VS_OPEN_CREATE, &file), VERSO_INVALID);
    cr_assert_eq(os->unlink(os, "g"), VERSO_NO_STORE);
    cr_assert_eq(os->rename(os, "g", "h"), VERSO_NO_STORE);
}

Test(simulated_disk, keeps_an_unlinked_file_while_it_is_open)
{
    struct vs_file *file = durable_file("f", 'a', 2);
    cr_assert_eq(os->unlink(os, "f"), VERSO_OK);
    struct vs_file_identity identity;
    cr_assert_eq(os->identify(file, &identity), VERSO_OK);
    cr_assert_eq(identity.links, 0);
    cr_assert_eq(identity.size, 2 * SECTOR);
    cr_assert_eq(simulated_disk_used_bytes(disk), 2 * SECTOR);
    os->close(file);
    cr_assert_eq(simulated_disk_used_bytes(disk), 0);
}

Test(simulated_disk, renames_over_an_existing_file)
{
    os->close(durable_file("d/a", 'a', 1));
    os->close(durable_file("d/b", 'b', 1));
    cr_assert_eq(os->rename(os, "d/a", "d/b"), VERSO_OK);
    cr_assert(!simulated_disk_exists(disk, "d/a"));
    cr_assert_eq(byte_of(disk, "d/b", 0), 'a');
    cr_assert_eq(os->rename(os, "d/b", "e/b"), VERSO_INVALID);
}

struct listing {
    char text[256];
    verso_err result;
};

static verso_err append_path(void *argument, const char *path)
{
    struct listing *listing = argument;
    strcat(listing->text, path);
    strcat(listing->text, " ");
    return listing->result;
}

Test(simulated_disk, lists_the_files_of_a_prefix)
{
    const char *paths[] = {"d/s-wal.2", "d/s-wal.1", "d/s", "d/t", "d/s-wal.dir/x", "s-wal.3"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        simulated_disk_put(disk, paths[i], NULL, 0);
    }
    struct listing listing = {"", VERSO_OK};
    cr_assert_eq(os->list(os, "d/s-wal.", append_path, &listing), VERSO_OK);
    cr_assert_str_eq(listing.text, "d/s-wal.1 d/s-wal.2 ");

    struct listing stopped = {"", VERSO_LIMIT};
    cr_assert_eq(os->list(os, "d/s-wal.", append_path, &stopped), VERSO_LIMIT);
    cr_assert_str_eq(stopped.text, "d/s-wal.1 ");
}

static verso_err unlink_path(void *argument, const char *path)
{
    (void)argument;
    return os->unlink(os, path);
}

Test(simulated_disk, lets_files_be_unlinked_while_they_are_listed)
{
    simulated_disk_put(disk, "d/1", NULL, 0);
    simulated_disk_put(disk, "d/2", NULL, 0);
    cr_assert_eq(os->list(os, "d/", unlink_path, NULL), VERSO_OK);
    cr_assert_null(simulated_disk_path(disk, 0));
}

/* ---- locks --------------------------------------------------------------------------------- */

Test(simulated_disk, refuses_a_second_lock_on_the_same_file)
{
    struct vs_file *first = durable_file("f", 'a', 1);
    struct vs_file *second = open_file("f", VS_OPEN_WRITE);
    cr_assert_eq(os->lock(first, true), VERSO_OK);
    cr_assert_eq(os->lock(first, true), VERSO_OK);
    cr_assert_eq(os->lock(second, true), VERSO_BUSY);
    cr_assert_eq(os->lock(second, false), VERSO_BUSY);
    os->close(first);
    cr_assert_eq(os->lock(second, true), VERSO_OK);
    os->close(second);
}

Test(simulated_disk, shares_locks_among_readers)
{
    struct vs_file *first = durable_file("f", 'a', 1);
    struct vs_file *second = open_file("f", VS_OPEN_WRITE);
    cr_assert_eq(os->lock(first, false), VERSO_OK);
    cr_assert_eq(os->lock(second, false), VERSO_OK);
    cr_assert_eq(os->lock(second, true), VERSO_BUSY);
    os->close(first);
    cr_assert_eq(os->lock(second, true), VERSO_OK);
    os->close(second);
}

Test(simulated_disk, locks_the_file_and_not_its_name)
{
    struct vs_file *first = durable_file("f", 'a', 1);
    cr_assert_eq(os->lock(first, true), VERSO_OK);
    cr_assert_eq(os->rename(os, "f", "g"), VERSO_OK);
    struct vs_file *second = open_file("g", VS_OPEN_WRITE);
    cr_assert_eq(os->lock(second, true), VERSO_BUSY);
    os->close(second);
    os->close(first);
}

Test(simulated_disk, forgets_locks_in_a_crash)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    cr_assert_eq(os->lock(file, true), VERSO_OK);
    struct simulated_disk *image = simulated_disk_crash(disk, 0, SIMULATED_CRASH_ALL_OLD);
    const struct vs_os *image_os = simulated_disk_os(image);
    struct vs_file *again = NULL;
    cr_assert_eq(image_os->open(image_os, "f", VS_OPEN_WRITE, &again), VERSO_OK);
    cr_assert_eq(image_os->lock(again, true), VERSO_OK);
    image_os->close(again);
    simulated_disk_close(image);
    os->close(file);
}

/* ---- crash: sectors ------------------------------------------------------------------------ */

Test(simulated_disk, never_loses_a_synced_write)
{
    struct vs_file *file = durable_file("f", 'a', 4);
    write_sector(file, 2, 'b');
    sync_file(file);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        for (int mode = SIMULATED_CRASH_ALL_OLD; mode <= SIMULATED_CRASH_TORN; mode++) {
            cr_assert_eq(crashed_byte("f", 2, seed, (enum simulated_crash)mode), 'b');
            cr_assert_eq(crashed_byte("f", 1, seed, (enum simulated_crash)mode), 'a');
        }
    }
    os->close(file);
}

Test(simulated_disk, leaves_an_unsynced_sector_old_or_new)
{
    struct vs_file *file = durable_file("f", 'a', 4);
    write_sector(file, 2, 'b');
    cr_assert_eq(crashed_byte("f", 2, 0, SIMULATED_CRASH_ALL_OLD), 'a');
    cr_assert_eq(crashed_byte("f", 2, 0, SIMULATED_CRASH_ALL_NEW), 'b');
    cr_assert_eq(crashed_set("f", 2, "ab"), 3);
    os->close(file);
}

Test(simulated_disk, leaves_up_to_four_contents_between)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    for (int byte = 'b'; byte <= 'f'; byte++) {
        write_sector(file, 0, byte);
    }
    cr_assert_eq(crashed_set("f", 0, "abcdef"), 0x3f);
    write_sector(file, 0, 'g');
    unsigned seen = crashed_set("f", 0, "abcdefg");
    cr_assert_eq(__builtin_popcount(seen), 6, "seen=%x", seen);
    cr_assert(seen & 1U);
    cr_assert(seen & 0x40U);
    os->close(file);
}

Test(simulated_disk, decides_each_sector_for_itself)
{
    struct vs_file *file = durable_file("f", 'a', 2);
    write_sector(file, 0, 'b');
    write_sector(file, 1, 'b');
    unsigned seen = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        unsigned first = crashed_byte("f", 0, seed, SIMULATED_CRASH_RANDOM) == 'b';
        unsigned second = crashed_byte("f", 1, seed, SIMULATED_CRASH_RANDOM) == 'b';
        seen |= 1U << (first + 2 * second);
    }
    cr_assert_eq(seen, 0xf);
    os->close(file);
}

Test(simulated_disk, names_each_single_sector_by_its_seed)
{
    struct vs_file *file = durable_file("f", 'a', 8);
    struct vs_file *other = durable_file("g", 'a', 8);
    write_sector(other, 1, 'b');
    write_sector(file, 5, 'b');
    write_sector(file, 3, 'b');
    uint64_t dirty = simulated_disk_dirty_sectors(disk);
    cr_assert_eq(dirty, 3);
    unsigned new_alone = 0;
    unsigned old_alone = 0;
    for (uint64_t seed = 0; seed < dirty; seed++) {
        struct simulated_disk *one_new = simulated_disk_crash(disk, seed, SIMULATED_CRASH_ONE_NEW);
        struct simulated_disk *one_old = simulated_disk_crash(disk, seed, SIMULATED_CRASH_ONE_OLD);
        new_alone = new_alone * 8 + (byte_of(one_new, "f", 5) == 'b') * 4U +
                    (byte_of(one_new, "f", 3) == 'b') * 2U + (byte_of(one_new, "g", 1) == 'b');
        old_alone = old_alone * 8 + (byte_of(one_old, "f", 5) == 'a') * 4U +
                    (byte_of(one_old, "f", 3) == 'a') * 2U + (byte_of(one_old, "g", 1) == 'a');
        simulated_disk_close(one_new);
        simulated_disk_close(one_old);
    }
    cr_assert_eq(new_alone, 0421); /* files by path, sectors by their first write */
    cr_assert_eq(old_alone, 0421);
    os->close(other);
    os->close(file);
}

Test(simulated_disk, tears_inside_a_sector_in_the_torn_mode_only)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    write_sector(file, 0, 'b');
    bool has_torn[SIMULATED_CRASH_TORN + 1] = {false};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        for (int mode = SIMULATED_CRASH_ALL_OLD; mode <= SIMULATED_CRASH_TORN; mode++) {
            struct simulated_disk *image =
                simulated_disk_crash(disk, seed, (enum simulated_crash)mode);
            const uint8_t *bytes = simulated_disk_bytes(image, "f", NULL);
            has_torn[mode] = has_torn[mode] || memcmp(bytes, bytes + 64, SECTOR - 64) != 0;
            simulated_disk_close(image);
        }
    }
    cr_assert(!has_torn[SIMULATED_CRASH_RANDOM]);
    cr_assert(!has_torn[SIMULATED_CRASH_ONE_NEW]);
    cr_assert(has_torn[SIMULATED_CRASH_TORN]);
    os->close(file);
}

Test(simulated_disk, makes_durable_what_it_writes_back)
{
    struct vs_file *file = durable_file("f", 'a', 64);
    for (size_t sector = 0; sector < 64; sector++) {
        write_sector(file, sector, 'b');
    }
    simulated_disk_write_back(disk, 7);
    unsigned durable = 0;
    struct simulated_disk *image = simulated_disk_crash(disk, 0, SIMULATED_CRASH_ALL_OLD);
    for (size_t sector = 0; sector < 64; sector++) {
        durable += byte_of(image, "f", sector) == 'b';
    }
    simulated_disk_close(image);
    cr_assert(durable > 10 && durable < 54, "durable=%u", durable);
    os->close(file);
}

Test(simulated_disk, has_nothing_unsynced_after_a_crash)
{
    struct vs_file *file = durable_file("f", 'a', 16);
    for (size_t sector = 0; sector < 16; sector++) {
        write_sector(file, sector, 'b');
    }
    struct simulated_disk *image = simulated_disk_crash(disk, 3, SIMULATED_CRASH_RANDOM);
    struct simulated_disk *again = simulated_disk_crash(image, 4, SIMULATED_CRASH_ALL_OLD);
    cr_assert_eq(simulated_disk_dirty_sectors(image), 0);
    cr_assert_eq(simulated_disk_digest(again), simulated_disk_digest(image));
    simulated_disk_close(again);
    simulated_disk_close(image);
    os->close(file);
}

/* ---- crash: lengths ------------------------------------------------------------------------ */

/* Which of two lengths RANDOM crashes leave, as a set of bits. */
static unsigned crashed_sizes(const char *path, uint64_t old_size, uint64_t new_size)
{
    unsigned seen = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct simulated_disk *image = simulated_disk_crash(disk, seed, SIMULATED_CRASH_RANDOM);
        uint64_t size = size_of(image, path);
        cr_assert(size == old_size || size == new_size);
        seen |= size == old_size ? 1 : 2;
        simulated_disk_close(image);
    }
    return seen;
}

Test(simulated_disk, may_lose_unsynced_growth)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    cr_assert_eq(os->allocate(file, 8 * SECTOR), VERSO_OK);
    write_sector(file, 6, 'b');
    cr_assert_eq(crashed_sizes("f", SECTOR, 8 * SECTOR), 3);
    sync_file(file);
    cr_assert_eq(crashed_sizes("f", SECTOR, 8 * SECTOR), 2);
    os->close(file);
}

Test(simulated_disk, may_lose_an_unsynced_cut)
{
    struct vs_file *file = durable_file("f", 'a', 16);
    cr_assert_eq(os->truncate(file, SECTOR + 100), VERSO_OK);
    struct simulated_disk *old = simulated_disk_crash(disk, 0, SIMULATED_CRASH_ALL_OLD);
    cr_assert_eq(size_of(old, "f"), 16 * SECTOR);
    cr_assert_eq(byte_of(old, "f", 15), 'a');
    simulated_disk_close(old);
    cr_assert_eq(crashed_sizes("f", 16 * SECTOR, SECTOR + 100), 3);

    cr_assert_eq(os->truncate(file, 16 * SECTOR), VERSO_OK);
    char bytes[2];
    cr_assert_eq(os->read_at(file, SECTOR + 99, bytes, 2), VERSO_OK);
    cr_assert_eq(memcmp(bytes, "a", 2), 0);
    cr_assert_eq(byte_of(disk, "f", 15), 0);
    os->close(file);
}

Test(simulated_disk, clones_and_crashes_a_file_that_was_cut)
{
    struct vs_file *file = durable_file("f", 'a', 64);
    cr_assert_eq(os->truncate(file, 0), VERSO_OK);
    cr_assert_eq(simulated_disk_dirty_sectors(disk), 0);
    struct simulated_disk *clone = simulated_disk_clone(disk);
    simulated_disk_write_back(clone, 1);
    struct simulated_disk *image = simulated_disk_crash(clone, 0, SIMULATED_CRASH_ALL_OLD);
    cr_assert_eq(byte_of(image, "f", 63), 'a');
    simulated_disk_close(image);
    simulated_disk_close(clone);
    sync_file(file);
    image = simulated_disk_crash(disk, 0, SIMULATED_CRASH_ALL_OLD);
    cr_assert_eq(size_of(image, "f"), 0);
    simulated_disk_close(image);
    os->close(file);
}

/* ---- crash: names -------------------------------------------------------------------------- */

Test(simulated_disk, loses_a_created_file_unless_its_directory_is_synced)
{
    struct vs_file *file = open_file("d/f", VS_OPEN_CREATE);
    write_sector(file, 0, 'a');
    sync_file(file);
    struct simulated_disk *image = simulated_disk_crash(disk, 0, SIMULATED_CRASH_ALL_OLD);
    cr_assert(!simulated_disk_exists(image, "d/f"));
    simulated_disk_close(image);

    cr_assert_eq(os->sync_directory(os, "e/f"), VERSO_OK); /* another directory */
    image = simulated_disk_crash(disk, 0, SIMULATED_CRASH_ALL_OLD);
    cr_assert(!simulated_disk_exists(image, "d/f"));
    simulated_disk_close(image);

    cr_assert_eq(os->sync_directory(os, "d/anything"), VERSO_OK);
    cr_assert_eq(crashed_byte("d/f", 0, 0, SIMULATED_CRASH_ALL_OLD), 'a');
    os->close(file);
}

Test(simulated_disk, may_lose_an_unsynced_rename)
{
    os->close(durable_file("d/old", 'a', 1));
    cr_assert_eq(os->rename(os, "d/old", "d/new"), VERSO_OK);
    unsigned seen = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct simulated_disk *image = simulated_disk_crash(disk, seed, SIMULATED_CRASH_RANDOM);
        bool has_old = simulated_disk_exists(image, "d/old");
        cr_assert_neq(has_old, simulated_disk_exists(image, "d/new"));
        seen |= has_old ? 1 : 2;
        simulated_disk_close(image);
    }
    cr_assert_eq(seen, 3);
}

Test(simulated_disk, may_bring_an_unlinked_file_back)
{
    os->close(durable_file("d/f", 'a', 1));
    cr_assert_eq(os->unlink(os, "d/f"), VERSO_OK);
    cr_assert_eq(crashed_byte("d/f", 0, 0, SIMULATED_CRASH_ALL_OLD), 'a');
    cr_assert_eq(os->sync_directory(os, "d/f"), VERSO_OK);
    struct simulated_disk *image = simulated_disk_crash(disk, 0, SIMULATED_CRASH_ALL_OLD);
    cr_assert(!simulated_disk_exists(image, "d/f"));
    simulated_disk_close(image);
}

/* Which of the subsets of three created files RANDOM crashes leave, as a set of bits. */
static unsigned crashed_subsets(void)
{
    unsigned seen = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct simulated_disk *image = simulated_disk_crash(disk, seed, SIMULATED_CRASH_RANDOM);
        seen |= 1U << (simulated_disk_exists(image, "1") + 2 * simulated_disk_exists(image, "2") +
                       4 * simulated_disk_exists(image, "3"));
        simulated_disk_close(image);
    }
    return seen;
}

Test(simulated_disk, keeps_a_prefix_of_names_or_any_subset)
{
    os->close(open_file("1", VS_OPEN_CREATE));
    os->close(open_file("2", VS_OPEN_CREATE));
    os->close(open_file("3", VS_OPEN_CREATE));
    cr_assert_eq(crashed_subsets(), 1U << 0 | 1U << 1 | 1U << 3 | 1U << 7);
    simulated_disk_set_any_subset(disk, true);
    cr_assert_eq(crashed_subsets(), 0xff);
}

/* ---- syncs that fail ----------------------------------------------------------------------- */

static void fail_next_sync(enum simulated_effect effect)
{
    simulated_disk_inject(
        disk, &(struct simulated_fault){.kind = SIMULATED_SYNC, .nth = 1, .effect = effect});
}

Test(simulated_disk, keeps_nothing_of_a_failed_sync_and_then_pretends)
{
    struct vs_file *file = durable_file("f", 'a', 2);
    write_sector(file, 0, 'b');
    fail_next_sync(SIMULATED_FAILS);
    cr_assert_eq(os->sync_data(file), VERSO_IO);
    cr_assert_eq(byte_of(disk, "f", 0), 'b'); /* the cache still shows it */
    sync_file(file);                          /* and the next sync "succeeds" */
    cr_assert_eq(crashed_byte("f", 0, 0, SIMULATED_CRASH_ALL_NEW), 'a');

    write_sector(file, 0, 'c'); /* written again, it is dirty again */
    cr_assert_eq(crashed_set("f", 0, "ac"), 3);
    sync_file(file);
    cr_assert_eq(crashed_byte("f", 0, 0, SIMULATED_CRASH_ALL_OLD), 'c');
    os->close(file);
}

Test(simulated_disk, keeps_a_part_of_a_failed_sync)
{
    struct vs_file *file = durable_file("f", 'a', 64);
    for (size_t sector = 0; sector < 64; sector++) {
        write_sector(file, sector, 'b');
    }
    fail_next_sync(SIMULATED_FAILS_PARTLY);
    cr_assert_eq(os->sync_data(file), VERSO_IO);
    struct simulated_disk *image = simulated_disk_crash(disk, 0, SIMULATED_CRASH_ALL_NEW);
    unsigned kept = 0;
    for (size_t sector = 0; sector < 64; sector++) {
        kept += byte_of(image, "f", sector) == 'b';
    }
    simulated_disk_close(image);
    cr_assert(kept > 10 && kept < 54, "kept=%u", kept);
    os->close(file);
}

Test(simulated_disk, reverts_the_cache_in_a_failed_sync)
{
    struct vs_file *file = durable_file("f", 'a', 2);
    write_sector(file, 0, 'b');
    write_sector(file, 3, 'b');
    fail_next_sync(SIMULATED_FAILS_AND_REVERTS);
    cr_assert_eq(os->sync_data(file), VERSO_IO);
    cr_assert_eq(byte_of(disk, "f", 0), 'a');
    cr_assert_eq(byte_of(disk, "f", 3), 0);
    cr_assert_eq(size_of(disk, "f"), 4 * SECTOR);
    cr_assert_eq(crashed_byte("f", 0, 0, SIMULATED_CRASH_ALL_NEW), 'a');
    os->close(file);
}

Test(simulated_disk, loses_a_sync_that_lies)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    write_sector(file, 0, 'b');
    fail_next_sync(SIMULATED_IS_LOST);
    sync_file(file);
    cr_assert_eq(crashed_set("f", 0, "ab"), 3);
    os->close(file);
}

Test(simulated_disk, forgets_names_in_a_failed_sync_of_their_directory)
{
    os->close(open_file("d/f", VS_OPEN_CREATE));
    simulated_disk_inject(disk,
                          &(struct simulated_fault){.kind = SIMULATED_SYNC_DIRECTORY, .nth = 1});
    cr_assert_eq(os->sync_directory(os, "d/f"), VERSO_IO);
    cr_assert(simulated_disk_exists(disk, "d/f"));
    cr_assert_eq(os->sync_directory(os, "d/f"), VERSO_OK);
    struct simulated_disk *image = simulated_disk_crash(disk, 0, SIMULATED_CRASH_ALL_NEW);
    cr_assert(!simulated_disk_exists(image, "d/f"));
    simulated_disk_close(image);
}

/* ---- other faults -------------------------------------------------------------------------- */

Test(simulated_disk, fails_the_nth_call_once)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    simulated_disk_inject(
        disk, &(struct simulated_fault){.kind = SIMULATED_READ, .nth = 3, .err = VERSO_NOSPC});
    char byte;
    verso_err expected[] = {VERSO_OK, VERSO_OK, VERSO_NOSPC, VERSO_OK};
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(os->read_at(file, 0, &byte, 1), expected[i], "read %zu", i + 1);
    }
    cr_assert_eq(simulated_disk_faults_met(disk), 1);
    os->close(file);
}

Test(simulated_disk, fails_the_nth_call_and_all_after_it)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    simulated_disk_inject(
        disk, &(struct simulated_fault){.kind = SIMULATED_WRITE, .nth = 2, .for_ever = true});
    verso_err expected[] = {VERSO_OK, VERSO_IO, VERSO_IO, VERSO_IO};
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(os->write_at(file, 0, "b", 1), expected[i], "write %zu", i + 1);
    }
    simulated_disk_heal(disk);
    cr_assert_eq(os->write_at(file, 0, "c", 1), VERSO_OK);
    os->close(file);
}

Test(simulated_disk, fails_calls_on_chosen_files_only)
{
    struct vs_file *store = durable_file("s", 'a', 1);
    struct vs_file *log = durable_file("s-wal.1", 'a', 1);
    simulated_disk_inject(disk, &(struct simulated_fault){.path_part = "-wal", .nth = 1});
    cr_assert_eq(os->sync_data(store), VERSO_OK);
    cr_assert_eq(os->sync_data(log), VERSO_IO);
    cr_assert(strstr(vs_fault_detail(), "sync s-wal.1") != NULL);
    os->close(log);
    os->close(store);
}

Test(simulated_disk, fails_each_kind_of_call)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    struct vs_file *other = NULL;
    struct vs_file_identity identity;
    const uint8_t *address = NULL;
    struct listing listing = {"", VERSO_OK};
    char byte = 0;
    simulated_disk_inject(disk, &(struct simulated_fault){.nth = 1, .for_ever = true});
    cr_assert_eq(os->open(os, "g", VS_OPEN_CREATE, &other), VERSO_IO);
    cr_assert_eq(os->open(os, "f", VS_OPEN_READ, &other), VERSO_IO);
    cr_assert_eq(os->identify(file, &identity), VERSO_IO);
    cr_assert_eq(os->lock(file, true), VERSO_IO);
    cr_assert_eq(os->read_at(file, 0, &byte, 1), VERSO_IO);
    cr_assert_eq(os->write_at(file, 0, &byte, 1), VERSO_IO);
    cr_assert_eq(os->allocate(file, 4096), VERSO_IO);
    cr_assert_eq(os->truncate(file, 0), VERSO_IO);
    cr_assert_eq(os->sync_full(file), VERSO_IO);
    cr_assert_eq(os->rename(os, "f", "g"), VERSO_IO);
    cr_assert_eq(os->unlink(os, "f"), VERSO_IO);
    cr_assert_eq(os->sync_directory(os, "f"), VERSO_IO);
    cr_assert_eq(os->list(os, "f", append_path, &listing), VERSO_IO);
    cr_assert_eq(os->map(file, 4096, &address), VERSO_IO);
    cr_assert_eq(os->random(os, &byte, 1), VERSO_IO);
    cr_assert_eq(simulated_disk_faults_met(disk), SIMULATED_KINDS - 1);
    cr_assert_null(simulated_disk_path(disk, 1));
    cr_assert_eq(byte_of(disk, "f", 0), 'a');
    os->close(file);
}

Test(simulated_disk, writes_a_prefix_where_a_write_fails_partly)
{
    struct vs_file *file = durable_file("f", 'a', 64);
    simulated_disk_inject(disk, &(struct simulated_fault){.kind = SIMULATED_WRITE,
                                                          .nth = 1,
                                                          .err = VERSO_NOSPC,
                                                          .effect = SIMULATED_FAILS_PARTLY});
    char bytes[64 * SECTOR];
    memset(bytes, 'b', sizeof bytes);
    cr_assert_eq(os->write_at(file, 0, bytes, sizeof bytes), VERSO_NOSPC);
    const uint8_t *live = simulated_disk_bytes(disk, "f", NULL);
    size_t written = strspn((const char *)live, "b");
    cr_assert(written > 0 && written < sizeof bytes);
    cr_assert_eq(live[written], 'a');
    os->close(file);
}

Test(simulated_disk, loses_a_write_that_claims_success)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    simulated_disk_inject(
        disk,
        &(struct simulated_fault){.kind = SIMULATED_WRITE, .nth = 2, .effect = SIMULATED_IS_LOST});
    write_sector(file, 0, 'b');
    write_sector(file, 0, 'c');
    write_sector(file, 1, 'd');
    sync_file(file);
    cr_assert_eq(byte_of(disk, "f", 0), 'b');
    cr_assert_eq(byte_of(disk, "f", 1), 'd');
    os->close(file);
}

Test(simulated_disk, misdirects_a_write_within_its_file)
{
    struct vs_file *file = durable_file("f", 'a', 4);
    simulated_disk_inject(disk, &(struct simulated_fault){.kind = SIMULATED_WRITE,
                                                          .nth = 1,
                                                          .effect = SIMULATED_IS_MISDIRECTED,
                                                          .shift_bytes = -SECTOR});
    write_sector(file, 2, 'b');
    cr_assert_eq(byte_of(disk, "f", 2), 'a');
    cr_assert_eq(byte_of(disk, "f", 1), 'b');
    os->close(file);
}

Test(simulated_disk, misdirects_a_write_into_another_file)
{
    struct vs_file *file = durable_file("f", 'a', 2);
    os->close(durable_file("g", 'g', 2));
    simulated_disk_inject(disk, &(struct simulated_fault){.kind = SIMULATED_WRITE,
                                                          .nth = 1,
                                                          .effect = SIMULATED_IS_MISDIRECTED,
                                                          .other_path = "g"});
    write_sector(file, 1, 'b');
    cr_assert_eq(byte_of(disk, "f", 1), 'a');
    cr_assert_eq(byte_of(disk, "g", 1), 'b');
    cr_assert_eq(byte_of(disk, "g", 0), 'g');
    os->close(file);
}

Test(simulated_disk, refuses_growth_beyond_its_capacity)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    simulated_disk_set_capacity(disk, 4 * SECTOR);
    cr_assert_eq(os->allocate(file, 4 * SECTOR + 1), VERSO_NOSPC);
    cr_assert_eq(os->allocate(file, 3 * SECTOR), VERSO_OK);
    char bytes[2 * SECTOR] = {0};
    cr_assert_eq(os->write_at(file, 3 * SECTOR, bytes, 2 * SECTOR), VERSO_NOSPC);
    cr_assert_eq(os->write_at(file, 2 * SECTOR, bytes, 2 * SECTOR), VERSO_OK);
    struct vs_file *other = open_file("g", VS_OPEN_CREATE);
    cr_assert_eq(os->write_at(other, 0, bytes, 1), VERSO_NOSPC);
    cr_assert_eq(os->write_at(file, 0, bytes, 2 * SECTOR), VERSO_OK); /* no growth */
    cr_assert_eq(os->truncate(file, 2 * SECTOR), VERSO_OK);
    cr_assert_eq(os->write_at(other, 0, bytes, 2 * SECTOR), VERSO_OK);
    cr_assert_eq(simulated_disk_used_bytes(disk), 4 * SECTOR);
    os->close(other);
    os->close(file);
}

Test(simulated_disk, refuses_changes_where_it_is_read_only)
{
    os->close(durable_file("f", 'a', 1));
    simulated_disk_set_read_only(disk, true);
    struct vs_file *file = NULL;
    cr_assert_eq(os->open(os, "f", VS_OPEN_WRITE, &file), VERSO_ACCESS);
    cr_assert_eq(os->open(os, "g", VS_OPEN_CREATE, &file), VERSO_ACCESS);
    cr_assert_eq(os->unlink(os, "f"), VERSO_ACCESS);
    cr_assert_eq(os->rename(os, "f", "g"), VERSO_ACCESS);
    os->close(open_file("f", VS_OPEN_READ));
}

Test(simulated_disk, flips_bytes_on_the_medium_too)
{
    struct vs_file *file = durable_file("f", 0x10, 2);
    write_sector(file, 1, 0x20);
    simulated_disk_flip(disk, "f", 0, 1);
    simulated_disk_flip(disk, "f", SECTOR, 1);
    cr_assert_eq(byte_of(disk, "f", 1), 0x21);
    cr_assert_eq(crashed_byte("f", 0, 0, SIMULATED_CRASH_ALL_OLD), 0x11);
    cr_assert_eq(crashed_byte("f", 1, 0, SIMULATED_CRASH_ALL_OLD), 0x11);
    os->close(file);
}

Test(simulated_disk, removes_a_file_for_good)
{
    os->close(durable_file("f", 'a', 1));
    simulated_disk_remove(disk, "f");
    struct simulated_disk *image = simulated_disk_crash(disk, 0, SIMULATED_CRASH_ALL_OLD);
    cr_assert_null(simulated_disk_path(image, 0));
    simulated_disk_close(image);
}

/* ---- events -------------------------------------------------------------------------------- */

struct observer {
    char text[512];
    uint64_t crash_at;
    struct simulated_disk *image;
};

static void observe(void *argument, struct simulated_disk *of, const struct simulated_event *event)
{
    struct observer *observer = argument;
    size_t used = strlen(observer->text);
    (void)snprintf(observer->text + used, sizeof observer->text - used, "%c%d/%" PRIu64 " ",
                   event->is_after ? ')' : '(', (int)event->kind, event->change);
    if (event->is_change && !event->is_after && event->change == observer->crash_at) {
        observer->image = simulated_disk_crash(of, 0, SIMULATED_CRASH_ALL_NEW);
    }
}

Test(simulated_disk, tells_of_each_event_before_and_after_it)
{
    struct observer observer = {.crash_at = 3};
    simulated_disk_set_hook(disk, observe, &observer);
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    write_sector(file, 0, 'a');
    char byte;
    cr_assert_eq(os->read_at(file, 0, &byte, 1), VERSO_OK);
    write_sector(file, 0, 'b');
    sync_file(file);
    os->close(file);
    cr_assert_str_eq(observer.text, "(1/1 )1/1 (2/2 )2/2 (12/2 )12/2 (2/3 )2/3 (5/4 )5/4 ");
    cr_assert_eq(simulated_disk_changes(disk), 4);
    cr_assert_eq(simulated_disk_events(disk, SIMULATED_WRITE), 2);
    cr_assert_eq(simulated_disk_events(disk, SIMULATED_ANY), 5);
    cr_assert_eq(byte_of(observer.image, "f", 0), 'a'); /* as it was before the third change */
    cr_assert_eq(byte_of(disk, "f", 0), 'b');
    simulated_disk_close(observer.image);
}

static void use_the_disk(void *argument, struct simulated_disk *of,
                         const struct simulated_event *event)
{
    (void)event;
    const struct vs_os *table = simulated_disk_os(of);
    char byte;
    cr_assert_eq(table->read_at(argument, 0, &byte, 1), VERSO_OK);
}

Test(simulated_disk, lets_a_hook_use_the_disk_unseen)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    uint64_t before = simulated_disk_events(disk, SIMULATED_ANY);
    simulated_disk_set_hook(disk, use_the_disk, file);
    write_sector(file, 0, 'b');
    simulated_disk_set_hook(disk, NULL, NULL);
    cr_assert_eq(simulated_disk_events(disk, SIMULATED_ANY), before + 1);
    os->close(file);
}

/* ---- copies, determinism, threads ---------------------------------------------------------- */

Test(simulated_disk, clones_contents_and_what_is_unsynced)
{
    struct vs_file *file = durable_file("d/f", 'a', 4);
    write_sector(file, 1, 'b');
    write_sector(file, 1, 'c');
    os->close(open_file("d/g", VS_OPEN_CREATE));
    struct simulated_disk *clone = simulated_disk_clone(disk);
    cr_assert_eq(simulated_disk_digest(clone), simulated_disk_digest(disk));
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct simulated_disk *one = simulated_disk_crash(disk, seed, SIMULATED_CRASH_RANDOM);
        struct simulated_disk *other = simulated_disk_crash(clone, seed, SIMULATED_CRASH_RANDOM);
        cr_assert_eq(simulated_disk_digest(one), simulated_disk_digest(other));
        simulated_disk_close(one);
        simulated_disk_close(other);
    }
    write_sector(file, 0, 'z');
    cr_assert_eq(byte_of(clone, "d/f", 0), 'a');
    simulated_disk_close(clone);
    os->close(file);
}

/* Random calls from `seed`; the digest of what they make of a disk and of a crash of it. */
static uint64_t digest_of_run(uint64_t seed)
{
    struct simulated_disk *own = simulated_disk_open(seed);
    const struct vs_os *table = simulated_disk_os(own);
    struct vs_file *file = NULL;
    cr_assert_eq(table->open(table, "f", VS_OPEN_CREATE, &file), VERSO_OK);
    simulated_disk_inject(own, &(struct simulated_fault){.kind = SIMULATED_SYNC,
                                                         .nth = 3,
                                                         .effect = SIMULATED_FAILS_PARTLY});
    for (int step = 0; step < 300; step++) {
        uint8_t bytes[3];
        cr_assert_eq(table->random(table, bytes, sizeof bytes), VERSO_OK);
        cr_assert_eq(table->write_at(file, bytes[0] * 100U, bytes, sizeof bytes), VERSO_OK);
        if (bytes[1] < 10) {
            (void)table->sync_data(file);
        }
    }
    int64_t now_us = table->clock_us(table);
    cr_assert_eq(table->write_at(file, 0, &now_us, sizeof now_us), VERSO_OK);
    table->close(file);
    struct simulated_disk *image = simulated_disk_crash(own, seed, SIMULATED_CRASH_RANDOM);
    uint64_t digest = simulated_disk_digest(own) * 31 + simulated_disk_digest(image);
    simulated_disk_close(image);
    simulated_disk_close(own);
    return digest;
}

Test(simulated_disk, repeats_itself_with_the_same_seed)
{
    cr_assert_eq(digest_of_run(5), digest_of_run(5));
    cr_assert_neq(digest_of_run(5), digest_of_run(6));
}

Test(simulated_disk, has_clocks_that_tick_and_can_be_set)
{
    int64_t first_us = os->clock_us(os);
    cr_assert_eq(os->clock_us(os), first_us + 1);
    int64_t monotonic_us = os->monotonic_us(os);
    simulated_disk_set_clock(disk, 1000);
    cr_assert_eq(os->clock_us(os), 1001);
    simulated_disk_advance(disk, 500);
    cr_assert_eq(os->clock_us(os), 1502);
    cr_assert_eq(os->monotonic_us(os), monotonic_us + 501);
}

static void *write_own_sectors(void *argument)
{
    struct vs_file *file = argument;
    static _Atomic int last_thread;
    size_t thread = (size_t)last_thread++;
    char bytes[SECTOR];
    memset(bytes, (int)thread + 'a', sizeof bytes);
    for (size_t i = 0; i < 200; i++) {
        if (os->write_at(file, (i * 4 + thread) * SECTOR, bytes, SECTOR) != VERSO_OK ||
            (i % 50 == 0 && os->sync_data(file) != VERSO_OK)) {
            return file;
        }
    }
    return NULL;
}

Test(simulated_disk, serves_several_threads)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, write_own_sectors, file), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *failed = NULL;
        cr_assert_eq(pthread_join(threads[i], &failed), 0);
        cr_assert_null(failed);
    }
    for (size_t sector = 0; sector < 800; sector++) {
        cr_assert_eq(byte_of(disk, "f", sector), (char)('a' + sector % 4));
    }
    os->close(file);
}
