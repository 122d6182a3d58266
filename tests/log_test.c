/*
 * log_test.c - the log in good days and bad: round trips, recycling, torn tails, damage, full
 * disks.
 *
 * What a power cut leaves is tested in log_crash_test.c, threads in log_threads_test.c.
 */
#include "store/log.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/frame.h"
#include "format/segment.h"
#include "log_record.h"
#include "os/fault.h"
#include "simulated_disk.h"

enum { SEGMENT = 4096, H = VS_SEGMENT_HEADER };

static struct simulated_disk *disk;
static struct vs_log_config config;
static struct vs_log_position start; /* of the log that open_log() opened first */
static struct vs_log *log_;

static void set_up(void)
{
    disk = simulated_disk_open(1);
    config = (struct vs_log_config){.os = simulated_disk_os(disk),
                                    .path = "store",
                                    .uuid = "sixteen bytes id",
                                    .segment_size = SEGMENT};
    start = (struct vs_log_position){.epoch = 1, .lsn = 0, .previous_crc = 0};
}

static void tear_down(void)
{
    cr_expect_eq(simulated_disk_open_files(disk), 0u);
    simulated_disk_close(disk);
}

TestSuite(log, .init = set_up, .fini = tear_down);

/* ---- shorthand ----------------------------------------------------------------------------- */

static void open_log(void)
{
    cr_assert_eq(vs_log_open(&config, &start, &log_), VERSO_OK, "%s", vs_fault_detail());
}

static void close_log(void)
{
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK, "%s", vs_fault_detail());
    log_ = NULL;
}

static void commit(uint64_t from, uint64_t to)
{
    for (uint64_t version = from; version <= to; version++) {
        log_record_commit(log_, version);
    }
}

static uint64_t append(uint64_t version, size_t size)
{
    uint64_t end = 0;
    cr_assert_eq(log_record_append(log_, version, 0, size, &end), VERSO_OK, "%s",
                 vs_fault_detail());
    return end;
}

/** Read from `from`, after `version`; contents must be as written. @return The last version. */
static verso_err read_on(const struct vs_log_config *of, const struct vs_log_position *from,
                         uint64_t version, uint64_t *last, struct vs_log_scan *scan)
{
    struct log_reading reading = {.operations_size = SIZE_MAX, .version = version};
    verso_err err = vs_log_read(of, from, true, version, log_record_check, &reading, scan);
    cr_assert_null(reading.fault, "version %" PRIu64 ": %s", reading.version, reading.fault);
    *last = reading.version;
    return err;
}

static uint64_t read_all(void)
{
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&config, &start, 0, &last, &scan), VERSO_OK, "%s", vs_fault_detail());
    return last;
}

static unsigned files(void)
{
    unsigned count = 0;
    while (simulated_disk_path(disk, count) != NULL) {
        count++;
    }
    return count;
}

/** The file and the offset of an LSN, for damage. Segments were taken in order from file 0. */
static const char *path_at(uint64_t lsn, uint64_t *offset)
{
    static char path[32];
    (void)snprintf(path, sizeof path, "store-wal.%u", (unsigned)((lsn - start.lsn + H) / SEGMENT));
    *offset = lsn % SEGMENT;
    return path;
}

static void flip(uint64_t lsn, uint8_t mask)
{
    uint64_t offset = 0;
    const char *path = path_at(lsn, &offset);
    simulated_disk_flip(disk, path, offset, mask);
}

/* ---- round trips --------------------------------------------------------------------------- */

Test(log, gives_back_what_was_committed)
{
    open_log();
    commit(1, 50);
    struct vs_log_position end = vs_log_end(log_);
    close_log();

    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&config, &start, 0, &last, &scan), VERSO_OK, "%s", vs_fault_detail());
    cr_assert_eq(last, 50u);
    cr_assert_eq(scan.frames, 50u);
    cr_assert(scan.present);
    cr_assert_eq(scan.end.lsn, end.lsn);
    cr_assert_eq(scan.end.epoch, end.epoch);
    cr_assert_eq(scan.end.previous_crc, end.previous_crc);
    cr_assert_geq(scan.highest_lsn, end.lsn);
    cr_assert_eq(scan.highest_epoch, 1u);
}

Test(log, without_frames_is_empty_but_there)
{
    open_log();
    close_log();
    cr_assert_eq(read_all(), 0u);
}

