/*
 * log_refusal_test.c - the log where memory ends, names are taken, headers are forged or the disk
 * refuses one call: it says so, keeps what it has, and leaves no file and no memory behind.
 */
#include "store/log.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "failing_memory.h"
#include "format/frame.h"
#include "format/operation.h"
#include "format/segment.h"
#include "log_record.h"
#include "os/fault.h"
#include "simulated_disk.h"
#include "store/log_files.h"
#include "store/log_stream.h"

enum { SEGMENT = 4096, LONG_SEGMENT = 4 << 20, NAMES = 65537 };

static struct simulated_disk *disk;
static struct vs_log_config config;
static struct vs_log_position start;
static struct vs_log *log_;

static void set_up(void)
{
    disk = simulated_disk_open(1);
    config = (struct vs_log_config){.os = simulated_disk_os(disk),
                                    .path = "store",
                                    .uuid = "sixteen bytes id",
                                    .segment_size = SEGMENT};
    start = (struct vs_log_position){.epoch = 1};
}

static void tear_down(void)
{
    cr_expect_eq(simulated_disk_open_files(disk), 0u);
    simulated_disk_close(disk);
}

TestSuite(log_refusal, .init = set_up, .fini = tear_down, .timeout = 60);

static void open_log(void)
{
    cr_assert_eq(vs_log_open(&config, &start, &log_), VERSO_OK, "%s", vs_fault_detail());
}

static void commit(uint64_t from, uint64_t to)
{
    for (uint64_t version = from; version <= to; version++) {
        log_record_commit(log_, version);
    }
}

/* A segment file of `size` bytes, with a header that says what it is told to. */
static void put_segment(unsigned number, uint64_t epoch, uint64_t lsn, uint32_t says, size_t size)
{
    static uint8_t bytes[2 * SEGMENT];
    struct vs_segment_header header = {.epoch = epoch, .lsn = lsn, .size = says};
    memcpy(header.uuid, config.uuid, sizeof header.uuid);
    memset(bytes, 0, sizeof bytes);
    vs_segment_header_encode(&header, bytes);
    char path[32];
    (void)snprintf(path, sizeof path, "store-wal.%u", number);
    simulated_disk_put(disk, path, bytes, size);
}

/* ---- numbers and names --------------------------------------------------------------------- */

Test(log_refusal, closing_no_log_is_nothing)
{
    cr_assert_eq(vs_log_close(NULL, true), VERSO_OK);
}

Test(log_refusal, a_segment_of_the_last_epoch_leaves_none_for_a_new_log)
{
    put_segment(0, UINT64_MAX, 0, SEGMENT, SEGMENT);
    uint64_t digest = simulated_disk_digest(disk);
    cr_assert_eq(vs_log_open(&config, &start, &log_), VERSO_LIMIT);
    cr_assert_eq(simulated_disk_digest(disk), digest);
}

Test(log_refusal, notes_and_operations_too_long_for_a_frame_do_not_fit)
{
    cr_assert(vs_log_record_fits(VS_FRAME_NOTE_MAX, 1000));
    cr_assert_not(vs_log_record_fits(VS_FRAME_NOTE_MAX + 1, 0));
    cr_assert_not(vs_log_record_fits(0, VS_FRAME_SIZE_MAX));
}

Test(log_refusal, files_whose_names_only_begin_like_a_segments_are_none)
{
    static const char *const names[] = {"store-wal.", "store-wal.x", "store-wal.1x", "store-wal.01",
                                        "store-wal.1234567890"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        simulated_disk_put(disk, names[i], "mine", 4);
    }
    simulated_disk_put(disk, "store-wal.0", "mine", 4);
    struct vs_log_files files;
    cr_assert_eq(vs_log_files_find(&config, &files), VERSO_OK);
    cr_assert_eq(files.count, 1);
    cr_assert_eq(files.file[0].number, 0);
    vs_log_files_clear(&files);
    open_log();
    commit(1, 20);
    cr_assert_eq(vs_log_close(log_, true), VERSO_OK);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cr_assert(simulated_disk_exists(disk, names[i]), "%s", names[i]);
    }
}

static verso_err list_too_many(const struct vs_os *os, const char *prefix,
                               verso_err (*each)(void *argument, const char *path), void *argument)
{
    (void)os;
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < NAMES && err == VERSO_OK; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s%u", prefix, i);
        err = each(argument, path);
    }
    return err;
}

