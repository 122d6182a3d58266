/*
 * log_crash_test.c - what the log gives back after power cuts, lying disks and hostile bytes.
 *
 * A life reads the log from the last meta, goes on in a new one, commits, checkpoints and recycles
 * at random, and is cut off by a power cut at a random change to the disk; the next life begins
 * with what that left. Each must find a prefix of what was issued, with all that was acknowledged.
 */
#include "store/log.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/checksum.h"
#include "format/frame.h"
#include "format/segment.h"
#include "log_record.h"
#include "os/fault.h"
#include "run_length.h"
#include "simulated_disk.h"
#include "simulated_random.h"

enum {
    SEGMENT = 4096,
    VERSIONS_MAX = 4096, /* issued by one store in all its lives */
    SEEDS = 400,
    LIVES = 6,
    STEPS = 40,
};

static uint64_t test_seed(void)
{
    const char *given = getenv("VERSO_TEST_SEED"); // NOLINT(concurrency-mt-unsafe)
    return given != NULL ? strtoull(given, NULL, 0) : 1;
}

/* ---- one store through its lives ------------------------------------------------------------- */

/** What the disk's user knows at one moment. */
struct knowledge {
    struct vs_log_position meta; /* the position that the last checkpoint's meta names */
    uint64_t meta_version;
    bool has_meta;
    uint64_t acknowledged;
    uint64_t issued;
};

struct store {
    uint64_t seed;
    unsigned life;
    struct simulated_random random;
    struct simulated_disk *disk;
    struct vs_log_config config;
    struct vs_log *log;
    struct knowledge now;
    uint64_t salt_of[VERSIONS_MAX]; /* of the commit last issued under a version */

    /* the power cut to come */
    uint64_t crash_at; /* change to the disk; 0: none */
    struct simulated_disk *crashed;
    struct knowledge then;
};

static void cut_power(void *argument, struct simulated_disk *disk,
                      const struct simulated_event *event)
{
    struct store *store = argument;
    if (!event->is_change || event->change != store->crash_at || store->crashed != NULL) {
        return;
    }
    static const enum simulated_crash modes[] = {SIMULATED_CRASH_RANDOM,  SIMULATED_CRASH_RANDOM,
                                                 SIMULATED_CRASH_TORN,    SIMULATED_CRASH_ONE_NEW,
                                                 SIMULATED_CRASH_ONE_OLD, SIMULATED_CRASH_ALL_OLD,
                                                 SIMULATED_CRASH_ALL_NEW};
    uint64_t drawn = simulated_random_next(&store->random);
    enum simulated_crash mode = modes[drawn % (sizeof modes / sizeof *modes)];
    uint64_t dirty = simulated_disk_dirty_sectors(disk);
    simulated_disk_set_any_subset(disk, (drawn >> 32) % 2 == 0);
    store->crashed = simulated_disk_crash(disk, dirty > 0 ? (drawn >> 8) % dirty : 0, mode);
    store->then = store->now;
}

static void fail(const struct store *store, const char *what)
{
    cr_assert(false,
              "seed=%" PRIu64 " life=%u: %s; issued %" PRIu64 ", acknowledged %" PRIu64 ": %s",
              store->seed, store->life, what, store->now.issued, store->now.acknowledged,
              vs_fault_detail());
}

/** Recovery: read, go on in a new log, make a checkpoint, let the old segments go. */
static void begin_life(struct store *store)
{
    struct knowledge *now = &store->now;
    struct vs_log_scan scan;
    struct log_reading reading = {store->salt_of, SIZE_MAX, now->meta_version, NULL};
    verso_err err = vs_log_read(&store->config, &now->meta, now->has_meta, now->meta_version,
                                log_record_check, &reading, &scan);
    if (err != VERSO_OK) {
        fail(store, "reading failed");
    }
    if (reading.fault != NULL) {
        fail(store, reading.fault);
    }
    if (reading.version < now->acknowledged || reading.version > now->issued) {
        fail(store, "not a prefix with all that was acknowledged");
    }
    now->issued = reading.version; /* what was not found never happened */
    struct vs_log_position start = {scan.highest_epoch + 1, scan.highest_lsn,
                                    scan.end.previous_crc};
    store->config.needed_from_lsn = now->has_meta ? now->meta.lsn : 0;
    if (vs_log_open(&store->config, &start, &store->log) != VERSO_OK) {
        fail(store, "opening failed");
    }
    now->meta = vs_log_end(store->log);
    now->meta_version = reading.version;
    now->has_meta = true;
    now->acknowledged = reading.version; /* readers may have seen it from now on */
    vs_log_recycle(store->log, now->meta.lsn);
}