static verso_err note_version(void *argument, const struct vs_log_record *record)
{
    uint64_t *last = argument;
    *last = record->version;
    return VERSO_OK;
}

Test(log, frames_of_any_size_cross_segments)
{
    static const size_t sizes[] = {0, 1, SEGMENT - 400, SEGMENT, 3 * SEGMENT, 50 * SEGMENT};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        start = (struct vs_log_position){.epoch = 1};
        open_log();
        for (uint64_t version = 1; version <= 4; version++) {
            append(version, sizes[i] + (size_t)version * 8);
        }
        cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
        close_log();

        struct vs_log_scan scan;
        uint64_t last = 0;
        verso_err err = vs_log_read(&config, &start, true, 0, note_version, &last, &scan);
        cr_assert_eq(err, VERSO_OK);
        cr_assert_eq(last, 4u, "size %zu", sizes[i]);
        cr_assert_eq(vs_log_remove(&config), VERSO_OK);
    }
}

Test(log, frames_end_at_every_place_around_a_boundary)
{
    for (size_t size = SEGMENT - 600; size < SEGMENT + 200; size += 8) {
        start = (struct vs_log_position){.epoch = 1};
        open_log();
        append(1, size);
        append(2, size);
        append(3, size);
        cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
        struct vs_log_position end = vs_log_end(log_);
        close_log();

        struct vs_log_scan scan;
        struct log_reading reading = {.operations_size = size};
        cr_assert_eq(vs_log_read(&config, &start, true, 0, log_record_check, &reading, &scan),
                     VERSO_OK);
        cr_assert_null(reading.fault, "size %zu: %s", size, reading.fault);
        cr_assert_eq(reading.version, 3u, "size %zu", size);
        cr_assert_eq(scan.end.lsn, end.lsn, "size %zu", size);

        /* what a meta may name must be found, also where nothing follows */
        uint64_t last = 0;
        cr_assert_eq(read_on(&config, &end, 3, &last, &scan), VERSO_OK, "size %zu: %s", size,
                     vs_fault_detail());
        cr_assert_eq(last, 3u);
        cr_assert_eq(vs_log_remove(&config), VERSO_OK);
    }
}

Test(log, goes_on_after_reading_in_a_fresh_segment_of_a_new_epoch)
{
    open_log();
    commit(1, 20);
    struct vs_log_position first = start;
    close_log();

    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&config, &first, 0, &last, &scan), VERSO_OK);
    struct vs_log_position second = {scan.highest_epoch + 1, scan.highest_lsn,
                                     scan.end.previous_crc};
    cr_assert_eq(vs_log_open(&config, &second, &log_), VERSO_OK);
    cr_assert_eq(second.lsn % SEGMENT, (uint64_t)H);
    cr_assert_gt(second.lsn, scan.end.lsn);
    commit(21, 40);
    close_log();

    cr_assert_eq(read_on(&config, &first, 0, &last, &scan), VERSO_OK);
    cr_assert_eq(last, 20u); /* the older log ends where it ended */
    cr_assert_eq(read_on(&config, &second, 20, &last, &scan), VERSO_OK);
    cr_assert_eq(last, 40u);
}

Test(log, opens_beyond_what_is_on_disk_whatever_it_is_told)
{
    open_log();
    commit(1, 100);
    uint64_t end = vs_log_end(log_).lsn;
    close_log();
    struct vs_log_position again = {.epoch = 1, .lsn = 0};
    cr_assert_eq(vs_log_open(&config, &again, &log_), VERSO_OK);
    cr_assert_gt(again.lsn, end);
    cr_assert_eq(again.epoch, 2u);
    close_log();
    cr_assert_eq(read_all(), 100u);
}

Test(log, written_stage_syncs_nothing)
{
    open_log();
    uint64_t syncs = simulated_disk_events(disk, SIMULATED_SYNC);
    uint64_t writes = simulated_disk_events(disk, SIMULATED_WRITE);
    append(1, SIZE_MAX);
    append(2, SIZE_MAX);
    cr_assert_gt(vs_log_pending(log_), 0u);
    cr_assert_eq(simulated_disk_events(disk, SIMULATED_WRITE), writes);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_WRITTEN), VERSO_OK);
    cr_assert_eq(vs_log_pending(log_), 0u);
    cr_assert_eq(simulated_disk_events(disk, SIMULATED_SYNC), syncs);
    cr_assert_eq(simulated_disk_events(disk, SIMULATED_WRITE), writes + 1);
    cr_assert_eq(vs_log_durable_lsn(log_), start.lsn);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    cr_assert_eq(vs_log_durable_lsn(log_), vs_log_end(log_).lsn);
    cr_assert_eq(vs_log_syncs(log_), 1u);
    close_log();
    cr_assert_eq(read_all(), 2u);
}