static verso_err open_taken(const struct vs_os *os, const char *path, enum vs_open_mode mode,
                            struct vs_file **file)
{
    (void)os;
    (void)path;
    (void)file;
    return mode == VS_OPEN_CREATE ? vs_fault(VERSO_INVALID, "it is there")
                                  : vs_fault(VERSO_FORMAT, "a link");
}

Test(log_refusal, more_files_than_numbers_are_a_limit)
{
    struct vs_os crowded = *config.os;
    crowded.list = list_too_many;
    crowded.open = open_taken;
    config.os = &crowded;
    struct vs_log_files files;
    cr_assert_eq(vs_log_files_find(&config, &files), VERSO_LIMIT);
    uint32_t number;
    struct vs_file *file = NULL;
    cr_assert_eq(vs_log_file_make(&config, &number, &file), VERSO_LIMIT);
    cr_assert_null(file);
}

/* ---- the first segment --------------------------------------------------------------------- */

Test(log_refusal, a_file_of_another_length_is_held_but_never_written)
{
    put_segment(7, 1, SEGMENT, SEGMENT, 2 * SEGMENT);
    start.epoch = 2;
    open_log();
    commit(1, 50);
    vs_log_recycle(log_, vs_log_end(log_).lsn);
    commit(51, 100);
    uint64_t size = 0;
    if (simulated_disk_bytes(disk, "store-wal.7", &size) != NULL) { /* it may go, but not change */
        cr_assert_eq(size, 2 * SEGMENT);
    }
    cr_assert_eq(vs_log_close(log_, true), VERSO_OK);
}

Test(log_refusal, a_found_segment_that_cannot_be_written_stays_where_it_is)
{
    put_segment(0, 1, 0, SEGMENT, SEGMENT);
    config.needed_from_lsn = 10 * SEGMENT;
    start = (struct vs_log_position){.epoch = 2, .lsn = 10 * SEGMENT};
    struct simulated_fault fault = {.kind = SIMULATED_WRITE, .nth = 1};
    simulated_disk_inject(disk, &fault);
    cr_assert_eq(vs_log_open(&config, &start, &log_), VERSO_IO);
    cr_assert(simulated_disk_exists(disk, "store-wal.0"));
    open_log();
    commit(1, 3);
    cr_assert_eq(vs_log_close(log_, true), VERSO_OK);
}

Test(log_refusal, closing_reports_the_first_file_that_cannot_be_removed)
{
    open_log();
    commit(1, 50);
    struct simulated_fault fault = {
        .kind = SIMULATED_UNLINK, .nth = 1, .for_ever = true, .err = VERSO_ACCESS};
    simulated_disk_inject(disk, &fault);
    cr_assert_eq(vs_log_close(log_, true), VERSO_ACCESS);
}

/* ---- memory -------------------------------------------------------------------------------- */

static verso_err prepare(void)
{
    return vs_log_prepare(log_);
}

static verso_err witness(void)
{
    return vs_log_witness(log_);
}

static verso_err remove_all(void)
{
    return vs_log_remove(&config);
}

/* Fail each allocation of a call in turn, until it needs no more. */
static void sweep(const char *name, verso_err (*call)(void))
{
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        int64_t held = failing_memory_held();
        failing_memory_arm(nth, false);
        verso_err err = call();
        failed = failing_memory_disarm() > 0;
        cr_assert_eq(err, failed ? VERSO_NOMEM : VERSO_OK, "%s, allocation %" PRIu64 ": %s", name,
                     nth, vs_fault_detail());
        cr_assert(!failed || failing_memory_held() == held, "%s, allocation %" PRIu64, name, nth);
    }
}

Test(log_refusal, without_memory_nothing_is_prepared_and_nothing_is_left)
{
    open_log();
    sweep("prepare", prepare);
    commit(1, 50);
    cr_assert_eq(vs_log_close(log_, true), VERSO_OK);
    cr_assert_null(simulated_disk_path(disk, 0));
}

static verso_err count_record(void *argument, const struct vs_log_record *record)
{
    (void)record;
    ++*(uint64_t *)argument;
    return VERSO_OK;
}

