/*
 * simulated_crash_test.c - a power cut of the simulated disk takes every freedom that it has, and
 * no other: over a number of seeds each allowed outcome occurs, and never one that is not.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "simulated_fixture.h"

TestSuite(simulated_crash, .init = simulated_set_up, .fini = simulated_tear_down);

/* ---- sectors ------------------------------------------------------------------------------ */

Test(simulated_crash, never_loses_a_synced_write)
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

Test(simulated_crash, leaves_an_unsynced_sector_old_or_new)
{
    struct vs_file *file = durable_file("f", 'a', 4);
    write_sector(file, 2, 'b');
    cr_assert_eq(crashed_byte("f", 2, 0, SIMULATED_CRASH_ALL_OLD), 'a');
    cr_assert_eq(crashed_byte("f", 2, 0, SIMULATED_CRASH_ALL_NEW), 'b');
    cr_assert_eq(crashed_set("f", 2, "ab"), 3);
    os->close(file);
}

Test(simulated_crash, leaves_up_to_four_contents_between)
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

Test(simulated_crash, decides_each_sector_for_itself)
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

Test(simulated_crash, names_each_single_sector_by_its_seed)
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

Test(simulated_crash, tears_inside_a_sector_in_the_torn_mode_only)
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

Test(simulated_crash, makes_durable_what_it_writes_back)
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

Test(simulated_crash, has_nothing_unsynced_after_a_crash)
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

/* ---- lengths ------------------------------------------------------------------------------ */

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

Test(simulated_crash, may_lose_unsynced_growth)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    cr_assert_eq(os->allocate(file, 8 * SECTOR), VERSO_OK);
    write_sector(file, 6, 'b');
    cr_assert_eq(crashed_sizes("f", SECTOR, 8 * SECTOR), 3);
    sync_file(file); /* of data: as far as what was written needs it */
    cr_assert_eq(crashed_sizes("f", 7 * SECTOR, 8 * SECTOR), 3);
    cr_assert_eq(os->sync_full(file), VERSO_OK);
    cr_assert_eq(crashed_sizes("f", 7 * SECTOR, 8 * SECTOR), 2);
    os->close(file);
}

Test(simulated_crash, may_lose_an_unsynced_cut)
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

Test(simulated_crash, clones_and_crashes_a_file_that_was_cut)
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

/* ---- names -------------------------------------------------------------------------------- */

Test(simulated_crash, loses_a_created_file_unless_its_directory_is_synced)
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

Test(simulated_crash, may_lose_an_unsynced_rename)
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

Test(simulated_crash, may_bring_an_unlinked_file_back)
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

Test(simulated_crash, keeps_a_prefix_of_names_or_any_subset)
{
    os->close(open_file("1", VS_OPEN_CREATE));
    os->close(open_file("2", VS_OPEN_CREATE));
    os->close(open_file("3", VS_OPEN_CREATE));
    cr_assert_eq(crashed_subsets(), 1U << 0 | 1U << 1 | 1U << 3 | 1U << 7);
    simulated_disk_set_any_subset(disk, true);
    cr_assert_eq(crashed_subsets(), 0xff);
}