struct published {
    uint64_t lsn;
    uint64_t version;
    unsigned calls;
};

static void publish(void *argument, uint64_t lsn, uint64_t version)
{
    struct published *published = argument;
    published->lsn = lsn;
    published->version = version;
    published->calls++;
}

Test(log, tells_what_has_become_durable)
{
    struct published published = {0, 0, 0};
    config.durable = publish;
    config.argument = &published;
    open_log();
    append(1, SIZE_MAX);
    uint64_t end = append(2, SIZE_MAX);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_WRITTEN), VERSO_OK);
    cr_assert_eq(published.calls, 0u);
    cr_assert_eq(vs_log_wait(log_, end, VS_LOG_DURABLE), VERSO_OK);
    cr_assert_eq(published.calls, 1u);
    cr_assert_eq(published.lsn, end);
    cr_assert_eq(published.version, 2u);
    cr_assert_eq(vs_log_wait(log_, end, VS_LOG_DURABLE), VERSO_OK); /* nothing left to do */
    cr_assert_eq(published.calls, 1u);
    close_log();
}

static verso_err fail_at_three(void *argument, const struct vs_log_record *record)
{
    uint64_t *last = argument;
    *last = record->version;
    return record->version == 3 ? VERSO_NOMEM : VERSO_OK;
}

Test(log, reading_stops_with_the_error_of_the_caller)
{
    open_log();
    commit(1, 5);
    close_log();
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(vs_log_read(&config, &start, true, 0, fail_at_three, &last, &scan), VERSO_NOMEM);
    cr_assert_eq(last, 3u);
}

Test(log, versions_must_run_on)
{
    open_log();
    commit(1, 3);
    commit(5, 6);
    close_log();
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&config, &start, 0, &last, &scan), VERSO_WAL_CORRUPT);
    cr_assert_eq(last, 3u);
    cr_assert_eq(read_on(&config, &start, 1, &last, &scan), VERSO_WAL_CORRUPT); /* 1 comes again */
    cr_assert_eq(last, 1u);
}

Test(log, works_on_real_files)
{
    char directory[] = "/tmp/verso-log-XXXXXX";
    cr_assert_not_null(mkdtemp(directory));
    char path[64];
    (void)snprintf(path, sizeof path, "%s/store", directory);
    config.os = vs_os_real();
    config.path = path;
    open_log();
    for (uint64_t version = 1; version <= 300; version++) {
        log_record_commit(log_, version);
        if (version == 200) {
            vs_log_recycle(log_, vs_log_durable_lsn(log_));
        }
    }
    struct vs_log_position end = vs_log_end(log_);
    cr_assert_eq(vs_log_witness(log_), VERSO_OK);
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&config, &end, 300, &last, &scan), VERSO_OK, "%s", vs_fault_detail());
    cr_assert_eq(scan.frames, 1u); /* the witness */
    cr_assert_eq(vs_log_close(log_, true), VERSO_OK, "%s", vs_fault_detail());
    cr_assert_eq(rmdir(directory), 0); /* so nothing is left in it */
}

/* ---- segments ------------------------------------------------------------------------------ */

Test(log, recycles_segments_lowest_first)
{
    open_log();
    for (uint64_t version = 1; version <= 2000; version++) {
        log_record_commit(log_, version);
        if (version % 50 == 0) {
            struct vs_log_position end = vs_log_end(log_);
            vs_log_recycle(log_, end.lsn);
            struct vs_log_scan scan;
            uint64_t last = 0;
            cr_assert_eq(read_on(&config, &end, version, &last, &scan), VERSO_OK, "%s",
                         vs_fault_detail());
        }
        cr_assert_lt(files(), 30u, "version %" PRIu64, version);
    }
    close_log();
    cr_assert(simulated_disk_exists(disk, "store-wal.0"));
}

