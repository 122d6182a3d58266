/*
 * simulated_disk_test.c - as long as nothing fails, the simulated disk behaves as a real one does;
 * and it tells of each event, can be copied, and repeats itself with the same seed.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "simulated_fixture.h"

TestSuite(simulated_disk, .init = simulated_set_up, .fini = simulated_tear_down);

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

/* Zeros, over bytes and behind the end: they are what a disk written through leaves out. */
static void check_zeros(struct vs_file *file)
{
    static const char zeros[3 * SECTOR];
    char bytes[3 * SECTOR];
    cr_assert_eq(os->write_at(file, 0, "bytes", 5), VERSO_OK);
    cr_assert_eq(os->write_at(file, 1, zeros, 3), VERSO_OK);
    cr_assert_eq(os->write_at(file, 10 * SECTOR, zeros, sizeof zeros), VERSO_OK);
    cr_assert_eq(os->read_at(file, 0, bytes, 5), VERSO_OK);
    cr_assert_eq(memcmp(bytes, "b\0\0\0s", 5), 0);
    cr_assert_eq(os->read_at(file, 10 * SECTOR, bytes, sizeof zeros), VERSO_OK);
    cr_assert_eq(memcmp(bytes, zeros, sizeof zeros), 0);
}

Test(simulated_disk, keeps_what_is_written_through_in_any_crash)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    simulated_disk_set_written_through(disk, true);
    check_zeros(file);
    cr_assert_eq(simulated_disk_dirty_sectors(disk), 0);
    cr_assert_eq(os->truncate(file, 20 * SECTOR), VERSO_OK);
    os->close(file);
    cr_assert_eq(os->sync_directory(os, "f"), VERSO_OK);
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(left, "f", &size);
    cr_assert_eq(size, 20 * SECTOR);
    cr_assert_eq(memcmp(bytes, "b\0\0\0s", 5), 0);
    simulated_disk_close(left);
}

Test(simulated_disk, gives_a_new_file_nothing_of_an_old_one)
{
    static const uint8_t ones[64 * SECTOR] = {1, 1, 1};
    for (unsigned round = 0; round < 8; round++) {
        simulated_disk_set_written_through(disk, round % 2 == 0);
        struct vs_file *file = open_file("f", VS_OPEN_CREATE);
        uint64_t from = round * 7 * SECTOR;
        cr_assert_eq(os->write_at(file, from, ones, sizeof ones), VERSO_OK);
        cr_assert_eq(os->truncate(file, from + SECTOR), VERSO_OK);
        cr_assert_eq(os->allocate(file, 100 * SECTOR), VERSO_OK);
        const uint8_t *bytes = simulated_disk_bytes(disk, "f", NULL);
        for (uint64_t at = 0; at < 100 * SECTOR; at++) {
            cr_assert_eq(bytes[at], at >= from && at < from + 3, "round %u, byte %ju", round, at);
        }
        os->close(file);
        simulated_disk_remove(disk, "f");
    }
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

Test(simulated_disk, renames_to_a_new_name_never_over_a_file)
{
    os->close(durable_file("d/a", 'a', 1));
    os->close(durable_file("d/b", 'b', 1));
    cr_assert_eq(os->rename_new(os, "d/a", "d/b"), VERSO_EXISTS);
    cr_assert_eq(byte_of(disk, "d/b", 0), 'b');
    cr_assert_eq(os->rename_new(os, "d/a", "d/c"), VERSO_OK);
    cr_assert(!simulated_disk_exists(disk, "d/a"));
    cr_assert_eq(byte_of(disk, "d/c", 0), 'a');
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
    cr_assert_eq(os->coarse_clock_us(os), first_us + 1);
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