static void issue(struct store *store)
{
    uint64_t version = store->now.issued + 1;
    uint64_t lsn = 0;
    store->salt_of[version] = store->life + 1;
    store->now.issued = version;
    if (log_record_append(store->log, version, store->life + 1, SIZE_MAX, &lsn) != VERSO_OK) {
        fail(store, "append failed");
    }
}

static void step(struct store *store)
{
    struct vs_log *log = store->log;
    verso_err err = VERSO_OK;
    switch (simulated_random_below(&store->random, 10)) {
    case 0:
        err = vs_log_flush(log, VS_LOG_WRITTEN);
        break;
    case 1:
        err = vs_log_witness(log);
        break;
    case 2:
        err = vs_log_prepare(log);
        break;
    case 3: /* a checkpoint */
        err = vs_log_flush(log, VS_LOG_DURABLE);
        store->now.acknowledged = store->now.issued;
        store->now.meta = vs_log_end(log);
        store->now.meta_version = store->now.issued;
        vs_log_recycle(log, store->now.meta.lsn);
        break;
    case 4:
        simulated_disk_write_back(store->disk, simulated_random_next(&store->random));
        break;
    case 5:
    case 6:
        err = vs_log_flush(log, VS_LOG_DURABLE);
        store->now.acknowledged = store->now.issued;
        break;
    default:
        issue(store);
        break;
    }
    if (err != VERSO_OK) {
        fail(store, "step failed");
    }
}

static void live(struct store *store)
{
    store->config.os = simulated_disk_os(store->disk);
    store->crash_at = 1 + simulated_random_below(&store->random, 100);
    simulated_disk_set_hook(store->disk, cut_power, store);
    begin_life(store);
    for (int i = 0; i < STEPS && store->crashed == NULL; i++) {
        step(store);
    }
    simulated_disk_set_hook(store->disk, NULL, NULL);
    (void)vs_log_close(store->log, false);
    if (store->crashed == NULL) { /* it lived to the end: then the power fails there */
        store->crashed = simulated_disk_crash(store->disk, simulated_random_next(&store->random),
                                              SIMULATED_CRASH_RANDOM);
        store->then = store->now;
    }
    simulated_disk_close(store->disk);
    store->disk = store->crashed;
    store->now = store->then;
    store->crashed = NULL;
    store->life++;
}

Test(log_crash, every_life_finds_all_that_was_acknowledged)
{
    uint64_t first = test_seed();
    uint64_t seeds = run_length("VERSO_TEST_RUNS", SEEDS);
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        struct store *store = calloc(1, sizeof *store);
        cr_assert_not_null(store);
        store->seed = seed;
        store->random.state = seed;
        store->disk = simulated_disk_open(seed);
        store->config = (struct vs_log_config){
            .path = "store", .uuid = "sixteen bytes id", .segment_size = SEGMENT};
        store->now.meta = (struct vs_log_position){.epoch = 0};
        for (unsigned life = 0; life < LIVES; life++) {
            live(store);
        }
        simulated_disk_close(store->disk);
        free(store);
    }
    run_count("lives", seeds * LIVES);
}

/* ---- ghosts -------------------------------------------------------------------------------- */

static struct simulated_disk *disk;
static struct vs_log_config config;
static struct vs_log_position start;
static struct vs_log *log_;
static uint64_t salts[64];

static void set_up(void)
{
    disk = simulated_disk_open(1);
    config = (struct vs_log_config){.os = simulated_disk_os(disk),
                                    .path = "store",
                                    .uuid = "sixteen bytes id",
                                    .segment_size = SEGMENT};
    start = (struct vs_log_position){.epoch = 1};
    memset(salts, 0, sizeof salts);
}

static void tear_down(void)
{
    simulated_disk_close(disk);
}

TestSuite(log_disk, .init = set_up, .fini = tear_down);