Test(log, deletes_segments_beyond_twice_those_in_use)
{
    open_log();
    append(1, 20 * SEGMENT);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    vs_log_recycle(log_, vs_log_end(log_).lsn);
    cr_assert_geq(files(), 21u); /* twenty were in use until now */
    append(2, 8);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    vs_log_recycle(log_, vs_log_end(log_).lsn);
    cr_assert_geq(files(), 21u); /* and at the recycling before this one */
    vs_log_recycle(log_, vs_log_end(log_).lsn);
    cr_assert_eq(files(), 3u);
    commit(3, 100);
    close_log();
}

Test(log, keeps_segments_that_a_meta_may_name)
{
    open_log();
    commit(1, 100);
    struct vs_log_position middle = vs_log_end(log_);
    commit(101, 200);
    vs_log_recycle(log_, middle.lsn);
    commit(201, 300);
    vs_log_recycle(log_, middle.lsn - SEGMENT); /* a smaller one than before changes nothing */
    commit(301, 400);
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&config, &middle, 100, &last, &scan), VERSO_OK, "%s", vs_fault_detail());
    cr_assert_eq(last, 400u);
    close_log();
}

Test(log, recycles_nothing_that_is_not_durable)
{
    open_log();
    commit(1, 10);
    struct vs_log_position durable = vs_log_end(log_);
    for (uint64_t version = 11; version <= 200; version++) {
        append(version, SIZE_MAX);
    }
    vs_log_recycle(log_, vs_log_end(log_).lsn);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    close_log();
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&config, &durable, 10, &last, &scan), VERSO_OK, "%s", vs_fault_detail());
    cr_assert_eq(last, 200u);
}

Test(log, found_segments_are_held_until_the_metas_name_the_new_log)
{
    open_log();
    commit(1, 100);
    struct vs_log_position first = start;
    close_log();
    unsigned found = files();
    struct vs_log_position second = {.epoch = 2, .lsn = 0};
    cr_assert_eq(vs_log_open(&config, &second, &log_), VERSO_OK);
    cr_assert_eq(files(), found + 1);
    commit(101, 200);
    vs_log_recycle(log_, second.lsn - 1);
    commit(201, 300);
    cr_assert_eq(read_all(), 100u); /* untouched */
    vs_log_recycle(log_, vs_log_end(log_).lsn);
    commit(301, 500);
    close_log();
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_neq(read_on(&config, &first, 0, &last, &scan), VERSO_OK);
}

Test(log, prepares_segments_ahead)
{
    open_log();
    cr_assert_eq(files(), 1u);
    cr_assert_eq(vs_log_prepare(log_), VERSO_OK);
    cr_assert_eq(files(), 2u);
    cr_assert_eq(simulated_disk_dirty_sectors(disk), 0u);
    cr_assert_eq(vs_log_prepare(log_), VERSO_OK);
    cr_assert_eq(files(), 2u);
    append(1, SEGMENT * 3 / 4);
    cr_assert_eq(vs_log_prepare(log_), VERSO_OK);
    cr_assert_eq(files(), 3u);
    uint64_t created = simulated_disk_events(disk, SIMULATED_CREATE);
    append(2, SEGMENT * 3 / 4); /* takes the spare and leaves the reserve */
    cr_assert_eq(simulated_disk_events(disk, SIMULATED_CREATE), created);
    close_log();
}

Test(log, no_stale_memory_reaches_the_file)
{
    config.segment_size = 16 * SEGMENT;
    open_log();
    append(1, 4 * SEGMENT); /* both buffers get their share of bytes */
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    append(2, 4 * SEGMENT);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    append(3, SEGMENT); /* the first into its last page, which is written whole */
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    uint64_t end = vs_log_end(log_).lsn;
    close_log();
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(disk, "store-wal.0", &size);
    cr_assert_lt(end, size);
    for (uint64_t at = end; at < size; at++) {
        cr_assert_eq(bytes[at], 0, "byte %" PRIu64, at);
    }
}

Test(log, close_after_a_checkpoint_removes_all_files)
{
    open_log();
    commit(1, 200);
    cr_assert_eq(vs_log_prepare(log_), VERSO_OK);
    simulated_disk_put(disk, "store-wal.x", "mine", 4);
    simulated_disk_put(disk, "store-wal.01", "mine", 4);
    cr_assert_eq(vs_log_close(log_, true), VERSO_OK);
    cr_assert_eq(files(), 2u); /* names that are not the log's stay */
}