Test(log_refusal, without_memory_a_log_is_not_read_in_part)
{
    open_log();
    commit(1, 5);
    uint64_t end;
    cr_assert_eq(log_record_append(log_, 6, 0, 3 * SEGMENT, &end), VERSO_OK);
    cr_assert_eq(vs_log_wait(log_, end, VS_LOG_DURABLE), VERSO_OK);
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        struct vs_log_scan scan;
        uint64_t frames = 0;
        int64_t held = failing_memory_held();
        failing_memory_arm(nth, false);
        verso_err err = vs_log_read(&config, &start, true, 0, count_record, &frames, &scan);
        failed = failing_memory_disarm() > 0;
        cr_assert(failed ? err == VERSO_NOMEM : err == VERSO_OK, "allocation %" PRIu64, nth);
        cr_assert_eq(failing_memory_held(), held);
        cr_assert(failed || frames == 6);
    }
    sweep("remove", remove_all);
}

/* ---- witnesses ----------------------------------------------------------------------------- */

Test(log_refusal, a_witness_without_room_in_memory_is_none)
{
    open_log();
    commit(1, 3);
    sweep("witness", witness);
    cr_assert_eq(vs_log_close(log_, true), VERSO_OK);
}

Test(log_refusal, a_witness_whose_commits_cannot_be_synced_poisons)
{
    open_log();
    uint64_t end;
    cr_assert_eq(log_record_append(log_, 1, 0, 100, &end), VERSO_OK);
    struct simulated_fault fault = {.kind = SIMULATED_SYNC, .nth = 1};
    simulated_disk_inject(disk, &fault);
    cr_assert_neq(vs_log_witness(log_), VERSO_OK);
    cr_assert(vs_log_is_poisoned(log_));
    cr_assert_neq(vs_log_close(log_, false), VERSO_POISONED);
}

/* Commit until a witness would end the first segment; no segment is made ahead. */
static void fill_segment(void)
{
    size_t size = vs_frame_size(&(struct vs_frame){.kind = VS_FRAME_WITNESS});
    uint64_t end = vs_log_end_lsn(log_);
    struct vs_log_record record = {.version = 1, .use_reserve = true};
    for (; vs_segment_next_lsn(end, size, SEGMENT) < SEGMENT; record.version++) {
        cr_assert_eq(vs_log_append(log_, &record, &end), VERSO_OK);
    }
    cr_assert_eq(vs_log_wait(log_, end, VS_LOG_DURABLE), VERSO_OK);
}

/* The disk is full, and the witness needs another segment. */
Test(log_refusal, a_witness_without_room_on_the_disk_comes_later)
{
    open_log();
    fill_segment();
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk));
    cr_assert_eq(vs_log_witness(log_), VERSO_NOSPC, "%s", vs_fault_detail());
    cr_assert_not(vs_log_is_poisoned(log_));
    simulated_disk_set_capacity(disk, UINT64_MAX);
    cr_assert_eq(vs_log_witness(log_), VERSO_OK, "%s", vs_fault_detail());
    cr_assert_eq(vs_log_close(log_, true), VERSO_OK);
}

/* ---- a log of later commits than the store knows of ---- */

static verso_err refuse_older(void)
{
    return vs_log_refuse_older_store(&config, 1);
}

Test(log_refusal, a_store_older_than_the_commits_of_its_log_is_refused_with_memory_or_without)
{
    simulated_disk_put(disk, "store-wal.8", "no segment", 10);
    cr_assert_eq(refuse_older(), VERSO_OK);
    start.epoch = 2;
    open_log();
    commit(1, 30); /* in several segments */
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        int64_t held = failing_memory_held();
        failing_memory_arm(nth, false);
        verso_err err = refuse_older();
        failed = failing_memory_disarm() > 0;
        cr_assert_eq(err, failed ? VERSO_NOMEM : VERSO_MISMATCH, "allocation %" PRIu64, nth);
        cr_assert_eq(failing_memory_held(), held);
    }
}