static void new_disk(uint64_t seed)
{
    simulated_disk_close(disk);
    disk = simulated_disk_open(seed);
    config.os = simulated_disk_os(disk);
    start = (struct vs_log_position){.epoch = 1};
}

static void open_log(struct vs_log_position *at)
{
    cr_assert_eq(vs_log_open(&config, at, &log_), VERSO_OK, "%s", vs_fault_detail());
}

static uint64_t append(uint64_t version, uint64_t salt, size_t size)
{
    uint64_t end = 0;
    salts[version] = salt;
    cr_assert_eq(log_record_append(log_, version, salt, size, &end), VERSO_OK);
    return end;
}

static verso_err read_on(const struct vs_log_position *from, uint64_t version, size_t size,
                         uint64_t *last, struct vs_log_scan *scan)
{
    struct log_reading reading = {salts, size, version, NULL};
    verso_err err = vs_log_read(&config, from, true, version, log_record_check, &reading, scan);
    cr_assert_null(reading.fault, "version %" PRIu64 ": %s", reading.version, reading.fault);
    *last = reading.version;
    return err;
}

/** The bytes of the only segment, to change and put back. */
static uint8_t *take_segment(void)
{
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(disk, "store-wal.0", &size);
    cr_assert_eq(size, (uint64_t)SEGMENT);
    uint8_t *copy = malloc(SEGMENT);
    cr_assert_not_null(copy);
    memcpy(copy, bytes, SEGMENT);
    return copy;
}

static void put_segment(uint8_t *bytes)
{
    simulated_disk_put(disk, "store-wal.0", bytes, SEGMENT);
    free(bytes);
}

Test(log_disk, ghost_behind_a_torn_tail_stays_dead)
{
    enum { SIZE = 500 };
    open_log(&start);
    append(1, 1, SIZE);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    uint64_t a_lsn = vs_log_end(log_).lsn;
    uint64_t b_lsn = append(2, 1, SIZE); /* A */
    append(3, 1, SIZE);                  /* B */
    cr_assert_eq(vs_log_flush(log_, VS_LOG_WRITTEN), VERSO_OK);
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    uint8_t *bytes = take_segment(); /* the crash keeps B but not A */
    memset(bytes + a_lsn, 0, b_lsn - a_lsn);
    put_segment(bytes);

    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&start, 0, SIZE, &last, &scan), VERSO_OK);
    cr_assert_eq(last, 1u);
    struct vs_log_position second = {scan.highest_epoch + 1, scan.highest_lsn,
                                     scan.end.previous_crc};
    open_log(&second);
    append(2, 2, SIZE); /* A', as long as A */
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    struct simulated_disk *crashed = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    simulated_disk_close(disk);
    disk = crashed;
    config.os = simulated_disk_os(disk);
    cr_assert_eq(read_on(&second, 1, SIZE, &last, &scan), VERSO_OK);
    cr_assert_eq(last, 2u);
    cr_assert_eq(read_on(&start, 0, SIZE, &last, &scan), VERSO_OK); /* and not from the old meta */
    cr_assert_eq(last, 1u);
}

/*
 * The same where nothing but the chain can help: A' lies at A's place, in A's epoch, and B behind
 * it is a valid frame of that epoch at its right place with the right version.
 */
Test(log_disk, ghost_of_the_same_epoch_is_kept_dead_by_the_chain)
{
    enum { SIZE = 500 };
    open_log(&start);
    append(1, 1, SIZE);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    uint64_t a_lsn = vs_log_end(log_).lsn;
    append(2, 1, SIZE);
    append(3, 1, SIZE);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_WRITTEN), VERSO_OK);
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);

    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&start, 0, SIZE, &last, &scan), VERSO_OK);
    cr_assert_eq(last, 3u); /* B follows A */

    uint8_t *bytes = take_segment();
    struct vs_frame frame;
    uint32_t crc = 0;
    cr_assert_null(vs_frame_decode_header(bytes + a_lsn, &frame));
    cr_assert_null(vs_frame_decode_rest(bytes + a_lsn, &frame, &crc));
    uint8_t other[2 * SIZE];
    frame.fingerprint++; /* A' differs by as little as one bit */
    (void)vs_frame_encode(&frame, other);
    memcpy(bytes + a_lsn, other, vs_frame_size(&frame));
    put_segment(bytes);

    struct log_reading reading = {salts, SIZE, 0, NULL};
    cr_assert_eq(vs_log_read(&config, &start, true, 0, log_record_check, &reading, &scan),
                 VERSO_OK);
    cr_assert_eq(reading.version, 2u); /* B does not follow A' */
}

