/*
 * simulated_fault_test.c - the faults that a test can order from the simulated disk.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "os/fault.h"
#include "simulated_fixture.h"

TestSuite(simulated_fault, .init = simulated_set_up, .fini = simulated_tear_down);

/* ---- syncs that fail ----------------------------------------------------------------------- */

static void fail_next_sync(enum simulated_effect effect)
{
    simulated_disk_inject(
        disk, &(struct simulated_fault){.kind = SIMULATED_SYNC, .nth = 1, .effect = effect});
}

Test(simulated_fault, keeps_nothing_of_a_failed_sync_and_then_pretends)
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

Test(simulated_fault, keeps_a_part_of_a_failed_sync)
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

Test(simulated_fault, reverts_the_cache_in_a_failed_sync)
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

Test(simulated_fault, loses_a_sync_that_lies)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    write_sector(file, 0, 'b');
    fail_next_sync(SIMULATED_IS_LOST);
    sync_file(file);
    cr_assert_eq(crashed_set("f", 0, "ab"), 3);
    os->close(file);
}

Test(simulated_fault, forgets_names_in_a_failed_sync_of_their_directory)
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

Test(simulated_fault, fails_the_nth_call_once)
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

Test(simulated_fault, fails_the_nth_call_and_all_after_it)
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

Test(simulated_fault, fails_calls_on_chosen_files_only)
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

static verso_err do_nothing(void *argument, const char *path)
{
    (void)argument;
    (void)path;
    return VERSO_OK;
}

Test(simulated_fault, fails_each_kind_of_call)
{
    struct vs_file *file = durable_file("f", 'a', 1);
    struct vs_file *other = NULL;
    struct vs_file_identity identity;
    const uint8_t *address = NULL;
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
    cr_assert_eq(os->list(os, "f", do_nothing, NULL), VERSO_IO);
    cr_assert_eq(os->map(file, 4096, &address), VERSO_IO);
    cr_assert_eq(os->random(os, &byte, 1), VERSO_IO);
    cr_assert_eq(simulated_disk_faults_met(disk), SIMULATED_KINDS - 1);
    cr_assert_null(simulated_disk_path(disk, 1));
    cr_assert_eq(byte_of(disk, "f", 0), 'a');
    os->close(file);
}

Test(simulated_fault, writes_a_prefix_where_a_write_fails_partly)
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

Test(simulated_fault, loses_a_write_that_claims_success)
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

Test(simulated_fault, misdirects_a_write_within_its_file)
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

Test(simulated_fault, misdirects_a_write_into_another_file)
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

Test(simulated_fault, refuses_growth_beyond_its_capacity)
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

Test(simulated_fault, refuses_changes_where_it_is_read_only)
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

Test(simulated_fault, flips_bytes_on_the_medium_too)
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

Test(simulated_fault, removes_a_file_for_good)
{
    os->close(durable_file("f", 'a', 1));
    simulated_disk_remove(disk, "f");
    struct simulated_disk *image = simulated_disk_crash(disk, 0, SIMULATED_CRASH_ALL_OLD);
    cr_assert_null(simulated_disk_path(image, 0));
    simulated_disk_close(image);
}