/* The commits are gone; all that is left says only how far they were durable. */
Test(log_refusal, a_witness_alone_is_no_later_commit)
{
    static uint8_t alone[SEGMENT];
    start.epoch = 2;
    open_log();
    fill_segment();
    size_t at = (size_t)vs_log_end_lsn(log_); /* of the witness, behind the last commit */
    cr_assert_eq(vs_log_witness(log_), VERSO_OK);
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    cr_assert_eq(refuse_older(), VERSO_MISMATCH);
    const uint8_t *bytes = simulated_disk_bytes(disk, "store-wal.0", NULL);
    memcpy(alone, bytes, VS_SEGMENT_HEADER);
    memcpy(alone + at, bytes + at, SEGMENT - at);
    simulated_disk_put(disk, "store-wal.0", alone, sizeof alone);
    cr_assert_eq(refuse_older(), VERSO_OK, "%s", vs_fault_detail());
}

/* ---- ids passed over ----------------------------------------------------------------------- */

/* A commit, or a setting, of version 5 after version 1, whose first operation is the given one, if
 * any. */
static verso_err read_jump(const struct vs_operation *first, bool setting)
{
    uint8_t operations[VS_OPERATION_HEADER_MAX];
    open_log();
    commit(1, 1);
    struct vs_log_record record = {.version = 5, .setting = setting};
    if (first != NULL) {
        record.operations.data = operations;
        record.operations.size = vs_operation_header(first, operations);
    }
    uint64_t end;
    uint64_t frames = 0;
    struct vs_log_scan scan;
    struct vs_log_position from = start;
    cr_assert_eq(vs_log_append(log_, &record, &end), VERSO_OK);
    cr_assert_eq(vs_log_wait(log_, end, VS_LOG_DURABLE), VERSO_OK);
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    verso_err err = vs_log_read(&config, &from, true, 0, count_record, &frames, &scan);
    cr_assert_eq(frames, err == VERSO_OK ? 2 : 1);
    cr_assert_eq(vs_log_remove(&config), VERSO_OK);
    return err;
}

Test(log_refusal, a_commit_passes_over_exactly_the_ids_that_it_drops)
{
    struct vs_operation drop = {.kind = VS_OPERATION_DROP_ROOTS, .number = {2, 4}};
    cr_assert_eq(read_jump(&drop, false), VERSO_OK);
    cr_assert_eq(read_jump(&drop, true), VERSO_WAL_CORRUPT, "a setting makes no root");
    cr_assert_eq(read_jump(NULL, false), VERSO_WAL_CORRUPT);
    drop.number[0] = 3;
    cr_assert_eq(read_jump(&drop, false), VERSO_WAL_CORRUPT);
    drop.number[0] = 2;
    drop.number[1] = 3;
    cr_assert_eq(read_jump(&drop, false), VERSO_WAL_CORRUPT);
    drop = (struct vs_operation){.kind = VS_OPERATION_DELETE, .number = {0}};
    cr_assert_eq(read_jump(&drop, false), VERSO_WAL_CORRUPT);
}

/* ---- segments ------------------------------------------------------------------------------ */

static verso_err read_counting(uint64_t *frames)
{
    struct vs_log_scan scan;
    *frames = 0;
    return vs_log_read(&config, &start, true, 0, count_record, frames, &scan);
}

Test(log_refusal, a_segment_of_another_size_is_no_part_of_the_stream)
{
    open_log();
    commit(1, 100);
    cr_assert_gt(vs_log_end(log_).lsn, 2 * SEGMENT, "frames lie across the ends of two segments");
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    put_segment(99, 1, 8 * SEGMENT, 2 * SEGMENT, 2 * SEGMENT);
    uint64_t frames;
    cr_assert_eq(read_counting(&frames), VERSO_OK, "%s", vs_fault_detail());
    cr_assert_eq(frames, 100);
}