/** A frame whose checksums agree, but whose place does not. */
static void check_frame_is_refused(void (*change)(struct vs_frame *frame))
{
    enum { SIZE = 500 };
    new_disk(1);
    open_log(&start);
    append(1, 1, SIZE);
    append(2, 1, SIZE);
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    uint8_t *bytes = take_segment();
    struct vs_frame frame;
    uint32_t crc = 0;
    cr_assert_null(vs_frame_decode_header(bytes + start.lsn, &frame));
    cr_assert_null(vs_frame_decode_rest(bytes + start.lsn, &frame, &crc));
    uint8_t other[2 * SIZE];
    change(&frame);
    (void)vs_frame_encode(&frame, other);
    memcpy(bytes + start.lsn, other, vs_frame_size(&frame));
    put_segment(bytes);
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&start, 0, SIZE, &last, &scan), VERSO_OK);
    cr_assert_eq(last, 0u);
}

static void move_on(struct vs_frame *frame)
{
    frame->lsn += SEGMENT;
}

static void age(struct vs_frame *frame)
{
    frame->epoch--;
}

static void give_away(struct vs_frame *frame)
{
    frame->uuid[15] ^= 1;
}

Test(log_disk, valid_frames_of_other_places_are_never_applied)
{
    check_frame_is_refused(move_on);
    check_frame_is_refused(age);
    check_frame_is_refused(give_away);
}

/** The same stretch of the stream in two epochs: `kept` frames of the later one, older ones
 * behind. */
static void check_old_frames_are_refused(unsigned kept)
{
    enum { SIZE = 500, FRAMES = 5 };
    new_disk(1);
    open_log(&start);
    for (uint64_t version = 1; version <= FRAMES; version++) {
        append(version, 0, SIZE);
    }
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    uint8_t *old = take_segment();

    cr_assert_eq(vs_log_remove(&config), VERSO_OK);
    start = (struct vs_log_position){.epoch = 2};
    open_log(&start);
    for (uint64_t version = 1; version <= kept; version++) {
        append(version, 0, SIZE);
    }
    cr_assert_eq(vs_log_flush(log_, VS_LOG_DURABLE), VERSO_OK);
    uint64_t end = vs_log_end(log_).lsn;
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    uint8_t *bytes = take_segment();
    memcpy(bytes + end, old + end, SEGMENT - end);
    put_segment(bytes);
    free(old);
    struct vs_log_scan scan;
    uint64_t last = 0;
    cr_assert_eq(read_on(&start, 0, SIZE, &last, &scan), VERSO_OK);
    cr_assert_eq(last, (uint64_t)kept);
}

Test(log_disk, old_epoch_behind_the_end_is_never_applied)
{
    check_old_frames_are_refused(0); /* here the chain agrees: both begin after no frame */
    check_old_frames_are_refused(2);
}

/* ---- failing and lying disks
   ------------------------------------------------------------------- */

/** Thirty commits of which each but the last is known durable by the next. */
enum { COMMITS = 30 };

/** @return The last commit that was acknowledged. */
static uint64_t commit_while_it_works(void)
{
    uint64_t acknowledged = 0;
    uint64_t end = 0;
    if (vs_log_open(&config, &start, &log_) != VERSO_OK) {
        return 0;
    }
    for (uint64_t version = 1; version <= COMMITS; version++) {
        if (log_record_append(log_, version, 0, SIZE_MAX, &end) != VERSO_OK) {
            break; /* the transaction is aborted */
        }
        if (vs_log_wait(log_, end, VS_LOG_DURABLE) != VERSO_OK) {
            cr_assert(vs_log_is_poisoned(log_));
            break;
        }
        acknowledged = version;
        if (version == COMMITS / 2) {
            verso_err prepared = vs_log_prepare(log_);
            verso_err witnessed = vs_log_witness(log_);
            (void)prepared; /* a failure shows in what follows, or does no harm */
            (void)witnessed;
        }
    }
    cr_assert_eq(vs_log_close(log_, false), VERSO_OK);
    return acknowledged;
}