/* ---- torn tails and damage ------------------------------------------------------------------- */

Test(log, torn_tail_is_cut_at_every_byte)
{
    open_log();
    commit(1, 20);
    uint64_t from = vs_log_end(log_).lsn;
    for (uint64_t version = 21; version <= 24; version++) {
        append(version, SIZE_MAX);
    }
    cr_assert_eq(vs_log_flush(log_, VS_LOG_WRITTEN), VERSO_OK);
    uint64_t to = vs_log_end(log_).lsn;
    close_log();
    for (uint64_t lsn = from; lsn < to; lsn++) {
        flip(lsn, 0x11);
        uint64_t last = read_all();
        cr_assert_geq(last, 20u);
        cr_assert_leq(last, 24u);
        flip(lsn, 0x11);
    }
    cr_assert_eq(read_all(), 24u);
}

Test(log, damage_of_an_acknowledged_frame_is_reported_at_every_byte)
{
    open_log();
    commit(1, 100); /* several segments */
    uint64_t durable = vs_log_end(log_).lsn;
    commit(101, 101); /* the first frame that knows of 100 */
    close_log();
    uint64_t digest = simulated_disk_digest(disk);
    struct vs_log_scan scan;
    uint64_t last = 0;
    uint64_t missed = 0;
    for (uint64_t lsn = start.lsn - H; lsn < durable; lsn++) {
        flip(lsn, 0x80);
        verso_err err = read_on(&config, &start, 0, &last, &scan);
        if (err == VERSO_OK) { /* padding at the end of a segment carries nothing */
            missed++;
            cr_assert_eq(last, 101u, "LSN %" PRIu64, lsn);
        } else {
            cr_assert_eq(err, VERSO_WAL_CORRUPT, "LSN %" PRIu64 ": %s", lsn, vs_fault_detail());
        }
        flip(lsn, 0x80);
    }
    cr_assert_lt(missed, durable / SEGMENT * VS_FRAME_HEADER);
    cr_assert_eq(simulated_disk_digest(disk), digest);
    cr_assert_eq(read_all(), 101u);
}

Test(log, witness_guards_the_last_commit)
{
    open_log();
    commit(1, 10);
    uint64_t before = vs_log_end(log_).lsn;
    commit(11, 11);
    close_log();
    struct vs_log_scan scan;
    uint64_t last = 0;
    flip(before + 8, 1);
    cr_assert_eq(read_on(&config, &start, 0, &last, &scan), VERSO_OK); /* as if torn */
    cr_assert_eq(last, 10u);

    cr_assert_eq(vs_log_remove(&config), VERSO_OK);
    start = (struct vs_log_position){.epoch = 1};
    open_log();
    commit(1, 10);
    before = vs_log_end(log_).lsn;
    commit(11, 11);
    cr_assert_eq(vs_log_witness(log_), VERSO_OK);
    uint64_t end = vs_log_end(log_).lsn;
    cr_assert_eq(vs_log_witness(log_), VERSO_OK); /* one is enough */
    cr_assert_eq(vs_log_end(log_).lsn, end);
    close_log();
    cr_assert_eq(read_all(), 11u);
    flip(before + 8, 1);
    cr_assert_eq(read_on(&config, &start, 0, &last, &scan), VERSO_WAL_CORRUPT);
}

Test(log, witness_makes_waiting_commits_durable_first)
{
    open_log();
    cr_assert_eq(vs_log_witness(log_), VERSO_OK);
    cr_assert_eq(vs_log_end(log_).lsn, start.lsn); /* nothing to witness */
    append(1, SIZE_MAX);
    cr_assert_eq(vs_log_witness(log_), VERSO_OK);
    cr_assert_eq(vs_log_durable_lsn(log_), vs_log_end(log_).lsn);
    cr_assert_eq(vs_log_syncs(log_), 2u);
    commit(2, 3);
    close_log();
    cr_assert_eq(read_all(), 3u);
}

Test(log, missing_log_is_reported_when_needed)
{
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&config, &start, 0, &last, &scan), VERSO_WAL_MISSING);
    struct log_reading reading = {.operations_size = SIZE_MAX};
    cr_assert_eq(vs_log_read(&config, &start, false, 0, log_record_check, &reading, &scan),
                 VERSO_OK);
    cr_assert_not(scan.present);
    cr_assert_eq(scan.end.lsn, start.lsn);

    open_log();
    commit(1, 100);
    close_log();
    simulated_disk_remove(disk, "store-wal.0");
    cr_assert_eq(read_on(&config, &start, 0, &last, &scan), VERSO_WAL_MISSING);
}