Test(log_refusal, a_stream_is_read_in_any_order_and_not_beyond_a_file_cut_short)
{
    put_segment(0, 1, 0, SEGMENT, SEGMENT);
    put_segment(1, 1, SEGMENT, SEGMENT, SEGMENT / 4);
    struct vs_log_files files;
    struct vs_log_stream stream;
    const uint8_t *bytes;
    struct vs_segment_header header;
    cr_assert_eq(vs_log_files_find(&config, &files), VERSO_OK);
    cr_assert_eq(vs_log_stream_open(&config, &files, 1, &stream), VERSO_OK);
    cr_assert_eq(vs_log_stream_read(&stream, 1000, 100, &bytes), VERSO_OK);
    cr_assert_eq(bytes[0], 0);
    cr_assert_eq(vs_log_stream_read(&stream, 0, VS_SEGMENT_HEADER, &bytes), VERSO_OK);
    cr_assert_null(vs_segment_header_decode(bytes, &header));
    cr_assert_eq(vs_log_stream_read(&stream, SEGMENT + SEGMENT / 2, 8, &bytes), VERSO_OK);
    cr_assert_null(bytes);
    cr_assert_eq(vs_log_stream_read(&stream, 2 * SEGMENT + 100, 8, &bytes), VERSO_OK);
    cr_assert_null(bytes);
    cr_assert_eq(vs_log_stream_read(&stream, SEGMENT - 100, 300, &bytes), VERSO_OK);
    cr_assert_not_null(bytes, "across the boundary");
    cr_assert_eq(vs_log_stream_read(&stream, SEGMENT - 100, SEGMENT, &bytes), VERSO_OK);
    cr_assert_null(bytes);
    cr_assert_eq(vs_log_stream_read(&stream, SEGMENT + 100, 2 * SEGMENT, &bytes), VERSO_OK);
    cr_assert_null(bytes, "the segment behind is missing");
    vs_log_stream_close(&stream);
    vs_log_files_clear(&files);
}

Test(log_refusal, a_frame_longer_than_the_window_comes_back_from_one_segment)
{
    config.segment_size = LONG_SEGMENT;
    open_log();
    uint64_t end;
    for (uint64_t version = 1; version <= 4; version++) { /* 5 MiB: one crosses the boundary */
        size_t size = LONG_SEGMENT / 3;
        cr_assert_eq(log_record_append(log_, version, 0, size, &end), VERSO_OK);
    }
    cr_assert_eq(vs_log_wait(log_, end, VS_LOG_DURABLE), VERSO_OK);
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    struct vs_log_scan scan;
    struct log_reading reading = {.operations_size = LONG_SEGMENT / 3};
    cr_assert_eq(vs_log_read(&config, &start, true, 0, log_record_check, &reading, &scan),
                 VERSO_OK);
    cr_assert_null(reading.fault, "%s", reading.fault);
    cr_assert_eq(reading.version, 4);
}

Test(log_refusal, evidence_is_found_far_from_the_end_of_a_long_segment)
{
    config.segment_size = LONG_SEGMENT;
    open_log();
    commit(1, 3);
    uint64_t damaged = start.lsn + 200; /* in the first frame */
    commit(4, 400);
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    simulated_disk_flip(disk, "store-wal.0", damaged % LONG_SEGMENT, 1);
    uint64_t frames;
    verso_err err = read_counting(&frames);
    cr_assert_eq(err, VERSO_WAL_CORRUPT, "%s: %s", verso_strerror(err), vs_fault_detail());
    cr_assert_lt(frames, 3);
}

/* Whether a frame reaches into the missing segment or ends just before it, it is missed. */
Test(log_refusal, a_missing_segment_is_missed_wherever_the_frame_before_it_ends)
{
    unsigned no_file = 0;
    for (size_t size = SEGMENT - 600; size < SEGMENT; size += 8) {
        uint64_t end;
        uint64_t frames;
        open_log();
        cr_assert_eq(log_record_append(log_, 1, 0, size, &end), VERSO_OK);
        cr_assert_eq(vs_log_wait(log_, end, VS_LOG_DURABLE), VERSO_OK);
        commit(2, 30);
        cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
        simulated_disk_remove(disk, "store-wal.1");
        cr_assert_eq(read_counting(&frames), VERSO_WAL_CORRUPT, "size %zu", size);
        no_file += strstr(vs_fault_detail(), "no file holds") != NULL;
        cr_assert_eq(vs_log_remove(&config), VERSO_OK);
        start = (struct vs_log_position){.epoch = 1};
    }
    cr_assert_gt(no_file, 0);
}

Test(log_refusal, removing_stops_at_the_first_file_that_stays)
{
    open_log();
    commit(1, 50);
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    struct simulated_fault fault = {.kind = SIMULATED_UNLINK, .nth = 2, .err = VERSO_ACCESS};
    simulated_disk_inject(disk, &fault);
    cr_assert_eq(vs_log_remove(&config), VERSO_ACCESS);
    cr_assert_eq(vs_log_remove(&config), VERSO_OK);
    cr_assert_eq(vs_log_remove(&config), VERSO_OK, "there is none any more");
    cr_assert_null(simulated_disk_path(disk, 0));
}