Test(log_disk, failure_of_any_call_loses_nothing_acknowledged)
{
    new_disk(1);
    cr_assert_eq(commit_while_it_works(), (uint64_t)COMMITS);
    uint64_t calls = simulated_disk_events(disk, SIMULATED_ANY);
    static const enum simulated_effect effects[] = {SIMULATED_FAILS, SIMULATED_FAILS_PARTLY,
                                                    SIMULATED_FAILS_AND_REVERTS};
    for (uint64_t nth = 1; nth <= calls; nth++) {
        for (size_t i = 0; i < 2 * sizeof effects / sizeof *effects; i++) {
            new_disk(nth);
            struct simulated_fault fault = {
                .nth = nth, .effect = effects[i / 2], .for_ever = i % 2 != 0};
            simulated_disk_inject(disk, &fault);
            uint64_t acknowledged = commit_while_it_works();
            cr_assert_eq(simulated_disk_open_files(disk), 0u);
            struct simulated_disk *crashed =
                simulated_disk_crash(disk, nth, SIMULATED_CRASH_RANDOM);
            simulated_disk_close(disk);
            disk = crashed;
            config.os = simulated_disk_os(disk);
            struct vs_log_scan scan;
            struct log_reading reading = {NULL, SIZE_MAX, 0, NULL};
            verso_err err = vs_log_read(&config, &start, acknowledged > 0, 0, log_record_check,
                                        &reading, &scan);
            cr_assert_eq(err, VERSO_OK, "call %" PRIu64 ": %s", nth, vs_fault_detail());
            cr_assert_null(reading.fault, "call %" PRIu64 ": %s", nth, reading.fault);
            cr_assert_geq(reading.version, acknowledged, "call %" PRIu64, nth);
        }
    }
}

Test(log_disk, failure_of_any_call_while_reading_is_reported)
{
    new_disk(1);
    cr_assert_eq(commit_while_it_works(), (uint64_t)COMMITS);
    uint64_t digest = simulated_disk_digest(disk);
    for (uint64_t nth = 1;; nth++) {
        struct simulated_fault fault = {.nth = nth};
        simulated_disk_inject(disk, &fault);
        struct vs_log_scan scan;
        uint64_t last = 0;
        verso_err err = read_on(&start, 0, SIZE_MAX, &last, &scan);
        bool met = simulated_disk_faults_met(disk) >= nth;
        simulated_disk_heal(disk);
        cr_assert_eq(simulated_disk_open_files(disk), 0u);
        cr_assert_eq(simulated_disk_digest(disk), digest);
        if (err == VERSO_OK) {
            cr_assert_eq(last, (uint64_t)COMMITS);
            cr_assert_gt(nth, 5u);
            (void)met;
            break;
        }
        cr_assert_eq(err, VERSO_IO, "call %" PRIu64 ": %d", nth, err);
    }
}

/** Lose or misdirect each write in turn: every loss but that of the last commits must show. */
static void check_lying_writes(const struct simulated_fault *lie)
{
    new_disk(1);
    cr_assert_eq(commit_while_it_works(), (uint64_t)COMMITS);
    uint64_t writes = simulated_disk_events(disk, SIMULATED_WRITE);
    unsigned reported = 0;
    for (uint64_t nth = 1; nth <= writes; nth++) {
        new_disk(nth);
        struct simulated_fault fault = *lie;
        fault.nth = nth;
        simulated_disk_inject(disk, &fault);
        cr_assert_eq(commit_while_it_works(), (uint64_t)COMMITS);
        struct vs_log_scan scan;
        struct log_reading reading = {NULL, SIZE_MAX, 0, NULL};
        verso_err err = vs_log_read(&config, &start, true, 0, log_record_check, &reading, &scan);
        cr_assert_null(reading.fault, "write %" PRIu64 ": %s", nth, reading.fault);
        if (err == VERSO_OK) {
            uint64_t least = nth == writes ? COMMITS - 1 : COMMITS;
            cr_assert_geq(reading.version, least, "write %" PRIu64, nth);
        } else {
            cr_assert(err == VERSO_WAL_CORRUPT || err == VERSO_WAL_MISSING, "write %" PRIu64 ": %d",
                      nth, err);
            reported++;
        }
    }
    cr_assert_gt(reported, (unsigned)COMMITS / 2);
}