Test(log, older_than_the_meta_is_missing)
{
    open_log();
    commit(1, 5);
    struct simulated_disk *old = simulated_disk_clone(disk);
    commit(6, 300);
    struct vs_log_position late = vs_log_end(log_);
    close_log();
    struct vs_log_config of_old = config;
    of_old.os = simulated_disk_os(old);
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&of_old, &late, 300, &last, &scan), VERSO_WAL_MISSING);
    simulated_disk_close(old);
}

Test(log, missing_segment_in_the_middle_is_damage)
{
    open_log();
    commit(1, 100);
    close_log();
    simulated_disk_remove(disk, "store-wal.1");
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&config, &start, 0, &last, &scan), VERSO_WAL_CORRUPT);
}

static void copy_file(const char *from, const char *to)
{
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(disk, from, &size);
    cr_assert_not_null(bytes);
    uint8_t *copy = malloc((size_t)size);
    cr_assert_not_null(copy);
    memcpy(copy, bytes, (size_t)size);
    simulated_disk_put(disk, to, copy, (size_t)size);
    free(copy);
}

Test(log, files_may_change_their_numbers_but_not_be_there_twice)
{
    open_log();
    commit(1, 100);
    close_log();
    copy_file("store-wal.0", "store-wal.77"); /* swap 0 and 1 */
    copy_file("store-wal.1", "store-wal.0");
    copy_file("store-wal.77", "store-wal.1");
    simulated_disk_remove(disk, "store-wal.77");
    cr_assert_eq(read_all(), 100u);

    copy_file("store-wal.1", "store-wal.5000");
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&config, &start, 0, &last, &scan), VERSO_WAL_CORRUPT);
}

Test(log, segments_of_another_store_are_a_mismatch_and_left_alone)
{
    struct vs_log_config other = config;
    other.uuid[0] ^= 1;
    struct vs_log_position position = {.epoch = 5, .lsn = 100};
    cr_assert_eq(vs_log_open(&other, &position, &log_), VERSO_OK);
    commit(1, 10);
    close_log();
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&config, &start, 0, &last, &scan), VERSO_MISMATCH);

    open_log();
    commit(1, 10);
    vs_log_recycle(log_, vs_log_end(log_).lsn);
    cr_assert_eq(vs_log_close(log_, true), VERSO_OK);
    cr_assert_eq(vs_log_remove(&config), VERSO_OK);
    cr_assert_eq(read_on(&other, &position, 0, &last, &scan), VERSO_OK);
    cr_assert_eq(last, 10u);
}

Test(log, cut_short_file_is_a_torn_tail_or_damage)
{
    open_log();
    commit(1, 30);
    uint64_t before = vs_log_end(log_).lsn;
    uint64_t offset = 0;
    const char *path = path_at(before, &offset);
    append(31, 8);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    close_log();
    struct vs_file *file = NULL;
    cr_assert_eq(config.os->open(config.os, path, VS_OPEN_WRITE, &file), VERSO_OK);
    cr_assert_eq(config.os->truncate(file, offset + 40), VERSO_OK);
    cr_assert_eq(read_all(), 30u); /* nothing knows that 31 was acknowledged */
    cr_assert_eq(config.os->truncate(file, 10), VERSO_OK);
    config.os->close(file);
    struct vs_log_scan scan;
    uint64_t last = 0;
    verso_err err = read_on(&config, &start, 0, &last, &scan);
    cr_assert(err == VERSO_WAL_CORRUPT || err == VERSO_OK, "%d", err);
}

/* ---- full disks ---------------------------------------------------------------------------- */

Test(log, full_disk_is_met_when_appending_and_does_no_harm)
{
    open_log();
    commit(1, 3);
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk) + SEGMENT / 2);
    struct vs_log_position end = vs_log_end(log_);
    uint64_t lsn = 0;
    cr_assert_eq(log_record_append(log_, 4, 0, 3 * SEGMENT, &lsn), VERSO_NOSPC);
    cr_assert_eq(vs_log_end(log_).lsn, end.lsn);
    cr_assert_eq(vs_log_pending(log_), 0u);
    cr_assert_eq(files(), 1u); /* no half-made file stays */
    commit(4, 5);              /* what fits goes on */
    simulated_disk_set_capacity(disk, UINT64_MAX);
    commit(6, 100);
    close_log();
    cr_assert_eq(read_all(), 100u);
}