Test(log_disk, lost_write_is_reported)
{
    struct simulated_fault lie = {.kind = SIMULATED_WRITE, .effect = SIMULATED_IS_LOST};
    check_lying_writes(&lie);
}

Test(log_disk, misdirected_write_is_reported)
{
    static const int64_t shifts[] = {-512, 512, SEGMENT / 2};
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        struct simulated_fault lie = {
            .kind = SIMULATED_WRITE, .effect = SIMULATED_IS_MISDIRECTED, .shift_bytes = shifts[i]};
        check_lying_writes(&lie);
    }
}

/* ---- hostile bytes
   ----------------------------------------------------------------------------- */

static verso_err accept_any(void *argument, const struct vs_log_record *record)
{
    uint64_t *bytes = argument;
    const uint8_t *note = record->note.data;
    const uint8_t *operations = record->operations.data;
    for (size_t i = 0; i < record->note.size; i++) {
        *bytes += note[i]; /* touched, so that a sanitiser may object */
    }
    for (size_t i = 0; i < record->operations.size; i++) {
        *bytes += operations[i];
    }
    return VERSO_OK;
}

/** Change a file at random; now and then make the checksums of a header agree with the change. */
static void mutate(struct simulated_random *random, uint8_t *bytes, size_t size)
{
    size_t at = (size_t)simulated_random_below(random, size / 8) * 8;
    size_t field = at + (size_t)simulated_random_below(random, VS_FRAME_HEADER / 4) * 4;
    static const uint32_t words[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 104, 4096, 65535};
    switch (simulated_random_below(random, 4)) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << simulated_random_below(random, 8));
        break;
    case 1: {
        size_t from = (size_t)simulated_random_below(random, size / 8) * 8;
        size_t longest = size - (at > from ? at : from);
        memmove(bytes + at, bytes + from, simulated_random_below(random, longest + 1));
        break;
    }
    default:
        if (field + 4 > size) {
            break;
        }
        vs_put_le32(bytes + field, words[simulated_random_below(random, 8)]);
        if (at + VS_FRAME_HEADER <= size) {
            vs_put_le32(bytes + at, vs_crc32c(0, bytes + at + 8, VS_FRAME_HEADER - 8));
        }
        break;
    }
}

Test(log_disk, hostile_bytes_are_refused_or_read_but_never_followed_astray)
{
    enum { FILES = 3, ROUNDS = 3000 };
    new_disk(1);
    cr_assert_eq(commit_while_it_works(), (uint64_t)COMMITS);
    struct simulated_random random = {test_seed()};
    uint64_t codes[32] = {0};
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct simulated_disk *good = disk;
        disk = simulated_disk_clone(good);
        config.os = simulated_disk_os(disk);
        for (uint64_t left = 1 + simulated_random_below(&random, 4); left > 0; left--) {
            const char *path =
                simulated_disk_path(disk, (size_t)simulated_random_below(&random, FILES));
            uint64_t size = 0;
            const uint8_t *bytes = simulated_disk_bytes(disk, path, &size);
            uint8_t copy[SEGMENT];
            cr_assert_leq(size, sizeof copy);
            memcpy(copy, bytes, (size_t)size);
            mutate(&random, copy, (size_t)size);
            simulated_disk_put(disk, path, copy, (size_t)size);
        }
        struct vs_log_scan scan;
        uint64_t sum = 0;
        verso_err err = vs_log_read(&config, &start, true, 0, accept_any, &sum, &scan);
        codes[-err]++;
        cr_assert(err == VERSO_OK || err == VERSO_WAL_CORRUPT || err == VERSO_WAL_MISSING ||
                      err == VERSO_MISMATCH,
                  "round %u: %d %s", round, err, vs_fault_detail());
        simulated_disk_close(disk);
        disk = good;
    }
    cr_assert_gt(codes[0], 0u);
    cr_assert_gt(codes[-VERSO_WAL_CORRUPT], 0u);
}