Test(log, reserve_is_for_those_that_may_use_it)
{
    open_log();
    cr_assert_eq(vs_log_prepare(log_), VERSO_OK);
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk));
    append(1, SEGMENT - 1000);
    uint64_t lsn = 0;
    cr_assert_eq(log_record_append(log_, 2, 0, 2000, &lsn), VERSO_NOSPC);
    static const uint8_t operations[4000];
    struct vs_log_record record = {
        .version = 2, .use_reserve = true, .operations = {operations, 2000}};
    cr_assert_eq(vs_log_append(log_, &record, &lsn), VERSO_OK);
    cr_assert_eq(vs_log_witness(log_), VERSO_OK);
    record.version = 3;
    record.operations.size = sizeof operations;
    cr_assert_eq(vs_log_append(log_, &record, &lsn), VERSO_NOSPC); /* one segment, no more */
    vs_log_recycle(log_, vs_log_end(log_).lsn);
    cr_assert_eq(vs_log_append(log_, &record, &lsn), VERSO_OK); /* recycled, it is there again */
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    close_log();
}

Test(log, open_on_a_full_disk_changes_nothing)
{
    open_log();
    commit(1, 100);
    close_log();
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk) + SEGMENT - 1);
    uint64_t digest = simulated_disk_digest(disk);
    struct vs_log_position second = {.epoch = 2, .lsn = 0};
    cr_assert_eq(vs_log_open(&config, &second, &log_), VERSO_NOSPC);
    cr_assert_eq(second.lsn, 0u);
    cr_assert_eq(simulated_disk_digest(disk), digest);
    cr_assert_eq(read_all(), 100u);
    simulated_disk_set_capacity(disk, UINT64_MAX);
    cr_assert_eq(vs_log_open(&config, &second, &log_), VERSO_OK);
    close_log();
}

Test(log, open_on_a_full_disk_takes_a_segment_that_nothing_needs)
{
    open_log();
    commit(1, 100);
    struct vs_log_position needed = vs_log_end(log_);
    commit(101, 110);
    close_log();
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk));
    config.needed_from_lsn = needed.lsn;
    struct vs_log_position second = {.epoch = 2, .lsn = 0};
    cr_assert_eq(vs_log_open(&config, &second, &log_), VERSO_OK, "%s", vs_fault_detail());
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&config, &needed, 100, &last, &scan), VERSO_OK);
    cr_assert_eq(last, 110u);
    log_record_commit(log_, 111);
    close_log();
    cr_assert_eq(read_on(&config, &second, 110, &last, &scan), VERSO_OK);
    cr_assert_eq(last, 111u);
}

Test(log, open_takes_a_spare_that_was_never_used)
{
    open_log();
    cr_assert_eq(vs_log_prepare(log_), VERSO_OK);
    commit(1, 3);
    close_log();
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk));
    config.needed_from_lsn = start.lsn;
    struct vs_log_position second = {.epoch = 2, .lsn = 0};
    cr_assert_eq(vs_log_open(&config, &second, &log_), VERSO_OK, "%s", vs_fault_detail());
    log_record_commit(log_, 4);
    close_log();
    cr_assert_eq(read_all(), 3u);
}

Test(log, stream_ends_before_its_numbers_do)
{
    start.lsn = VS_LSN_MAX - 3 * SEGMENT;
    open_log();
    commit(1, 3);
    uint64_t lsn = 0;
    cr_assert_eq(log_record_append(log_, 4, 0, 3 * SEGMENT, &lsn), VERSO_LIMIT);
    commit(4, 4);
    close_log();
    cr_assert_eq(read_all(), 4u);
    cr_assert_eq(vs_log_remove(&config), VERSO_OK);
    start.lsn = VS_LSN_MAX - 1;
    cr_assert_eq(vs_log_open(&config, &start, &log_), VERSO_LIMIT);
    cr_assert_eq(vs_log_open(&config, &start, &log_), VERSO_LIMIT);
    start.lsn = UINT64_MAX;
    cr_assert_eq(vs_log_open(&config, &start, &log_), VERSO_LIMIT);
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&config, &start, 0, &last, &scan), VERSO_WAL_MISSING);
}

Test(log, record_too_long_for_a_frame_is_refused)
{
    config.segment_size = 1024 * 1024;
    open_log();
    size_t longest = VS_FRAME_SIZE_MAX;
    while (!vs_log_record_fits(0, longest)) {
        longest--;
    }
    cr_assert_gt(longest, (size_t)VS_FRAME_SIZE_MAX - 2048);
    uint8_t *operations = calloc(1, longest + 1);
    cr_assert_not_null(operations);
    struct vs_log_record record = {.version = 1, .operations = {operations, longest + 1}};
    uint64_t lsn = 0;
    cr_assert_eq(vs_log_append(log_, &record, &lsn), VERSO_LIMIT);
    record.operations.size = longest;
    cr_assert_eq(vs_log_append(log_, &record, &lsn), VERSO_OK, "%s", vs_fault_detail());
    cr_assert_eq(vs_log_wait(log_, lsn, VS_LOG_DURABLE), VERSO_OK);
    free(operations);
    close_log();
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(vs_log_read(&config, &start, true, 0, note_version, &last, &scan), VERSO_OK);
    cr_assert_eq(last, 1u);
}

/* ---- poison -------------------------------------------------------------------------------- */

/** After a failure: waiters do not know, later calls are refused, and the disk is left alone. */
static void check_poisoned(uint64_t waited_for, uint64_t durable)
{
    uint64_t changes = simulated_disk_changes(disk);
    uint64_t lsn = 0;
    cr_assert(vs_log_is_poisoned(log_));
    cr_assert_eq(vs_log_wait(log_, waited_for, VS_LOG_DURABLE), VERSO_UNKNOWN);
    cr_assert_eq(vs_log_wait(log_, durable, VS_LOG_DURABLE), VERSO_OK);
    cr_assert_eq(log_record_append(log_, 99, 0, 10, &lsn), VERSO_POISONED);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_WRITTEN), VERSO_POISONED);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_POISONED);
    cr_assert_eq(vs_log_witness(log_), VERSO_POISONED);
    cr_assert_eq(vs_log_prepare(log_), VERSO_POISONED);
    cr_assert_eq(simulated_disk_changes(disk), changes);
}

Test(log, failed_sync_poisons)
{
    static const enum simulated_effect effects[] = {SIMULATED_FAILS, SIMULATED_FAILS_PARTLY,
                                                    SIMULATED_FAILS_AND_REVERTS};
    for (size_t i = 0; i < sizeof effects / sizeof *effects; i++) {
        start = (struct vs_log_position){.epoch = 1};
        open_log();
        commit(1, 10);
        uint64_t durable = vs_log_durable_lsn(log_);
        struct simulated_fault fault = {.kind = SIMULATED_SYNC, .nth = 1, .effect = effects[i]};
        simulated_disk_inject(disk, &fault);
        uint64_t end = append(11, SIZE_MAX);
        cr_assert_eq(vs_log_wait(log_, end, VS_LOG_DURABLE), VERSO_UNKNOWN);
        check_poisoned(end, durable);
        close_log();
        simulated_disk_heal(disk);
        uint64_t last = read_all();
        cr_assert(last == 10 || last == 11, "effect %zu: %" PRIu64, i, last);
        cr_assert_eq(vs_log_remove(&config), VERSO_OK);
    }
}

Test(log, failed_write_poisons)
{
    open_log();
    commit(1, 10);
    uint64_t durable = vs_log_durable_lsn(log_);
    struct simulated_fault fault = {
        .kind = SIMULATED_WRITE, .nth = 1, .err = VERSO_NOSPC, .effect = SIMULATED_FAILS_PARTLY};
    simulated_disk_inject(disk, &fault);
    uint64_t end = append(11, SIZE_MAX);
    cr_assert_eq(vs_log_wait(log_, end, VS_LOG_WRITTEN), VERSO_UNKNOWN);
    check_poisoned(end, durable);
    close_log();
    cr_assert_eq(read_all(), 10u);
}

Test(log, failure_elsewhere_poisons)
{
    open_log();
    commit(1, 10);
    uint64_t durable = vs_log_durable_lsn(log_);
    uint64_t end = append(11, SIZE_MAX);
    vs_log_poison(log_);
    check_poisoned(end, durable);
    close_log();
    cr_assert_eq(read_all(), 10u);
}
